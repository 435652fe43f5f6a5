#include "session/pin_causes.h"

#include <cstddef>

namespace tidegate::session {

void PinCauses::follow(sql::Pins pins, std::string_view statement, TimePoint now, PinTotals& totals) {
    const bool had_any = known_.any();
    std::erase_if(all_, [&](const PinCause& each) {
        if (pins.has(each.pin)) return false;
        --totals.now[static_cast<std::size_t>(each.pin)];
        totals.lasted[static_cast<std::size_t>(each.pin)] += now - each.since;
        return true;
    });
    if (all_.empty()) all_.shrink_to_fit();
    for (int i = 0; i < sql::kPinCount; ++i) {
        const auto pin = static_cast<sql::Pin>(i);
        if (!pins.has(pin) || known_.has(pin)) continue;
        all_.push_back({.pin = pin, .statement = std::string(statement), .since = now});
        ++totals.now[static_cast<std::size_t>(pin)];
    }
    known_ = pins;
    if (had_any && pins.none()) --totals.sessions;
    if (!had_any && pins.any()) ++totals.sessions;
}

}  // namespace tidegate::session
