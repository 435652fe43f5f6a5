// What `tidegate top` takes.
#pragma once

#include <string>

#include "cli/server_flags.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

struct TopOptions {
    ServerFlags server;
    std::string every = "2s";
    std::string max_idle = "300s";
    unsigned page = 1;
    std::string filter;
    bool once = false;
    std::string audit_log;
};
void add_top(CLI::App& app, TopOptions& options);
[[nodiscard]] int top(const TopOptions& options);

}  // namespace tidegate::cli
