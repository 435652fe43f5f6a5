// SET NAMES as a part of what restores a state. What a client is told of a column has the number of a collation, and
// that is the one that came with the character set of the results: by the handshake or by SET NAMES .. COLLATE. Setting
// character_set_results alone would give it the character set's default. Pure; one thread.
#pragma once

#include <string>
#include <string_view>

#include "session/state.h"

namespace tidegate::session {

// `NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'`, where the two states differ in a character set or collation of the
// connection and this brings one to the other; empty otherwise.
[[nodiscard]] std::string names_item(const State& from, const State& to);

// Whether NAMES sets this variable to what it is in `to`. REQUIRES: names_item() is not empty.
[[nodiscard]] bool set_by_names(const Variable& variable);

}  // namespace tidegate::session
