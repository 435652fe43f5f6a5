#include "sim/ledger.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

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

void Ledger::closing(ServerConnection& connection, TimePoint now) {
    const std::size_t account = connection.key.account;
    const Counts& its = counts_[account];
    bool its_own_wait = false;  // then it is for other flags of the same account
    for (std::size_t flags = 0; flags < kFlags; ++flags) its_own_wait |= !lanes_[account * kFlags + flags].line.empty();
    if (connection.reason == pool::CloseReason::made_room && !its_own_wait &&
        its.held() - its.closing <= accounts[account].guaranteed) {
        fail(now, "room", "a connection that its account is guaranteed made room for another");
    }
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

void Ledger::settle(TimePoint now) {
    ++events;
    for (ServerConnection* connection : unsettled_) {
        if (connection->where == ServerConnection::State::free) move(*connection, ServerConnection::State::idle);
    }
    unsettled_.clear();
    check_counts(now);
    check_idle(now);
    if (pool_.mode() != pool::Mode::running || waiting_ == 0) return;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (!lanes_[lane].line.empty()) check_lane(lane, now);
    }
}

void Ledger::ticked(TimePoint now) {
    last_tick_ = now;
    settle(now);
    if (!deadlines_.empty() && deadlines_.begin()->first <= now)
        fail(now, "answer", "somebody waits beyond the deadline");
}

// ---- rules

bool Ledger::outside_share(const Client& client, unsigned under_way) const {
    const auto best = static_cast<std::uint32_t>(std::countr_zero(ranks_seen_));
    if (std::popcount(ranks_seen_) == 1 || client.rank == best) return true;
    return counts_[client.key.account].leased + under_way < accounts[client.key.account].guaranteed;
}

unsigned Ledger::share_limit() const {
    return std::max(1U, pool_.budget().limit() * 8 / 10);
}

bool Ledger::may_take_now(const Client& client) const {
    return outside_share(client, 0) || total_.leased < share_limit();
}

bool Ledger::may_open_for(const Client& client) const {
    return outside_share(client, counts_[client.key.account].opening) || total_.leased + total_.opening < share_limit();
}

bool Ledger::below_guarantee(std::size_t account) const {
    return counts_[account].held() - counts_[account].closing < accounts[account].guaranteed;
}

bool Ledger::before(const Client& a, const Client& b, Duration grace) const {
    const bool first = below_guarantee(a.key.account);
    if (first != below_guarantee(b.key.account)) return first;
    if (a.rank != b.rank) return a.rank < b.rank;
    return grace > Duration::zero() ? a.since + grace < b.since : a.arrival < b.arrival;
}

std::vector<Client*> Ledger::uncovered(std::size_t lane) const {
    std::vector<Client*> result;
    std::size_t covered = lanes_[lane].opening;
    for (const auto& [rank, arrival, client] : lanes_[lane].line) {
        if (covered > 0) {
            --covered;
            continue;
        }
        result.push_back(client);
        if (result.size() > figures.opening_at_once) break;  // more never matter
    }
    return result;
}

bool Ledger::paced() const {
    return total_.opening + total_.closing >= figures.opening_at_once;
}

std::size_t Ledger::in_need_of_room(std::size_t but, const Client* before_whom, TimePoint at) const {
    std::size_t outside = 0;
    std::size_t inside = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const auto account = static_cast<budget::AccountId>(lane / kFlags);
        if (lane == but || lanes_[lane].line.empty() || pool_.budget().room(account, at) != Room::full) continue;
        for (const Client* client : uncovered(lane)) {
            if (before_whom != nullptr && !before(*client, *before_whom, options.change_over_after)) break;
            ++(outside_share(*client, counts_[account].opening) ? outside : inside);
        }
    }
    const std::size_t taken = total_.leased + total_.opening + outside;
    return outside + std::min(inside, share_limit() > taken ? share_limit() - taken : 0);
}

