#include "pool/pace.h"

#include <numeric>

namespace tidegate::pool {

void Pace::tick(TimePoint now, bool anybody_waits) {
    if (!anybody_waits) return interrupt();
    if (started_ == TimePoint{}) {
        started_ = now;
        current_ = 0;
        return;
    }
    if (now - started_ < kWindow) return;
    const auto took = seconds(now - started_) / seconds(kWindow);
    windows_[next_] = static_cast<unsigned>(static_cast<double>(current_) / took);
    next_ = (next_ + 1) % kWindows;
    if (full_ < kWindows) ++full_;
    current_ = 0;
    started_ = now;
}

std::optional<double> Pace::per_second() const {
    if (full_ < kWindows) return std::nullopt;
    const unsigned granted = std::accumulate(windows_.begin(), windows_.end(), 0U);
    if (granted < kEnough) return std::nullopt;
    return static_cast<double>(granted) / static_cast<double>(kWindows);
}

}  // namespace tidegate::pool
