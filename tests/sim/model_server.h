// A server as the simulation has it: how many connections it admits, whom it refuses, when it is away. It decides a
// login at its end, as real ones do, with the figures of that moment.
#pragma once

#include <array>
#include <optional>

#include "budget/budget.h"
#include "sim/ledger.h"

namespace tidegate::sim {

struct ModelServer {
    unsigned max_connections = 151;
    unsigned max_user_connections = 0;
    std::array<unsigned, kAccounts> account_limits{};  // MAX_USER_CONNECTIONS; 0: none
    unsigned others = 12;                              // connections of other applications
    bool up = true;
    bool frozen = false;  // SIGSTOP: takes connections, answers nothing
    bool host_blocked = false;
    std::array<bool, kAccounts> denied{};
    double open_takes = 0.002;     // seconds, about
    double statements_take = 1.0;  // times what they usually do

    std::array<unsigned, kAccounts> ours{};
    unsigned ours_in_all = 0;
    unsigned most_ours = 0;

    // A login of this account is decided now; empty: admitted.
    [[nodiscard]] std::optional<budget::OpenFailure> decide(budget::AccountId account) const {
        using budget::OpenFailure;
        if (!up || frozen) return OpenFailure::unreachable;
        if (host_blocked) return OpenFailure::host_blocked;
        if (denied[account]) return OpenFailure::denied;
        if (ours_in_all + others + 1 >= max_connections) return OpenFailure::too_many;  // 1: the gate's monitor
        const unsigned limit = account_limits[account] != 0 ? account_limits[account] : max_user_connections;
        if (limit != 0 && ours[account] >= limit) return OpenFailure::account_limit;
        return std::nullopt;
    }
    void admitted(budget::AccountId account) {
        ++ours[account];
        if (++ours_in_all > most_ours) most_ours = ours_in_all;
    }
    void left(budget::AccountId account) {
        --ours[account];
        --ours_in_all;
    }
};

}  // namespace tidegate::sim
