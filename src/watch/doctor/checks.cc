#include "watch/doctor/checks.h"

#include <algorithm>
#include <array>

namespace tidegate::watch::doctor {
namespace {

constexpr std::array kChecks = {
    Check{"limit-too-low", "the server's limit against what is used and refused", limit_too_low},
    Check{"account-limit-too-low", "accounts' limits against what they use", account_limit_too_low},
    Check{"logins-per-hour", "accounts that may log in only so often in an hour", logins_per_hour},
    Check{"idle-holders", "connections that sleep for long, by program", idle_holders},
    Check{"connection-leak", "programs that open new connections while their old ones sleep", leak},
    Check{"persistent-connections", "web workers that keep their connections between requests", persistent_connections},
    Check{"idle-timeout-too-long", "wait_timeout and interactive_timeout with sleepers", idle_timeout_too_long},
    Check{"idle-timeout-too-short", "wait_timeout that cuts working programs off", idle_timeout_too_short},
    Check{"thread-cache-too-small", "thread_cache_size against new threads", thread_cache_too_small},
    Check{"back-log-too-small", "back_log, the queue for those who connect", back_log_too_small},
    Check{"open-files-too-few", "open_files_limit against connections and tables", open_files_too_few},
    Check{"table-cache-too-small", "table_open_cache against tables opened anew", table_cache_too_small},
    Check{"memory-beyond-machine", "memory per connection times the limit", memory_beyond_machine},
    Check{"aborted-clients", "connections that were not closed in order", aborted_clients},
    Check{"aborted-connects", "logins that failed", aborted_connects},
    Check{"connection-errors", "connections that failed inside the server", connection_errors},
    Check{"host-blocked", "hosts that the server does not let in any more", host_blocked},
    Check{"idle-transaction", "transactions that are open while nothing is done", idle_transaction},
    Check{"lock-wait", "statements that wait for others' locks", lock_wait},
    Check{"long-statement", "statements that run for more than a minute", long_statement},
    Check{"account-without-limit", "accounts that may take every connection", account_without_limit},
    Check{"privileged-program", "programs that may take the reserved connection", privileged_program},
    Check{"name-resolution", "looking up clients' names at login", name_resolution},
    Check{"pool-size", "how many connections the work needs (Little's law)", pool_size},
    Check{"runs-twice", "single programs of this host that run twice", runs_twice},
    Check{"gate-limit", "the gate's limit against the server's", gate_limit},
    Check{"gate-without-reserve", "the gate's reserve", gate_without_reserve},
    Check{"gate-refuses", "clients that the gate has refused", gate_refuses},
    Check{"gate-wait-too-short", "the gate's wait_timeout against how long clients wait", gate_wait_too_short},
    Check{"gate-idle-timeout", "the gate's idle_timeout against the server's", gate_idle_timeout},
    Check{"gate-bypassed", "programs that connect past the gate", gate_bypassed},
};

}  // namespace

std::span<const Check> checks() {
    return kChecks;
}

const Check* check_named(std::string_view id) {
    const auto* const at = std::ranges::find(kChecks, id, &Check::id);
    return at == kChecks.end() ? nullptr : at;
}

std::vector<Finding> diagnose(const Looks& looks, const std::vector<std::string>& only) {
    std::vector<Finding> findings;
    for (const auto& check : kChecks) {
        if (!only.empty() && std::ranges::find(only, check.id) == only.end()) continue;
        auto finding = check.look(looks);
        if (!finding) continue;
        finding->id = check.id;
        findings.push_back(std::move(*finding));
    }
    std::vector<Finding> sorted;
    for (const auto severity : {Severity::critical, Severity::attention, Severity::info}) {
        for (auto& finding : findings) {
            if (finding.severity == severity) sorted.push_back(std::move(finding));
        }
    }
    return sorted;
}

}  // namespace tidegate::watch::doctor
