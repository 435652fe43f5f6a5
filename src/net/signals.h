// Signals as something to wait for: blocked for the whole process and read from a descriptor.
#pragma once

#include <initializer_list>

#include "net/socket.h"
#include "net/task.h"

namespace tidegate::net {

class Signals {
public:
    // Blocks `numbers` for the calling thread and those it starts: make it before any other thread.
    Signals(Loop& loop, std::initializer_list<int> numbers);

    // For the calling thread and those it starts, where it is too early to read them.
    static void block(std::initializer_list<int> numbers);

    Task<int> next();  // 0 after stop()
    void stop();

private:
    Socket socket_;
    bool stopped_ = false;
};

}  // namespace tidegate::net
