// Whether the server looks up the names of those who connect, and whether that goes well.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

// Hosts without a name are usual, and remembered; answers that do not come are not.
constexpr std::array kFailed = {"count_nameinfo_transient_errors", "count_addrinfo_transient_errors"};

std::uint64_t failed_lookups(const Looks& looks) {
    std::uint64_t sum = 0;
    for (const auto& host : looks.second.host_errors) {
        for (const auto* kind : kFailed) {
            if (const auto at = host.counts.find(kind); at != host.counts.end()) sum += at->second;
        }
    }
    return sum;
}

std::size_t in_login(const Snapshot& snapshot) {
    return static_cast<std::size_t>(
        std::ranges::count(snapshot.connections, "unauthenticated user", &Connection::user));
}

}  // namespace

std::optional<Finding> name_resolution(const Looks& looks) {
    if (looks.second.text("skip_name_resolve").empty() || looks.second.on("skip_name_resolve")) return std::nullopt;
    if (looks.second.on("skip_networking")) return std::nullopt;
    const auto failed = failed_lookups(looks);
    const auto errors = looks.count("Connection_errors_peer_address");
    const auto stuck = std::min(in_login(looks.first), in_login(looks.second));

    Finding finding;
    finding.severity = failed >= 3 || errors >= 3 || stuck >= 3 ? Severity::attention : Severity::info;
    finding.title = "The server looks up the name of every host that connects";
    finding.evidence = {fmt::format("skip_name_resolve = OFF; {} written with a host's name",
                                    looks.second.accounts_by_host_name == 1
                                        ? "1 account is"
                                        : fmt::format("{} accounts are", looks.second.accounts_by_host_name))};
    if (failed > 0) finding.evidence.push_back(fmt::format("{} had no answer", count_of(failed, "lookup")));
    if (errors > 0) finding.evidence.push_back(fmt::format("Connection_errors_peer_address = {}", errors));
    if (stuck > 0)
        finding.evidence.push_back(
            fmt::format("{} in the middle of the login at both looks", count_of(stuck, "client")));
    finding.reason =
        "When the name server is slow or gone, each new host waits seconds for its login, and its connection counts "
        "meanwhile.";
    if (looks.second.accounts_by_host_name == 0) {
        finding.changes.push_back(at_restart(looks, "skip_name_resolve", "ON"));
        finding.cost =
            "Takes a restart. Host names in GRANT and CREATE USER mean nothing from then on ('localhost' still does); "
            "no account "
            "here uses one.";
    } else {
        finding.steps.emplace_back(
            "write the accounts that have a host's name with addresses (SELECT User, Host FROM mysql.user); then "
            "skip_name_resolve = ON in the option file");
        finding.cost = "Accounts written with a name cannot log in once it is on; takes a restart.";
    }
    return finding;
}

}  // namespace tidegate::watch::doctor
