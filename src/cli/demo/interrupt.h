// Ctrl-C and its like, as a flag that every wait of the demo looks at. Owned by the main thread.
#pragma once

#include <chrono>

namespace tidegate::demo {

// While it lives, SIGINT, SIGTERM and SIGHUP set the flag instead of ending the process.
class InterruptFlag {
public:
    InterruptFlag();
    ~InterruptFlag();
    InterruptFlag(const InterruptFlag&) = delete;
    InterruptFlag& operator=(const InterruptFlag&) = delete;
};

// The signal that came, or 0.
[[nodiscard]] int interrupted();

// Looks every few milliseconds until `done()`, the deadline or an interrupt; says whether it is done.
template <class Done>
[[nodiscard]] bool wait_for(std::chrono::milliseconds limit, Done done);

// One look's pause; ends early at an interrupt.
void pause(std::chrono::milliseconds time);

template <class Done>
bool wait_for(std::chrono::milliseconds limit, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (interrupted() == 0) {
        if (done()) return true;
        if (std::chrono::steady_clock::now() >= deadline) return false;
        pause(std::chrono::milliseconds(20));
    }
    return false;
}

}  // namespace tidegate::demo
