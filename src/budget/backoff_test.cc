#include "budget/backoff.h"

#include <gtest/gtest.h>

namespace tidegate::budget {
namespace {

constexpr TimePoint kStart = TimePoint{} + 1h;

TEST(Jitter, StaysWithinItsShareAndRepeatsWithItsSeed) {
    Jitter one(5);
    Jitter same(5);
    Jitter other(6);
    bool differs = false;
    for (int i = 0; i < 1000; ++i) {
        const Duration d = one.around(100s, 0.1);
        EXPECT_GE(d, 90s);
        EXPECT_LE(d, 110s);
        EXPECT_EQ(d, same.around(100s, 0.1));
        differs |= d != other.around(100s, 0.1);
    }
    EXPECT_TRUE(differs);
}

TEST(Backoff, DoublesFromFirstToLast) {
    Jitter jitter(1);
    Backoff backoff(50ms, 500ms);
    EXPECT_FALSE(backoff.failing());
    TimePoint now = kStart;
    for (const Duration expected : {50ms, 100ms, 200ms, 400ms, 500ms, 500ms}) {
        backoff.failed(now, jitter);
        EXPECT_GE(backoff.retry_at() - now, expected * 8 / 10);
        EXPECT_LE(backoff.retry_at() - now, expected * 12 / 10);
        now = backoff.retry_at();
    }
    backoff.worked();
    EXPECT_FALSE(backoff.failing());
    backoff.failed(now, jitter);
    EXPECT_LE(backoff.retry_at() - now, 60ms);
}

TEST(Backoff, AttemptsThatWereUnderWayCountOnce) {
    Jitter jitter(1);
    Backoff backoff(50ms, 500ms);
    for (int i = 0; i < 16; ++i) backoff.failed(kStart, jitter);
    EXPECT_LE(backoff.retry_at() - kStart, 60ms);
}

}  // namespace
}  // namespace tidegate::budget
