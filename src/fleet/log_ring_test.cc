#include "fleet/log_ring.h"

#include <gtest/gtest.h>

namespace tidegate::fleet {
namespace {

TEST(LogRing, GivesTheLastLinesOldestFirst) {
    LogRing ring;
    EXPECT_TRUE(ring.lines(0, 10).empty());
    for (WorkerId i = 0; i < 5; ++i) ring.add(i, i == 3, "line " + std::to_string(i), TimePoint(1s * i));
    const auto last = ring.lines(0, 2);
    ASSERT_EQ(last.size(), 2U);
    EXPECT_EQ(last[0].text, "line 3");
    EXPECT_TRUE(last[0].error);
    EXPECT_EQ(last[1].number, 5U);
    EXPECT_EQ(last[1].worker, 4U);
    EXPECT_EQ(last[1].at, TimePoint(4s));
}

TEST(LogRing, GivesAFollowerWhatIsNew) {
    LogRing ring;
    for (int i = 0; i < 3; ++i) ring.add(0, false, "x", {});
    EXPECT_EQ(ring.lines(1, 100).size(), 2U);
    EXPECT_TRUE(ring.lines(ring.last(), 100).empty());
    EXPECT_TRUE(ring.lines(99, 100).empty());
}

TEST(LogRing, IsBoundedByLinesAndByBytes) {
    LogRing many;
    for (std::size_t i = 0; i < LogRing::kMostLines + 10; ++i) many.add(0, false, "x", {});
    const auto kept = many.lines(0, LogRing::kMostLines * 2);
    ASSERT_EQ(kept.size(), LogRing::kMostLines);
    EXPECT_EQ(kept.front().number, 11U);
    LogRing large;
    for (int i = 0; i < 10; ++i) large.add(0, false, std::string(LogRing::kMostBytes / 4, 'x'), {});
    EXPECT_EQ(large.lines(0, 100).size(), 4U);
    large.add(0, false, std::string(LogRing::kMostBytes * 2, 'x'), {});
    EXPECT_EQ(large.lines(0, 100).size(), 1U);
}

}  // namespace
}  // namespace tidegate::fleet
