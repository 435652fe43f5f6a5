// Any events in any order: the rules of the ledger hold. RapidCheck finds a script that breaks one, and makes it short.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <vector>

#include "sim/script.h"

namespace tidegate::sim {
namespace {

TEST(Property, NoOrderOfEventsBreaksARule) {
    setenv("RC_PARAMS", "max_success=2000", 0);  // read by RapidCheck; a run of one's own choice wins
    EXPECT_TRUE(rc::check("any order of events", [] {
        const auto length = *rc::gen::inRange<std::size_t>(0, 3000);
        const auto script = *rc::gen::container<std::vector<std::uint8_t>>(length, rc::gen::arbitrary<std::uint8_t>());
        if (const auto broken = play(script)) RC_FAIL(*broken);
    }));
}

}  // namespace
}  // namespace tidegate::sim
