// Accounts that may take more than their share, or the place that is kept for an administrator.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

struct Held {
    std::size_t connections = 0;
    const Account* account = nullptr;
};

// By user, since an account's connections from several hosts are one program's for a person. The gate's are left out:
// it keeps a limit of its own.
std::map<std::string, Held> held_by_user(const Looks& looks) {
    std::map<std::string, Held> held;
    for (const auto& connection : looks.second.connections) {
        if (connection.kind != Kind::client || connection.user.empty()) continue;
        Held& of = held[connection.user];
        ++of.connections;
        if (of.account == nullptr) of.account = account_behind(looks.second, connection);
    }
    return held;
}

}  // namespace

std::optional<Finding> account_without_limit(const Looks& looks) {
    if (looks.setting("max_user_connections") > 0 && looks.setting("max_user_connections") < looks.limit())
        return std::nullopt;
    const auto held = held_by_user(looks);
    Finding finding;
    finding.title = "Accounts may take every connection of the server";
    for (const auto& [user, of] : held) {
        if (of.account == nullptr) continue;  // its limit cannot be read
        const auto own = of.account->max_user_connections;
        if (own > 0 && own < looks.limit()) continue;
        // Of several accounts one that has half of everything leaves too little to the others.
        const bool most = held.size() > 1 && 2 * of.connections > looks.limit();
        if (most) finding.severity = Severity::attention;
        finding.evidence.push_back(fmt::format(
            "{} has no limit of its own and {} of {} connections ({})", quoted(*of.account), of.connections,
            looks.limit(), percent(static_cast<double>(of.connections), static_cast<double>(looks.limit()))));
        if (most)
            finding.changes.push_back(
                limit_account(*of.account, std::max<std::uint64_t>(of.connections, looks.limit() * 3 / 4)));
    }
    if (finding.evidence.empty() || (finding.severity == Severity::info && held.size() < 2)) return std::nullopt;
    finding.reason =
        "One program that leaks, or a thousand workers started at once, then lock all the others out, cron and the "
        "administrator among them.";
    if (finding.changes.empty()) {
        finding.steps.emplace_back(
            "for those who share the server: ALTER USER .. WITH MAX_USER_CONNECTIONS n; with n below "
            "max_connections");
    }
    finding.cost =
        "At its limit the account is refused with 1226, where it would have taken the others' places before; a gate "
        "lets it "
        "wait instead.";
    return finding;
}

std::optional<Finding> privileged_program(const Looks& looks) {
    Finding finding;
    const bool nearly_full = 5 * looks.connected() >= 4 * looks.limit();
    for (const auto& [user, of] : held_by_user(looks)) {
        // A connection or two may be an administrator's.
        if (of.account == nullptr || !of.account->super || of.connections < 3) continue;
        if (nearly_full) finding.severity = Severity::attention;
        finding.evidence.push_back(fmt::format("{} may take the reserved connection, and holds {}", quoted(*of.account),
                                               count_of(of.connections, "connection")));
    }
    if (finding.evidence.empty()) return std::nullopt;
    finding.title = "A program works with an administrator's account";
    finding.reason =
        "The server keeps one connection beyond max_connections for an administrator. When a program may take it as "
        "well, "
        "nobody gets in to help when the server is full.";
    finding.steps = {
        "give the program an account of its own: CREATE USER shop@'%' IDENTIFIED BY '..'; GRANT SELECT, INSERT, "
        "UPDATE, "
        "DELETE ON shop.* TO shop@'%';",
        "keep the other door open: extra_port in MariaDB, admin_address in MySQL, or a gate's standing connection"};
    finding.cost = "The program's configuration changes once.";
    return finding;
}

}  // namespace tidegate::watch::doctor
