// Slot pools as JSON: for the API, and for `tidegate slots --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "slots/door.h"

namespace tidegate::api {

// Names, times and moments as in stats_json.h. `now` and `wall` are the same moment.
[[nodiscard]] nlohmann::ordered_json slots_json(std::span<const slots::PoolView> pools, TimePoint now,
                                                std::chrono::system_clock::time_point wall);

}  // namespace tidegate::api
