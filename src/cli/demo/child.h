// A program that the demo starts (the server, the gate): it dies with the demo, and never outlives its object.
// Owned by the main thread, on which it must be started: the kernel's watch over it is that thread's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"

namespace tidegate::demo {

struct Program {
    std::vector<std::string> command;  // the first is a path
    std::string folder;                // its working folder and home: nobody's settings are read
    std::string input;                 // a file; empty: nothing
    std::string log;                   // a file that takes what it says
};

class Child {
public:
    Child() = default;
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();

    [[nodiscard]] static Result<Child> start(const Program& program);

    [[nodiscard]] bool running();
    // The exit code once it has ended (128 + signal), -1 while it runs.
    [[nodiscard]] int exit_code() const { return exit_code_; }
    // Asks it to end, and insists when it has not after `limit` or at an interrupt.
    void stop(std::chrono::milliseconds limit);
    void kill();
    // The last lines of its log, for an error message.
    [[nodiscard]] std::string last_words() const;

private:
    pid_t pid_ = -1;
    int exit_code_ = -1;
    std::string log_;
};

}  // namespace tidegate::demo
