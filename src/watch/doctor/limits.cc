// The limits against what is used: the server's, and those of its accounts.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "watch/doctor/checks.h"
#include "watch/doctor/memory.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

constexpr double kFull = 0.95;
constexpr double kNearlyFull = 0.80;
constexpr double kPeakNearlyFull = 0.85;

struct Demand {
    std::uint64_t limit = 0;
    std::uint64_t now = 0;
    std::uint64_t peak = 0;
    std::uint64_t refused = 0;
    std::uint64_t refused_between = 0;
};

Demand demand_of(const Looks& looks) {
    return {.limit = looks.limit(),
            .now = looks.connected(),
            .peak = std::max(looks.count("Max_used_connections"), looks.connected()),
            .refused = looks.count("Connection_errors_max_connections"),
            .refused_between = looks.grown("Connection_errors_max_connections")};
}

Severity severity_of(const Demand& demand) {
    const double now = share(static_cast<double>(demand.now), static_cast<double>(demand.limit));
    const double peak = share(static_cast<double>(demand.peak), static_cast<double>(demand.limit));
    if (demand.refused_between > 0 || now >= kFull) return Severity::critical;
    if (demand.refused > 0 || now >= kNearlyFull || peak >= kPeakNearlyFull) return Severity::attention;
    return Severity::info;
}

std::vector<std::string> evidence_of(const Looks& looks, const Demand& demand) {
    const auto limit = static_cast<double>(demand.limit);
    std::vector<std::string> evidence{
        fmt::format("{} of {} connections are in use now ({}); the peak since start is {} ({})", demand.now,
                    demand.limit, percent(static_cast<double>(demand.now), limit), demand.peak,
                    percent(static_cast<double>(demand.peak), limit))};
    if (demand.refused > 0) {
        evidence.push_back(
            fmt::format("{} refused with 1040 (Too many connections) since start, {} of them in the last "
                        "{:.0f} s",
                        count_of(demand.refused, "client"), demand.refused_between, looks.apart()));
    }
    // MariaDB leaves Connection_errors_max_connections at 0, whomever it refuses.
    if (demand.refused == 0 && demand.peak >= demand.limit && looks.second.flavour == Flavour::mariadb) {
        evidence.push_back(
            fmt::format("the limit was reached; MariaDB counts those whom it then refused among its {} "
                        "Aborted_connects, {} of them in the last {:.0f} s",
                        looks.count("Aborted_connects"), looks.grown("Aborted_connects"), looks.apart()));
    }
    if (const auto idle = looks.idle(); idle > 0) {
        evidence.push_back(fmt::format("{} of the connections sleep for {} or longer", idle, words_of(looks.max_idle)));
    }
    return evidence;
}

// Half as many again as the peak, as far as the memory goes; 0: there is no room for more.
std::uint64_t proposed_limit(const Looks& looks, const Demand& demand) {
    const auto wanted = rounded_up(1.5 * static_cast<double>(std::max(demand.peak, demand.limit)), 10);
    const auto fit = connections_that_fit(looks).value_or(wanted);
    const auto proposed = std::min(wanted, fit);
    return proposed > demand.limit ? proposed : 0;
}

// What an account uses of the limit that holds for it.
struct Use {
    const Account* account = nullptr;
    std::uint64_t limit = 0;
    bool own_limit = false;
    std::uint64_t connections = 0;
    std::uint64_t of_gate = 0;
};

std::vector<Use> uses_of(const Looks& looks) {
    const auto common = looks.setting("max_user_connections");
    std::map<const Account*, Use> uses;
    for (const auto& connection : looks.second.connections) {
        if (connection.kind == Kind::system || connection.kind == Kind::event_scheduler) continue;
        const auto* account = account_behind(looks.second, connection);
        if (account == nullptr) continue;
        Use& use = uses[account];
        use.account = account;
        use.own_limit = account->max_user_connections > 0;
        use.limit = use.own_limit ? account->max_user_connections : common;
        ++use.connections;
        if (connection.kind == Kind::gate) ++use.of_gate;
    }
    std::vector<Use> limited;
    for (const auto& [account, use] : uses) {
        if (use.limit > 0) limited.push_back(use);
    }
    std::ranges::sort(limited, std::greater{}, [](const Use& use) {
        return share(static_cast<double>(use.connections), static_cast<double>(use.limit));
    });
    return limited;
}

std::uint64_t host_errors(const Looks& looks, std::string_view kind) {
    std::uint64_t sum = 0;
    for (const auto& host : looks.second.host_errors) {
        if (const auto at = host.counts.find(kind); at != host.counts.end()) sum += at->second;
    }
    return sum;
}

}  // namespace

