#include "fleet/size.h"

#include <fmt/core.h>

#include <charconv>

namespace tidegate::fleet {

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number == 0) return std::nullopt;
    const std::string_view unit(stop, static_cast<std::size_t>(text.data() + text.size() - stop));
    unsigned shift = 0;
    if (unit == "K" || unit == "k" || unit == "KB")
        shift = 10;
    else if (unit == "M" || unit == "m" || unit == "MB")
        shift = 20;
    else if (unit == "G" || unit == "g" || unit == "GB")
        shift = 30;
    else if (!unit.empty())
        return std::nullopt;
    constexpr unsigned kMostBits = 60;
    if (number >> (kMostBits - shift) != 0) return std::nullopt;
    return number << shift;
}

std::string text_of_size(std::uint64_t bytes) {
    constexpr double kMega = 1 << 20;
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / kMega);
}

}  // namespace tidegate::fleet
