// The subcommands, each in a file of its own: options in, exit code out. main.cc reads the command line.
#pragma once

#include <string>

#include "config/load.h"

namespace tidegate::cli {

// What a command ends with, as scripts and monitoring plug-ins read it.
enum ExitCode : int {
    kWell = 0,
    kAttention = 1,
    kCritical = 2,
    kUsage = 64,  // the command line or the configuration
    kServerUnreachable = 69,
};

struct ServeOptions {
    std::string config_file;  // empty: looked for
    config::Flags flags;
    bool ensure = false;
    bool check_config = false;
};
[[nodiscard]] int serve(const ServeOptions& options);

struct DemoOptions {
    unsigned clients = 1000;
    unsigned connections = 100;
    std::string server_program;  // the mariadbd to start; empty: looked for
    bool json = false;
};
[[nodiscard]] int demo(const DemoOptions& options);

}  // namespace tidegate::cli
