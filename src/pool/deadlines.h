// Who waits until when: a wheel of short slots, so that neither standing in line nor leaving it costs a search, and a
// tick looks only at those who are due. Deadlines may differ freely. Belongs to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "pool/request.h"

namespace tidegate::pool {

class Deadlines {
public:
    void add(Request& request) { slot_of(request.deadline).push_back(request); }
    static void remove(Request& request) { IntrusiveList<Request, DeadlineTag>::erase(request); }

    // Takes out everybody whose deadline has come and calls f(request) for each. f may not add or remove others.
    template <class F>
    void expire(TimePoint now, F f) {
        const std::int64_t until = number(now);
        const std::int64_t from = std::max(last_, until - kSlots + 1);
        last_ = std::max(last_, until);
        for (std::int64_t at = from; at <= until; ++at) {
            auto& slot = slots_[index(at)];
            for (std::size_t left = slot.size(); left > 0; --left) {
                Request& request = slot.front();
                remove(request);
                if (request.deadline <= now) {
                    f(request);
                } else {
                    add(request);  // later in this slot, or beyond the wheel's horizon until now
                }
            }
        }
    }

private:
    using Slot = IntrusiveList<Request, DeadlineTag>;
    static constexpr Duration kSlot = 50ms;
    static constexpr std::int64_t kSlots = 1024;  // 51 s; who waits longer is looked at once in that time

    static std::int64_t number(TimePoint at) { return at.time_since_epoch() / kSlot; }
    static std::size_t index(std::int64_t number) { return static_cast<std::size_t>(number % kSlots); }
    Slot& slot_of(TimePoint deadline) { return slots_[index(std::clamp(number(deadline), last_, last_ + kSlots - 1))]; }

    std::array<Slot, kSlots> slots_;
    std::int64_t last_ = 0;  // the slot that was looked at last
};

}  // namespace tidegate::pool
