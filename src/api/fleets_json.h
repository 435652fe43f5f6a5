// The fleets of a gate as JSON: /api/worker-stats, the lines of workers, and `tidegate ctl --json`.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "fleet/view.h"
#include "proxy/snapshot.h"

namespace tidegate::api {

// {"fleets": [..], "connection_pool": {..}}
[[nodiscard]] nlohmann::ordered_json worker_stats_json(std::span<const fleet::FleetView> fleets,
                                                       const proxy::Snapshot& gate);

// {"lines": [{"number": 1, "worker": 0, "stream": "out", "time": .., "text": ..}, ..], "last": 1}
[[nodiscard]] nlohmann::ordered_json logs_json(const fleet::LogPage& page, proxy::WallTime now);

}  // namespace tidegate::api