bool Ledger::can_give_way(std::size_t to, bool same_account) const {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t account = lane / kFlags;
        if (lane == to || lanes_[lane].idle == 0) continue;
        if (account == to / kFlags) return true;
        const Counts& its = counts_[account];
        if (!same_account && its.held() - its.closing > accounts[account].guaranteed) return true;
    }
    return false;
}

void Ledger::check_order(const Client& client, ServerConnection& connection, bool handed_over, TimePoint now) {
    const std::size_t mine = lane_of(client.key);
    const auto& line = lanes_[mine].line;
    if (!line.empty() && *line.begin() < Place{client.rank, client.arrival, nullptr}) {
        fail(now, "order", "somebody of the same lane was overtaken");
    }
    if (!may_take_now(client)) fail(now, "order", "a lower rank took what is left for the best");
    if (!handed_over || connection.opened_at == now || paced()) return;
    const Counts& its = counts_[client.key.account];
    if (its.held() - its.closing <= accounts[client.key.account].guaranteed) return;
    if (in_need_of_room(mine, &client, now) > total_.closing)
        fail(now, "order", "somebody of another lane was overtaken");
}

void Ledger::check_lane(std::size_t lane, TimePoint now) {
    const std::size_t account = lane / kFlags;
    const Client& head = *std::get<2>(*lanes_[lane].line.begin());
    if (lanes_[lane].idle > 0 && may_take_now(head)) fail(now, "idle", "somebody waits beside an idle connection");
    const auto waiting = uncovered(lane);
    if (waiting.empty() || !may_open_for(*waiting.front())) return;
    const auto id = static_cast<budget::AccountId>(account);
    // Time opens room without an event; it is seen at the next tick.
    const Room room = pool_.budget().room(id, last_tick_);
    if (room != pool_.budget().room(id, now)) return;
    switch (room) {
        case Room::yes:
            return fail(now, "room", fmt::format("the budget has room for lane {}, and nothing is opened", lane));
        case Room::full:
            if (total_.held() < limit() && !pool_.budget().closed_by_refusals())
                fail(now, "room", "full below the limit");
            if (!paced() && can_give_way(lane, false) && in_need_of_room(kLanes, nullptr, now) > total_.closing) {
                fail(now, "room", fmt::format("an idle connection could make room for lane {}", lane));
            }
            break;
        case Room::account_full:
            if (counts_[account].held() < limit_of(account) && !pool_.budget().closed_by_refusals(id)) {
                fail(now, "room", "full below the account's limit");
            }
            if (counts_[account].closing == 0 && can_give_way(lane, true)) {
                for (std::size_t sister = account * kFlags; sister < (account + 1) * kFlags; ++sister) {
                    if (sister != lane && lanes_[sister].idle > 0) fail(now, "room", "other flags could give way");
                }
            }
            break;
        case Room::paced:
            if (total_.opening < figures.opening_at_once) fail(now, "room", "paced without reason");
            break;
        case Room::backing_off:
        case Room::blocked:
            break;
    }
}

void Ledger::check_idle(TimePoint now) {
    if (total_.idle == 0) return;
    if (total_.held() - total_.opening - total_.closing > limit())
        fail(now, "limit", "idle connections above the limit");
    for (std::size_t account = 0; account < kAccounts; ++account) {
        const Counts& its = counts_[account];
        if (its.idle > 0 && its.idle + its.leased > limit_of(account)) {
            fail(now, "limit", fmt::format("idle connections above the limit of account {}", account));
        }
    }
}

void Ledger::check_counts(TimePoint now) {
    const auto& budget = pool_.budget();
    if (pool_.waiting() != waiting_) fail(now, "count", "waiting");
    if (pool_.active() != total_.leased) fail(now, "count", "active");
    if (budget.opening() != total_.opening) fail(now, "count", "opening");
    if (budget.held() != total_.held()) fail(now, "count", "held");
    for (std::size_t account = 0; account < kAccounts; ++account) {
        if (budget.held(static_cast<budget::AccountId>(account)) != counts_[account].held())
            fail(now, "count", "of an account");
    }
}

}  // namespace tidegate::sim
