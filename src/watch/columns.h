// How wide a text is on a terminal, and texts cut or filled up to a width. UTF-8; what is none counts a column a byte.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::watch {

[[nodiscard]] std::size_t columns_of(std::string_view text);

// As much of it as fits into so many columns, from its beginning or from its end. No character is cut in two.
[[nodiscard]] std::string first_columns(std::string_view text, std::size_t width);
[[nodiscard]] std::string last_columns(std::string_view text, std::size_t width);

// Exactly `width` columns: blanks behind (or before) it, or ".." where something was cut off.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width, bool right = false);

// Lines of at most `width` columns, broken at blanks where there are some.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace tidegate::watch
