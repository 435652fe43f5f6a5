#include "base/histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace tidegate {
namespace {

TEST(WaitHistogram, IsEmptyAtFirst) {
    const WaitHistogram h;
    EXPECT_EQ(h.count(), 0U);
    EXPECT_EQ(h.percentile(99), Duration{});
    EXPECT_EQ(h.max(), Duration{});
}

TEST(WaitHistogram, BoundsEveryPercentileByAQuarter) {
    WaitHistogram h;
    for (int i = 1; i <= 10'000; ++i) h.record(std::chrono::microseconds(i * 10));
    for (const double p : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
        const double exact = p / 100 * 0.1;
        EXPECT_GE(seconds(h.percentile(p)), exact * 0.999) << p;
        EXPECT_LE(seconds(h.percentile(p)), exact * 1.26) << p;
    }
    EXPECT_EQ(h.percentile(100), Duration(100ms));
    EXPECT_EQ(h.max(), Duration(100ms));
    EXPECT_EQ(h.count(), 10'000U);
    EXPECT_EQ(h.sum(), Duration(500'050ms));
}

TEST(WaitHistogram, NeverSaysMoreThanTheGreatest) {
    WaitHistogram h;
    h.record(1001us);
    EXPECT_EQ(h.percentile(50), Duration(1001us));
}

TEST(WaitHistogram, TakesTheShortestAndTheLongest) {
    WaitHistogram h;
    h.record(Duration(-1s));
    h.record(Duration(0s));
    h.record(Duration(300ns));
    h.record(std::chrono::hours(48));
    EXPECT_EQ(h.percentile(50), Duration(0s));
    EXPECT_EQ(h.percentile(100), Duration(48h));
    EXPECT_EQ(h.within(1ms), 3U);
}

TEST(WaitHistogram, BucketsMeetWithoutGapsAndGrow) {
    for (std::size_t i = 0; i + 2 < WaitHistogram::kBuckets; ++i) {
        const auto bound = WaitHistogram::upper_bound(i);
        EXPECT_LT(bound, WaitHistogram::upper_bound(i + 1));
        WaitHistogram h;
        h.record(bound);
        h.record(bound + 1us);
        EXPECT_EQ(h.within(bound), 1U) << i;
    }
}

TEST(WaitHistogram, KnowsWhetherItsBytesAreItsOwn) {
    WaitHistogram h;
    EXPECT_TRUE(h.plausible());
    h.record(3ms);
    h.record(0s);
    EXPECT_TRUE(h.plausible());
    std::array<unsigned char, sizeof h> bytes{};
    for (const std::size_t at : {std::size_t{0}, bytes.size() - 1}) {  // a count, the greatest
        std::memcpy(bytes.data(), &h, sizeof h);
        ++bytes[at];
        WaitHistogram rubbish;
        std::memcpy(&rubbish, bytes.data(), sizeof h);
        EXPECT_FALSE(rubbish.plausible()) << at;
    }
}

}  // namespace
}  // namespace tidegate
