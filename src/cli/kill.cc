// `tidegate kill`: ends the connections that filters fit, or the programs of this host behind them.
#include <fmt/core.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/kill_options.h"
#include "cli/killing.h"
#include "config/values.h"

namespace tidegate::cli {
namespace {

// A time as it was written; false: it is none, which is said.
bool read_time(const char* flag, const std::string& text, std::optional<Duration>& into) {
    if (text.empty()) return true;
    into = config::parse_duration(text);
    if (into) return true;
    fmt::print(stderr, "tidegate: {} must be a time such as 180, 180s or 5m, and not \"{}\"\n", flag, text);
    return false;
}

std::expected<Killing, int> killing_of(const KillOptions& options) {
    Killing killing{.filter = {.users = options.users,
                               .hosts = options.hosts,
                               .schemas = options.schemas,
                               .programs = options.programs,
                               .states = options.states,
                               .statements = options.statements,
                               .ids = options.ids},
                    .which = options.victims == "oldest" ? watch::Victims::oldest : watch::Victims::all,
                    .limit = options.limit,
                    .query_only = options.query,
                    .dry_run = options.dry_run,
                    .json = options.json,
                    .audit_log = options.audit_log};
    std::optional<Duration> pause;
    const bool good = read_time("--idle", options.idle, killing.filter.idle) &&
                      read_time("--busy", options.busy, killing.filter.busy) &&
                      read_time("--in-transaction", options.in_transaction, killing.filter.in_transaction) &&
                      read_time("--pause", options.pause, pause);
    if (!good) return std::unexpected(kUsage);
    killing.pause = pause.value_or(Duration{});
    return killing;
}

}  // namespace

int kill_command(const KillOptions& options) {
    auto killing = killing_of(options);
    if (!killing) return killing.error();
    if (killing->filter.empty()) {
        fmt::print(
            stderr,
            "tidegate: kill wants to know whom: --idle 180, --user, --program, --id ..; see tidegate kill --help\n");
        return kUsage;
    }
    auto way = WayIn::prepare(options.server);
    if (!way) return way.error();
    if (const auto opened = way->open(); !opened) return opened.error();
    const auto snapshot = way->look();
    if (!snapshot) {
        fmt::print(stderr, "tidegate: {}\n", snapshot.error().message);
        return kServerUnreachable;
    }
    return end_connections(*way, *snapshot, *killing);
}

}  // namespace tidegate::cli
