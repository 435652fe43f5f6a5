#include "session/named_pins.h"

#include <algorithm>

namespace tidegate::session {

using sql::Pin;
using sql::Pins;

bool NamedPins::holds(Pin pin) const {
    return unsure_.has(pin) || std::ranges::any_of(held_, [&](const auto& each) { return each.first == pin; });
}

Pins NamedPins::after(const sql::Facts& facts, bool failed) {
    unsure_.add(names_->unsure);
    for (const sql::HeldName& each : names_->names) {
        std::pair name(each.pin, each.name);
        if (each.taken && std::ranges::find(held_, name) == held_.end()) held_.push_back(std::move(name));
    }
    Pins ended;
    if (failed) return ended;
    for (const sql::HeldName& each : names_->names) {
        const bool given = !each.taken && std::erase(held_, std::pair(each.pin, each.name)) > 0;
        if (given && !holds(each.pin)) ended.add(each.pin);
    }
    if (names_->releases_all_locks) ended.add(on_locks(false));
    ask_for_locks_ = facts.may_end.has(Pin::named_lock) && holds(Pin::named_lock);
    return ended;
}

std::string NamedPins::locks_question() const {
    if (!asks_for_locks()) return {};
    std::string text;
    for (const auto& [pin, name] : held_) {
        if (pin != Pin::named_lock) continue;
        text += text.empty() ? "SELECT " : " OR ";
        text.append("COALESCE(IS_USED_LOCK('").append(name).append("') = CONNECTION_ID(), 0)");
    }
    return text;
}

Pins NamedPins::on_locks(bool any) {
    ask_for_locks_ = false;
    if (any) return {};
    std::erase_if(held_, [](const auto& each) { return each.first == Pin::named_lock; });
    unsure_.remove(Pin::named_lock);
    return Pin::named_lock;
}

}  // namespace tidegate::session
