#include "client/pool_core.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tidegate::client {
namespace {

// How often ages are looked at while a connection is open.
constexpr Duration kSweep = 1s;
constexpr double kJitter = 0.1;

std::string short_text(Duration d) {
    return fmt::format("{:.1f} s", seconds(d));
}

}  // namespace

bool may_pass(const Error& error) {
    return is_refusal(error) || is_connection_lost(error);
}

std::string text_of(const std::source_location& where) {
    const std::string_view path = where.file_name();
    const std::string_view file = path.substr(path.find_last_of('/') + 1);
    std::string_view function = where.function_name();
    // "int ns::run(std::string)" -> "run"
    function = function.substr(0, function.find('('));
    function = function.substr(function.find_last_of(" :") + 1);
    if (function.empty()) return fmt::format("{}:{}", file, where.line());
    return fmt::format("{}:{} ({})", file, where.line(), function);
}

PoolCore::PoolCore(CoreOptions options) : options_(std::move(options)), seats_(options_.max), jitter_(options_.seed) {
    idle_.reserve(options_.max);
}

std::optional<unsigned> PoolCore::acquire(TimePoint now, const std::source_location& where) {
    if (idle_.empty() || !line_.empty()) return std::nullopt;
    const unsigned seat = idle_.back();
    if (now - seats_[seat].proved > options_.check_after) return std::nullopt;
    idle_.pop_back();
    lend(seat, now, where);
    return seat;
}

void PoolCore::enter(Ticket& ticket, TimePoint now, const std::source_location& where) {
    ticket.since = now;
    ticket.where = where;
    if (closed_) {
        ticket.state = Ticket::State::refused;
        ticket.error = {error_code::pool_closed, "08S01",
                        fmt::format("the pool of connections to {} is closed", options_.server)};
        return;
    }
    line_.push_back(ticket);
    plan(now);
}

Error PoolCore::leave(Ticket& ticket, TimePoint now) {
    ticket.unlink();
    ++totals_.timed_out;
    const auto others = line_.size();
    auto sentence = fmt::format("no connection to {} within {}: ", options_.server, short_text(now - ticket.since));
    if (backoff_.failing()) {
        sentence +=
            fmt::format("the last attempt to open one failed with {}: {}", last_error_.code, last_error_.message);
    } else if (lent_ > 0) {
        sentence += holders(now);
        if (lent_ == options_.max) sentence += fmt::format(" (max_connections is {})", options_.max);
    } else {
        sentence += "the server has not answered yet";
    }
    if (others > 0) sentence += fmt::format("; {} more wait", others);
    return {error_code::no_connection, "08004", std::move(sentence)};
}

void PoolCore::lend(unsigned number, TimePoint now, const std::source_location& where) {
    auto& seat = seats_[number];
    seat.state = State::lent;
    seat.since = now;
    seat.warned = false;
    seat.where = where;
    ++lent_;
    ++totals_.acquired;
    totals_.peak = std::max(totals_.peak, lent_);
}

void PoolCore::release(unsigned number, bool fit, TimePoint now) {
    auto& seat = seats_[number];
    --lent_;
    seat.since = seat.proved = now;
    if (!fit) ++totals_.lost;
    if (!fit || closed_ || now >= seat.retire_at) {
        start_closing(number);
        plan(now);
    } else {
        ready(number, now);
    }
}

void PoolCore::replaced(unsigned number, TimePoint now) {
    ++totals_.lost;
    ++totals_.opened;
    born(seats_[number], now);
}

// To the head of the line, or to rest.
void PoolCore::ready(unsigned number, TimePoint now) {
    if (closed_) return start_closing(number);
    if (line_.empty()) return rest(number);
    auto& ticket = line_.front();
    ticket.unlink();
    const Duration waited = now - ticket.since;
    ++totals_.waited;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(waited);
    totals_.wait_total += us;
    totals_.wait_longest = std::max(totals_.wait_longest, us);
    ticket.state = Ticket::State::served;
    ticket.seat = number;
    lend(number, now, ticket.where);
    news_.push_back(&ticket);
}

void PoolCore::rest(unsigned number) {
    seats_[number].state = State::idle;
    const auto after = std::ranges::upper_bound(idle_, seats_[number].since, {},
                                                [this](unsigned other) { return seats_[other].since; });
    idle_.insert(after, number);
}

void PoolCore::opened(unsigned number, TimePoint now) {
    --opening_;
    ++totals_.opened;
    backoff_.worked();
    auto& seat = seats_[number];
    born(seat, now);
    seat.since = now;
    ready(number, now);
    plan(now);
}

void PoolCore::born(Seat& seat, TimePoint now) {
    seat.proved = now;
    seat.retire_at = options_.max_age > 0s ? now + jitter_.around(options_.max_age, kJitter) : TimePoint::max();
    seat.idle_timeout = options_.idle_timeout > 0s ? jitter_.around(options_.idle_timeout, kJitter) : Duration::max();
}

void PoolCore::open_failed(unsigned number, const Error& error, TimePoint now) {
    --opening_;
    seats_[number].state = State::empty;
    ++(is_refusal(error) ? totals_.refused : totals_.failed);
    if (!backoff_.failing()) notice({Notice::Kind::open_failed, error.message});
    backoff_.failed(now, jitter_);
    last_error_ = error;
    if (!may_pass(error) && open_count() == 0) refuse_all(error);
    plan(now);
}

