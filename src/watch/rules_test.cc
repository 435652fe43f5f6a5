#include "watch/rules.h"

#include <gtest/gtest.h>

namespace tidegate::watch {
namespace {

config::KillRule rule(const std::string& name, Duration every, Duration dry_run) {
    return {.name = name, .idle = 60s, .user = "report*", .every = every, .dry_run = dry_run};
}

constexpr TimePoint kStart{1h};

TEST(Rules, EachHasItsTurnOnceAPeriod) {
    Rules rules;
    EXPECT_TRUE(rules.empty());
    EXPECT_EQ(rules.next(), TimePoint::max());
    rules.set({rule("a", 10s, 0s), rule("b", 30s, 0s)}, kStart);
    EXPECT_EQ(rules.next(), kStart + 10s);
    EXPECT_TRUE(rules.due(kStart + 9s).empty());
    ASSERT_EQ(rules.due(kStart + 10s).size(), 1U);
    EXPECT_TRUE(rules.due(kStart + 10s).empty());
    const auto both = rules.due(kStart + 30s);
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[0].filter.text(), "idle for 60 s or more, account report*");
}

TEST(Rules, TheDryRunEndsAndBeginsAnewWithAChange) {
    Rules rules;
    rules.set({rule("a", 10s, 1h)}, kStart);
    EXPECT_TRUE(rules.due(kStart + 10s).at(0).dry_run);
    EXPECT_TRUE(rules.due(kStart + 59min).at(0).dry_run);
    rules.set({rule("a", 10s, 1h)}, kStart + 59min);  // read again, as it was
    EXPECT_FALSE(rules.due(kStart + 1h).at(0).dry_run);
    rules.set({rule("a", 20s, 1h)}, kStart + 2h);
    EXPECT_TRUE(rules.due(kStart + 2h + 20s).at(0).dry_run);
}

TEST(Rules, ADryRunTellsOfEachVictimOnce) {
    Rules rules;
    rules.set({rule("a", 10s, 1h), rule("b", 10s, 1h)}, kStart);
    EXPECT_TRUE(rules.is_news("a", 7));
    EXPECT_FALSE(rules.is_news("a", 7));
    EXPECT_TRUE(rules.is_news("a", 8));
    EXPECT_TRUE(rules.is_news("b", 7));
}

}  // namespace
}  // namespace tidegate::watch
