#include "client/pool_shell.h"

#include <fmt/core.h>
#include <pthread.h>

#include <csignal>
#include <utility>

namespace tidegate::client {
namespace {

// The keeper, as many as open connections at once, and one whom no slow opening keeps from checking and closing.
constexpr std::size_t kCrew = 1 + kOpeningAtOnce + 1;

// Signals are for the program's own threads: a thread of ours starts with all of them blocked.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

PoolShell::PoolShell(CoreOptions options, Opener opener, OnNotice on_notice, std::function<void()> give_up_opening)
    : opener_(std::move(opener)),
      on_notice_(std::move(on_notice)),
      give_up_opening_(std::move(give_up_opening)),
      server_(options.server),
      wait_timeout_(options.wait_timeout),
      seats_(options.max),
      core_(std::move(options)) {
    for (unsigned i = 0; i < seats_.size(); ++i) seats_[i].number = i;
    const MutexLock lock(mutex_);
    const auto now = Clock::now();
    core_.tick(now);  // min_idle
    after_event(now);
}

PoolShell::~PoolShell() {
    std::vector<std::thread> crew;
    {
        MutexLock lock(mutex_);
        core_.close(Clock::now());
        ending_ = true;
        crew.swap(crew_);
        work_.notify_all();
    }
    if (give_up_opening_) give_up_opening_();
    for (auto& thread : crew) thread.join();
}

detail::Hold PoolShell::hold(unsigned number) {
    const auto lease = leases_.fetch_add(1, std::memory_order_relaxed) + 1;
    seats_[number].lease.store(lease, std::memory_order_relaxed);
    return {shared_from_this(), &seats_[number], lease};
}

Result<detail::Hold> PoolShell::acquire(TimePoint deadline, const std::stop_token& stop,
                                        const std::source_location& where) {
    const auto now = Clock::now();
    {
        const MutexLock lock(mutex_);
        if (const auto seat = core_.acquire(now, where)) return hold(*seat);
    }
    return wait_in_line(deadline, stop, where);
}

Result<detail::Hold> PoolShell::wait_in_line(TimePoint deadline, const std::stop_token& stop,
                                             const std::source_location& where) {
    Waiter waiter;
    // Made and destroyed without the mutex, which its call takes.
    const std::stop_callback wake(stop, [&] {
        const MutexLock lock(mutex_);
        waiter.served.notify_one();
    });
    MutexLock lock(mutex_);
    const auto now = Clock::now();
    core_.enter(waiter, now, where);
    after_event(now);
    while (waiter.state == Ticket::State::waiting && !stop.stop_requested()) {
        if (deadline == TimePoint::max()) {
            waiter.served.wait(lock.native());
        } else if (waiter.served.wait_until(lock.native(), deadline) == std::cv_status::timeout) {
            break;
        }
    }
    switch (waiter.state) {
        case Ticket::State::served:
            return hold(waiter.seat);
        case Ticket::State::refused:
            return std::unexpected(std::move(waiter.error));
        case Ticket::State::waiting:
            break;
    }
    auto error = core_.leave(waiter, Clock::now());
    if (stop.stop_requested()) {
        error = {error_code::interrupted, "70100",
                 "the wait for a connection was given up: its caller was told to stop"};
    }
    return std::unexpected(std::move(error));
}

void PoolShell::give_back(Seat& seat, bool reusable) {
    auto& connection = *seat.connection;
    if (connection.streaming()) connection.abort();
    bool fit = reusable && !connection.lost() && !connection.beyond_reset();
    const bool dirty = fit && connection.dirty();
    if (dirty) fit = connection.reset().has_value();
    seat.lease.store(0, std::memory_order_relaxed);

    const MutexLock lock(mutex_);
    const auto now = Clock::now();
    if (dirty) core_.count_reset();
    if (reusable && connection.lost()) {
        core_.notice({Notice::Kind::lost, fmt::format("a connection to {} died while it was lent", server_)});
    }
    core_.release(seat.number, fit, now);
    after_event(now);
}

Result<Connection*> PoolShell::connection_of(Seat& seat) {
    auto& connection = *seat.connection;
    if (connection.streaming() && !connection.lost()) {
        return fail(error_code::out_of_sync, "HY000",
                    "a result is still being streamed over this lease: read it to its end, or drain() it, first");
    }
    if (!connection.lost() && connection.quiet()) return &connection;
    if (connection.dirty()) {
        connection.abort();
        return fail(error_code::gone, "HY000",
                    fmt::format("the connection to {} has ended, and what its session held (a transaction, variables, "
                                "temporary tables) with it: give the lease back and begin anew",
                                server_));
    }
    connection.abort();  // first: with it goes its slot, if it holds one
    auto another = open_again();
    if (!another) return std::unexpected(another.error());
    seat.connection = std::move(*another);
    const MutexLock lock(mutex_);
    const auto now = Clock::now();
    core_.replaced(seat.number, now);
    core_.notice({Notice::Kind::lost, fmt::format("a connection to {} was found dead before a statement was sent; the "
                                                  "lease goes on with another",
                                                  server_)});
    after_event(now);
    return seat.connection.get();
}

// For a lease, on its own thread: tried again with pauses while that may help, for as long as acquire() would have
// waited.
Result<std::unique_ptr<Connection>> PoolShell::open_again() {
    const auto began = Clock::now();
    budget::Backoff backoff(100ms, 1s);
    budget::Jitter jitter(static_cast<std::uint64_t>(began.time_since_epoch().count()));
    for (;;) {
        auto connection = opener_();
        if (connection || !may_pass(connection.error())) return connection;
        backoff.failed(Clock::now(), jitter);
        MutexLock lock(mutex_);
        if (core_.is_closed() || backoff.retry_at() - began >= wait_timeout_) return connection;
        ended_.wait_until(lock.native(), backoff.retry_at());
    }
}

Result<void> PoolShell::close(TimePoint grace) {
    MutexLock lock(mutex_);
    core_.close(Clock::now());
    after_event(Clock::now());
    while (core_.lent() > 0) {
        if (grace == TimePoint::max()) {
            ended_.wait(lock.native());
        } else if (ended_.wait_until(lock.native(), grace) == std::cv_status::timeout) {
            break;
        }
    }
    while (core_.closing() > 0) ended_.wait(lock.native());
    if (core_.lent() == 0) return {};
    auto sentence =
        fmt::format("the pool of connections to {} is closed, but {}", server_, core_.holders(Clock::now()));
    // Told here and now: the process may end next.
    core_.notice({Notice::Kind::left_open, sentence});
    const auto notices = core_.take_notices();
    lock.unlock();
    tell(notices);
    return fail(error_code::pool_closed, "08S01", std::move(sentence));
}

PoolStats PoolShell::stats() const {
    const MutexLock lock(mutex_);
    return core_.stats();
}

// Passes on what came of an event: wakes those who were served, finds hands for new tasks, and the keeper when its next
// look at the clock has become due earlier.
void PoolShell::after_event(TimePoint now) {
    for (auto* ticket : core_.news()) static_cast<Waiter*>(ticket)->served.notify_one();
    core_.clear_news();
    if (core_.is_closed()) ended_.notify_all();
    if (core_.has_tasks() || core_.has_notices()) hire();
    if (const auto wake = core_.wake_at(now); wake && *wake < keeper_until_) work_.notify_all();
}

void PoolShell::hire() {
    if (ending_) return work_.notify_all();
    const SignalsBlocked blocked;
    if (crew_.empty()) crew_.emplace_back([this] { work(true); });
    if (resting_hands_ > 0) {
        work_.notify_all();
    } else if (crew_.size() < kCrew) {
        crew_.emplace_back([this] { work(false); });
    }
}

// A thread of the crew. The first is the keeper, who watches the clock; the others are its hands.
void PoolShell::work(bool keeper) {
    MutexLock lock(mutex_);
    for (;;) {
        if (core_.has_notices()) {
            const auto notices = core_.take_notices();
            lock.unlock();
            tell(notices);
            lock.lock();
        } else if (const auto task = keeper ? std::nullopt : core_.next_task()) {
            if (core_.has_tasks()) hire();
            lock.unlock();
            perform(*task);
            lock.lock();
        } else if (ending_) {
            return;
        } else if (keeper) {
            keep_time(lock);
        } else {
            ++resting_hands_;
            work_.wait(lock.native());
            --resting_hands_;
        }
    }
}

void PoolShell::keep_time(MutexLock& lock) {
    const auto until = core_.wake_at(Clock::now());
    keeper_until_ = until.value_or(TimePoint::max());
    if (until) {
        work_.wait_until(lock.native(), *until);
    } else {
        work_.wait(lock.native());
    }
    keeper_until_ = TimePoint::min();
    const auto now = Clock::now();
    core_.tick(now);
    after_event(now);
}

void PoolShell::perform(Task task) {
    auto& seat = seats_[task.seat];
    switch (task.kind) {
        case Task::Kind::open: {
            auto connection = opener_();
            if (connection) seat.connection = std::move(*connection);
            const MutexLock lock(mutex_);
            const auto now = Clock::now();
            if (connection) {
                core_.opened(task.seat, now);
            } else {
                core_.open_failed(task.seat, connection.error(), now);
            }
            return after_event(now);
        }
        case Task::Kind::check: {
            const bool alive = seat.connection->quiet() && seat.connection->ping().has_value();
            const MutexLock lock(mutex_);
            const auto now = Clock::now();
            core_.checked(task.seat, alive, now);
            return after_event(now);
        }
        case Task::Kind::close: {
            seat.connection.reset();
            const MutexLock lock(mutex_);
            const auto now = Clock::now();
            core_.closed(task.seat, now);
            return after_event(now);
        }
    }
}

void PoolShell::tell(const std::vector<Notice>& notices) {
    const std::lock_guard one_at_a_time(telling_);
    for (const auto& notice : notices) {
        if (on_notice_) {
            on_notice_(notice);
        } else {
            fmt::print(stderr, "tidegate: {}\n", notice.message);
        }
    }
}

}  // namespace tidegate::client

namespace tidegate::detail {

bool Hold::valid() const {
    return seat != nullptr && seat->lease.load(std::memory_order_relaxed) == lease;
}

}  // namespace tidegate::detail
