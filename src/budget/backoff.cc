#include "budget/backoff.h"

#include <algorithm>

namespace tidegate::budget {

double Jitter::fraction() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    return static_cast<double>(z >> 11U) * 0x1.0p-53;
}

Duration Jitter::around(Duration d, double share) {
    const double factor = 1.0 + share * (2.0 * fraction() - 1.0);
    return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * factor));
}

void Backoff::failed(TimePoint now, Jitter& jitter) {
    if (failing() && now < retry_at_) return;  // it was under way when the first one failed: no news
    delay_ = failing() ? std::min(delay_ * 2, last_) : first_;
    retry_at_ = now + jitter.around(delay_, 0.2);
}

}  // namespace tidegate::budget
