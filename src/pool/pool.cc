#include "pool/pool.h"

#include <algorithm>
#include <cassert>

namespace tidegate::pool {

Pool::Pool(Options options, budget::Budget& budget, Actions& actions)
    : options_(options), budget_(budget), actions_(actions), jitter_(options.seed), logged_limit_(budget.limit()) {}

Pool::~Pool() = default;

Account& Pool::account_of(budget::AccountId id) {
    while (id >= accounts_.size()) {
        accounts_.push_back(std::make_unique<Account>());
        accounts_.back()->id = static_cast<budget::AccountId>(accounts_.size() - 1);
        accounts_.back()->logged_limit = budget_.limit_of(accounts_.back()->id);
    }
    return *accounts_[id];
}

Lane& Pool::lane_of(Key key) {
    Account& account = account_of(key.account);
    for (auto& lane : account.lanes) {
        if (lane->key == key) return *lane;
    }
    account.lanes.push_back(std::make_unique<Lane>(key, account));
    return *account.lanes.back();
}

// ---- requests

Answer Pool::acquire(Request& request, TimePoint now) {
    request.since = now;
    request.deadline = now + (request.wait_timeout > Duration::zero() ? request.wait_timeout : options_.wait_timeout);
    request.arrival = ++arrivals_;
    return place(request, false, now);
}

Answer Pool::acquire_again(Request& request, TimePoint now) {
    return place(request, true, now);
}

Answer Pool::place(Request& request, bool again, TimePoint now) {
    assert(!request.waiting() && request.min_generation <= generation_);
    Lane& lane = lane_of(request.key);
    Account& account = lane.account;
    const std::uint32_t rank = rank_of(request);
    ranks_seen_ |= 1U << rank;
    if (mode_ == Mode::running && !lane.idle.empty() && !lane.anybody_before(rank) && may_take_now(request, account)) {
        const Connection* favourite = request.favourite_;
        const bool usable =
            favourite != nullptr && favourite->state == Connection::State::idle && favourite->lane_ == &lane;
        Connection& connection = usable ? *request.favourite_ : lane.pick(request.session_state);
        take_out(connection);
        lease(request, connection, now);
        return {.what = Acquired::granted, .connection = &connection};
    }
    std::optional<Error> no;
    if (mode_ == Mode::draining) {
        no = stopping();
    } else if (again && now >= request.deadline) {
        no = too_late(request, account, now);
    } else if (!again && waiting_ >= options_.max_waiting) {
        no = line_full(account, now);
    } else if (!again) {
        const Duration timeout = request.deadline - now;
        const auto estimate = estimated_wait(request, account);
        if (estimate && *estimate > 2 * timeout) no = hopeless(account, *estimate, timeout, now);
    }
    if (no) {
        ++account.refused;
        return {.what = Acquired::refused, .error = std::move(*no)};
    }
    stand_in_line(request, lane);
    serve(now);
    return {.what = Acquired::waiting};
}

void Pool::stand_in_line(Request& request, Lane& lane) {
    lane.add(request);
    if (!lane.ListNode<BusyTag>::linked()) busy_.push_back(lane);
    deadlines_.add(request);
    const std::uint32_t rank = rank_of(request);
    ++lane.account.waiting_by_rank[rank];
    ++lane.account.waiting;
    ++waiting_by_rank_[rank];
    ++waiting_;
    most_waiting_ = std::max(most_waiting_, waiting_);
}

void Pool::leave_line(Request& request, Lane& lane) {
    lane.remove(request);
    if (lane.waiting() == 0) IntrusiveList<Lane, BusyTag>::erase(lane);
    Deadlines::remove(request);
    const std::uint32_t rank = rank_of(request);
    --lane.account.waiting_by_rank[rank];
    --waiting_by_rank_[rank];
    if (--lane.account.waiting == 0) lane.account.pace.interrupt();
    if (--waiting_ == 0) pace_.interrupt();
}

void Pool::note_wait(Account& account, Duration waited) {
    account.waits.record(waited);
    waits_.record(waited);
}

void Pool::cancel(Request& request, TimePoint) {
    if (!request.waiting()) return;
    Lane& lane = lane_of(request.key);
    leave_line(request, lane);
    ++lane.account.cancelled;
}

void Pool::refuse_waiting(Request& request, const Error& error, TimePoint now) {
    Lane& lane = lane_of(request.key);
    leave_line(request, lane);
    ++lane.account.refused;
    note_wait(lane.account, now - request.since);
    actions_.refuse(request, error);
}

// ---- connections

void Pool::lease(Request& request, Connection& connection, TimePoint now) {
    if (connection.admirer_ != &request) {
        if (connection.admirer_ != nullptr) connection.admirer_->favourite_ = nullptr;
        if (request.favourite_ != nullptr) request.favourite_->admirer_ = nullptr;
        connection.admirer_ = &request;
        request.favourite_ = &connection;
    }
    connection.state = Connection::State::leased;
    connection.state_since = now;
    connection.last_session = request.session;
    leased_.push_back(connection);
    Account& account = connection.lane_->account;
    ++account.active;
    ++account.granted;
}

void Pool::grant_waiting(Request& request, Connection& connection, TimePoint now) {
    Lane& lane = *connection.lane_;
    lane.account.pace.granted();
    pace_.granted();
    ++lane.account.waited;
    note_wait(lane.account, now - request.since);
    leave_line(request, lane);
    lease(request, connection, now);
    actions_.grant(request, connection);
}

void Pool::rest(Connection& connection, TimePoint now) {
    connection.state = Connection::State::idle;
    connection.state_since = now;
    connection.lane_->idle.push_front(connection);
    idle_.push_back(connection);
    ++connection.lane_->account.idle;
}

void Pool::take_out(Connection& connection) {
    Account& account = connection.lane_->account;
    switch (connection.state) {
        case Connection::State::opening:
            return;
        case Connection::State::idle:
            --account.idle;
            break;
        case Connection::State::leased:
            --account.active;
            break;
        case Connection::State::closing:
            --account.closing;
            break;
    }
    IntrusiveList<Connection, StateTag>::erase(connection);
    IntrusiveList<Connection, IdleTag>::erase(connection);
}

void Pool::close(Connection& connection, CloseReason reason, TimePoint now) {
    take_out(connection);
    connection.state = Connection::State::closing;
    connection.state_since = now;
    connection.reason = reason;
    closing_.push_back(connection);
    ++connection.lane_->account.closing;
    ++closed_[static_cast<std::size_t>(reason)];
    actions_.close(connection, reason);
}

void Pool::start_opening(Lane& lane) {
    Account& account = lane.account;
    ++lane.opening;
    budget_.start(account.id);
    account.peak = std::max(account.peak, budget_.held(account.id));
    peak_ = std::max(peak_, budget_.held());
    actions_.open(lane.key, generation_);
}

std::optional<CloseReason> Pool::reason_to_close(const Connection& connection, TimePoint now) {
    if (mode_ != Mode::running) return CloseReason::draining;
    if (connection.generation < generation_) return CloseReason::retired_generation;
    const Account& account = connection.lane_->account;
    if (budget_.open() - closing_.size() > budget_.limit()) return CloseReason::over_limit;
    if (budget_.open(account.id) - account.closing > budget_.limit_of(account.id)) return CloseReason::over_limit;
    if (now >= connection.retire_at && now >= next_age_retirement_) {
        next_age_retirement_ = now + 100ms;  // never all at once
        return CloseReason::retired_age;
    }
    return std::nullopt;
}

void Pool::release(Connection& connection, TimePoint now) {
    assert(connection.state == Connection::State::leased);
    take_out(connection);
    connection.state = Connection::State::opening;  // between two states
    if (const auto reason = reason_to_close(connection, now)) {
        close(connection, *reason, now);
    } else if (busy_.empty()) {
        return rest(connection, now);
    } else {
        Lane& lane = *connection.lane_;
        Request* head = lane.head();
        if (head == nullptr || !may_take_now(*head, lane.account)) {
            rest(connection, now);
        } else if (busy_.size() > 1 && belongs_elsewhere(connection, *head, now)) {
            close(connection, CloseReason::made_room, now);
        } else {
            return grant_waiting(*head, connection, now);
        }
    }
    serve(now);
}

void Pool::opened(Connection& connection, TimePoint now) {
    Lane& lane = lane_of(connection.key);
    assert(lane.opening > 0);
    --lane.opening;
    budget_.opened(lane.account.id, now);
    ++opened_;
    connection.lane_ = &lane;
    connection.opened_at = now;
    connection.retire_at =
        options_.max_age > Duration::zero() ? now + jitter_.around(options_.max_age, 0.1) : TimePoint::max();
    Request* head = lane.head();
    if (const auto reason = reason_to_close(connection, now)) {
        close(connection, *reason, now);
    } else if (head != nullptr && may_take_now(*head, lane.account)) {
        grant_waiting(*head, connection, now);
    } else {
        rest(connection, now);
    }
    serve(now);
}

void Pool::open_failed(Key key, OpenFailure failure, const Error& error, TimePoint now) {
    Lane& lane = lane_of(key);
    assert(lane.opening > 0);
    --lane.opening;
    budget_.failed(key.account, failure, now);
    last_failure_ = error.message;
    log_failure(lane.account, failure, error, now);
    interrupt_paces();
    if (failure == OpenFailure::denied) refuse_all(lane.account, error, now);
    serve(now);
}

void Pool::closed(Connection& connection, CloseReason reason, TimePoint now) {
    assert(connection.lane_ != nullptr);
    if (connection.state != Connection::State::closing) ++closed_[static_cast<std::size_t>(reason)];
    take_out(connection);
    budget_.gone(connection.key.account);
    if (connection.admirer_ != nullptr) connection.admirer_->favourite_ = nullptr;
    connection.admirer_ = nullptr;
    connection.lane_ = nullptr;
    connection.state = Connection::State::closing;
    serve(now);
}

}  // namespace tidegate::pool
