// What becomes of requests: served at once, standing in line, granted, refused.
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

}  // namespace tidegate::pool
