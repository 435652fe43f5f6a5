#include "session/pin_causes.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidegate::session {
namespace {

using sql::Pin;
using sql::Pins;

class PinCausesTest : public testing::Test {
protected:
    void follow(Pins pins, std::string_view statement = "") { causes.follow(pins, statement, now, totals); }
    // "name: statement, age in seconds", one after the other.
    [[nodiscard]] std::vector<std::string> shown() const {
        std::vector<std::string> all;
        for (const PinCause& each : causes.all()) {
            all.push_back(std::string(sql::name(each.pin)) + ": " + each.statement + ", " +
                          std::to_string(static_cast<int>(seconds(now - each.since))));
        }
        return all;
    }
    [[nodiscard]] unsigned pinned(Pin pin) const { return totals.now[static_cast<std::size_t>(pin)]; }
    [[nodiscard]] Duration lasted(Pin pin) const { return totals.lasted[static_cast<std::size_t>(pin)]; }

    TimePoint now{};
    PinTotals totals;
    PinCauses causes;
};

using Shown = std::vector<std::string>;

TEST_F(PinCausesTest, EachPinHasTheStatementThatBroughtItAndItsAge) {
    follow({Pin::user_variable}, "SET @a = ?");
    now += 5s;
    follow({Pin::user_variable, Pin::named_lock}, "SELECT GET_LOCK(@a, ?)");
    now += 2s;
    EXPECT_EQ(shown(), (Shown{"user_variable: SET @a = ?, 7", "named_lock: SELECT GET_LOCK(@a, ?), 2"}));
    EXPECT_EQ(pinned(Pin::user_variable), 1U);
    EXPECT_EQ(totals.sessions, 1U);
}

TEST_F(PinCausesTest, OneThatEndsAndComesAgainBeginsAnew) {
    follow({Pin::named_lock}, "SELECT GET_LOCK(?, ..)");
    now += 5s;
    follow({});
    EXPECT_EQ(shown(), Shown{});
    EXPECT_EQ(totals.sessions, 0U);
    EXPECT_EQ(pinned(Pin::named_lock), 0U);
    EXPECT_EQ(lasted(Pin::named_lock), 5s);
    now += 10s;
    follow({Pin::named_lock}, "DO GET_LOCK(?, ..)");
    now += 1s;
    EXPECT_EQ(shown(), Shown{"named_lock: DO GET_LOCK(?, ..), 1"});
    EXPECT_EQ(lasted(Pin::named_lock), 5s) << "what lasts still is not counted yet";
}

TEST_F(PinCausesTest, OneOfSeveralMayEnd) {
    follow({Pin::temporary_table, Pin::user_variable}, "CREATE TEMPORARY TABLE t SELECT @a");
    now += 3s;
    follow({Pin::user_variable}, "DROP TABLE t");
    EXPECT_EQ(shown(), Shown{"user_variable: CREATE TEMPORARY TABLE t SELECT @a, 3"});
    EXPECT_EQ(causes.known(), Pins(Pin::user_variable));
    EXPECT_EQ(lasted(Pin::temporary_table), 3s);
    EXPECT_EQ(lasted(Pin::user_variable), 0s);
    EXPECT_EQ(totals.sessions, 1U);
}

TEST_F(PinCausesTest, SessionsAddUp) {
    PinCauses other;
    follow({Pin::handler}, "a");
    other.follow({Pin::handler}, "b", now, totals);
    EXPECT_EQ(pinned(Pin::handler), 2U);
    EXPECT_EQ(totals.sessions, 2U);
    now += 1s;
    follow({});
    now += 1s;
    other.follow({}, "", now, totals);
    EXPECT_EQ(lasted(Pin::handler), 3s);
    EXPECT_EQ(totals.sessions, 0U);
}

TEST_F(PinCausesTest, WithoutPinsItTakesNoMemory) {
    EXPECT_EQ(causes.all().capacity(), 0U);
    follow({Pin::handler}, "HANDLER t OPEN");
    follow({});
    EXPECT_EQ(causes.all().capacity(), 0U);
}

}  // namespace
}  // namespace tidegate::session
