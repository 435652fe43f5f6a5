// What time and changed figures do to the pool, and what an operator is told of it.

#include <fmt/core.h>

#include <algorithm>

#include "pool/pool.h"

namespace tidegate::pool {

void Pool::tick(TimePoint now) {
    deadlines_.expire(now, [&](Request& request) {
        const Account& account = account_of(request.key.account);
        refuse_waiting(request, too_late(request, account, now), now);
    });
    retire(now);
    trim(now);
    serve(now);
    measure(now);
    log_limits(now);
    log_share();
}

void Pool::retire(TimePoint now) {
    if (options_.idle_timeout > Duration::zero()) {
        while (!idle_.empty() && now - idle_.front().state_since >= options_.idle_timeout) {
            close(idle_.front(), CloseReason::retired_idle, now);
        }
    }
    if (now < next_age_retirement_) return;
    next_age_retirement_ = now + 1s;
    for (Connection& connection : idle_) {
        if (now < connection.retire_at) continue;
        close(connection, CloseReason::retired_age, now);
        next_age_retirement_ = now + 100ms;  // one at a time: never all at once
        return;
    }
}

void Pool::trim(TimePoint now) {
    while (!idle_.empty() && budget_.open() - closing_.size() > budget_.limit()) {
        close(idle_.front(), CloseReason::over_limit, now);
    }
    for (const auto& account : accounts_) {
        while (account->idle > 0 && budget_.open(account->id) - account->closing > budget_.limit_of(account->id)) {
            close(*longest_idle_of(*account, nullptr), CloseReason::over_limit, now);
        }
    }
}

void Pool::close_all_idle(CloseReason reason, TimePoint now) {
    while (!idle_.empty()) close(idle_.front(), reason, now);
}

void Pool::refuse_all(Account& account, const Error& error, TimePoint now) {
    for (const auto& lane : account.lanes) {
        while (Request* request = lane->head()) refuse_waiting(*request, error, now);
    }
}

void Pool::budget_changed(TimePoint now) {
    if (budget_.limit() != measured_limit_) interrupt_paces();
    measured_limit_ = budget_.limit();
    for (const auto& account : accounts_) {
        const unsigned limit = budget_.limit_of(account->id);
        if (limit != account->measured_limit) account->pace.interrupt();
        account->measured_limit = limit;
    }
    trim(now);
    serve(now);
    log_limits(now);
}

std::uint64_t Pool::new_generation(TimePoint now) {
    ++generation_;
    close_all_idle(CloseReason::retired_generation, now);
    serve(now);
    return generation_;
}

void Pool::set_options(const Options& options, TimePoint now) {
    options_ = options;
    tick(now);
}

void Pool::set_mode(Mode mode, TimePoint now) {
    mode_ = mode;
    interrupt_paces();
    if (mode_ != Mode::running) close_all_idle(CloseReason::draining, now);
    if (mode_ == Mode::draining) {
        const Error error = stopping();
        for (const auto& account : accounts_) refuse_all(*account, error, now);
    }
    serve(now);
}

// ---- how fast the line moves

void Pool::measure(TimePoint now) {
    pace_.tick(now, waiting_ > 0);
    for (const auto& account : accounts_) account->pace.tick(now, account->waiting > 0);
}

void Pool::interrupt_paces() {
    pace_.interrupt();
    for (const auto& account : accounts_) account->pace.interrupt();
}

// ---- what an operator is told

void Pool::log_failure(const Account& account, OpenFailure failure, const Error& error, TimePoint now) {
    const std::string_view name = budget_.name(account.id);
    if (failure == OpenFailure::unreachable) {
        if (!away_logged_) actions_.log(fmt::format("the server cannot be reached: {}", error.message));
        away_logged_ = true;
        return;
    }
    if (now < next_failure_log_ && failure != OpenFailure::host_blocked) return;
    next_failure_log_ = now + 1s;
    switch (failure) {
        case OpenFailure::too_many:
            actions_.log(
                fmt::format("the server refused a login (too many connections): going on with {} connections, {} "
                            "clients wait",
                            budget_.limit(), waiting_));
            break;
        case OpenFailure::account_limit:
            actions_.log(
                fmt::format("the server refused a login of account '{}' (its limit): going on with {} connections of "
                            "it, {} clients wait",
                            name, budget_.limit_of(account.id), account.waiting));
            break;
        case OpenFailure::host_blocked:
            actions_.log(
                fmt::format("ALARM: the server has blocked this host (1129): no connection is opened for 60 s. Run "
                            "'mysqladmin flush-hosts' at the server, and look for what broke off the logins; {} "
                            "clients wait",
                            waiting_));
            break;
        case OpenFailure::denied:
            actions_.log(fmt::format("the server denied account '{}': {}", name, error.message));
            break;
        case OpenFailure::other:
            actions_.log(fmt::format("no connection could be opened for account '{}': {}", name, error.message));
            break;
        case OpenFailure::unreachable:
            break;
    }
}

void Pool::log_limits(TimePoint now) {
    if (away_logged_ && !budget_.unreachable()) {
        away_logged_ = false;
        actions_.log("the server can be reached again");
    }
    if (now < next_limit_log_) return;
    const auto tell = [&](unsigned& logged, unsigned limit, const std::string& whose) {
        const unsigned change = std::max(logged, limit) - std::min(logged, limit);
        if (change == 0 || change * 10 < logged) return;  // others come and go all the time
        actions_.log(fmt::format("{} went from {} to {} connections", whose, logged, limit));
        logged = limit;
        next_limit_log_ = now + 1s;
    };
    const unsigned limit = budget_.limit();
    const bool all_changed = limit != logged_limit_;
    tell(logged_limit_, limit, "the limit");
    for (const auto& account : accounts_) {
        const unsigned its = budget_.limit_of(account->id);
        if (its == limit || all_changed) {
            account->logged_limit = its;  // said already
        } else if (its != account->logged_limit) {
            tell(account->logged_limit, its, fmt::format("the limit of account '{}'", budget_.name(account->id)));
        }
    }
}

void Pool::log_share() {
    const unsigned limit = budget_.limit();
    if (!share_logged_ && several_ranks() && active() >= share_limit()) {
        share_logged_ = true;
        actions_.log(fmt::format("80 % of the limit is in use ({} of {}): lower classes wait first", active(), limit));
    } else if (share_logged_ && active() * 10 < limit * 7) {
        share_logged_ = false;
        actions_.log(
            fmt::format("less than 70 % of the limit is in use ({} of {}): all classes are served", active(), limit));
    }
}

}  // namespace tidegate::pool
