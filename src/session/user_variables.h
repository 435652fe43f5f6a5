// User variables (@x) on their way from one connection to another: the question that tells their values, and what it
// answers as values of a State. There they go by "@x", the value being what has to stand behind `@x =`. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/state.h"

namespace tidegate::session {

// More, or longer ones, are not carried: they hold the connection.
inline constexpr std::size_t kMostUserVariables = 32;
inline constexpr std::size_t kLongestUserVariable = 1024;  // bytes

// `names` are plain (sql::is_plain_variable), in lower case and without their @.
[[nodiscard]] std::string user_variables_question(std::span<const std::string> names);

// The answer, a row of text; each name has kUserVariableColumns of its columns.
inline constexpr std::size_t kUserVariableColumns = 5;
struct AnswerColumn {
    std::uint8_t type = 0;  // as in a column definition
    bool is_unsigned = false;
    std::uint32_t length = 0;
    std::optional<std::string_view> value;
};
// Changes for States::with_variables(). Nothing where one of them cannot be carried: too long, of a type that only an
// expression has (geometry on MariaDB), or not to be read in the session's character set.
[[nodiscard]] std::optional<std::vector<Variable>> user_variables_from(std::span<const std::string> names,
                                                                       std::span<const AnswerColumn> answer);

// Whether this is a user variable of a State.
[[nodiscard]] constexpr bool is_user_variable(std::string_view name) {
    return name.starts_with('@');
}
// Whether a connection in state `from` has user variables that `to` does not. A value can be taken from one, but only a
// reset makes it unknown again: a NULL of SET looks otherwise (its column's type and length).
[[nodiscard]] bool has_other_user_variables(const State& from, const State& to);

}  // namespace tidegate::session
