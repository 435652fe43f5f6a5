// How fast the line moves: connections granted to those who wait, per second, measured while somebody waits all the
// time. Nothing is known until that has been so for a few seconds without a break: a guess must never refuse anybody.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.h"

namespace tidegate::pool {

class Pace {
public:
    void granted() { ++current_; }
    // The line was empty for a moment, or the number of connections changed: what was measured does not hold.
    void interrupt() {
        full_ = 0;
        current_ = 0;
        started_ = TimePoint{};
    }
    void tick(TimePoint now, bool anybody_waits);
    [[nodiscard]] std::optional<double> per_second() const;

private:
    static constexpr std::size_t kWindows = 5;
    static constexpr Duration kWindow = 1s;
    static constexpr unsigned kEnough = 20;  // grants, to be worth a conclusion

    std::array<unsigned, kWindows> windows_{};
    std::size_t next_ = 0;
    std::size_t full_ = 0;  // windows that hold a figure
    unsigned current_ = 0;
    TimePoint started_{};
};

}  // namespace tidegate::pool
