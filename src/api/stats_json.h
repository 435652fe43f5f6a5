// A snapshot as JSON, for programs: names in snake_case, times in seconds, moments as ISO 8601 in UTC, what is not
// known is null.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "proxy/snapshot.h"

namespace tidegate::api {

[[nodiscard]] nlohmann::ordered_json pool_stats_json(const proxy::Snapshot& snapshot);
[[nodiscard]] nlohmann::ordered_json server_json(const proxy::Snapshot& snapshot);
[[nodiscard]] nlohmann::ordered_json clients_json(const proxy::Clients& clients);
[[nodiscard]] nlohmann::ordered_json answer_json(const proxy::ServerAnswer& answer);

[[nodiscard]] std::string moment(proxy::WallTime time);  // ISO 8601, UTC, milliseconds

}  // namespace tidegate::api
