#include "cli/trend.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tidegate::cli {

std::string sparkline(std::span<const double> values, bool ascii) {
    static constexpr std::array<const char*, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (values.empty()) return "";
    const auto [least, most] = std::ranges::minmax(values);
    std::string line;
    for (const double value : values) {
        const double share = most > least ? (value - least) / (most - least) : 0;
        const auto height = static_cast<std::size_t>(std::lround(share * (kBars.size() - 1)));
        line += ascii ? std::string(1, static_cast<char>('0' + height)) : std::string(kBars[height]);
    }
    return line;
}

Trend trend_of(std::span<const double> values, double seconds_apart) {
    if (values.size() < 3 || seconds_apart <= 0) return {};
    const auto count = static_cast<double>(values.size());
    double mean = 0;
    for (const double value : values) mean += value / count;
    const double middle = (count - 1) / 2;
    double above = 0;
    double below = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = static_cast<double>(i) - middle;
        above += x * (values[i] - mean);
        below += x * x;
    }
    const double slope = above / below;  // for each look
    double scatter = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double off = values[i] - mean - slope * (static_cast<double>(i) - middle);
        scatter += off * off / count;
    }
    const double change = std::abs(slope) * (count - 1);
    return {.per_hour = slope * 3600 / seconds_apart, .level = change < 1 || change < 2 * std::sqrt(scatter)};
}

}  // namespace tidegate::cli
