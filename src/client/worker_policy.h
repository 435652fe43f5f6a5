// When a worker takes the next job, rests, or ends. Pure.
#pragma once

#include <tidegate/worker.h>

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "budget/backoff.h"

namespace tidegate::client {

class WorkerPolicy {
public:
    WorkerPolicy(const WorkerOptions& options, TimePoint now, std::uint64_t seed);

    // What came of the last look for a job.
    void found_none(TimePoint now);
    void did_one(bool well);
    void could_not_take(TimePoint now);

    // The reason to end, if there is one by now.
    [[nodiscard]] std::optional<WorkerEnd::Reason> end(TimePoint now) const;
    // When to look for a job again; not after it is time to end.
    [[nodiscard]] TimePoint next_look() const { return next_look_; }

    [[nodiscard]] std::uint64_t done() const { return done_; }
    [[nodiscard]] std::uint64_t failed() const { return failed_; }

private:
    budget::Jitter jitter_;
    budget::Backoff backoff_{100ms, 1s};
    Duration rest_;
    std::uint64_t max_jobs_;  // its own, with jitter; 0: no limit
    TimePoint end_;
    unsigned give_up_after_;
    unsigned failures_ = 0;  // of taking, in a row
    TimePoint next_look_;
    std::uint64_t done_ = 0;
    std::uint64_t failed_ = 0;
};

}  // namespace tidegate::client
