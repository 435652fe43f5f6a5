#include "fleet/pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tidegate::fleet {
namespace {

using ::testing::HasSubstr;

TEST(Pace, FarFromTheLimitEverythingIsRoom) {
    Pace pace(3);
    EXPECT_EQ(pace.room({.connected = 1, .limit = 151}, 0), 117U + (30 + 1) / 2) << "all up to 80 %, half of the rest";
    EXPECT_THAT(pace.reason(), HasSubstr("near the limit"));
    Pace small(0);
    EXPECT_EQ(small.room({.connected = 1, .limit = 1000}, 999), 0U);
}

TEST(Pace, WorkersThatHaveNotConnectedYetAreNoRoom) {
    Pace pace(3);
    const unsigned first = pace.room({.connected = 1, .limit = 151}, 0);
    EXPECT_LE(pace.room({.connected = 1, .limit = 151}, first), 148U - first);
    EXPECT_EQ(pace.room({.connected = 1, .limit = 151}, 147), 0U);
    EXPECT_THAT(pace.reason(), HasSubstr("3 of them kept free"));
}

TEST(Pace, OthersAreNoRoomEither) {
    Pace pace(0);
    EXPECT_EQ(pace.room({.connected = 100, .limit = 100}, 0), 0U);
    EXPECT_EQ(pace.room({.connected = 100, .limit = 100}, 50), 0U) << "they were there before ours";
    Pace grown(0);
    EXPECT_GT(grown.room({.connected = 10, .limit = 100}, 0), 0U);
    EXPECT_EQ(grown.room({.connected = 90, .limit = 100}, 20), 5U) << "90 connections, at most 20 of ours: 70 others";
}

// Whatever the order in which they connect, all together never pass the limit.
TEST(Pace, NeverOvercommits) {
    for (unsigned others = 0; others < 160; others += 13) {
        Pace pace(3);
        unsigned running = 0;
        for (int look = 0; look < 200; ++look) {
            const unsigned connected = others + 1 + running * static_cast<unsigned>(look % 4) / 3;
            running += pace.room({.connected = std::min(connected, 151U), .limit = 151}, running);
            EXPECT_LE(others + 1 + running, std::max(148U, others + 1)) << others;
        }
        EXPECT_EQ(running, others + 1 < 148 ? 148 - others - 1 : 0) << "and what there is is used in the end";
    }
}

TEST(Pace, ARefusalHalvesAndItGrowsBack) {
    Pace pace(0);
    (void)pace.room({.connected = 1, .limit = 100, .refused = 5}, 0);
    EXPECT_EQ(pace.room({.connected = 41, .limit = 100, .refused = 6}, 40), 0U);
    EXPECT_THAT(pace.reason(), HasSubstr("at most 20 at once"));
    EXPECT_EQ(pace.room({.connected = 11, .limit = 100, .refused = 6}, 10), 20U) << "30 at once after a good look";
    for (int i = 0; i < 8; ++i) (void)pace.room({.connected = 11, .limit = 100, .refused = 6}, 10);
    EXPECT_GT(pace.room({.connected = 11, .limit = 100, .refused = 6}, 10), 60U);
    EXPECT_THAT(pace.reason(), HasSubstr("near the limit"));
}

TEST(Pace, TheRefusalsBeforeTheFirstLookAreNoNews) {
    Pace pace(0);
    EXPECT_GT(pace.room({.connected = 1, .limit = 100, .refused = 12345}, 0), 50U);
}

TEST(Pace, AServerThatIsFullForUsHasNoRoom) {
    Pace pace(0);
    EXPECT_EQ(pace.room({.refused_us = true}, 10), 0U);
    EXPECT_THAT(pace.reason(), HasSubstr("it is full"));
    EXPECT_EQ(pace.room({.connected = 1, .limit = 100}, 0), 15U) << "half of what ran, and a tenth of the limit more";
}

TEST(Pace, BehindAGateTheLineDecides) {
    Pace pace(0);
    EXPECT_EQ(pace.room({.connected = 20, .limit = 100, .shared = true}, 500), 80U);
    EXPECT_EQ(pace.room({.connected = 20, .limit = 100, .waiting = 1, .shared = true}, 500), 0U);
    EXPECT_THAT(pace.reason(), HasSubstr("in line"));
}

}  // namespace
}  // namespace tidegate::fleet
