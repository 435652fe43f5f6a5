// Amounts of memory as people write them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::fleet {

// "256M", "1G", "512K", "1048576"; nullopt: it is none, or it is 0.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string text_of_size(std::uint64_t bytes);  // "256.0 MB"

}  // namespace tidegate::fleet
