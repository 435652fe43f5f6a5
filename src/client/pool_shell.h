// The pool at work: the core under a mutex, the seats with their connections, and a crew of threads that does what
// takes time and is nobody's own statement: opening, checking, closing. Callers of acquire() only ever wait for a
// notice, so that their deadlines hold whatever the network does.
//
// Thread-safe. A seat's connection belongs to whom the core gave the seat: a lease's thread while it is lent, a thread
// of the crew while a task is about it; nobody touches it otherwise.
#pragma once

#include <tidegate/detail/hold.h>
#include <tidegate/options.h>
#include <tidegate/pool.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <source_location>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "client/connection.h"
#include "client/pool_core.h"

namespace tidegate::client {

struct Seat {
    unsigned number = 0;
    std::unique_ptr<Connection> connection;
    std::atomic<std::uint64_t> lease{0};  // the number of the lease that has it; 0: none
    std::vector<Value> row;               // of a stream
};

class PoolShell : public std::enable_shared_from_this<PoolShell> {
public:
    // Makes a connection, or says why not; called by the crew, and by a lease whose connection has died.
    using Opener = std::function<Result<std::unique_ptr<Connection>>()>;
    using OnNotice = std::function<void(const Notice&)>;

    // `give_up_opening` is called at the end: an opener that waits for more than its own time-outs returns then.
    PoolShell(CoreOptions options, Opener opener, OnNotice on_notice, std::function<void()> give_up_opening = {});
    PoolShell(const PoolShell&) = delete;
    PoolShell& operator=(const PoolShell&) = delete;
    ~PoolShell();  // REQUIRES: no lease is out, which they see to by keeping it alive

    // `stop`, where it can be requested, ends the waiting: 1317.
    Result<detail::Hold> acquire(TimePoint deadline, const std::stop_token& stop, const std::source_location& where);
    // The end of a lease. `reusable`: as far as the lease knows; what is left on the connection is reset here.
    void give_back(Seat& seat, bool reusable);
    // The connection of a lease, ready for a statement: another one, when the old has died with nothing to lose.
    Result<Connection*> connection_of(Seat& seat);

    Result<void> close(TimePoint grace);
    [[nodiscard]] PoolStats stats() const;
    [[nodiscard]] Duration wait_timeout() const { return wait_timeout_; }

private:
    struct Waiter : Ticket {
        std::condition_variable served;
    };

    detail::Hold hold(unsigned seat);
    Result<detail::Hold> wait_in_line(TimePoint deadline, const std::stop_token& stop,
                                      const std::source_location& where) TIDEGATE_EXCLUDES(mutex_);
    Result<std::unique_ptr<Connection>> open_again() TIDEGATE_EXCLUDES(mutex_);
    void after_event(TimePoint now) TIDEGATE_REQUIRES(mutex_);
    void hire() TIDEGATE_REQUIRES(mutex_);
    void work(bool keeper);
    void keep_time(MutexLock& lock) TIDEGATE_REQUIRES(mutex_);
    void perform(Task task) TIDEGATE_EXCLUDES(mutex_);
    void tell(const std::vector<Notice>& notices) TIDEGATE_EXCLUDES(mutex_);

    Opener opener_;
    OnNotice on_notice_;
    std::function<void()> give_up_opening_;
    std::string server_;
    Duration wait_timeout_;
    std::vector<Seat> seats_;
    std::atomic<std::uint64_t> leases_{0};

    mutable Mutex mutex_;
    PoolCore core_ TIDEGATE_GUARDED_BY(mutex_);
    std::condition_variable work_;   // there are tasks, or the time of the next tick has changed, or it ends
    std::condition_variable ended_;  // close() looks again
    std::vector<std::thread> crew_ TIDEGATE_GUARDED_BY(mutex_);
    unsigned resting_hands_ TIDEGATE_GUARDED_BY(mutex_) = 0;
    TimePoint keeper_until_ TIDEGATE_GUARDED_BY(mutex_) = TimePoint::min();  // how long the keeper means to rest
    bool ending_ TIDEGATE_GUARDED_BY(mutex_) = false;

    std::mutex telling_;  // one notice at a time
};

}  // namespace tidegate::client
