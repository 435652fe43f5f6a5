// A snapshot as Prometheus reads it: names tidegate_*, base units, counters end in _total. docs/configuration.md names
// the page; each metric explains itself in its HELP line.
#pragma once

#include <span>
#include <string>

#include "fleet/view.h"
#include "proxy/snapshot.h"
#include "slots/door.h"

namespace tidegate::api {

[[nodiscard]] std::string metrics_text(const proxy::Snapshot& snapshot, std::span<const slots::PoolView> pools = {},
                                       std::span<const fleet::FleetView> fleets = {});

}  // namespace tidegate::api
