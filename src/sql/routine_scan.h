// What a stored routine, a trigger or a view may do to the session that runs it, read from its body. For what the
// servers' trackers keep to themselves (protocol.md has the table): locks, temporary tables made by a SELECT, variables
// set by INTO. No parser: it looks for words, and at what a SET sets and a parenthesis calls; whatever it is not sure
// of is unsafe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/mode.h"

namespace tidegate::sql {

enum class Program : std::uint8_t { procedure, function, trigger, view };

// A stored routine that a body calls. The schema is empty where the body does not name it.
struct RoutineCall {
    std::string schema;
    std::string name;  // in lower case
    bool procedure = false;
    friend bool operator==(const RoutineCall&, const RoutineCall&) = default;
};

inline constexpr std::string_view kTakesLock = "GET_LOCK()";  // in `hidden`

struct RoutineFacts {
    // Why the connection must stay with whoever has run it; empty: of itself (not counting what it calls) it leaves
    // nothing behind that the gate would not see or carry.
    std::string_view unsafe;
    // It leaves something that no tracker reports, and that the gate could see only from here; empty: it does not.
    std::string_view hidden;
    bool asks_insert_id = false;  // LAST_INSERT_ID()
    bool sets_insert_id = false;  // for who called it: an INSERT, or LAST_INSERT_ID(expr), in a procedure
    bool queries = false;         // FOUND_ROWS() and the warnings are not what they were
    std::vector<RoutineCall> calls;
};

// `parameters`: the routine's, in lower case.
[[nodiscard]] RoutineFacts scan_routine(std::string_view body, Program program, Mode mode,
                                        std::span<const std::string> parameters);

}  // namespace tidegate::sql
