// Connections that are held and not used: sleepers, leaks, connections that web workers keep between requests.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::size_t kGroupsShown = 5;
constexpr std::size_t kFewIdle = 5;  // so many harm nobody, unless the limit is small
constexpr std::size_t kLeakGrowth = 3;
constexpr std::size_t kLeakUnused = 10;
constexpr Duration kBetweenRequests = std::chrono::seconds(60);  // longer than a web request rests between statements

// The clients alone: a gate's pool and the server's own threads are no holders that anybody would end.
Snapshot clients_only(const Snapshot& snapshot) {
    Snapshot clients = snapshot;
    std::erase_if(clients.connections, [](const Connection& connection) { return connection.kind != Kind::client; });
    return clients;
}

std::string kill_command(const Looks& looks) {
    return fmt::format("tidegate status --kill-idle --max-idle {:.0f}", seconds(looks.max_idle));
}

// What a program held at the first look and holds now.
struct Growth {
    std::size_t before = 0;
    std::size_t now = 0;
    std::size_t unused = 0;      // slept at the first look, and have slept ever since
    std::size_t new_asleep = 0;  // opened since, and asleep
};

std::map<std::string, Growth> growth_by_program(const Looks& looks) {
    std::map<std::string, Growth> growth;
    std::unordered_map<std::uint64_t, bool> slept;
    for (const auto& connection : looks.first.connections) {
        if (connection.kind != Kind::client) continue;
        ++growth[program_of_connection(connection)].before;
        slept[connection.id] = connection.sleeping();
    }
    for (const auto& connection : looks.second.connections) {
        if (connection.kind != Kind::client) continue;
        Growth& of = growth[program_of_connection(connection)];
        ++of.now;
        if (!connection.sleeping()) continue;
        const auto before = slept.find(connection.id);
        if (before == slept.end())
            ++of.new_asleep;
        else if (before->second && seconds(connection.time) + 1 >= looks.apart())
            ++of.unused;
    }
    return growth;
}

bool leaks(const Growth& growth) {
    return growth.now >= growth.before + kLeakGrowth && growth.new_asleep >= kLeakGrowth &&
           growth.unused >= kLeakUnused;
}

// Programs whose life is one web request after the other.
bool is_web_worker(const Connection& connection) {
    if (!connection.local) return false;
    constexpr std::array kServers = {"php-fpm", "php-cgi", "lsphp", "apache2", "httpd", "frankenphp", "mod_php"};
    const auto& program = *connection.local;
    return std::ranges::any_of(kServers, [&](const char* server) {
        return program.name.find(server) != std::string::npos || program.command.starts_with(server);
    });
}

}  // namespace

std::optional<Finding> idle_holders(const Looks& looks) {
    const auto idle = looks.idle();
    if (idle == 0) return std::nullopt;
    const double of_limit = share(static_cast<double>(idle), static_cast<double>(looks.limit()));
    const double used = share(static_cast<double>(looks.connected()), static_cast<double>(looks.limit()));

    Finding finding;
    if (idle >= kFewIdle && of_limit >= 0.2) finding.severity = Severity::attention;
    if (of_limit >= 0.4 && used >= 0.95) finding.severity = Severity::critical;
    finding.title = "Connections are held by programs that do nothing";
    finding.evidence = {fmt::format("{} asleep for {} or longer: {} of the server's limit of {}",
                                    count_of(idle, "connection"), words_of(looks.max_idle),
                                    percent(static_cast<double>(idle), static_cast<double>(looks.limit())),
                                    looks.limit())};
    auto sleepers = clients_only(looks.second);
    std::erase_if(sleepers.connections,
                  [&](const Connection& connection) { return !connection.idle_for(looks.max_idle); });
    const auto growth = growth_by_program(looks);
    std::size_t shown = 0;
    for (const auto& group : group_by(sleepers, looks.max_idle, program_of_connection)) {
        if (shown++ == kGroupsShown) break;
        const auto& of = growth.at(group.name);
        const auto trend = of.now > of.before   ? fmt::format("growing: {} before, {} now", of.before, of.now)
                           : of.now < of.before ? fmt::format("falling: {} before, {} now", of.before, of.now)
                                                : fmt::format("level at {}", of.now);
        finding.evidence.push_back(fmt::format("{} ({} over {:.0f} s)", sentence_of(group), trend, looks.apart()));
    }
    finding.reason =
        "A sleeping connection counts against the limit like one at work, until its program closes it or "
        "wait_timeout is over.";
    finding.steps = {"end them now: " + kill_command(looks) + "   (look first: --dry-run)",
                     "in the programs: close the connection before every sleep and at the end, or restart them after "
                     "so many jobs (tidegate run --max-jobs 100 --max-time 1h)"};
    if (!looks.gate) finding.steps.emplace_back("or let sleeping clients hold none: tidegate serve");
    finding.cost =
        "A program whose connection is ended sees an error (2006, 2013) at its next statement unless it "
        "connects again.";
    return finding;
}

