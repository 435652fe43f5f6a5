// A figure over time, for those who watch it: a sparkline, and whether it is level or grows. Pure.
#pragma once

#include <span>
#include <string>

namespace tidegate::cli {

// One of eight heights for each value, between the least and the most of them. UTF-8; `ascii`: digits 0 to 7 instead.
[[nodiscard]] std::string sparkline(std::span<const double> values, bool ascii);

struct Trend {
    double per_hour = 0;  // how fast it grows (or shrinks): a straight line through the values, by least squares
    bool level = true;    // the line changes less over the whole time than the values scatter around it, or less than 1
};
// Values taken `seconds_apart`.
[[nodiscard]] Trend trend_of(std::span<const double> values, double seconds_apart);

}  // namespace tidegate::cli
