// The flags of `tidegate status`.
#include <CLI/CLI.hpp>

#include "cli/status_options.h"

namespace tidegate::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  tidegate status\n"
    "  tidegate status --server mysql://app@db.example        (password: DB_PASSWORD)\n"
    "  tidegate status --kill-idle --max-idle 180 --dry-run\n"
    "      what --kill-idle would end\n"
    "  tidegate status --every 30s --for 5m\n"
    "      a line each time; at the end whether the number of connections is level or grows\n"
    "  tidegate status --check\n"
    "      one line with performance data, for monitoring\n"
    "\n"
    "Exit codes: 0 well, 1 attention (80 % of a limit), 2 critical (95 %, or full), 64 usage, 69 not reachable.\n";

}  // namespace

void add_status(CLI::App& app, StatusOptions& options) {
    auto* status = app.add_subcommand("status", "Who holds the server's connections, how full it is, and what to do");
    status->footer(kExamples);
    add_server_flags(*status, options.server);
    status->add_option("--max-idle", options.max_idle, "Sleeping for so long is idle [300s]")->type_name("TIME");
    status->add_option("--long", options.long_statement, "Statements that run for so long are shown [60s]")
        ->type_name("TIME");
    auto* kill = status->add_flag("--kill-idle", options.kill_idle, "End the idle connections");
    status->add_flag("--dry-run", options.dry_run, "With --kill-idle: list them, end nothing")->needs(kill);
    status->add_option("--audit-log", options.audit_log, "A line for each kill [~/.local/state/tidegate/kills.log]")
        ->type_name("FILE");
    status->add_flag("--json", options.json, "For programs; with --every an object a line");
    status->add_flag("--check", options.check, "One line for monitoring");
    auto* every = status->add_option("--every", options.every, "Again and again, so often")->type_name("TIME");
    status->add_option("--for", options.during, "With --every: for so long [until it is interrupted]")
        ->type_name("TIME")
        ->needs(every);
}

}  // namespace tidegate::cli
