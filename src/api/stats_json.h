// A snapshot as JSON, for programs: names in snake_case, times in seconds, moments as ISO 8601 in UTC, what is not
// known is null.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "proxy/snapshot.h"

namespace tidegate::api {

[[nodiscard]] nlohmann::json pool_stats_json(const proxy::Snapshot& snapshot);
[[nodiscard]] nlohmann::json server_json(const proxy::Snapshot& snapshot);

}  // namespace tidegate::api
