#include <CLI/CLI.hpp>

#include "cli/doctor_options.h"

namespace tidegate::cli {
namespace {

constexpr const char* kDoctorExamples =
    "Examples:\n"
    "  tidegate doctor\n"
    "      the server that the environment, .env, the configuration or ~/.my.cnf names\n"
    "  tidegate doctor --server mysql://app@db.example:3306 --memory 16G\n"
    "      a server elsewhere, with 16 GB of memory (password: DB_PASSWORD)\n"
    "  tidegate doctor --look 60s --fix-script fix.sql\n"
    "      a minute between the two looks; what would mend it in fix.sql, what undoes it in fix.sql.undo\n"
    "  tidegate doctor --check idle-holders --check connection-leak\n"
    "      these checks alone; tidegate doctor --list names them all\n"
    "\n"
    "Changes nothing. Every finding has its figures, its reason, what mends it, what that costs and what undoes it; a "
    "page for\n"
    "each is in docs/checks.\n"
    "Exit codes: 0 well, 1 attention, 2 critical, 64 usage, 69 server not reachable.\n";

}  // namespace

void add_doctor(CLI::App& app, DoctorOptions& options) {
    auto* doctor = app.add_subcommand("doctor", "What is wrong with the server's connections, and what mends it");
    doctor->footer(kDoctorExamples);
    add_server_flags(*doctor, options.server);
    doctor->add_option("--look", options.look, "Time between the two looks, for what grows [5s]")->type_name("TIME");
    doctor->add_option("--max-idle", options.max_idle, "Sleeping for so long is idle [300s]")->type_name("TIME");
    doctor->add_option("--memory", options.memory, "What the server's machine has [this host's, if it is here]")
        ->type_name("SIZE");
    doctor->add_option("--check", options.checks, "Only this check; again for more")->type_name("ID");
    doctor->add_option("--fix-script", options.fix_script, "Write what would mend it, and FILE.undo; executes nothing")
        ->type_name("FILE");
    doctor->add_flag("--list", options.list, "The checks, a line each");
    doctor->add_flag("--json", options.json, "For programs");
}

}  // namespace tidegate::cli
