// Days with different seeds, with a monitor and without; and that the same seed gives the same day.
#include "sim/day.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

class SimulatedDay : public testing::TestWithParam<Morning> {};

TEST_P(SimulatedDay, EveryRuleHolds) {
    Day day(GetParam());
    day.run();
    fmt::print("{}\n", day.summary());
    EXPECT_FALSE(day.failure()) << *day.failure();
}

TEST(SimulatedNight, TheSameSeedGivesTheSameNight) {
    Day one({.seed = 7, .ends = 3h});
    Day two({.seed = 7, .ends = 3h});
    Day other({.seed = 8, .ends = 3h});
    for (Day* day : {&one, &two, &other}) day->run();
    EXPECT_EQ(one.summary(), two.summary());
    EXPECT_NE(one.summary().substr(7), other.summary().substr(7));
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulatedDay,
                         testing::Values(Morning{.seed = 1, .monitored = true}, Morning{.seed = 2, .monitored = false},
                                         Morning{.seed = 3, .monitored = true}, Morning{.seed = 4, .monitored = false}),
                         [](const auto& it) {
                             return fmt::format("{}_{}", it.param.seed, it.param.monitored ? "monitored" : "alone");
                         });

}  // namespace
}  // namespace tidegate::sim
