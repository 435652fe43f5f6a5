// Who is next, and what has to happen for it: the part of the pool that decides. Everything here runs after an event
// and only when somebody waits.
//
// A request in line is *covered* when a connection of its lane is in the making for it: its place counts, not its name,
// so a connection that comes earlier goes to the head and the one in the making to whoever is then first. A connection
// that is being closed to make room covers one request too, of whatever lane.

#include <algorithm>
#include <bit>

#include "pool/pool.h"

namespace tidegate::pool {

bool Pool::Turn::before(const Turn& other) const {
    if (guaranteed != other.guaranteed) return guaranteed;
    if (rank != other.rank) return rank < other.rank;
    if (since != other.since) return since < other.since;
    return arrival < other.arrival;
}

Pool::Turn Pool::turn_of(const Request& request, const Account& account) const {
    return {.guaranteed = budget_.held(account.id) - account.closing < budget_.guaranteed(account.id),
            .rank = rank_of(request),
            .since = request.since,
            .arrival = request.arrival};
}

// ---- the share of the best rank

unsigned Pool::share_limit() const {
    const unsigned limit = budget_.limit();
    return several_ranks() ? std::max(1U, limit * 8 / 10) : limit;
}

// From 80 % of the limit on, only the best rank takes more, so that a burst of cron leaves room for the web; but nobody
// is held below what his account is guaranteed.
bool Pool::outside_share(const Request& request, const Account& account, unsigned under_way) const {
    return !several_ranks() || rank_of(request) == static_cast<std::uint32_t>(std::countr_zero(ranks_seen_)) ||
           account.active + under_way < budget_.guaranteed(account.id);
}

bool Pool::may_take_now(const Request& request, const Account& account) const {
    return outside_share(request, account, 0) || active() < share_limit();
}

bool Pool::may_open_for(const Request& request, const Account& account) const {
    return outside_share(request, account, budget_.opening(account.id)) || active() + budget_.opening() < share_limit();
}

// ---- room

bool Pool::change_overs_paced() const {
    return budget_.opening() + closing_.size() >= budget_.options().opening_at_once;
}

bool Pool::may_shrink(const Account& account) const {
    return budget_.held(account.id) - account.closing > budget_.guaranteed(account.id);
}

// How many requests nothing covers that only room is missing for: those of all lanes `but` one, and `before` a turn.
// Counts no further than `enough`. Those whom the share of the best rank does not touch come first; the others get what
// is left of it.
std::size_t Pool::in_need_of_room(const Lane* but, const Turn* before, std::size_t enough, TimePoint now) {
    std::size_t found = 0;
    for (const bool outside : {true, false}) {
        if (!outside && !several_ranks()) break;
        for (Lane& lane : busy_) {
            const Account& account = lane.account;
            if (&lane == but || budget_.room(account.id, now) != budget::Room::full) continue;
            lane.for_each_beyond(lane.opening, [&](const Request& request) {
                if (found >= enough) return false;
                if (before != nullptr && !turn_of(request, account).before(*before)) return false;
                if (outside_share(request, account, budget_.opening(account.id)) != outside) return true;
                if (!outside && active() + budget_.opening() + found >= share_limit()) return false;
                ++found;
                return true;
            });
        }
    }
    return found;
}

// Must this connection, just released, make room for another lane although `head` waits for it here?
bool Pool::belongs_elsewhere(const Connection& connection, const Request& head, TimePoint now) {
    const Lane& lane = *connection.lane_;
    if (change_overs_paced()) return false;
    Turn turn = turn_of(head, lane.account);
    turn.since -= options_.change_over_after;
    for (const auto& sister : lane.account.lanes) {
        if (sister.get() == &lane || lane.account.closing > 0) continue;
        if (budget_.room(lane.account.id, now) != budget::Room::account_full) break;
        const Request* first = sister->first_beyond(sister->opening);
        if (first != nullptr && may_open_for(*first, lane.account) && turn_of(*first, lane.account).before(turn))
            return true;
    }
    if (!may_shrink(lane.account)) return false;
    const std::size_t enough = closing_.size() + 1;
    return in_need_of_room(&lane, &turn, enough, now) == enough;
}

Connection* Pool::longest_idle(const Lane& but) {
    for (Connection& connection : idle_) {
        if (connection.lane_ != &but &&
            (&connection.lane_->account == &but.account || may_shrink(connection.lane_->account))) {
            return &connection;
        }
    }
    return nullptr;
}

Connection* Pool::longest_idle_of(Account& account, const Lane* but) {
    Connection* longest = nullptr;
    for (const auto& lane : account.lanes) {
        if (lane.get() == but || lane->idle.empty()) continue;
        Connection& candidate = lane->idle.back();
        if (longest == nullptr || candidate.state_since < longest->state_since) longest = &candidate;
    }
    return longest;
}

// ---- the next step

Pool::Step Pool::step_of(Lane& lane, bool room_is_coming, TimePoint now) {
    using What = Step::What;
    const Request* request = lane.first_beyond(lane.opening);
    if (request == nullptr || !may_open_for(*request, lane.account)) return {};
    Step step{.turn = turn_of(*request, lane.account), .lane = &lane};
    switch (budget_.room(lane.account.id, now)) {
        case budget::Room::yes:
            step.what = What::open;
            break;
        case budget::Room::account_full:
            if (lane.account.closing == 0) step.victim = longest_idle_of(lane.account, &lane);
            break;
        case budget::Room::full:
            if (!room_is_coming && !change_overs_paced()) step.victim = longest_idle(lane);
            break;
        case budget::Room::paced:
        case budget::Room::backing_off:
        case budget::Room::blocked:
            break;
    }
    if (step.victim != nullptr) step.what = What::make_room;
    return step;
}

void Pool::serve_from_idle(TimePoint now) {
    while (true) {
        Lane* best = nullptr;
        Turn turn;
        for (Lane& lane : busy_) {
            if (lane.idle.empty()) continue;
            const Request& head = *lane.head();
            if (!may_take_now(head, lane.account)) continue;
            const Turn its = turn_of(head, lane.account);
            if (best == nullptr || its.before(turn)) {
                best = &lane;
                turn = its;
            }
        }
        if (best == nullptr) return;
        Request& head = *best->head();
        Connection& connection = best->pick(head.session_state);
        take_out(connection);
        grant_waiting(head, connection, now);
    }
}

void Pool::serve(TimePoint now) {
    if (mode_ != Mode::running) return;
    if (!idle_.empty() && !busy_.empty()) serve_from_idle(now);
    while (!busy_.empty()) {
        if (idle_.empty() && budget_.room(now) != budget::Room::yes) return;
        const std::size_t enough = closing_.size() + 1;
        const bool room_is_coming = enough > 1 && in_need_of_room(nullptr, nullptr, enough, now) < enough;
        Step best;
        for (Lane& lane : busy_) {
            const Step step = step_of(lane, room_is_coming, now);
            if (step.what == Step::What::nothing) continue;
            if (best.what == Step::What::nothing || step.turn.before(best.turn)) best = step;
        }
        switch (best.what) {
            case Step::What::nothing:
                return;
            case Step::What::open:
                start_opening(*best.lane);
                break;
            case Step::What::make_room:
                close(*best.victim, CloseReason::made_room, now);
                break;
        }
    }
}

}  // namespace tidegate::pool
