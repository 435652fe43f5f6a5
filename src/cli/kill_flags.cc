#include "cli/kill_flags.h"

#include <CLI/CLI.hpp>

namespace tidegate::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  tidegate kill --idle 180 --dry-run\n"
    "      shows who would be ended\n"
    "  tidegate kill --idle 5m --user app --program '*import*' --limit 10 --pause 1s\n"
    "      the ten that have slept longest, one a second\n"
    "  tidegate kill --busy 60 --statement 'SELECT*' --query\n"
    "      stops the statements and leaves the connections\n"
    "  tidegate kill --processes --program 'node*' --idle 5m\n"
    "      ends the programs themselves, on this host; needs no login at the server\n"
    "\n"
    "All filters must fit; of several values of one filter one must. `*` and `?` stand for any, as in file names.\n"
    "Never ended: its own connection, replication, binary-log dumps, the event scheduler, system threads, a gate's "
    "pool,\n"
    "and whoever has woken since it was chosen.\n"
    "Exit codes: 0 done, 1 some could not be ended, 2 the server is full and nothing got in, 64 usage, 69 not "
    "reachable.\n";

}  // namespace

void add_kill(CLI::App& app, KillOptions& options) {
    auto* kill = app.add_subcommand("kill", "Ends connections at the server, or the programs of this host behind them");
    kill->footer(kExamples);
    add_server_flags(*kill, options.server);
    kill->add_option("--user", options.users, "Account")->type_name("NAME");
    kill->add_option("--host", options.hosts, "Where it comes from, as the server names it")->type_name("HOST");
    kill->add_option("--schema", options.schemas, "Its schema")->type_name("NAME");
    kill->add_option("--program", options.programs, "The program behind it: its name, command line or attribute")
        ->type_name("PATTERN");
    kill->add_option("--state", options.states, "Its command or state, as the process list has it")
        ->type_name("PATTERN");
    kill->add_option("--statement", options.statements, "What it runs")->type_name("PATTERN");
    kill->add_option("--id", options.ids, "Its number")->type_name("N");
    kill->add_option("--idle", options.idle, "Sleeping for at least so long")->type_name("TIME");
    kill->add_option("--busy", options.busy, "At one statement for at least so long")->type_name("TIME");
    kill->add_option("--in-transaction", options.in_transaction,
                     "In a transaction that has been open for at least so long")
        ->type_name("TIME");
    kill->add_option("--victims", options.victims, "all, or the oldest alone [all]")
        ->type_name("WHICH")
        ->check(CLI::IsMember({"all", "oldest"}));
    auto* limit = kill->add_option("--limit", options.limit, "At most so many")->type_name("N");
    kill->add_option("--pause", options.pause, "Between two of them")->type_name("TIME");
    kill->add_flag("--query", options.query, "Only the statement; the connection stays");
    kill->add_flag("--dry-run", options.dry_run, "List them, end nothing");
    kill->add_flag("--json", options.json, "For programs");
    kill->add_option("--audit-log", options.audit_log, "A line for each kill [~/.local/state/tidegate/kills.log]")
        ->type_name("FILE");
    auto* processes =
        kill->add_flag("--processes", options.processes, "The programs of this host instead: TERM, then KILL");
    kill->add_option("--pid", options.pids, "With --processes: only these")->type_name("PID");
    kill->add_option("--grace", options.grace, "With --processes: how long after TERM comes KILL [10s]")
        ->type_name("TIME");
    kill->add_option("--for", options.for_so_long,
                     "With --processes: again and again for so long, since others take what becomes free [once]")
        ->type_name("TIME")
        ->needs(processes)
        ->excludes(limit);
}

}  // namespace tidegate::cli