std::optional<Finding> leak(const Looks& looks) {
    Finding finding;
    finding.title = "A program opens new connections while its old ones sleep";
    for (const auto& [name, growth] : growth_by_program(looks)) {
        if (!leaks(growth)) continue;
        finding.severity = Severity::attention;
        const double an_hour = static_cast<double>(growth.now - growth.before) / looks.apart() * 3600;
        finding.evidence.push_back(
            fmt::format("{}: {} connections, {} of them {:.0f} s later: {:.0f} more in an hour at this pace; {} slept "
                        "all the time, {} opened meanwhile sleep already",
                        name, growth.before, growth.now, looks.apart(), an_hour, growth.unused, growth.new_asleep));
        const auto left = looks.limit() > looks.connected() ? looks.limit() - looks.connected() : 0;
        finding.evidence.push_back(
            fmt::format("{} left: they last for {} at this pace", count_of(left, "connection"),
                        words_of(std::chrono::duration_cast<Duration>(
                            std::chrono::duration<double>(3600.0 * static_cast<double>(left) / an_hour)))));
    }
    if (finding.evidence.empty()) return std::nullopt;
    finding.reason =
        "It makes a connection for each piece of work and does not close it, or each of its processes keeps "
        "one: the count grows until the server is full.";
    finding.steps = {"see whether it goes on: tidegate status --every 30s --for 5m",
                     "in the program: one connection or pool for the whole process, closed in `finally`; no connect "
                     "within a loop; no include of the file that connects",
                     "until that is mended: " + kill_command(looks)};
    finding.cost = "The program must be changed, or held to a number of connections: tidegate exec, tidegate serve.";
    return finding;
}

std::optional<Finding> persistent_connections(const Looks& looks) {
    auto kept = clients_only(looks.second);
    std::erase_if(kept.connections, [](const Connection& connection) {
        return !is_web_worker(connection) || !connection.idle_for(kBetweenRequests);
    });
    const auto count = kept.connections.size();
    if (count < 2) return std::nullopt;
    const double of_limit = share(static_cast<double>(count), static_cast<double>(looks.limit()));
    Finding finding;
    finding.severity = count >= kFewIdle && of_limit >= 0.1 ? Severity::attention : Severity::info;
    finding.title = "Web workers keep their connections between requests";
    for (const auto& group : group_by(kept, looks.max_idle, program_of_connection))
        finding.evidence.push_back(sentence_of(group));
    finding.evidence.push_back(fmt::format("{} of the server's limit of {}",
                                           percent(static_cast<double>(count), static_cast<double>(looks.limit())),
                                           looks.limit()));
    finding.reason =
        "Persistent connections (PDO::ATTR_PERSISTENT, mysqli with a host of p:..) are never shared between "
        "workers: each worker holds its own for ever, so the web server's number of workers is what the "
        "database must have room for.";
    finding.steps = {
        "PDO: PDO::ATTR_PERSISTENT => false;  mysqli: no p: before the host;  php.ini: "
        "mysqli.allow_persistent = Off",
        "Laravel: no PDO::ATTR_PERSISTENT in 'options' of config/database.php",
        "then restart PHP: systemctl reload php-fpm (or php8.2-fpm, as it is called here)"};
    finding.cost =
        "A login for each request: 1 ms or less on one host, a few round trips over a network; through "
        "tidegate serve it costs the server nothing.";
    return finding;
}

}  // namespace tidegate::watch::doctor
