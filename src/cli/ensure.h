// `serve --ensure`: one gate for each listening address, started in the background by whoever comes first. The one that
// runs holds a lock on a file named after the address; the kernel drops the lock when it dies, however it dies.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace tidegate::cli {

// What the gate in the background says to the command that started it. A call after the first does nothing.
class Starter {
public:
    explicit Starter(int fd) : fd_(fd) {}
    ~Starter();
    Starter(const Starter&) = delete;
    Starter& operator=(const Starter&) = delete;

    void ready();
    void failed(std::string_view sentence);

private:
    void tell(std::string_view text);
    int fd_;
};

// `address` names the gate; `run` is the gate, called in a process of its own, whose exit code it returns. Prints one
// line; returns when the gate serves, or cannot.
[[nodiscard]] int ensure(const std::string& address, const std::function<int(Starter&)>& run);

}  // namespace tidegate::cli
