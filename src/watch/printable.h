// What others have written, made fit for a terminal and for JSON: control characters become blanks, what is no UTF-8
// becomes a question mark. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::watch {

[[nodiscard]] std::string printable(std::string_view text);

// At most `bytes` bytes, with "..." where something was cut off; no character is cut in two.
[[nodiscard]] std::string shortened(std::string text, std::size_t bytes);

}  // namespace tidegate::watch
