// A list of jobs worked off at most so many at a time: which is started where, what is tried again and when, how each
// ended. Pure; the processes and the journal are the shell's.
//
// A job that ends with 75 ("try again") is started again after 100, 200, 400, 800, 1000 ms; any other end is its end.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fleet/worker.h"

namespace tidegate::fleet {

using JobNumber = std::uint64_t;  // its line, from 1

struct Job {
    JobNumber number = 0;
    std::string line;
    unsigned attempt = 1;
};

struct JobFigures {
    std::uint64_t seen = 0;     // lines
    std::uint64_t skipped = 0;  // finished in an earlier run
    std::uint64_t running = 0;
    std::uint64_t waiting = 0;  // for a place, or for the next attempt
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t retried = 0;  // attempts after the first
    std::uint64_t cut_off = 0;  // ended by us: they are neither done nor failed
    [[nodiscard]] std::string text() const;
};

class JobQueue {
public:
    JobQueue(unsigned at_once, unsigned retries) : at_once_(at_once), retries_(retries) {}

    void add(Job job);
    void skip() { ++seen_, ++skipped_; }  // a line that an earlier run has finished
    void no_more() { no_more_ = true; }

    struct Start {
        WorkerId place;  // from 0 to at_once - 1: the smallest free one
        const Job* job;  // until ended()
    };
    // The next job to start now; nothing: none, or no place, or not yet.
    [[nodiscard]] std::optional<Start> next(TimePoint now);

    enum class Fate : std::uint8_t { done, failed, again, cut_off };
    // REQUIRES: a job runs at `place`. `cut` = we have ended it.
    Fate ended(WorkerId place, Exit exit, bool cut, TimePoint now);

    void stop() { stopping_ = true; }  // no more starts
    [[nodiscard]] bool stopping() const { return stopping_; }
    [[nodiscard]] bool wants_more(std::size_t enough) const { return queue_.size() < enough; }
    [[nodiscard]] bool finished() const;  // nothing runs and nothing is left, or nothing will start any more
    [[nodiscard]] bool complete() const { return no_more_ && queue_.empty() && again_.empty() && running_.empty(); }
    [[nodiscard]] JobFigures figures() const;

private:
    unsigned at_once_;
    unsigned retries_;
    std::deque<Job> queue_;
    std::multimap<TimePoint, Job> again_;
    std::map<WorkerId, Job> running_;
    bool no_more_ = false;
    bool stopping_ = false;
    std::uint64_t seen_ = 0;
    std::uint64_t skipped_ = 0;
    JobFigures totals_;
};

// The pause before attempt 2, 3, ..
[[nodiscard]] Duration pause_before_attempt(unsigned attempt);

}  // namespace tidegate::fleet
