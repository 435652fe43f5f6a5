// What somebody asks for when he asks for a slot.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "slots/holder.h"

namespace tidegate::slots {

inline constexpr unsigned kDefaultSlots = 150;
inline constexpr Duration kDefaultWait = 30s;
inline constexpr std::string_view kDefaultPool = "default";
inline constexpr int kLeastPriority = -1000;
inline constexpr int kMostPriority = 1000;

struct Claim {
    std::string pool{kDefaultPool};
    // How many slots the pool is to have from now on; empty: as many as it has, kDefaultSlots when it is new.
    std::optional<unsigned> slots;
    // Somebody has said that number for this very pool: then it holds at a running gate, too, which goes by its own
    // [slots] max otherwise, and never beyond that.
    bool slots_said = false;
    int priority = 0;      // the higher is served first
    TimePoint since{};     // when the waiting began
    TimePoint deadline{};  // absolute
    Process who;           // who will hold it, for those who look
};

// A claim of this process that begins to wait now.
[[nodiscard]] Claim make_claim(std::string pool, Duration wait, TimePoint now);

// MySQL's number for "no slot in time", which is Error::code then.
inline constexpr std::uint16_t kNoSlot = 1040;

}  // namespace tidegate::slots
