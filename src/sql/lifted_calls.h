// A statement that would pin only because it calls something: it does not where all of that is known to leave nothing
// behind, or where the operator says so. What is called leaves LAST_INSERT_ID(), FOUND_ROWS() and the warnings behind
// as statements do: that is put into the facts.
#pragma once

#include <string_view>

#include "sql/facts.h"
#include "sql/mode.h"
#include "sql/routine_set.h"

namespace tidegate::sql {

inline constexpr Pins kCallPins{Pin::call, Pin::unknown_function};

// `schema`: where names without one belong. Leaves `facts` alone unless everything is known.
void lift_calls(Facts& facts, std::string_view text, Mode mode, std::string_view schema, const RoutineSet& known);
// On the operator's word, without looking.
void trust_calls(Facts& facts);

}  // namespace tidegate::sql
