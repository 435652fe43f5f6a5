// SET statements whose effect their text alone tells: `SET NAMES utf8mb4`, `SET SESSION sql_mode = 'ANSI', autocommit =
// 1`. What such a statement did to a session once it does to every other one that looks the same.
#pragma once

#include <string_view>

#include "sql/facts.h"
#include "sql/mode.h"

namespace tidegate::sql {

// Of a whole text, `facts` being what the scanner found in it. False where a value is read from somewhere (a variable,
// a function, DEFAULT), for the next transaction only, or where the text is long.
[[nodiscard]] bool is_constant_set(std::string_view text, const Facts& facts, Mode mode);

}  // namespace tidegate::sql
