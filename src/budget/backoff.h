// When to try again: a delay that doubles from a first to a last value, each time with jitter, until something works.
// Pure: the seed and the time are handed in. Belongs to one thread.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace tidegate::budget {

// A small generator of pseudo-random numbers (splitmix64): the same seed gives the same numbers, on every machine.
class Jitter {
public:
    explicit Jitter(std::uint64_t seed) : state_(seed) {}
    // Evenly in [d - d * share, d + d * share].
    [[nodiscard]] Duration around(Duration d, double share);
    // Evenly in [0, 1).
    [[nodiscard]] double fraction();

private:
    std::uint64_t state_;
};

class Backoff {
public:
    Backoff(Duration first, Duration last) : first_(first), last_(last) {}
    void failed(TimePoint now, Jitter& jitter);
    void worked() { delay_ = Duration::zero(); }
    // Has the last attempt failed?
    [[nodiscard]] bool failing() const { return delay_ != Duration::zero(); }
    // REQUIRES: failing(). When the next attempt may be made.
    [[nodiscard]] TimePoint retry_at() const { return retry_at_; }

private:
    Duration first_;
    Duration last_;
    Duration delay_{};
    TimePoint retry_at_{};
};

}  // namespace tidegate::budget
