// Until when somebody is ready to wait: a point in time, so that what is called on the way does not wait anew.
//
//     pool.acquire(5s);                          // five seconds from now
//     const tidegate::Deadline end(2min);        // one deadline ..
//     pool.acquire(end); pool.acquire(end);      // .. over several steps
#pragma once

#include <chrono>

namespace tidegate {

// A plain value; thread-safe as values are.
class Deadline {
public:
    using Clock = std::chrono::steady_clock;

    constexpr Deadline(Clock::time_point at) : at_(at) {}  // NOLINT(google-explicit-constructor): a time is a deadline

    // So long from now. A duration that the clock cannot hold is never() (or passed(), when it is negative).
    template <class Rep, class Period>
    Deadline(std::chrono::duration<Rep, Period> from_now)  // NOLINT(google-explicit-constructor): acquire(5s)
        : at_(after(Clock::now(), std::chrono::duration<double>(from_now))) {}

    [[nodiscard]] static constexpr Deadline never() { return Clock::time_point::max(); }
    [[nodiscard]] static constexpr Deadline passed() { return Clock::time_point::min(); }

    [[nodiscard]] constexpr Clock::time_point at() const { return at_; }

private:
    // A century is enough to tell from never, and far from where the clock overflows.
    [[nodiscard]] static Clock::time_point after(Clock::time_point now, std::chrono::duration<double> wait) {
        if (wait.count() > 3e9) return Clock::time_point::max();
        if (wait.count() < 0) return Clock::time_point::min();
        return now + std::chrono::duration_cast<Clock::duration>(wait);
    }

    Clock::time_point at_;
};

}  // namespace tidegate
