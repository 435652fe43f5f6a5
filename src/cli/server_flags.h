// The flags of the commands that look at a server themselves: which one, as whom, and where its side door is.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tidegate::cli {

struct ServerFlags {
    std::string server;       // a URL; empty: from the environment, .env, the configuration or ~/.my.cnf
    std::string config_file;  // empty: looked for
    std::string admin;        // HOST:PORT of extra_port or admin_address; empty: looked for
};

void add_server_flags(CLI::App& command, ServerFlags& flags);

}  // namespace tidegate::cli