std::optional<Finding> limit_too_low(const Looks& looks) {
    const auto demand = demand_of(looks);
    Finding finding;
    finding.severity = severity_of(demand);
    if (finding.severity == Severity::info) return std::nullopt;
    finding.title = finding.severity == Severity::critical ? "The server is full, or nearly so"
                                                           : "The server's limit was reached, or nearly so";
    finding.evidence = evidence_of(looks, demand);
    finding.reason =
        "At max_connections the server refuses every further client with 1040, whatever that client wants.";
    const bool mostly_idle = 2 * looks.idle() >= demand.now;
    if (looks.idle() > 0) {
        finding.steps.push_back(fmt::format("{}tidegate status --kill-idle --max-idle {:.0f}",
                                            mostly_idle ? "first of all, since half of them do nothing: " : "",
                                            seconds(looks.max_idle)));
    }
    if (!looks.gate) finding.steps.push_back("let the programs share connections: tidegate serve");
    if (const auto proposed = proposed_limit(looks, demand); proposed > 0) {
        finding.changes.push_back(set_global(looks, "max_connections", proposed));
        finding.cost =
            fmt::format("Up to {} for each connection more, when all of them work at once; and a file descriptor each.",
                        size_of(memory_need(looks).connection_bytes()));
    } else {
        finding.steps.push_back(
            "no higher limit: the machine's memory has no room for more connections "
            "(memory-beyond-machine)");
        finding.cost = "Programs wait their turn instead of being refused.";
    }
    return finding;
}

std::optional<Finding> account_limit_too_low(const Looks& looks) {
    Finding finding;
    finding.title = "An account is at its own limit, or nearly so";
    for (const auto& use : uses_of(looks)) {
        const double used = share(static_cast<double>(use.connections), static_cast<double>(use.limit));
        if (used < kNearlyFull) continue;
        // A gate uses its account's limit up: its clients wait for it.
        const bool by_gate = 2 * use.of_gate >= use.connections;
        const auto severity = by_gate ? Severity::info : used >= kFull ? Severity::critical : Severity::attention;
        finding.severity = std::max(finding.severity, severity);
        finding.evidence.push_back(fmt::format(
            "{}: {} of {} connections ({}){}; the limit is {}", quoted(*use.account), use.connections, use.limit,
            percent(static_cast<double>(use.connections), static_cast<double>(use.limit)),
            by_gate ? ", most of them the gate's" : "", use.own_limit ? "the account's own" : "max_user_connections"));
        if (by_gate) continue;
        const auto more = rounded_up(1.5 * static_cast<double>(use.limit), 5);
        if (more >= looks.limit()) continue;
        if (use.own_limit)
            finding.changes.push_back(limit_account(*use.account, more));
        else if (std::ranges::find(finding.changes, "max_user_connections", &Change::what) == finding.changes.end())
            finding.changes.push_back(set_global(looks, "max_user_connections", more));
    }
    if (finding.evidence.empty()) return std::nullopt;
    if (const auto refused = host_errors(looks, "count_max_user_connections_errors"); refused > 0)
        finding.evidence.push_back(fmt::format("{} were refused for an account's limit", count_of(refused, "login")));
    finding.reason =
        "At its limit an account is refused with 1226 (its own limit) or 1203 (max_user_connections), although the "
        "server "
        "has room.";
    finding.steps.push_back("see who holds them: tidegate status; end those that sleep: tidegate status --kill-idle");
    finding.steps.push_back(
        "on shared hosting the provider sets this limit: hold the programs to it with tidegate exec "
        "--slots, or tidegate serve");
    finding.cost = "The account may take more of the server's connections from others.";
    return finding;
}

std::optional<Finding> logins_per_hour(const Looks& looks) {
    Finding finding;
    finding.title = "An account may log in only so often in an hour";
    std::vector<const Account*> present;
    for (const auto& connection : looks.second.connections) {
        if (connection.kind != Kind::client && connection.kind != Kind::gate) continue;
        const auto* account = account_behind(looks.second, connection);
        if (account != nullptr && std::ranges::find(present, account) == present.end()) present.push_back(account);
    }
    const auto refused = host_errors(looks, "count_max_user_connections_per_hour_errors");
    const double per_hour = looks.rate("Connections") * 3600;
    for (const auto* account : present) {
        const auto limit = account->max_connections_per_hour;
        if (limit == 0) continue;
        finding.evidence.push_back(fmt::format("{}: {} logins in an hour at most", quoted(*account), limit));
        // Whose the new connections were is not known, unless nobody else is there.
        if (present.size() == 1 && looks.grown("Connections") >= 5 && per_hour > static_cast<double>(limit)) {
            finding.severity = Severity::attention;
            finding.evidence.push_back(fmt::format("{} new connections in {:.0f} s: {:.0f} in an hour",
                                                   looks.grown("Connections"), looks.apart(), per_hour));
        }
        finding.changes.push_back(
            {.what = quoted(*account) + " per hour",
             .statement = fmt::format("ALTER USER {} WITH MAX_CONNECTIONS_PER_HOUR 0;", quoted(*account)),
             .undo = fmt::format("ALTER USER {} WITH MAX_CONNECTIONS_PER_HOUR {};", quoted(*account), limit),
             .option = "",
             .option_undo = ""});
    }
    if (finding.evidence.empty()) return std::nullopt;
    if (refused > 0) {
        finding.severity = Severity::attention;
        finding.evidence.push_back(fmt::format("{} were refused for it", count_of(refused, "login")));
    }
    if (finding.severity == Severity::info) finding.changes.clear();
    finding.reason =
        "When they are used up, the account is refused with 1226 until the hour is over, whatever is free.";
    finding.steps.push_back(
        "connect less often: keep connections in a pool, or let the gate keep them (tidegate serve)");
    finding.cost = "Without it nothing holds a program back that connects in a loop.";
    return finding;
}

}  // namespace tidegate::watch::doctor
