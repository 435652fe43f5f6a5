// The last lines that the workers of a fleet have printed, so many that somebody who looks sees what is going on. Pure.
// Each line has a number, from 1; whoever follows asks for those after the last one that he has.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fleet/worker.h"

namespace tidegate::fleet {

struct LogLine {
    std::uint64_t number = 0;
    WorkerId worker = 0;
    bool error = false;  // from standard error
    TimePoint at{};
    std::string text;
};

class LogRing {
public:
    static constexpr std::size_t kMostLines = 2000;
    static constexpr std::size_t kMostBytes = std::size_t{512} * 1024;

    void add(WorkerId worker, bool error, std::string_view text, TimePoint now);
    // The last `most` of those after `after`, oldest first.
    [[nodiscard]] std::vector<LogLine> lines(std::uint64_t after, std::size_t most) const;
    [[nodiscard]] std::uint64_t last() const { return last_; }  // the number of the newest; 0: none yet

private:
    std::deque<LogLine> lines_;
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace tidegate::fleet
