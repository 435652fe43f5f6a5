// The checks. Each is a function of what was looked at: nothing is wrong, or one Finding. Pure.
//
// A false alarm is worse than a miss: `attention` and `critical` need figures that a healthy server does not show; what
// is merely worth knowing is `info`.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "watch/doctor/finding.h"
#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

struct Check {
    std::string_view id;     // its page is docs/checks/ID.md
    std::string_view about;  // what it looks at, in a few words
    std::optional<Finding> (*look)(const Looks& looks);
};

// All of them, in the order of the families.
[[nodiscard]] std::span<const Check> checks();
[[nodiscard]] const Check* check_named(std::string_view id);  // nullptr: there is none

// In order of harm, and among equals in the order of the checks. `only`: the ids of checks; empty: all.
[[nodiscard]] std::vector<Finding> diagnose(const Looks& looks, const std::vector<std::string>& only = {});

// limits.cc
[[nodiscard]] std::optional<Finding> limit_too_low(const Looks& looks);
[[nodiscard]] std::optional<Finding> account_limit_too_low(const Looks& looks);
[[nodiscard]] std::optional<Finding> logins_per_hour(const Looks& looks);
// idle.cc
[[nodiscard]] std::optional<Finding> idle_holders(const Looks& looks);
[[nodiscard]] std::optional<Finding> leak(const Looks& looks);
[[nodiscard]] std::optional<Finding> persistent_connections(const Looks& looks);
// timeouts.cc
[[nodiscard]] std::optional<Finding> idle_timeout_too_long(const Looks& looks);
[[nodiscard]] std::optional<Finding> idle_timeout_too_short(const Looks& looks);
// caches.cc
[[nodiscard]] std::optional<Finding> thread_cache_too_small(const Looks& looks);
[[nodiscard]] std::optional<Finding> back_log_too_small(const Looks& looks);
[[nodiscard]] std::optional<Finding> open_files_too_few(const Looks& looks);
[[nodiscard]] std::optional<Finding> table_cache_too_small(const Looks& looks);
// memory.cc
[[nodiscard]] std::optional<Finding> memory_beyond_machine(const Looks& looks);
// errors.cc
[[nodiscard]] std::optional<Finding> aborted_clients(const Looks& looks);
[[nodiscard]] std::optional<Finding> aborted_connects(const Looks& looks);
[[nodiscard]] std::optional<Finding> connection_errors(const Looks& looks);
[[nodiscard]] std::optional<Finding> host_blocked(const Looks& looks);
// transactions.cc
[[nodiscard]] std::optional<Finding> idle_transaction(const Looks& looks);
[[nodiscard]] std::optional<Finding> lock_wait(const Looks& looks);
[[nodiscard]] std::optional<Finding> long_statement(const Looks& looks);
// accounts.cc
[[nodiscard]] std::optional<Finding> account_without_limit(const Looks& looks);
[[nodiscard]] std::optional<Finding> privileged_program(const Looks& looks);
// resolution.cc
[[nodiscard]] std::optional<Finding> name_resolution(const Looks& looks);
// sizing.cc
[[nodiscard]] std::optional<Finding> pool_size(const Looks& looks);
// duplicates.cc
[[nodiscard]] std::optional<Finding> runs_twice(const Looks& looks);
// gate.cc
[[nodiscard]] std::optional<Finding> gate_limit(const Looks& looks);
[[nodiscard]] std::optional<Finding> gate_without_reserve(const Looks& looks);
[[nodiscard]] std::optional<Finding> gate_refuses(const Looks& looks);
[[nodiscard]] std::optional<Finding> gate_wait_too_short(const Looks& looks);
[[nodiscard]] std::optional<Finding> gate_idle_timeout(const Looks& looks);
[[nodiscard]] std::optional<Finding> gate_bypassed(const Looks& looks);

}  // namespace tidegate::watch::doctor
