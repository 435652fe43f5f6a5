// The subcommands, each in a file of its own: options in, exit code out. main.cc reads the command line.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace tidegate::cli {

// What a command ends with, as scripts and monitoring plug-ins read it.
enum ExitCode : int {
    kWell = 0,
    kAttention = 1,
    kCritical = 2,
    kUsage = 64,              // the command line or the configuration
    kServerUnreachable = 69,  // or no gate runs
    kNoSlotInTime = 75,       // as sysexits.h has it: try again
    kCannotRun = 126,         // as shells have them: the command cannot be run,
    kNotFound = 127,          // there is no such command
    kTryAgain = 75,           // not finished: the same command goes on
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

struct ExecOptions {
    std::string name;   // of the pool; empty: "default"
    std::string slots;  // empty: as the configuration has it
    std::string wait;   // a duration; empty: as the configuration has it
    int priority = 0;
    bool single = false;
    std::string hold_by = "process";
    bool verbose = false;
    std::string config_file;
    std::vector<std::string> command;
};
[[nodiscard]] int exec(const ExecOptions& options);

struct SlotsOptions {
    std::string name;  // empty: all pools
    std::string every;
    bool json = false;
    std::string config_file;
};
[[nodiscard]] int slots(const SlotsOptions& options);

struct CtlOptions {
    enum class What { none, fleets, scale, restart, logs } what = What::none;
    std::string fleet;
    unsigned workers = 0;
    unsigned lines = 100;
    bool follow = false;
    std::string every;
    bool json = false;
    std::string api;  // empty: the control socket
    std::string config_file;
};
[[nodiscard]] int ctl(const CtlOptions& options);

struct RunOptions;  // run_options.h
[[nodiscard]] int run_fleet(const RunOptions& options);

}  // namespace tidegate::cli
