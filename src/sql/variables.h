// Session system variables: which of them a SET can leave behind without tying the session to its connection, since the
// servers report their values and any other connection takes them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sql/mode.h"

namespace tidegate::sql {

enum class VariableKind : std::uint8_t {
    pinned,           // unknown, or known not to be restorable: timestamp, insert_id, sql_log_bin, session_track_*, ..
    carried,          // reported and restorable
    lexing,           // carried, and changes how the statements behind it are read: sql_mode, character_set_client
    collation,        // carried, and changes collation_connection, which is not reported then
    isolation,        // carried; as `SET @@x`, without a scope, it is for the next transaction only
    carried_as_zero,  // carried when set to 0: sql_auto_is_null makes `IS NULL` ask for the last insert id
    on_anyway,        // changes nothing when set to 1: session_track_schema, which MariaDB's drivers switch on at login
    profiling,
};

// REQUIRES: `name` is without quotes; any case.
[[nodiscard]] VariableKind variable_kind(std::string_view name);

// The names of all that are carried, for session_track_system_variables: those of both servers, then the dialect's own.
[[nodiscard]] std::span<const std::string_view> carried_by_both();
[[nodiscard]] std::span<const std::string_view> carried_by(Dialect dialect);

}  // namespace tidegate::sql
