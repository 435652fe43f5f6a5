// Server connections and the sessions that lease them, as states: given an event, the next action. No I/O, no clock.
//
// The shell derives its server connection from `Connection` and its client session from `Request`, tells the pool what
// happened, and does what the pool's `Actions` say. The rule that holds after every call: nobody waits while a
// connection that could serve it is idle, or while the budget has room for one.
//
//   acquire()  -> a connection at once, a place in the line, or a refusal
//   release()  -> the connection goes to the head of the line, or is idle, or is closed
//   opened(), open_failed(), closed(): what became of connections
//   tick(): deadlines, retirement, back-off, probing; about ten times a second
//
// The line: strictly by rank, within a rank by arrival; who cannot be served because of its own account's limit is
// passed over by other accounts' requests. docs/internals/budget.md has the rules and their reasons.
//
// Belongs to one thread. Takes the time as an argument. Nothing on the path acquire -> release allocates, but for a
// refusal.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/intrusive_list.h"
#include "budget/budget.h"
#include "pool/account.h"
#include "pool/connection.h"
#include "pool/deadlines.h"
#include "pool/lane.h"
#include "pool/pace.h"
#include "pool/request.h"
#include "pool/stats.h"

namespace tidegate::pool {

using budget::OpenFailure;

class Actions {
public:
    virtual ~Actions() = default;
    // None of these may call back into the pool before the pool's function has returned.

    // Open one; then opened() or open_failed(), exactly once. `generation` goes into the Connection.
    virtual void open(Key key, std::uint64_t generation) = 0;
    // It is idle, or was just released: say good-bye. It counts against the budget until the shell calls closed(),
    // which it does exactly once, when the server has closed its end or after a short while (a server may count a
    // connection longer than we do).
    virtual void close(Connection& connection, CloseReason reason) = 0;
    virtual void grant(Request& request, Connection& connection) = 0;  // it waited; it has a connection now
    virtual void refuse(Request& request, const Error& error) = 0;     // it waited; it is out of the line
    virtual void log(std::string_view message) = 0;                    // a change that an operator wants to know
};

struct Options {
    Duration wait_timeout = 30s;
    std::size_t max_waiting = 10000;
    Duration idle_timeout = 60s;
    Duration max_age = 1h;              // +-10 %
    Duration change_over_after = 50ms;  // a connection changes its account only for one that came so much earlier
    std::uint64_t seed = 1;             // of the jitter
};

enum class Mode : std::uint8_t {
    running,
    paused,    // nobody is served, everybody may wait; connections are closed as they become free
    draining,  // whoever asks or waits is refused (1053); connections are closed as they become free
};

enum class Acquired : std::uint8_t { granted, waiting, refused };

struct Answer {
    Acquired what = Acquired::refused;
    Connection* connection = nullptr;  // when granted
    Error error{};                     // when refused
};

class Pool {
public:
    Pool(Options options, budget::Budget& budget, Actions& actions);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // REQUIRES: the request neither waits nor has a connection. Sets since, arrival and deadline.
    [[nodiscard]] Answer acquire(Request& request, TimePoint now);
    // The same for a request whose connection turned out to be dead before the server did anything for it: it keeps its
    // place and its deadline. Call closed() for that connection first.
    [[nodiscard]] Answer acquire_again(Request& request, TimePoint now);
    // It gave up. Does nothing if it does not wait.
    void cancel(Request& request, TimePoint now);
    // The lease is over and the connection is clean. It is not the caller's from here on.
    void release(Connection& connection, TimePoint now);

    void opened(Connection& connection, TimePoint now);
    void open_failed(Key key, OpenFailure failure, const Error& error, TimePoint now);
    // The connection is gone: the shell closed it, saw it closed, or did what Actions::close() asked for (then the
    // reason is the one given there). The pool forgets it.
    void closed(Connection& connection, CloseReason reason, TimePoint now);

    void tick(TimePoint now);
    // The budget's figures or options have changed: closes what is too much, opens what there is room for.
    void budget_changed(TimePoint now);
    // Privileges or globals changed: idle connections opened before are closed now, leased ones when they are released.
    // The number of the new generation is what later logins have as Request::min_generation.
    std::uint64_t new_generation(TimePoint now);
    [[nodiscard]] std::uint64_t generation() const { return generation_; }

    void set_options(const Options& options, TimePoint now);
    void set_mode(Mode mode, TimePoint now);
    [[nodiscard]] Mode mode() const { return mode_; }

    [[nodiscard]] Stats stats(TimePoint now);
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    [[nodiscard]] unsigned active() const { return static_cast<unsigned>(leased_.size()); }
    [[nodiscard]] const budget::Budget& budget() const { return budget_; }

private:
    [[nodiscard]] Account& account_of(budget::AccountId id);
    [[nodiscard]] Lane& lane_of(Key key);