void PoolCore::checked(unsigned number, bool alive, TimePoint now) {
    --checking_;
    if (alive) {
        seats_[number].proved = now;
        ready(number, now);
    } else {
        ++totals_.lost;
        start_closing(number);
    }
    plan(now);
}

void PoolCore::closed(unsigned number, TimePoint now) {
    --closing_;
    seats_[number].state = State::empty;
    plan(now);
}

void PoolCore::close(TimePoint now) {
    if (closed_) return;
    closed_ = true;
    refuse_all(
        {error_code::pool_closed, "08S01",
         fmt::format("the pool of connections to {} has been closed while this caller waited", options_.server)});
    for (const unsigned number : std::exchange(idle_, {})) start_closing(number);
    plan(now);
}

void PoolCore::refuse_all(const Error& error) {
    while (!line_.empty()) {
        auto& ticket = line_.front();
        ticket.unlink();
        ticket.state = Ticket::State::refused;
        ticket.error = error;
        news_.push_back(&ticket);
    }
}

void PoolCore::start_closing(unsigned number) {
    seats_[number].state = State::closing;
    ++closing_;
    tasks_.push_back({Task::Kind::close, number});
}

void PoolCore::check(unsigned number) {
    seats_[number].state = State::checking;
    ++checking_;
    tasks_.push_back({Task::Kind::check, number});
}

bool PoolCore::may_open(TimePoint now) const {
    return backoff_.failing() ? opening_ == 0 && now >= backoff_.retry_at() : opening_ < kOpeningAtOnce;
}

bool PoolCore::open_one() {
    const auto seat = std::ranges::find(seats_, State::empty, &Seat::state);
    if (seat == seats_.end()) return false;
    seat->state = State::opening;
    ++opening_;
    tasks_.push_back({Task::Kind::open, static_cast<unsigned>(seat - seats_.begin())});
    return true;
}

// As many connections on their way as callers in line, rested ones before new ones; then what min_idle asks for.
void PoolCore::plan(TimePoint now) {
    if (closed_) return;
    while (checking_ < line_.size() && !idle_.empty()) {
        const unsigned number = idle_.back();
        idle_.pop_back();
        check(number);
    }
    while (opening_ + checking_ < line_.size()) {
        if (!may_open(now) || !open_one()) break;
    }
    while (idle_.size() + checking_ + opening_ < options_.min_idle) {
        if (!may_open(now) || !open_one()) break;
    }
}

void PoolCore::tick(TimePoint now) {
    for (auto& seat : seats_) {
        if (seat.state == State::lent) look_at_lent(seat, now);
    }
    if (!closed_) look_at_idle(now);
    plan(now);
}

void PoolCore::look_at_lent(Seat& seat, TimePoint now) {
    if (seat.warned || options_.lease_warning == 0s || now - seat.since < options_.lease_warning) return;
    seat.warned = true;
    notice({Notice::Kind::lease_held,
            fmt::format("a connection to {} has been lent for {} and not given back; it was taken at {}",
                        options_.server, short_text(now - seat.since), text_of(seat.where)),
            seat.where});
}

// Oldest first. What is too old, or idle and not needed, is closed; what has not been heard of for long is asked.
void PoolCore::look_at_idle(TimePoint now) {
    unsigned open = open_count();
    for (const unsigned number : std::exchange(idle_, {})) {
        auto& seat = seats_[number];
        const bool surplus = open > options_.min_idle;
        if (now >= seat.retire_at || (surplus && now - seat.since >= seat.idle_timeout)) {
            start_closing(number);
            --open;
        } else if (options_.keep_alive > 0s && now - seat.proved >= options_.keep_alive) {
            check(number);
        } else {
            idle_.push_back(number);
        }
    }
}

std::optional<TimePoint> PoolCore::wake_at(TimePoint now) const {
    std::optional<TimePoint> at;
    if (open_count() > 0 || (options_.min_idle > 0 && !closed_)) at = now + kSweep;
    if (!line_.empty() && backoff_.failing() && opening_ == 0)
        at = std::min(at.value_or(TimePoint::max()), backoff_.retry_at());
    return at;
}

std::optional<Task> PoolCore::next_task() {
    if (tasks_.empty()) return std::nullopt;
    const Task task = tasks_.front();
    tasks_.pop_front();
    return task;
}

// Connections that live, as far as is known.
unsigned PoolCore::open_count() const {
    return lent_ + checking_ + static_cast<unsigned>(idle_.size());
}

const PoolCore::Seat* PoolCore::oldest_lease() const {
    const Seat* oldest = nullptr;
    for (const auto& seat : seats_) {
        if (seat.state == State::lent && (oldest == nullptr || seat.since < oldest->since)) oldest = &seat;
    }
    return oldest;
}

std::string PoolCore::holders(TimePoint now) const {
    const auto* oldest = oldest_lease();
    if (oldest == nullptr) return "no lease is out";
    const auto which =
        lent_ == 1 ? std::string("one lease is out,") : fmt::format("{} leases are out, the oldest", lent_);
    return fmt::format("{} taken at {} {} ago", which, text_of(oldest->where), short_text(now - oldest->since));
}

PoolStats PoolCore::stats() const {
    auto stats = totals_;
    stats.max = options_.max;
    stats.idle = static_cast<unsigned>(idle_.size());
    stats.lent = lent_;
    stats.checking = checking_ + closing_;
    stats.opening = opening_;
    stats.open = stats.idle + stats.lent + stats.checking;
    stats.waiting = static_cast<unsigned>(line_.size());
    if (backoff_.failing()) stats.last_error = last_error_.message;
    return stats;
}

}  // namespace tidegate::client
