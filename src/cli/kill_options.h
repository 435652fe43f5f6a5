// What `tidegate kill` takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/server_flags.h"

namespace tidegate::cli {

struct KillOptions {
    ServerFlags server;
    std::vector<std::string> users;
    std::vector<std::string> hosts;
    std::vector<std::string> schemas;
    std::vector<std::string> programs;
    std::vector<std::string> states;
    std::vector<std::string> statements;
    std::vector<std::uint64_t> ids;
    std::string idle;  // times as they are written; empty: not given
    std::string busy;
    std::string in_transaction;
    std::string victims = "all";
    std::size_t limit = 0;
    std::string pause;
    bool query = false;
    bool dry_run = false;
    bool json = false;
    std::string audit_log;
    bool processes = false;
    std::vector<int> pids;      // with --processes
    std::string grace = "10s";  // with --processes
    std::string for_so_long;    // with --processes; empty: once
};
[[nodiscard]] int kill_command(const KillOptions& options);

}  // namespace tidegate::cli
