// What becomes of connections: opened, idle, released, closed.
#include <algorithm>
#include <cassert>

#include "pool/pool.h"

namespace tidegate::pool {

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
