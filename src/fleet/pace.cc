#include "fleet/pace.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidegate::fleet {
namespace {

constexpr unsigned kNearLimit = 80;       // per cent
constexpr unsigned kGrowsBackShare = 10;  // a tenth of the limit
constexpr Duration kRepeated = 10s;       // the reason for waiting is said again after that

unsigned minus(unsigned a, unsigned b) {
    return a > b ? a - b : 0;
}

}  // namespace

std::string Load::text() const {
    if (refused_us) return "the server is full";
    return waiting == 0 ? fmt::format("{} of {} connections", connected, limit)
                        : fmt::format("{} of {} connections, {} in line", connected, limit, waiting);
}

unsigned Pace::unrefused(const Load& load, unsigned running) {
    const unsigned usable = std::max(1U, minus(load.limit, reserve_));
    if (load.shared) {
        if (load.waiting > 0) reason_ = fmt::format("{} clients are in line at the gate", load.waiting);
        return load.waiting > 0 ? 0 : minus(usable, load.connected);
    }
    if (running == 0) others_ = load.connected;
    const unsigned others = std::max(others_, minus(load.connected, running));
    const unsigned used = others + running;
    const unsigned free = minus(usable, used);
    if (free == 0) {
        reason_ = fmt::format("{}, {} of them kept free for others", load.text(), reserve_);
        return 0;
    }
    const unsigned easy = minus(usable * kNearLimit / 100, used);
    if (free <= easy) return free;
    const unsigned near = easy + (free - easy + 1) / 2;
    if (near < free) reason_ = fmt::format("{}, near the limit", load.text());
    return near;
}

unsigned Pace::room(const Load& load, unsigned running) {
    reason_.clear();
    const bool news = load.refused_us || (refused_ && load.refused > *refused_);
    if (!load.refused_us) refused_ = load.refused;
    if (news) {
        ceiling_ = std::max(1U, running / 2);
    } else if (ceiling_) {
        *ceiling_ += std::max(1U, load.limit / kGrowsBackShare);
        if (*ceiling_ >= load.limit) ceiling_.reset();
    }
    if (load.refused_us) {
        reason_ = "the server has refused a connection: it is full";
        return 0;
    }
    const unsigned room = unrefused(load, running);
    if (!ceiling_) return room;
    const unsigned under = minus(*ceiling_, running);
    if (under < room)
        reason_ = fmt::format("the server has refused connections; at most {} at once for now", *ceiling_);
    return std::min(room, under);
}

unsigned Room::look(const Load& load, unsigned running, bool wanted, TimePoint now,
                    const std::function<void(const std::string&)>& say) {
    const unsigned room = pace_.room(load, running);
    if (wanted && room == 0 && (!waiting_ || now - said_at_ > kRepeated)) {
        say(fmt::format("No room for more for now: {}", pace_.reason()));
        said_at_ = now;
        waiting_ = true;
    } else if (room > 0) {
        waiting_ = false;
    }
    return room;
}

}  // namespace tidegate::fleet
