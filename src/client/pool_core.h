// Who gets which connection of a client's pool, and when: the line, ageing, checking, opening and its back-off. Pure:
// it is told what happened and when, and says what is to be done (tasks), who has been served (news) and what an
// operator should hear (notices). The shell (pool_shell.h) holds it under a mutex.
//
// A seat is a place for one connection. What holds at every moment:
//   - nobody is in line while a connection rests, unless as many others are just being checked;
//   - a connection that comes free goes to the head of the line; whoever comes later stands behind;
//   - seats that are not empty never number more than `max`, a closing one included: the server still counts it.
#pragma once

#include <tidegate/options.h>
#include <tidegate/pool.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/intrusive_list.h"
#include "budget/backoff.h"

namespace tidegate::client {

// Connections in the making at once; while opening fails, one probe at a time.
inline constexpr unsigned kOpeningAtOnce = 4;

struct CoreOptions {
    std::string server{};  // for the sentences
    unsigned max = 3;
    unsigned min_idle = 0;
    Duration check_after = 1s;
    Duration keep_alive = 60s;
    Duration idle_timeout = 60s;   // 0: never
    Duration max_age = 30min;      // 0: never
    Duration lease_warning = 60s;  // 0: off
    Duration wait_timeout = 30s;   // for callers without a deadline
    std::uint64_t seed = 1;        // of the jitter
};

// One caller in line. Lives on the caller's stack; in the line while it is waiting.
struct Ticket : ListNode<> {
    enum class State : std::uint8_t { waiting, served, refused };
    State state = State::waiting;
    unsigned seat = 0;  // when served
    Error error;        // when refused
    TimePoint since;
    std::source_location where;
};

struct Task {
    enum class Kind : std::uint8_t {
        open,   // then opened() or open_failed()
        check,  // then checked()
        close,  // then closed()
    };
    Kind kind;
    unsigned seat;
};

class PoolCore {
public:
    explicit PoolCore(CoreOptions options);

    // For a caller: a seat at once, where one is idle, fresh and due to nobody else. Otherwise enter() the line.
    [[nodiscard]] std::optional<unsigned> acquire(TimePoint now, const std::source_location& where);
    void enter(Ticket& ticket, TimePoint now, const std::source_location& where);
    // REQUIRES: the ticket is still waiting. It gives up; the sentence says why it got nothing.
    [[nodiscard]] Error leave(Ticket& ticket, TimePoint now);

    // A lease ends. `fit`: the connection lives and has nothing of its session left.
    void release(unsigned seat, bool fit, TimePoint now);
    // A lease's dead connection has been replaced by a new one.
    void replaced(unsigned seat, TimePoint now);

    // What the shell found out about its tasks.
    void opened(unsigned seat, TimePoint now);
    void open_failed(unsigned seat, const Error& error, TimePoint now);
    void checked(unsigned seat, bool alive, TimePoint now);
    void closed(unsigned seat, TimePoint now);

    // No more leases: who waits is refused, what is idle is closed.
    void close(TimePoint now);
    [[nodiscard]] bool is_closed() const { return closed_; }

    // Looks at all ages, and opens what is wanted and allowed by now. To be called at wake_at(), at the latest.
    void tick(TimePoint now);
    // nullopt: nothing to do before the next event.
    [[nodiscard]] std::optional<TimePoint> wake_at(TimePoint now) const;

    // What came of the calls before; each is given once.
    [[nodiscard]] std::optional<Task> next_task();
    [[nodiscard]] bool has_tasks() const { return !tasks_.empty(); }
    [[nodiscard]] std::span<Ticket* const> news() const { return news_; }
    void clear_news() { news_.clear(); }
    [[nodiscard]] std::vector<Notice> take_notices() { return std::exchange(notices_, {}); }
    [[nodiscard]] bool has_notices() const { return !notices_.empty(); }

    [[nodiscard]] PoolStats stats() const;
    [[nodiscard]] unsigned lent() const { return lent_; }
    [[nodiscard]] unsigned closing() const { return closing_; }
    // "3 leases are out, the oldest taken at worker.cc:41 (run) 12.3 s ago"
    [[nodiscard]] std::string holders(TimePoint now) const;
    void count_reset() { ++totals_.reset; }
    void notice(Notice notice) { notices_.push_back(std::move(notice)); }

private:
    enum class State : std::uint8_t { empty, opening, idle, checking, lent, closing };
    struct Seat {
        State state = State::empty;
        TimePoint since{};        // when it was lent, or last given back
        TimePoint proved{};       // when it was last known to live
        TimePoint retire_at{};    // by age
        Duration idle_timeout{};  // its own, with jitter
        bool warned = false;      // of this lease
        std::source_location where{};
    };

    void plan(TimePoint now);
    [[nodiscard]] bool may_open(TimePoint now) const;
    [[nodiscard]] bool open_one();
    void check(unsigned seat);
    void start_closing(unsigned seat);
    void ready(unsigned seat, TimePoint now);
    void lend(unsigned seat, TimePoint now, const std::source_location& where);
    void rest(unsigned seat);
    void refuse_all(const Error& error);
    void born(Seat& seat, TimePoint now);
    void look_at_lent(Seat& seat, TimePoint now);
    void look_at_idle(TimePoint now);
    [[nodiscard]] unsigned open_count() const;
    [[nodiscard]] const Seat* oldest_lease() const;

    CoreOptions options_;
    std::vector<Seat> seats_;
    std::vector<unsigned> idle_;  // by `since`: the one used last at the end, and taken from there
    IntrusiveList<Ticket> line_;
    unsigned opening_ = 0;
    unsigned checking_ = 0;
    unsigned lent_ = 0;
    unsigned closing_ = 0;
    bool closed_ = false;
    budget::Backoff backoff_{100ms, 1s};
    budget::Jitter jitter_;
    Error last_error_;  // of opening, while backoff_ is failing
    PoolStats totals_;  // the counters; the rest is filled in by stats()
    std::deque<Task> tasks_;
    std::vector<Ticket*> news_;
    std::vector<Notice> notices_;
};

// Whether an error of opening may pass by itself: no room (1040, 1203, 1226), no server (2002, 2003), or one that ended
// while we were logging in.
[[nodiscard]] bool may_pass(const Error& error);

// "worker.cc:41 (run)"
[[nodiscard]] std::string text_of(const std::source_location& where);

}  // namespace tidegate::client
