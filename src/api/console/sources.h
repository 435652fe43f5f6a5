// Where the console's facts come from, and who carries out its orders.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/show.h"
#include "fleet/view.h"
#include "proxy/snapshot.h"
#include "slots/door.h"

namespace tidegate::api::console {

// Thread-safe; not for the loop's thread, whose answers they wait for. An order's error says why it was not done.
struct Sources {
    std::function<proxy::Snapshot()> gate;
    std::function<proxy::Clients()> clients;
    std::function<std::vector<proxy::ServerConnectionView>()> connections;
    std::function<std::vector<config::Setting>()> settings;
    std::function<std::vector<slots::PoolView>()> slots = [] { return std::vector<slots::PoolView>(); };
    std::function<std::vector<fleet::FleetView>()> fleets = [] { return std::vector<fleet::FleetView>(); };
    std::function<Result<void>()> pause;
    std::function<Result<void>()> resume;
    std::function<Result<void>()> reload;
    std::function<Result<void>(std::uint32_t client, bool query_only)> kill;
};

}  // namespace tidegate::api::console
