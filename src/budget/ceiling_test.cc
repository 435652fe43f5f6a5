#include "budget/ceiling.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidegate::budget {
namespace {

constexpr TimePoint kStart = TimePoint{} + 1h;

TEST(Ceiling, IsOpenUntilARefusal) {
    Ceiling ceiling;
    EXPECT_FALSE(ceiling.closed());
    EXPECT_EQ(ceiling.level(), Ceiling::kNone);
    EXPECT_FALSE(ceiling.probe_due(0, kStart + 1h));
    ceiling.worked(10, kStart);
    EXPECT_FALSE(ceiling.closed());
}

TEST(Ceiling, ClosesToWhatIsOpenAndProbesOneAtATimeAfterASecond) {
    Ceiling ceiling;
    ceiling.refused(20, kStart);
    EXPECT_EQ(ceiling.level(), 20U);
    EXPECT_FALSE(ceiling.probe_due(0, kStart + 999ms));
    EXPECT_TRUE(ceiling.probe_due(0, kStart + 1s));
    EXPECT_FALSE(ceiling.probe_due(1, kStart + 1s)) << "one probe at a time";
}

TEST(Ceiling, ProbesThatWorkOpenItInGrowingSteps) {
    Ceiling ceiling;
    TimePoint now = kStart;
    ceiling.refused(10, now);
    unsigned open = 10;
    int probes = 0;
    while (open < 100) {
        while (!ceiling.probe_due(0, now)) now += 10ms;
        ceiling.worked(++open, now);  // the probe
        ++probes;
        while (open < ceiling.level() && open < 100) ceiling.worked(++open, now);  // what it allows
    }
    EXPECT_LE(probes, 8);
    EXPECT_LE(now - kStart, 3s);
}

TEST(Ceiling, ProbesThatAreRefusedComeLessOften) {
    Ceiling ceiling;
    TimePoint now = kStart;
    ceiling.refused(10, now);
    std::vector<Duration> pauses;
    for (int i = 0; i < 5; ++i) {
        const TimePoint since = now;
        while (!ceiling.probe_due(0, now)) now += 100ms;
        pauses.push_back(now - since);
        ceiling.refused(10, now);
    }
    EXPECT_EQ(pauses, (std::vector<Duration>{1s, 2s, 4s, 5s, 5s}));
}

TEST(Ceiling, TheLoginsUnderWayAtTheFirstRefusalDoNotDelayTheProbe) {
    Ceiling ceiling;
    for (int i = 0; i < 16; ++i) ceiling.refused(20, kStart);
    EXPECT_TRUE(ceiling.probe_due(0, kStart + 1s));
}

TEST(Ceiling, WithNothingOpenItTriesSooner) {
    Ceiling ceiling;
    ceiling.refused(0, kStart);
    EXPECT_EQ(ceiling.level(), 0U);
    EXPECT_TRUE(ceiling.probe_due(0, kStart + 100ms));
    TimePoint now = kStart;
    for (int i = 0; i < 10; ++i) {
        while (!ceiling.probe_due(0, now)) now += 10ms;
        ceiling.refused(0, now);
    }
    EXPECT_TRUE(ceiling.probe_due(0, now + 1s)) << "at most a second between two";
}

TEST(Ceiling, NewsForgetsIt) {
    Ceiling ceiling;
    ceiling.refused(5, kStart);
    ceiling.forget();
    EXPECT_FALSE(ceiling.closed());
    EXPECT_EQ(ceiling.level(), Ceiling::kNone);
}

}  // namespace
}  // namespace tidegate::budget
