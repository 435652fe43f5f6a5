// `tidegate kill`: ends the connections that filters fit, or the programs of this host behind them.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "cli/audit_log.h"
#include "cli/commands.h"
#include "cli/kill_options.h"
#include "cli/killing.h"
#include "config/values.h"
#include "watch/processes.h"
#include "watch/programs.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr Duration kAgain = 500ms;  // between two looks, with --for

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

// Filters that only the server can answer have no sense where nobody logs in.
bool needs_login(const KillOptions& options) {
    return !options.hosts.empty() || !options.schemas.empty() || !options.states.empty() ||
           !options.statements.empty() || !options.ids.empty() || !options.busy.empty() ||
           !options.in_transaction.empty() || options.query;
}

json json_of(const watch::Target& target) {
    const auto& program = target.program;
    return {{"pid", program.pid},
            {"name", program.name},
            {"command", program.command},
            {"account", program.account},
            {"connections", target.connections},
            {"quiet_seconds", target.quiet ? json(seconds(*target.quiet)) : json(nullptr)}};
}

void print(const json& body) {
    fmt::print("{}\n", body.dump(2, ' ', false, json::error_handler_t::replace));
}

int say_plan(const watch::ProgramPlan& plan, bool as_json) {
    if (as_json) {
        json list = json::array();
        for (const auto& target : plan.targets) list.push_back(json_of(target));
        print({{"dry_run", true}, {"would_end", list}});
        return kWell;
    }
    for (const auto& target : plan.targets) fmt::print("would end: {}\n", sentence_of(target));
    for (const auto& spared : plan.spared)
        fmt::print("left alone, {}: {} (pid {})\n", spared.why, spared.program.name, spared.program.pid);
    fmt::print("{} program{} would be ended; nothing was, this is a dry run\n", plan.targets.size(),
               plan.targets.size() == 1 ? "" : "s");
    return kWell;
}

// Ends programs and keeps the account of it: what is printed at the end, and whether all are gone.
class Ending {
public:
    Ending(const KillOptions& options, Duration grace, std::string server, std::string filter)
        : options_(options), grace_(grace), server_(std::move(server)), filter_(std::move(filter)) {}

    void end(watch::ProgramPlan plan) {
        std::erase_if(plan.targets, [this](const watch::Target& target) {
            return std::ranges::find(refused_, target.program.pid) != refused_.end();
        });
        if (!plan.targets.empty() && !audit_) audit_.emplace(audit_file(options_.audit_log));
        count_ += plan.targets.size();
        spared_ = plan.spared;
        (void)watch::end(plan.targets, grace_, [this](const watch::EndedProgram& ended) { tell(ended); });
    }

    int close() const {
        if (options_.json) print({{"dry_run", false}, {"programs", list_}});
        if (!options_.json) {
            for (const auto& spared : spared_)
                fmt::print("left alone, {}: {} (pid {})\n", spared.why, spared.program.name, spared.program.pid);
            fmt::print("{} program{}\n", count_, count_ == 1 ? "" : "s");
        }
        return refused_.empty() ? kWell : kAttention;
    }

private:
    void tell(const watch::EndedProgram& ended) {
        if (ended.end == watch::ProgramEnd::refused || ended.end == watch::ProgramEnd::stays)
            refused_.push_back(ended.target.program.pid);
        audit_->write(name_of(ended.end), server_, sentence_of(ended.target), filter_, ended.why);
        if (options_.json) {
            list_.push_back(json_of(ended.target));
            list_.back()["end"] = name_of(ended.end);
            if (!ended.why.empty()) list_.back()["why"] = ended.why;
            return;
        }
        fmt::print("{}{}: {}\n", name_of(ended.end), ended.why.empty() ? "" : ", " + ended.why,
                   sentence_of(ended.target));
        std::fflush(stdout);
    }

    const KillOptions& options_;
    Duration grace_;
    std::string server_;
    std::string filter_;
    std::optional<AuditLog> audit_;
    std::vector<watch::Spared> spared_;
    json list_ = json::array();
    std::size_t count_ = 0;
    std::vector<int> refused_;  // not asked twice
};

// The programs behind the connections: looked up on this host, without a login.
int kill_programs(const KillOptions& options, const Killing& killing) {
    if (needs_login(options)) {
        fmt::print(
            stderr,
            "tidegate: with --processes the filters are --program, --user (of this host's system), --pid and --idle: "
            "nobody logs in at the server\n");
        return kUsage;
    }
    std::optional<Duration> grace;
    std::optional<Duration> again;
    if (!read_time("--grace", options.grace, grace) || !read_time("--for", options.for_so_long, again)) return kUsage;
    const watch::ProgramFilter filter{
        .programs = options.programs, .accounts = options.users, .pids = options.pids, .quiet = killing.filter.idle};
    if (filter.empty()) {
        fmt::print(stderr,
                   "tidegate: kill --processes wants to know whom: --program 'node*', --idle 300, --user, --pid\n");
        return kUsage;
    }
    const auto way = WayIn::prepare(options.server);
    if (!way) return way.error();
    const auto until = Clock::now() + again.value_or(Duration{});
    Ending ending(options, grace.value_or(10s), way->server().text(), filter.text());
    while (true) {
        const auto view = watch::look_locally(way->address());
        if (!view) {
            fmt::print(stderr, "tidegate: {}\n", view.error().message);
            return kCritical;
        }
        auto plan = watch::plan(*view, filter, watch::own_line());
        if (killing.limit != 0 && plan.targets.size() > killing.limit) plan.targets.resize(killing.limit);
        if (options.dry_run) return say_plan(plan, options.json);
        ending.end(std::move(plan));
        // Those that had no connection take what has become free.
        if (Clock::now() + kAgain > until) return ending.close();
        std::this_thread::sleep_for(kAgain);
    }
}

}  // namespace

int kill_command(const KillOptions& options) {
    auto killing = killing_of(options);
    if (!killing) return killing.error();
    if (options.processes) return kill_programs(options, *killing);
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
