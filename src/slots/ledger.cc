#include "slots/ledger.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tidegate::slots {

namespace {
constexpr Duration kAMoment = 1ms;  // a wait below that is none: the time to ask
}

Ledger::Ledger(unsigned size) : size_(std::max(size, 1U)) {}

Ledger::Ledger(unsigned size, std::vector<Holder> holders, std::deque<Waiter> line, const Totals& totals)
    : size_(std::max(size, 1U)), holders_(std::move(holders)), line_(std::move(line)), totals_(totals) {
    active_ =
        static_cast<unsigned>(std::ranges::count_if(holders_, [](const Holder& h) { return h.by != HeldBy::nobody; }));
}

Ledger::Place Ledger::place_of(const Order& order) const {
    return std::ranges::lower_bound(
        line_, order, [](const Order& a, const Order& b) { return a.before(b); }, &Waiter::order);
}

Order Ledger::join(Waiter waiter, TimePoint now) {
    ++totals_.arrivals;
    Order& order = waiter.order;
    order.arrival = static_cast<std::uint64_t>(std::max<std::int64_t>(waiter.since.time_since_epoch().count(), 1));
    Place place = place_of(order);
    for (; place != line_.end() && place->order == order; ++place) ++order.arrival;  // two at the same moment
    line_.insert(place, waiter);
    totals_.most_waiting = std::max(totals_.most_waiting, waiting());
    totals_.last_update = now;
    return waiter.order;
}

std::optional<Ledger::Next> Ledger::next() const {
    if (line_.empty() || active_ >= size_) return std::nullopt;
    SlotNumber slot = 0;
    while (slot < holders_.size() && holders_[slot].by != HeldBy::nobody) ++slot;
    assert(slot < size_);
    return Next{line_.front().order, slot};
}

void Ledger::enter(SlotNumber slot, const Holder& holder, TimePoint now) {
    if (slot >= holders_.size()) holders_.resize(slot + std::size_t{1});
    assert(holders_[slot].by == HeldBy::nobody);
    holders_[slot] = holder;
    ++active_;
    totals_.peak = std::max(totals_.peak, active_);
    totals_.last_update = now;
}

const Holder& Ledger::take(const Next& next, HeldBy by, TimePoint now) {
    const auto place = place_of(next.waiter);
    assert(place != line_.end() && place->order == next.waiter && active_ < size_);
    const Duration waited = std::max(now - place->since, Duration::zero());
    const Holder holder{.by = by, .priority = next.waiter.priority, .since = now, .waited = waited, .who = place->who};
    line_.erase(place);
    ++totals_.granted;
    if (waited >= kAMoment) ++totals_.waited;
    totals_.waits.record(waited);
    enter(next.slot, holder, now);
    return holders_[next.slot];
}

void Ledger::found_taken(SlotNumber slot, const Holder& holder, TimePoint now) {
    enter(slot, holder, now);
}

bool Ledger::leave(const Order& waiter, Leave how, TimePoint now) {
    const auto place = place_of(waiter);
    if (place == line_.end() || place->order != waiter) return false;
    line_.erase(place);
    ++(how == Leave::timed_out ? totals_.timed_out : totals_.left);
    totals_.last_update = now;
    return true;
}

std::vector<Waiter> Ledger::expire(TimePoint now) {
    std::vector<Waiter> late;
    std::ranges::copy_if(line_, std::back_inserter(late), [&](const Waiter& w) { return w.deadline <= now; });
    if (late.empty()) return late;
    std::erase_if(line_, [&](const Waiter& w) { return w.deadline <= now; });
    totals_.timed_out += late.size();
    totals_.last_update = now;
    return late;
}

void Ledger::release(SlotNumber slot, Return how, TimePoint now) {
    assert(holder(slot) != nullptr);
    holders_[slot] = {};
    --active_;
    if (how == Return::holder_died) ++totals_.recovered;
    totals_.last_update = now;
}

void Ledger::resize(unsigned size, TimePoint now) {
    size_ = std::max(size, 1U);
    totals_.last_update = now;
}

unsigned Ledger::room() const {
    const unsigned taken = active_ + waiting();
    return taken < size_ ? size_ - taken : 0;
}

unsigned Ledger::servable() const {
    return active_ < size_ ? std::min(waiting(), size_ - active_) : 0;
}

const Holder* Ledger::holder(SlotNumber slot) const {
    return slot < holders_.size() && holders_[slot].by != HeldBy::nobody ? &holders_[slot] : nullptr;
}

const Waiter* Ledger::waiter(const Order& order) const {
    const auto place = place_of(order);
    return place != line_.end() && place->order == order ? &*place : nullptr;
}

std::size_t Ledger::ahead_of(const Order& order) const {
    return static_cast<std::size_t>(place_of(order) - line_.begin());
}

std::optional<TimePoint> Ledger::next_deadline() const {
    if (line_.empty()) return std::nullopt;
    return std::ranges::min(line_, {}, &Waiter::deadline).deadline;
}

}  // namespace tidegate::slots
