#include "cli/server_flags.h"

#include <CLI/CLI.hpp>

namespace tidegate::cli {

void add_server_flags(CLI::App& command, ServerFlags& flags) {
    command
        .add_option("--server", flags.server,
                    "mysql://[user[:password]@]host[:port][?tls=..&socket=..] [DB_HOST, .env, the configuration, "
                    "~/.my.cnf, this host]")
        ->type_name("URL");
    command.add_option("-c,--config", flags.config_file, "The configuration file")->type_name("FILE");
    command
        .add_option("--admin", flags.admin,
                    "The server's extra_port or admin_address, for when it is full [looked for]")
        ->type_name("HOST:PORT");
}

}  // namespace tidegate::cli
