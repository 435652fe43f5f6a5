// What those are told who get nothing: a MySQL error with the time waited, the figures, what holds the connections,
// what to do.

#include <fmt/core.h>

#include "pool/pool.h"

namespace tidegate::pool {

namespace {
constexpr std::uint16_t kTooManyConnections = 1040;
constexpr std::uint16_t kServerShutdown = 1053;
constexpr double kSureEnough = 0.9;  // of a limit in use, to call it the reason

Error refusal(std::string message) {
    return {.code = kTooManyConnections, .sqlstate = "08004", .message = std::move(message)};
}
}  // namespace

// One sentence of figures and one of cause.
std::string Pool::situation(const Account& account, TimePoint now) {
    std::string text = fmt::format("{} open, {} of them active, {} being opened, {} waiting, limit {}", budget_.open(),
                                   active(), budget_.opening(), waiting_, budget_.limit());
    const unsigned its_limit = budget_.limit_of(account.id);
    const bool own_limit = its_limit < budget_.limit();
    if (own_limit) {
        text += fmt::format("; this account: {} open, {} active, {} waiting, limit {}", budget_.open(account.id),
                            account.active, account.waiting, its_limit);
    }
    if (budget_.blocked(now)) {
        return text + ". The server has blocked the gate's host (1129): run 'mysqladmin flush-hosts' there";
    }
    if (budget_.unreachable()) return text + ". The server cannot be reached: " + last_failure_;
    if (mode_ == Mode::paused) return text + ". The pool is paused: RESUME lets it go on";
    if (own_limit && budget_.held(account.id) >= its_limit) {
        text += ". The account's own limit holds it: raise its max_user_connections";
    } else if (active() >= kSureEnough * budget_.limit()) {
        text += ". All connections are in use: shorten the transactions, or raise max_connections";
    } else if (!last_failure_.empty() && budget_.closed_by_refusals()) {
        text += ". The server refuses more logins, other clients hold its connections: " + last_failure_;
    }
    if (!leased_.empty()) {
        const Connection& longest = leased_.front();  // the list is in the order of the leases
        text += fmt::format(". The longest lease has lasted {:.1f} s (account '{}')",
                            seconds(now - longest.state_since), budget_.name(longest.key.account));
    }
    return text;
}

Error Pool::too_late(const Request& request, const Account& account, TimePoint now) {
    return refusal(fmt::format("Too many connections: waited {:.1f} s for a connection of account '{}' ({})",
                               seconds(now - request.since), budget_.name(account.id), situation(account, now)));
}

Error Pool::line_full(const Account& account, TimePoint now) {
    return refusal(
        fmt::format("Too many connections: waited 0 s for a connection of account '{}', the line is full ({})",
                    budget_.name(account.id), situation(account, now)));
}

Error Pool::hopeless(const Account& account, Duration estimate, Duration timeout, TimePoint now) {
    return refusal(
        fmt::format("Too many connections: waited 0 s for a connection of account '{}', its turn would come in about "
                    "{:.0f} s and it may "
                    "wait {:.0f} s ({})",
                    budget_.name(account.id), seconds(estimate), seconds(timeout), situation(account, now)));
}

Error Pool::stopping() {
    return {.code = kServerShutdown,
            .sqlstate = "08S01",
            .message = "Server shutdown in progress: the gate is being stopped"};
}

// When a newcomer's turn would come, if that is known well enough to refuse somebody for it.
std::optional<Duration> Pool::estimated_wait(const Request& request, const Account& account) const {
    if (account.waiting == 0 || mode_ != Mode::running || budget_.unreachable() || budget_.closed_by_refusals() ||
        budget_.closed_by_refusals(account.id)) {
        return std::nullopt;
    }
    const auto its_rate = account.pace.per_second();
    if (!its_rate) return std::nullopt;
    std::size_t before = 0;
    std::size_t before_in_account = 0;
    for (std::uint32_t rank = 0; rank <= rank_of(request); ++rank) {
        before += waiting_by_rank_[rank];
        before_in_account += account.waiting_by_rank[rank];
    }
    double estimate = static_cast<double>(before_in_account) / *its_rate;
    const bool own_limit =
        budget_.limit_of(account.id) < budget_.limit() && budget_.held(account.id) >= budget_.limit_of(account.id);
    if (!own_limit) {  // its share of all connections may still grow
        const auto rate = pace_.per_second();
        if (!rate) return std::nullopt;
        estimate = std::min(estimate, static_cast<double>(before) / *rate);
    }
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(estimate));
}

}  // namespace tidegate::pool
