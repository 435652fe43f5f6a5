// A pool of connections to one server: a few are open, everybody lends from them, and who finds none free waits in
// line.
//
//     auto pool = tidegate::Pool::from_environment();
//     if (!pool) { std::cerr << pool.error().message << '\n'; return 78; }
//     auto rows = pool->execute("SELECT name FROM person WHERE id = ?", 7);   // one statement
//     auto lease = pool->acquire(5s);                                         // several
//
// The line is fair: first come, first served, and nobody who comes later overtakes. A place in it has an absolute
// deadline; acquire() does no I/O of its own and returns when it has passed, whatever the network does.
//
// Connections are opened when somebody needs one, in the background, up to max_connections. One that has rested is
// asked before it is lent out; one that is dead is replaced; one that is old is replaced when it comes back; what a
// lease left behind is reset. Where the server has no room (1040, 1203, 1226) or cannot be reached (2002, 2003), those
// who wait go on waiting and opening is tried again, after 100, 200, 400, 800, then every 1000 ms, each by up to a
// fifth more or less. A failure that no waiting mends (a wrong password, an unknown schema) is told to those who wait
// at once, unless connections are open that will come back to them.
//
// fork(): make the pool in the child. A pool's threads and connections do not survive in a copy of its process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>

#include <tidegate/deadline.h>
#include <tidegate/error.h>
#include <tidegate/lease.h>
#include <tidegate/options.h>

namespace tidegate {

// The pool's figures at one moment. `open` is idle + lent + checking; opening ones are not yet in it.
struct PoolStats {
    unsigned max = 0;       // max_connections
    unsigned open = 0;      // connections that the server counts for us
    unsigned idle = 0;      // ready to be lent
    unsigned lent = 0;      // leases that are out
    unsigned checking = 0;  // being asked whether they live, or being closed
    unsigned opening = 0;   // being opened
    unsigned waiting = 0;   // callers of acquire() in line
    unsigned peak = 0;      // most leases out at once

    std::uint64_t acquired = 0;   // leases given since the start
    std::uint64_t waited = 0;     // of these, not at once
    std::uint64_t timed_out = 0;  // calls of acquire() that ended at their deadline
    std::uint64_t opened = 0;     // connections opened
    std::uint64_t refused = 0;    // attempts that ended with 1040, 1203 or 1226
    std::uint64_t failed = 0;     // attempts that ended otherwise
    std::uint64_t lost = 0;       // connections that died, lent or idle
    std::uint64_t reset = 0;      // leases that left something to reset

    std::chrono::microseconds wait_total{};    // of all that waited and were served
    std::chrono::microseconds wait_longest{};  // of these
    std::string last_error{};  // of opening a connection; empty: none yet, or the last attempt went well
};

// Thread-safe, all of it. Moves, does not copy; moving is not thread-safe, and a pool that was moved from can only be
// assigned to and destroyed.
class Pool {
public:
    // Errors: 1105, an option makes no sense. Connects to nothing yet: test_connection() does, and so does the first
    // lease.
    [[nodiscard]] static Result<Pool> create(Options options);
    [[nodiscard]] static Result<Pool> from_url(std::string_view url);
    [[nodiscard]] static Result<Pool> from_environment(const std::string& dot_env = ".env");

    Pool(Pool&&) noexcept;
    Pool& operator=(Pool&&) noexcept;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    // close(), without waiting for leases. Takes up to connect_timeout when a connection is just being opened.
    ~Pool();

    // A connection, now or in its turn. Errors: 1040 none was to be had before the deadline (the sentence says how long
    // it waited, for what, and what holds it), 1053 the pool is closed, and what the server said where no waiting helps
    // (1044, 1045, 1049, ..). `where` is the caller's own place, for the report on leases that are held too long.
    [[nodiscard]] Result<Lease> acquire(Deadline deadline,
                                        std::source_location where = std::source_location::current());
    // The same, for wait_timeout.
    [[nodiscard]] Result<Lease> acquire(std::source_location where = std::source_location::current());

    // The same, given up as soon as `stop` is requested: 1317.
    [[nodiscard]] Result<Lease> acquire(const std::stop_token& stop,
                                        std::source_location where = std::source_location::current());

    // One statement on a connection of its own: acquire(), Lease::query() or execute(), and back.
    Result<Rows> query(std::string_view sql, std::source_location where = std::source_location::current());
    template <class... Values>
    Result<Rows> execute(std::string_view sql, const Values&... values) {
        auto lease = acquire();
        if (!lease) return std::unexpected(lease.error());
        return lease->execute(sql, values...);
    }

    // Whether the server can be reached with these settings, by asking it (SELECT 1) over a lease. Errors: as acquire()
    // and query(); where the server could not be reached in time, what the last attempt said.
    [[nodiscard]] Result<void> test_connection(Deadline deadline = std::chrono::seconds(5));

    [[nodiscard]] PoolStats stats() const;

    // Ends the pool in order: from now on acquire() fails (1053), those who wait fail at once, idle connections are
    // closed, and leases are waited for until `grace`. Error: 1053, so many leases are still out; they work on, and
    // their connections are closed as they come back. Calling it again waits again.
    Result<void> close(Deadline grace = Deadline::passed());

    // From now on SIGINT and SIGTERM close this pool as close(grace) does, counted from the signal; then the signal is
    // given on to whoever handled it before, which by default ends the process. While a Worker runs with
    // stop_on_signals it has the signal first, and the pool is left open for the job in hand.
    // The signals' handlers are set process-wide with the first call; not while another thread sets them too.
    void close_on_signals(std::chrono::milliseconds grace = std::chrono::seconds(5));

private:
    explicit Pool(std::shared_ptr<client::PoolShell> shell) : shell_(std::move(shell)) {}

    std::shared_ptr<client::PoolShell> shell_;
};

// The process's one pool, made with Pool::from_environment() when it is first asked for, and closed when the process
// exits. When it cannot be made, the error; the next call tries again. Thread-safe. The pointer is good until main()
// returns.
[[nodiscard]] Result<Pool*> shared_pool();

}  // namespace tidegate
