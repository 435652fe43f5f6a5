// Why a session is pinned: for each of its pins the statement that brought it, and since when. Told of the session's
// pins when they have changed; takes memory only while there are any. Pure: the clock is handed in.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "sql/facts.h"

namespace tidegate::session {

struct PinCause {
    sql::Pin pin{};
    std::string statement;  // as sql::digest() has it; empty: not known
    TimePoint since;
    bool warned = false;  // somebody has been told that it lasts long
};

// By cause, over all sessions: how many have such a pin now, and how long those that are over have lasted.
struct PinTotals {
    std::array<unsigned, sql::kPinCount> now{};
    std::array<Duration, sql::kPinCount> lasted{};
    unsigned sessions = 0;  // with any pin
};

class PinCauses {
public:
    // The pins that it knows of. Where the session's are the same, there is nothing to follow().
    [[nodiscard]] sql::Pins known() const { return known_; }
    // The session's pins are these now: `statement` has brought the new ones; those that are missing are over, and
    // begin anew when they come again.
    void follow(sql::Pins pins, std::string_view statement, TimePoint now, PinTotals& totals);

    [[nodiscard]] const std::vector<PinCause>& all() const { return all_; }  // in the order of their coming
    [[nodiscard]] std::vector<PinCause>& all() { return all_; }

private:
    sql::Pins known_;
    std::vector<PinCause> all_;
};

}  // namespace tidegate::session
