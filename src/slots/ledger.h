// The account of one slot pool: who holds a slot, who waits, who is next. Given an event and a time, the next action.
// Pure: no I/O and no clock. The shells (a file, a socket) tell it what happened and do what next() says.
//
//   join()             stands in line; nobody is served before next() says so, not even in an empty pool
//   next()             who may take which slot now: while it says something, the shell does it and calls take()
//   leave(), expire()  out of the line: gone, or out of time
//   release()          the slot is free, however its holder went
//
// The line: strictly by priority (the higher number first), within a priority by the time of arrival. Deadlines are
// absolute. Belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/histogram.h"
#include "slots/holder.h"

namespace tidegate::slots {

using SlotNumber = std::uint32_t;

// What has happened since the pool was made. Trivially copyable.
struct Totals {
    std::uint64_t arrivals = 0;
    std::uint64_t granted = 0;
    std::uint64_t waited = 0;     // of them, those who stood in line for more than a moment
    std::uint64_t timed_out = 0;  // left without a slot at their deadline
    std::uint64_t left = 0;       // left the line before, gone or of their own will
    std::uint64_t recovered = 0;  // slots that came back because their holder died
    std::uint32_t peak = 0;       // slots held at once, at most
    std::uint32_t most_waiting = 0;
    TimePoint last_update{};  // the last time that a slot was taken or came back, or that somebody came or went
    WaitHistogram waits;      // of those who got a slot
};

enum class Return : std::uint8_t { given_back, holder_died };
enum class Leave : std::uint8_t { gone, timed_out };

class Ledger {
public:
    // `size`: slots that there are, at least 1.
    explicit Ledger(unsigned size);
    // As it was written down. `line` is in its order.
    Ledger(unsigned size, std::vector<Holder> holders, std::deque<Waiter> line, const Totals& totals);

    struct Next {
        Order waiter;
        SlotNumber slot = 0;
    };

    // Its place goes by when it began to wait: who comes back after a gate's end is where he was.
    Order join(Waiter waiter, TimePoint now);
    [[nodiscard]] std::optional<Next> next() const;
    // REQUIRES: next() said so. What became of the waiter is returned: it holds the slot.
    const Holder& take(const Next& next, HeldBy by, TimePoint now);
    // False: it does not wait.
    bool leave(const Order& waiter, Leave how, TimePoint now);
    // Takes those out of the line whose time is over, in the order of the line.
    [[nodiscard]] std::vector<Waiter> expire(TimePoint now);
    // REQUIRES: the slot is held.
    void release(SlotNumber slot, Return how, TimePoint now);
    // The shell found a slot taken by somebody that the ledger did not know of.
    void found_taken(SlotNumber slot, const Holder& holder, TimePoint now);
    // Fewer slots than holders: nobody is put out, and nobody gets one until enough have come back.
    void resize(unsigned size, TimePoint now);

    [[nodiscard]] unsigned size() const { return size_; }
    [[nodiscard]] unsigned active() const { return active_; }
    [[nodiscard]] unsigned waiting() const { return static_cast<unsigned>(line_.size()); }
    // Slots that nobody holds and nobody waits for: what a newcomer would find.
    [[nodiscard]] unsigned room() const;
    // How many of those who wait the size has a slot for.
    [[nodiscard]] unsigned servable() const;
    [[nodiscard]] const Holder* holder(SlotNumber slot) const;                  // nullptr: free
    [[nodiscard]] std::span<const Holder> holders() const { return holders_; }  // by number; some are nobody
    [[nodiscard]] const std::deque<Waiter>& line() const { return line_; }
    [[nodiscard]] const Waiter* waiter(const Order& order) const;  // nullptr: it does not wait
    [[nodiscard]] std::size_t ahead_of(const Order& order) const;  // in the line
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    [[nodiscard]] const Totals& totals() const { return totals_; }

private:
    using Place = std::deque<Waiter>::const_iterator;
    [[nodiscard]] Place place_of(const Order& order) const;  // where it is, or would stand
    void enter(SlotNumber slot, const Holder& holder, TimePoint now);

    unsigned size_;
    unsigned active_ = 0;
    std::vector<Holder> holders_;  // by slot; grows as needed
    std::deque<Waiter> line_;      // in order
    Totals totals_;
};

}  // namespace tidegate::slots
