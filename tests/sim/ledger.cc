#include "sim/ledger.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidegate::sim {

using budget::Room;

Ledger::Ledger(const pool::Pool& pool, pool::Options pool_options, budget::Options budget)
    : options(pool_options), figures(budget), pool_(pool) {}

void Ledger::fail(TimePoint now, const std::string& rule, const std::string& what) {
    if (violation_) return;
    violation_ = fmt::format("{} (at {:.3f} s): {}; {} opening, {} idle, {} leased, {} closing, limit {}, {} waiting",
                             rule, seconds(now.time_since_epoch()), what, total_.opening, total_.idle, total_.leased,
                             total_.closing, pool_.budget().limit(), waiting_);
}

unsigned Ledger::limit() const {
    unsigned limit = figures.max_connections.value_or(learnt.max_connections ? ~0U : 100U);
    if (learnt.max_connections) {
        const int left = static_cast<int>(*learnt.max_connections) - static_cast<int>(figures.reserve) -
                         static_cast<int>(learnt.others.value_or(0));
        limit = std::min(limit, static_cast<unsigned>(std::max(1, left)));
    }
    return limit;
}

unsigned Ledger::limit_of(std::size_t account) const {
    const auto& its = learnt_accounts[account];
    unsigned limit = std::min(accounts[account].max_connections.value_or(~0U), figures.max_per_user.value_or(~0U));
    unsigned server = its.max_user_connections.value_or(0);
    if (server == 0) server = learnt.max_user_connections.value_or(0);
    if (server != 0) {
        limit = std::min(limit, static_cast<unsigned>(
                                    std::max(1, static_cast<int>(server) - static_cast<int>(its.others.value_or(0)))));
    }
    return limit;
}

void Ledger::asked(Client& client, TimePoint) {
    ranks_seen_ |= 1U << client.rank;
    ++client.asked;
}

void Ledger::waits(Client& client) {
    client.standing = Client::State::waiting;
    lanes_[lane_of(client.key)].line.emplace(client.rank, client.arrival, &client);
    deadlines_.emplace(client.deadline, &client);
    ++waiting_;
}

void Ledger::cancelled(Client& client) {
    if (client.standing != Client::State::waiting) return;
    lanes_[lane_of(client.key)].line.erase({client.rank, client.arrival, &client});
    deadlines_.erase({client.deadline, &client});
    --waiting_;
    client.standing = Client::State::away;
}

void Ledger::granted(Client& client, ServerConnection& connection, bool waited, TimePoint now) {
    const bool handed_over = connection.where == ServerConnection::State::free;
    if (waited != (client.standing == Client::State::waiting)) return fail(now, "answer", "answered twice or unasked");
    if (connection.where == ServerConnection::State::leased)
        return fail(now, "count", "a leased connection was granted");
    if (connection.where == ServerConnection::State::closing)
        return fail(now, "count", "a closing connection was granted");
    if (connection.key != client.key) return fail(now, "count", "a connection of another key was granted");
    if (connection.generation < client.min_generation || connection.generation < pool_.generation()) {
        return fail(now, "order", "a connection of an old generation was granted");
    }
    cancelled(client);
    check_order(client, connection, handed_over, now);
    client.standing = Client::State::leased;
    client.connection = &connection;
    connection.client = &client;
    move(connection, ServerConnection::State::leased);
    ++grants;
    waited_grants += waited ? 1 : 0;
}

void Ledger::refused(Client& client, bool waited, TimePoint now) {
    if (waited != (client.standing == Client::State::waiting)) return fail(now, "answer", "answered twice or unasked");
    cancelled(client);
    client.standing = Client::State::away;
    ++refusals;
}

void Ledger::opening(pool::Key key, TimePoint now) {
    Lane& lane = lanes_[lane_of(key)];
    const auto would_have = uncovered(lane_of(key));
    if (would_have.empty()) return fail(now, "limit", "a connection is opened that nobody waits for");
    ++lane.opening;
    ++counts_[key.account].opening;
    ++total_.opening;
    if (total_.held() > limit()) fail(now, "limit", fmt::format("{} of {} connections", total_.held(), limit()));
    if (counts_[key.account].held() > limit_of(key.account)) {
        fail(now, "limit",
             fmt::format("{} of {} connections of account {}", counts_[key.account].held(), limit_of(key.account),
                         key.account));
    }
    if (total_.opening > figures.opening_at_once) fail(now, "limit", "too many in the making");
    // Its turn, among all who could have been opened for.
    for (std::size_t other = 0; other < kLanes; ++other) {
        const auto account = static_cast<budget::AccountId>(other / kFlags);
        if (other == lane_of(key) || pool_.budget().room(account, now) != Room::yes) continue;
        const auto rivals = uncovered(other);
        if (rivals.empty() || !may_open_for(*rivals.front())) continue;
        --counts_[key.account].opening;  // as it was when the choice was made
        const bool overtaken = before(*rivals.front(), *would_have.front(), Duration::zero());
        ++counts_[key.account].opening;
        if (overtaken) fail(now, "order", "the next connection is opened for somebody else");
    }
}

void Ledger::open_failed(pool::Key key, budget::OpenFailure failure, TimePoint now) {
    --lanes_[lane_of(key)].opening;
    --counts_[key.account].opening;
    --total_.opening;
    if (failure != budget::OpenFailure::too_many && failure != budget::OpenFailure::account_limit) return;
    std::erase_if(server_refusals_, [&](TimePoint at) { return now - at > 1s; });
    server_refusals_.push_back(now);
    if (server_refusals_.size() > 2 * figures.opening_at_once + 10 * (kAccounts + 1)) {
        fail(now, "refusals", "the server refuses again and again");
    }
}

void Ledger::opened(ServerConnection& connection) {
    --lanes_[lane_of(connection.key)].opening;
    --counts_[connection.key.account].opening;
    --total_.opening;
    move(connection, ServerConnection::State::free);
    unsettled_.push_back(&connection);
}

void Ledger::released(ServerConnection& connection) {
    connection.client->standing = Client::State::away;
    connection.client->connection = nullptr;
    connection.client = nullptr;
    move(connection, ServerConnection::State::free);
    unsettled_.push_back(&connection);
}

void Ledger::closing(ServerConnection& connection) {
    move(connection, ServerConnection::State::closing);
}

void Ledger::gone(ServerConnection& connection) {
    if (connection.client != nullptr) {
        connection.client->standing = Client::State::away;
        connection.client->connection = nullptr;
        connection.client = nullptr;
    }
    move(connection, ServerConnection::State::none);
}

void Ledger::move(ServerConnection& connection, ServerConnection::State to) {
    using State = ServerConnection::State;
    const auto count_of = [](Counts& counts, State state) -> unsigned* {
        switch (state) {
            case State::none:
                return nullptr;
            case State::free:
                return &counts.free;
            case State::idle:
                return &counts.idle;
            case State::leased:
                return &counts.leased;
            case State::closing:
                return &counts.closing;
        }
        return nullptr;
    };
    for (Counts* counts : {&counts_[connection.key.account], &total_}) {
        if (unsigned* count = count_of(*counts, connection.where)) --*count;
        if (unsigned* count = count_of(*counts, to)) ++*count;
    }
    if (connection.where == State::idle) --lanes_[lane_of(connection.key)].idle;
    if (to == State::idle) ++lanes_[lane_of(connection.key)].idle;
    connection.where = to;
}

}  // namespace tidegate::sim
