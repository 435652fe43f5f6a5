// This program itself as a child process, for checks that need a second one: quiet, and never left behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace tidegate::cli {

class Child {
public:
    // Starts `tidegate ARGUMENTS..`, without output and input.
    static Child start(const std::vector<std::string>& arguments);
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    Child& operator=(Child&&) = delete;
    Child(const Child&) = delete;
    ~Child() { end(); }

    // Its exit code; -1: it did not end in time (and is killed), or could not be started; -2: a signal ended it.
    [[nodiscard]] int wait(Duration at_most);
    // TERM, so that it can end what it started itself; KILL after two seconds.
    void end();
    // KILL to it and to what it has started, as if they had crashed.
    void kill_all();

private:
    explicit Child(pid_t pid) : pid_(pid) {}
    pid_t pid_;
};

}  // namespace tidegate::cli
