#include "budget/ceiling.h"

#include <algorithm>

namespace tidegate::budget {

namespace {
constexpr Duration kFirst = 1s;
constexpr Duration kLast = 5s;
constexpr Duration kShortest = 100ms;  // between probes that work, and the first one when nothing at all is open
constexpr Duration kLastWhenNothingOpen = 1s;
}  // namespace

void Ceiling::refused(unsigned open, TimePoint now) {
    // Logins that were under way when the first was refused say nothing new; neither does a level that turns out lower.
    const bool was_probe = closed() && open >= level_ && now >= probe_at_;
    const Duration first = open == 0 ? kShortest : kFirst;
    const Duration last = open == 0 ? kLastWhenNothingOpen : kLast;
    interval_ = was_probe ? std::clamp(interval_ * 2, first, last) : first;
    level_ = open;
    step_ = 1;
    probe_at_ = now + interval_;
}

void Ceiling::worked(unsigned open, TimePoint now) {
    if (!closed() || open <= level_) return;
    level_ = open > kNone - step_ ? kNone : open + step_ - 1;
    step_ = std::min(step_ * 2, 1U << 16U);
    interval_ = std::max(interval_ / 2, kShortest);
    probe_at_ = now + interval_;
}

}  // namespace tidegate::budget
