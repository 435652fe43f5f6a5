// The flags of `tidegate top`.
#include <CLI/CLI.hpp>

#include "cli/top_options.h"

namespace tidegate::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  tidegate top\n"
    "  tidegate top --server mysql://app@db.example --every 5s    (password: DB_PASSWORD)\n"
    "  tidegate top --once --filter worker.php\n"
    "      the screen as plain text: for scripts, and for a ticket\n"
    "\n"
    "? shows the keys, q quits. NO_COLOR is heeded. Exit codes: 0 well, 2 the server is full and nothing got in, 64 "
    "usage\n"
    "or no terminal, 69 not reachable.\n";

}  // namespace

void add_top(CLI::App& app, TopOptions& options) {
    auto* top =
        app.add_subcommand("top", "A live screen: connections, the gate, slots and fleets; ends what you choose");
    top->footer(kExamples);
    add_server_flags(*top, options.server);
    top->add_option("--every", options.every, "How often to look [2s]")->type_name("TIME");
    top->add_option("--max-idle", options.max_idle, "Sleeping for so long is idle [300s]")->type_name("TIME");
    top->add_option("--page", options.page, "1 connections, 2 gate, 3 slots, 4 fleet [1]")
        ->type_name("N")
        ->check(CLI::Range(1, 4));
    top->add_option("--filter", options.filter, "Only rows in which this text occurs")->type_name("TEXT");
    top->add_flag("--once", options.once, "Print one screen as plain text, 80 columns or COLUMNS, and end");
    top->add_option("--audit-log", options.audit_log, "A line for each kill [~/.local/state/tidegate/kills.log]")
        ->type_name("FILE");
}

}  // namespace tidegate::cli
