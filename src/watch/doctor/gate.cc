// The settings of the gate before this server, where one runs on this host.
#include <fmt/core.h>

#include <algorithm>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::uint64_t kManyWaits = 100;
constexpr std::size_t kShown = 5;

}  // namespace

std::optional<Finding> gate_limit(const Looks& looks) {
    if (!looks.gate) return std::nullopt;
    const auto& gate = *looks.gate;
    const auto room = looks.limit() > gate.reserve ? looks.limit() - gate.reserve : 0;
    const bool above = gate.configured && *gate.configured > looks.limit();
    const bool refused = gate.refused_by_server > 0;
    if (!above && !refused) return std::nullopt;
    Finding finding;
    // The gate learns the limit and keeps to it: what is configured beyond it does no harm by itself.
    finding.severity = above && refused ? Severity::attention : Severity::info;
    finding.title =
        above ? "The gate is allowed more connections than the server has" : "The server has refused the gate";
    finding.evidence = {
        fmt::format("the gate: max_connections = {}, {} hold now, {} in reserve",
                    gate.configured ? std::to_string(*gate.configured) : "auto", gate.limit, gate.reserve),
        fmt::format("the server: max_connections = {}; {} refusals (1040, 1203, 1226) since the gate's start",
                    looks.limit(), gate.refused_by_server)};
    finding.reason =
        "Clients of the gate wait then, instead of being refused, for as long as others hold what it counts on.";
    finding.steps = {fmt::format("max_connections = \"auto\" in [budget] of tidegate.toml, or {} at most", room)};
    finding.cost = "Nothing: it could not have more.";
    return finding;
}

std::optional<Finding> gate_without_reserve(const Looks& looks) {
    if (!looks.gate || looks.gate->reserve > 0) return std::nullopt;
    const bool takes_all = looks.gate->limit + 1 >= looks.limit();
    if (!takes_all) return std::nullopt;
    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "The gate leaves no connection to others";
    finding.evidence = {fmt::format("reserve = 0 in [budget]; the gate may have {} of the server's {}",
                                    looks.gate->limit, looks.limit())};
    finding.reason =
        "When the gate has all its connections open, a backup, a monitoring check or an administrator without "
        "privileges is "
        "refused with 1040.";
    finding.steps = {"reserve = 3 in [budget] of tidegate.toml"};
    finding.cost = "Three connections fewer for the gate's clients.";
    return finding;
}

std::optional<Finding> gate_refuses(const Looks& looks) {
    if (!looks.gate || looks.gate->refused_clients == 0) return std::nullopt;
    const auto& gate = *looks.gate;
    const double of_all =
        share(static_cast<double>(gate.refused_clients), static_cast<double>(gate.refused_clients + gate.granted));
    Finding finding;
    finding.severity = of_all >= 0.01 || gate.waiting > 0 ? Severity::attention : Severity::info;
    finding.title = "Clients of the gate waited in vain";
    finding.evidence = {fmt::format("{} got 1040 after their wait ({} of all leases); {} wait now",
                                    count_of(gate.refused_clients, "client"), percent(of_all, 1), gate.waiting),
                        fmt::format("{} of {} connections at the peak", gate.peak, gate.limit)};
    finding.reason =
        "There is more work than so many connections do in time, or somebody holds on to them (transactions, pins).";
    finding.steps = {"who holds them: tidegate status; long transactions: the check idle-transaction",
                     "more connections, if the server has them: the checks pool-size and limit-too-low"};
    finding.cost = "More connections take more of the server's memory.";
    return finding;
}

std::optional<Finding> gate_wait_too_short(const Looks& looks) {
    if (!looks.gate || !looks.gate->wait_timeout || looks.gate->waited < kManyWaits) return std::nullopt;
    const auto& gate = *looks.gate;
    const double most = seconds(*gate.wait_timeout);
    if (most <= 0 || gate.wait_p99 < 0.5 * most) return std::nullopt;
    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "Clients of the gate wait nearly as long as they may";
    finding.evidence = {
        fmt::format("99 of 100 waits are over within {:.1f} s; wait_timeout = {:.0f} s; {} have waited since start",
                    gate.wait_p99, most, gate.waited)};
    finding.reason = "A little more work, and they are refused with 1040.";
    finding.steps = {
        fmt::format("wait_timeout = \"{:.0f}s\" in [pool] of tidegate.toml", std::max(30.0, 4 * gate.wait_p99)),
        "better: let statements be shorter, or give the gate more connections (pool-size)"};
    finding.cost = "Whoever cannot be served hears so later.";
    return finding;
}

std::optional<Finding> gate_idle_timeout(const Looks& looks) {
    if (!looks.gate || !looks.gate->idle_timeout) return std::nullopt;
    const auto wait = looks.setting("wait_timeout");
    const double idle = seconds(*looks.gate->idle_timeout);
    if (wait == 0 || idle < static_cast<double>(wait)) return std::nullopt;
    Finding finding;
    finding.title = "The server closes the gate's idle connections before the gate does";
    finding.evidence = {
        fmt::format("idle_timeout = {:.0f} s in [pool], wait_timeout = {} s at the server", idle, wait)};
    finding.reason = "The gate notices and opens another one; but each counts among the server's Aborted_clients.";
    finding.steps = {
        fmt::format("idle_timeout = \"{}s\" in [pool] of tidegate.toml", std::max<std::uint64_t>(1, wait / 2))};
    finding.cost = "Nothing.";
    return finding;
}

std::optional<Finding> gate_bypassed(const Looks& looks) {
    if (!looks.gate) return std::nullopt;
    Snapshot past = looks.second;
    std::erase_if(past.connections, [](const Connection& connection) { return connection.kind != Kind::client; });
    const auto count = past.connections.size();
    // One or two may be an administrator's.
    if (count < 3) return std::nullopt;
    Finding finding;
    const bool harm = looks.gate->waiting > 0 && 4 * count >= looks.limit();
    finding.severity = harm ? Severity::attention : Severity::info;
    finding.title = "Programs connect to the server past the gate";
    finding.evidence = {fmt::format(
        "{} past it, {} of the server's limit; {} of the gate's clients wait", count_of(count, "connection"),
        percent(static_cast<double>(count), static_cast<double>(looks.limit())), looks.gate->waiting)};
    for (const auto& group : group_by(past, looks.max_idle, program_of_connection)) {
        if (finding.evidence.size() > kShown) break;
        finding.evidence.push_back(sentence_of(group));
    }
    finding.reason = "The gate makes room for them, so its own clients have less.";
    finding.steps = {"give these programs the gate's address instead of the server's (port 6306 unless configured)",
                     "or hold them to a number: tidegate exec --slots"};
    finding.cost = "Nothing.";
    return finding;
}

}  // namespace tidegate::watch::doctor
