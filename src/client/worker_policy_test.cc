#include "client/worker_policy.h"

#include <gtest/gtest.h>

#include <set>

namespace tidegate::client {
namespace {

constexpr TimePoint kStart{1000h};

WorkerPolicy policy(const WorkerOptions& options, std::uint64_t seed = 1) {
    return {options, kStart, seed};
}

// Jobs, one a second, until the worker ends; how many, and why.
std::pair<int, WorkerEnd::Reason> work(WorkerPolicy worker) {
    for (int jobs = 0;; ++jobs) {
        const auto end = worker.end(kStart + std::chrono::seconds(jobs));
        if (end) return {jobs, *end};
        worker.did_one(jobs % 2 == 0);
    }
}

TEST(WorkerPolicy, EndsAfterItsJobsGiveOrTakeATenth) {
    std::set<int> ends;
    for (unsigned seed = 0; seed < 100; ++seed) {
        const auto [jobs, reason] = work(policy({.max_jobs = 100}, seed));
        EXPECT_EQ(reason, WorkerEnd::Reason::max_jobs);
        EXPECT_GE(jobs, 90);
        EXPECT_LE(jobs, 110);
        ends.insert(jobs);
    }
    EXPECT_GT(ends.size(), 10U);  // not all at once
    EXPECT_EQ(work(policy({.max_jobs = 1})).first, 1);
}

TEST(WorkerPolicy, EndsAfterItsTimeGiveOrTakeATenth) {
    const auto [jobs, reason] = work(policy({.max_jobs = 0, .max_time = std::chrono::seconds(200)}));
    EXPECT_EQ(reason, WorkerEnd::Reason::max_time);
    EXPECT_GE(jobs, 180);
    EXPECT_LE(jobs, 221);
}

TEST(WorkerPolicy, RestsWhenThereIsNothingButNotBeyondItsEnd) {
    auto worker = policy({.max_time = std::chrono::seconds(10), .rest = std::chrono::seconds(5)});
    EXPECT_EQ(worker.next_look(), kStart);
    worker.found_none(kStart + 1s);
    EXPECT_EQ(worker.next_look(), kStart + 6s);
    worker.found_none(kStart + 6s);
    EXPECT_LE(worker.next_look(), kStart + 11s);
    EXPECT_EQ(worker.end(worker.next_look()), WorkerEnd::Reason::max_time);
}

TEST(WorkerPolicy, TriesAgainWithPausesAndGivesUp) {
    auto worker = policy({.give_up_after = 3});
    auto now = kStart;
    for (const Duration expected : {100ms, 200ms}) {
        worker.could_not_take(now);
        EXPECT_EQ(worker.end(now), std::nullopt);
        EXPECT_GE(worker.next_look() - now, expected * 8 / 10);
        EXPECT_LE(worker.next_look() - now, expected * 12 / 10);
        now = worker.next_look();
    }
    auto other = worker;
    worker.could_not_take(now);
    EXPECT_EQ(worker.end(now), WorkerEnd::Reason::gave_up);
    other.did_one(false);  // taking works: the count begins anew
    other.could_not_take(now);
    EXPECT_EQ(other.end(now), std::nullopt);
    EXPECT_EQ(other.failed(), 1U);
}

}  // namespace
}  // namespace tidegate::client
