// The configuration in the terms of the layers that it is about.
#pragma once

#include "budget/budget.h"
#include "config/config.h"
#include "pool/pool.h"
#include "proxy/accounts.h"
#include "proxy/hold_off.h"

namespace tidegate::proxy {

[[nodiscard]] inline budget::Options budget_options(const config::Config& config) {
    budget::Options options;
    options.max_connections = config.budget.max_connections;
    options.max_per_user = config.budget.max_per_user;
    options.reserve = config.budget.reserve;
    options.opening_at_once = config.budget.opening_at_once;
    return options;
}

[[nodiscard]] inline pool::Options pool_options(const config::Config& config) {
    pool::Options options;
    options.wait_timeout = config.pool.wait_timeout;
    options.max_waiting = config.pool.max_waiting;
    options.idle_timeout = config.pool.idle_timeout;
    options.max_age = config.pool.max_age;
    return options;
}

[[nodiscard]] inline HoldOffLimits hold_off_limits(const config::Config& config) {
    HoldOffLimits limits;
    limits.failures = config.listen.max_login_failures;
    limits.first = config.listen.login_hold_off;
    limits.proving_at_once = config.passthrough.proving_at_once;
    limits.proving_per_address = config.passthrough.proving_per_address;
    return limits;
}

[[nodiscard]] inline AccountRules account_rules(const config::Config& config) {
    return {.pass_through = config.passthrough.enabled,
            .proof_expiry = config.passthrough.proof_expiry,
            .allow_empty_password = config.passthrough.allow_empty_password,
            .allow_remote = config.passthrough.allow_remote};
}

// The [[user]] tables; an error names one whose hash is of no known kind.
[[nodiscard]] Result<std::vector<ConfiguredAccount>> configured_accounts(const config::Config& config);

}  // namespace tidegate::proxy
