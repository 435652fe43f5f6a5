// The ledger's rules, looked through after every event.
#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "sim/ledger.h"

namespace tidegate::sim {

using budget::Room;

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
