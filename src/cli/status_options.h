// What `tidegate status` takes.
#pragma once

#include <string>

#include "cli/server_flags.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

struct StatusOptions {
    ServerFlags server;
    std::string max_idle = "300s";
    std::string long_statement = "60s";
    bool kill_idle = false;
    bool dry_run = false;
    bool json = false;
    bool check = false;
    std::string every;  // empty: once
    std::string during;
    std::string audit_log;
};
void add_status(CLI::App& app, StatusOptions& options);
[[nodiscard]] int status(const StatusOptions& options);

}  // namespace tidegate::cli
