// Time as the pure layers see it: handed in, never asked for. Only shells call Clock::now().
#pragma once

#include <chrono>

namespace tidegate {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

using namespace std::chrono_literals;

[[nodiscard]] constexpr double seconds(Duration d) {
    return std::chrono::duration<double>(d).count();
}

}  // namespace tidegate
