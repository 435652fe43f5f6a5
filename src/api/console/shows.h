// The tables of the console, each a function of the gate's figures; answer.cc has the list of them.
#pragma once

#include "api/console/sources.h"
#include "protocol/text_table.h"

namespace tidegate::api::console {

// show_gate.cc: who uses the gate and the server.
[[nodiscard]] protocol::TextTable show_pools(const Sources& sources);
[[nodiscard]] protocol::TextTable show_clients(const Sources& sources);
[[nodiscard]] protocol::TextTable show_servers(const Sources& sources);

// show_figures.cc: a name and a value each.
[[nodiscard]] protocol::TextTable show_server(const Sources& sources);
[[nodiscard]] protocol::TextTable show_stats(const Sources& sources);
[[nodiscard]] protocol::TextTable show_config(const Sources& sources);
[[nodiscard]] protocol::TextTable show_version(const Sources& sources);

// show_work.cc: slots and fleets.
[[nodiscard]] protocol::TextTable show_slots(const Sources& sources);
[[nodiscard]] protocol::TextTable show_holders(const Sources& sources);
[[nodiscard]] protocol::TextTable show_fleets(const Sources& sources);
[[nodiscard]] protocol::TextTable show_workers(const Sources& sources);

}  // namespace tidegate::api::console
