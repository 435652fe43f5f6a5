// Connections that ended or failed in other ways than they should, by kind.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::uint64_t kSome = 10;

struct ErrorKind {
    const char* variable;
    const char* meaning;
};

// Connection_errors_max_connections is limit-too-low's, _peer_address is name-resolution's.
constexpr std::array kErrors = {
    ErrorKind{"Connection_errors_internal", "inside the server: no memory, no thread for them"},
    ErrorKind{"Connection_errors_accept", "when the server took them from the system: no descriptors, no memory"},
    ErrorKind{"Connection_errors_select", "while the server waited for connections"},
    ErrorKind{"Connection_errors_tcpwrap", "turned away by libwrap (/etc/hosts.deny)"},
};

double ratio(const Looks& looks, const char* part) {
    return share(static_cast<double>(looks.count(part)), static_cast<double>(looks.count("Connections")));
}

std::string of_all(const Looks& looks, const char* part) {
    return fmt::format("{} of {} since start ({}), {} of them in the last {:.0f} s", looks.count(part),
                       looks.count("Connections"),
                       percent(static_cast<double>(looks.count(part)), static_cast<double>(looks.count("Connections"))),
                       looks.grown(part), looks.apart());
}

// Of which kinds, from which hosts: where the server keeps them.
void add_hosts(const Looks& looks, std::string_view kind, std::string_view words, Finding& finding) {
    for (const auto& host : looks.second.host_errors) {
        const auto at = host.counts.find(kind);
        if (at == host.counts.end()) continue;
        finding.evidence.push_back(
            fmt::format("{}{}: {} {}", host.ip, host.host.empty() ? "" : " (" + host.host + ")", at->second, words));
        if (finding.evidence.size() >= 6) return;
    }
}

}  // namespace

std::optional<Finding> aborted_clients(const Looks& looks) {
    const auto aborted = looks.count("Aborted_clients");
    const bool many = aborted >= 5 * kSome && ratio(looks, "Aborted_clients") >= 0.1;
    const bool now =
        looks.grown("Aborted_clients") >= kSome && 2 * looks.grown("Aborted_clients") >= looks.grown("Connections");
    if (!many && !now) return std::nullopt;
    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "Programs go without closing their connections";
    finding.evidence = {"connections that ended without a goodbye: " + of_all(looks, "Aborted_clients"),
                        fmt::format("wait_timeout = {} s, net_read_timeout = {} s, net_write_timeout = {} s",
                                    looks.setting("wait_timeout"), looks.setting("net_read_timeout"),
                                    looks.setting("net_write_timeout"))};
    finding.reason =
        "They crashed, were killed, or lost their network, or slept until wait_timeout. Where the network does not "
        "tell the server, it holds such a connection until wait_timeout is over.";
    finding.steps = {
        "in the programs: close on every way out (finally, register_shutdown_function, process.on('SIGTERM'))",
        "which ones: the server's error log has \"Aborted connection .. user: .. host: ..\" with "
        "log_warnings = 2 (MariaDB) or log_error_verbosity = 3 (MySQL)"};
    finding.cost = "Nothing.";
    return finding;
}

std::optional<Finding> aborted_connects(const Looks& looks) {
    const auto aborted = looks.count("Aborted_connects");
    if (aborted < kSome || ratio(looks, "Aborted_connects") <= 0.03) return std::nullopt;
    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "Many logins fail";
    finding.evidence = {"logins that failed: " + of_all(looks, "Aborted_connects")};
    if (const auto denied = looks.count("Access_denied_errors"); denied > 0)
        finding.evidence.push_back(
            fmt::format("{} were denied for a wrong account or password, or a missing right", denied));
    if (const auto refused = looks.count("Connection_errors_max_connections"); refused > 0)
        finding.evidence.push_back(fmt::format("{} were refused because the server was full", refused));
    add_hosts(looks, "count_authentication_errors", "with a wrong account or password", finding);
    add_hosts(looks, "count_handshake_errors", "gave up in the middle of the login", finding);
    finding.reason =
        "A program with an old password that tries again and again, a health check or a scanner that connects and says "
        "nothing, or a network that breaks logins off. Each takes a connection for a moment, and after "
        "max_connect_errors broken ones in a row the host is blocked (1129).";
    finding.steps = {
        "which ones: the server's error log has \"Access denied for user\" with log_warnings = 2 (MariaDB) or "
        "log_error_verbosity = 3 (MySQL)",
        "give the program the password that is right; let health checks log in (tidegate status --check), or "
        "keep them and scanners out"};
    finding.cost = "Nothing.";
    return finding;
}

std::optional<Finding> connection_errors(const Looks& looks) {
    Finding finding;
    for (const auto& kind : kErrors) {
        const auto count = looks.count(kind.variable);
        if (count == 0) continue;
        if (looks.grown(kind.variable) > 0 || count >= kSome) finding.severity = Severity::attention;
        finding.evidence.push_back(fmt::format("{} = {} ({} in the last {:.0f} s): {}", kind.variable, count,
                                               looks.grown(kind.variable), looks.apart(), kind.meaning));
    }
    if (finding.evidence.empty()) return std::nullopt;
    finding.title = "Connections failed inside the server";
    finding.reason =
        "The server, or the system under it, had no memory, threads or descriptors for a client, although "
        "max_connections was not reached.";
    finding.steps = {"read the server's error log at that time: Can't create a new thread; Too many open files",
                     "under systemd: systemctl show -p TasksMax,LimitNOFILE,LimitNPROC mariadb (or mysql)",
                     "see also the checks open-files-too-few and memory-beyond-machine"};
    finding.cost = "Nothing.";
    return finding;
}

std::optional<Finding> host_blocked(const Looks& looks) {
    const auto most = looks.setting("max_connect_errors");
    Finding finding;
    for (const auto& host : looks.second.host_errors) {
        const auto count = [&](std::string_view kind) {
            const auto at = host.counts.find(kind);
            return at == host.counts.end() ? std::uint64_t{0} : at->second;
        };
        const auto blocked = count("count_host_blocked_errors");
        const auto broken = count("sum_connect_errors");
        const bool is_blocked = most > 0 && broken >= most;
        if (blocked == 0 && !is_blocked) continue;
        finding.severity = is_blocked ? Severity::critical : std::max(finding.severity, Severity::attention);
        finding.evidence.push_back(fmt::format("{}: {} broken in a row (max_connect_errors = {}), {} turned away since",
                                               host.ip, count_of(broken, "login"), most, blocked));
    }
    if (finding.evidence.empty()) return std::nullopt;
    finding.title = finding.severity == Severity::critical ? "A host is blocked" : "A host was blocked";
    finding.reason =
        "After max_connect_errors logins that broke off in a row the server refuses the host with 1129, right "
        "passwords too.";
    const std::string unblock =
        looks.second.flavour == Flavour::mysql ? "TRUNCATE TABLE performance_schema.host_cache;" : "FLUSH HOSTS;";
    finding.changes = {{.what = "host cache", .statement = unblock, .undo = "", .option = "", .option_undo = ""}};
    if (most < 10000) finding.changes.push_back(set_global(looks, "max_connect_errors", 100000));
    finding.steps = {
        "then find what breaks logins off there: a health check that only opens the port, a network device"};
    finding.cost =
        "Whoever guesses passwords is not blocked by this either way: only broken logins count, not wrong "
        "passwords.";
    return finding;
}

}  // namespace tidegate::watch::doctor
