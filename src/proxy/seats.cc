#include "proxy/seats.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/core.h"

namespace tidegate::proxy {

namespace {
// The pool's own deadlines are not theirs: whoever waits for a seat has one of his own, and leaves then.
constexpr Duration kPatience = 24h;
constexpr std::uint64_t kNobody = 1;
}  // namespace

Seats::Seats(Core& core) : core_(core) {}
Seats::~Seats() = default;

// No account of the server's is called that; its limit is what max_user_connections leaves one account.
void Seats::declare_account() {
    if (account_) return;
    account_ = core_.accounts.admit("(slots)", nullptr, 45, config::PoolMode::session);
    core_.budget.set_account(*account_, {.name = "(slots)", .counted_only = true});
}

void Seats::want(unsigned count) {
    const unsigned wanted = count > free_ ? count - free_ : 0;
    const TimePoint now = core_.loop.now();
    while (in_line_.size() > wanted) {
        core_.pool.cancel(*in_line_.back(), now);
        at_rest_.push_back(std::move(in_line_.back()));
        in_line_.pop_back();
    }
    if (in_line_.size() < wanted) declare_account();
    while (in_line_.size() < wanted) {
        if (at_rest_.empty()) at_rest_.push_back(std::make_unique<Wish>());
        std::unique_ptr<Wish> wish = std::move(at_rest_.back());
        at_rest_.pop_back();
        wish->key = {.account = *account_};
        wish->rank = core_.config.default_rank;
        wish->session = kNobody;
        wish->wait_timeout = kPatience;
        Wish& asking = *wish;
        in_line_.push_back(std::move(wish));
        const pool::Answer answer = core_.pool.acquire(asking, now);
        if (answer.what == pool::Acquired::waiting) continue;
        // The line is full, or the gate is being stopped: asked again when somebody calls again.
        if (answer.what == pool::Acquired::granted) {
            granted(asking, *answer.connection);
        } else {
            refused(asking);
        }
        return;
    }
}

void Seats::take() {
    assert(free_ > 0);
    --free_;
    ++taken_;
}

void Seats::give_back() {
    assert(taken_ > 0);
    --taken_;
    pool::Connection* seat = leased_.back();
    leased_.pop_back();
    end(*seat, pool::CloseReason::seat_left);
}

void Seats::end(pool::Connection& connection, pool::CloseReason reason) {
    const auto owned = seats_.extract(&connection);
    core_.pool.closed(connection, reason, core_.loop.now());
}

void Seats::opening(pool::Key key, std::uint64_t generation) {
    const TimePoint now = core_.loop.now();
    // A seat says nothing of the server, so none is used to try out whether it would take one more.
    if (core_.budget.held() > core_.budget.limit()) {
        core_.pool.open_failed(key, budget::OpenFailure::other,
                               {.message = "the server has refused connections a moment ago"}, now);
        return;
    }
    auto made = std::make_unique<pool::Connection>();
    pool::Connection& seat = *made;
    seat.key = key;
    seat.generation = generation;
    seats_.emplace(&seat, std::move(made));
    core_.pool.opened(seat, now);
    if (seat.state == pool::Connection::State::idle) end(seat, pool::CloseReason::seat_left);  // nobody wants it now
    if (free_ > 0 && granted_call_) granted_call_();
}

void Seats::close(pool::Connection& connection, pool::CloseReason reason) {
    end(connection, reason);
}

void Seats::granted(pool::Request& request, pool::Connection& connection) {
    refused(request);  // it is out of the line
    leased_.push_back(&connection);
    ++free_;
}

void Seats::refused(pool::Request& request) {
    const auto found = std::ranges::find(in_line_, &request, [](const auto& wish) { return wish.get(); });
    if (found == in_line_.end()) return;
    at_rest_.push_back(std::move(*found));
    in_line_.erase(found);
}

}  // namespace tidegate::proxy
