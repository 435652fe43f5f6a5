// The pages of `tidegate top` that are not the server's: the gate's clients, slots and fleets, from what the gate
// answers.
#pragma once

#include <nlohmann/json.hpp>

#include "watch/top_sheet.h"

namespace tidegate::cli {

// From /api/connection-pool-stats and /api/clients.
[[nodiscard]] watch::Sheet gate_sheet(const nlohmann::ordered_json& pool, const nlohmann::ordered_json& clients);
// From /api/slots.
[[nodiscard]] watch::Sheet slots_sheet(const nlohmann::ordered_json& slots);
// From /api/worker-stats.
[[nodiscard]] watch::Sheet fleet_sheet(const nlohmann::ordered_json& workers);

// "gate: 3 active, 5 idle, 0 waiting, 100 at most".
[[nodiscard]] std::string gate_figures(const nlohmann::ordered_json& pool);

}  // namespace tidegate::cli
