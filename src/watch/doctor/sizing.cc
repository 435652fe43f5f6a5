// How many connections the work that is done really needs: Little's law, with the sum shown.
//
//     busy connections = statements per second x seconds in a statement
//
// How many statements run is sampled between the looks, and how many arrive is counted; the time in a statement follows
// from both. A transaction keeps its connection between its statements, so those are counted from the looks, too.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::size_t kSamples = 3;  // fewer tell nothing
constexpr std::uint64_t kStatements = 20;

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) /
           static_cast<double>(std::max<std::size_t>(1, values.size()));
}

// At work or in a transaction: these could not be lent to anybody else.
std::size_t needed_in(const Snapshot& snapshot) {
    return static_cast<std::size_t>(std::ranges::count_if(snapshot.connections, [](const Connection& connection) {
        const bool works = connection.kind == Kind::client || connection.kind == Kind::gate;
        return works && (!connection.sleeping() || connection.in_transaction);
    }));
}

}  // namespace

std::optional<Finding> pool_size(const Looks& looks) {
    const auto all = looks.grown("Questions");
    const auto statements = all > looks.own_statements ? all - looks.own_statements : 0;
    if (looks.running.size() < kSamples || statements < kStatements) return std::nullopt;
    const double arrivals = static_cast<double>(statements) / looks.apart();
    const double running = mean(looks.running);
    const double most = std::ranges::max(looks.running);
    const double held =
        mean({static_cast<double>(needed_in(looks.first)), static_cast<double>(needed_in(looks.second))});
    const double busy = std::max(running, held);
    // Arrivals at random make it rise to twice the root above the mean now and then (about 1 moment in 40).
    const auto recommended =
        static_cast<std::uint64_t>(std::max(std::ceil(busy + 2 * std::sqrt(busy)) + 1, std::max(2.0, most)));

    Finding finding;
    finding.title =
        fmt::format("The work of these {:.0f} s needs some {}", looks.apart(), count_of(recommended, "connection"));
    finding.evidence = {
        fmt::format("{} in {:.1f} s: {} arrive", count_of(statements, "statement"), looks.apart(),
                    per_second(arrivals)),
        fmt::format(
            "{:.2f} ran at once (mean of {} samples, {:.0f} at most), so each takes {:.2f} / {:.1f} = {:.2f} ms",
            running, looks.running.size(), most, running, arrivals, 1000 * running / arrivals),
        fmt::format(
            "L = {:.1f} per second x {:.5f} s = {:.2f} at work; {:.1f} at work or in a transaction at the looks",
            arrivals, running / arrivals, running, held),
        fmt::format(
            "pool = L + 2 x root(L) + 1 = {:.2f} + {:.2f} + 1, and never below what was seen at once ({:.0f}): {}",
            busy, 2 * std::sqrt(busy), most, recommended),
        fmt::format("open now: {}, limit {}", looks.connected(), looks.limit())};
    finding.reason =
        "More connections than that only wait for each other inside the server. Take the busiest hour for the figures: "
        "tidegate doctor --look 60s.";
    finding.steps = {fmt::format("one gate for all: max_connections = {} in [budget] of tidegate.toml", recommended),
                     fmt::format("or one pool for the whole application: DB_CONNECTION_LIMIT={}", recommended)};
    finding.cost = "At peaks beyond it statements wait in line, for milliseconds as a rule.";
    return finding;
}

}  // namespace tidegate::watch::doctor
