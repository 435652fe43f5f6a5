// Reads lines from a descriptor of any kind, a file, a pipe, a terminal, on a thread of its own, a piece at a time and
// only when asked: the loop never waits for it, and a list of millions of jobs is never in memory at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fleet/line_cutter.h"
#include "net/loop.h"

namespace tidegate::fleet {

class LineReader {
public:
    // `take` is called on the loop's thread: the next lines, and whether they are the last. Takes the descriptor.
    using Take = std::function<void(std::vector<std::string> lines, bool last)>;
    LineReader(net::Loop& loop, int fd, Take take);
    ~LineReader();  // the loop no longer runs
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    void more();  // asks for the next piece; asking again before it has come does nothing

private:
    void run();
    [[nodiscard]] bool wait_until_wanted();  // these two, false: it is told to stop
    [[nodiscard]] bool wait_for_input() const;

    net::Loop& loop_;
    int fd_;
    int stop_;  // eventfd
    Take take_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool wanted_ = false;    // guarded by mutex_
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace tidegate::fleet
