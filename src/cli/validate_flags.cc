// The flags of `tidegate validate`.
#include <CLI/CLI.hpp>

#include "cli/validate_options.h"

namespace tidegate::cli {
namespace {

constexpr const char* kExamples =
    "Five steps after a deployment: the configuration, the server and the account, the limits, a connection and a "
    "slot,\n"
    "nothing left behind. --full adds five: the number of connections stays level over 100 rounds, a killed holder's "
    "slot\n"
    "comes back, a wait ends in time, a full server is handled, a second instance is kept out.\n"
    "It uses the gate of this host where one runs, and the server and the slots' file where none does; its slots are\n"
    "those of a pool of its own, \"validate\".\n"
    "\n"
    "Exit codes: 0 all is well, 2 a step failed, 64 usage.\n";

}  // namespace

void add_validate(CLI::App& app, ValidateOptions& options) {
    auto* validate = app.add_subcommand("validate", "Checks a deployment: five steps, or ten with --full");
    validate->footer(kExamples);
    add_server_flags(*validate, options.server);
    validate->add_flag("--full", options.full, "Five more steps; takes some seconds");
    validate->add_flag("--json", options.json, "For programs");
}

}  // namespace tidegate::cli
