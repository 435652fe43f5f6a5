#include "fleet/log_ring.h"

#include <algorithm>

namespace tidegate::fleet {

void LogRing::add(WorkerId worker, bool error, std::string_view text, TimePoint now) {
    lines_.push_back({.number = ++last_, .worker = worker, .error = error, .at = now, .text = std::string(text)});
    bytes_ += text.size();
    while (lines_.size() > kMostLines || (bytes_ > kMostBytes && lines_.size() > 1)) {
        bytes_ -= lines_.front().text.size();
        lines_.pop_front();
    }
}

std::vector<LogLine> LogRing::lines(std::uint64_t after, std::size_t most) const {
    auto first = std::ranges::upper_bound(lines_, after, {}, &LogLine::number);
    const auto count = static_cast<std::size_t>(lines_.end() - first);
    if (count > most) first += static_cast<std::ptrdiff_t>(count - most);
    return {first, lines_.end()};
}

}  // namespace tidegate::fleet