    // pool.cc: what becomes of requests.
    [[nodiscard]] Answer place(Request& request, bool again, TimePoint now);
    void stand_in_line(Request& request, Lane& lane);
    void leave_line(Request& request, Lane& lane);
    void refuse_waiting(Request& request, const Error& error, TimePoint now);
    void note_wait(Account& account, Duration waited);
    void lease(Request& request, Connection& connection, TimePoint now);
    void grant_waiting(Request& request, Connection& connection, TimePoint now);

    // connections.cc: what becomes of connections. Each is in the list of its state, and these move it.
    void rest(Connection& connection, TimePoint now);  // becomes idle
    void take_out(Connection& connection);             // of the state that it is in
    void close(Connection& connection, CloseReason reason, TimePoint now);
    void start_opening(Lane& lane);
    [[nodiscard]] std::optional<CloseReason> reason_to_close(const Connection& connection, TimePoint now);

    // serve.cc: who is next, and what has to happen for it.
    struct Turn {
        bool guaranteed = false;  // its account has less than it is guaranteed
        std::uint32_t rank = 0;
        TimePoint since{};
        std::uint64_t arrival = 0;
        [[nodiscard]] bool before(const Turn& other) const;
    };
    struct Step {
        enum class What : std::uint8_t { nothing, open, make_room };
        What what = What::nothing;
        Turn turn;
        Lane* lane = nullptr;
        Connection* victim = nullptr;  // whose room is made
    };
    [[nodiscard]] Turn turn_of(const Request& request, const Account& account) const;
    [[nodiscard]] bool several_ranks() const { return (ranks_seen_ & (ranks_seen_ - 1)) != 0; }
    [[nodiscard]] unsigned share_limit() const;
    [[nodiscard]] bool outside_share(const Request& request, const Account& account, unsigned under_way) const;
    [[nodiscard]] bool may_take_now(const Request& request, const Account& account) const;
    [[nodiscard]] bool may_open_for(const Request& request, const Account& account) const;
    [[nodiscard]] bool change_overs_paced() const;
    [[nodiscard]] bool may_shrink(const Account& account) const;
    [[nodiscard]] std::size_t in_need_of_room(const Lane* but, const Turn* before, std::size_t enough, TimePoint now);
    [[nodiscard]] bool belongs_elsewhere(const Connection& connection, const Request& head, TimePoint now);
    [[nodiscard]] Connection* longest_idle(const Lane& but);
    [[nodiscard]] static Connection* longest_idle_of(Account& account, const Lane* but);
    [[nodiscard]] Step step_of(Lane& lane, bool room_is_coming, TimePoint now);
    void serve(TimePoint now);
    void serve_from_idle(TimePoint now);

    // upkeep.cc: what time and changed figures do.
    void retire(TimePoint now);
    void trim(TimePoint now);  // closes what is idle above a limit
    void close_all_idle(CloseReason reason, TimePoint now);
    void refuse_all(Account& account, const Error& error, TimePoint now);
    void measure(TimePoint now);
    void interrupt_paces();
    void log_failure(const Account& account, OpenFailure failure, const Error& error, TimePoint now);
    void log_limits(TimePoint now);
    void log_share();

    // refusal.cc: what those are told who get nothing.
    [[nodiscard]] Error too_late(const Request& request, const Account& account, TimePoint now);
    [[nodiscard]] Error line_full(const Account& account, TimePoint now);
    [[nodiscard]] Error hopeless(const Account& account, Duration estimate, Duration timeout, TimePoint now);
    [[nodiscard]] static Error stopping();
    [[nodiscard]] std::string situation(const Account& account, TimePoint now);
    [[nodiscard]] std::optional<Duration> estimated_wait(const Request& request, const Account& account) const;

    Options options_;
    budget::Budget& budget_;
    Actions& actions_;
    budget::Jitter jitter_;
    Mode mode_ = Mode::running;
    std::uint64_t generation_ = 1;

    std::vector<std::unique_ptr<Account>> accounts_;
    IntrusiveList<Lane, BusyTag> busy_;           // lanes that somebody waits in
    IntrusiveList<Connection, IdleTag> idle_;     // of all lanes, the longest idle first
    IntrusiveList<Connection, StateTag> leased_;  // the longest leased first
    IntrusiveList<Connection, StateTag> closing_;
    Deadlines deadlines_;
    Pace pace_;
    unsigned measured_limit_ = 0;  // that it was measured under

    std::uint64_t arrivals_ = 0;
    std::size_t waiting_ = 0;
    std::array<std::size_t, kRanks> waiting_by_rank_{};
    std::uint32_t ranks_seen_ = 0;  // a bit each
    TimePoint next_age_retirement_{};
    std::string last_failure_;  // the last reason why nothing could be opened

    bool share_logged_ = false;  // an operator was told: that lower ranks wait,
    bool away_logged_ = false;   // that the server cannot be reached,
    unsigned logged_limit_ = 0;  // what the limit is
    TimePoint next_limit_log_{};
    TimePoint next_failure_log_{};

    unsigned peak_ = 0;
    std::size_t most_waiting_ = 0;
    std::uint64_t opened_ = 0;
    std::array<std::uint64_t, kCloseReasons> closed_{};
    WaitHistogram waits_;
};

}  // namespace tidegate::pool
