// A turn at a pool's file: from standing in line to holding a slot, without a gate. A state machine for any kind of
// loop: look() does what can be done now; between two looks there is nothing to do but to wait for descriptor() to say
// something (POLLIN or POLLHUP), or for next_look().
//
// Who waits sleeps in the kernel. Each has a FIFO of which it alone holds the writing end, and watches the FIFO of the
// one before it: that hangs up when the one before leaves the line, however it leaves. Only the first in line looks
// after the slots, when inotify says that somebody closed the file, and now and then besides.
//
// One thread at a time. Going out of scope leaves the line.
#pragma once

#include <optional>
#include <string>

#include "slots/claim.h"
#include "slots/place.h"
#include "slots/slot.h"

namespace tidegate::slots {

class FileTurn {
public:
    FileTurn(const Place& place, Claim claim, TimePoint now);
    ~FileTurn();
    FileTurn(const FileTurn&) = delete;
    FileTurn& operator=(const FileTurn&) = delete;

    // The slot, or why there will be none (code 1040: no slot in time); nothing yet: wait. Not to be called again once
    // it has said something.
    [[nodiscard]] std::optional<Result<Slot>> look(TimePoint now);
    // Changes with every look; -1: there is only time to wait for.
    [[nodiscard]] int descriptor() const { return first_ ? bell_.get() : before_.get(); }
    [[nodiscard]] TimePoint next_look() const { return next_look_; }

    [[nodiscard]] bool is_first() const { return first_; }
    [[nodiscard]] unsigned looks() const { return looks_; }
    [[nodiscard]] const Claim& claim() const { return claim_; }
    // As it was at the last look.
    [[nodiscard]] const std::optional<Ledger>& ledger() const { return ledger_; }
    [[nodiscard]] std::size_t ahead() const { return ledger_ && order_ ? ledger_->ahead_of(*order_) : 0; }
    [[nodiscard]] bool in_line() const { return order_.has_value(); }

private:
    [[nodiscard]] Result<std::optional<Slot>> look_locked(TimePoint now);
    [[nodiscard]] Result<void> join(TimePoint now);
    [[nodiscard]] Result<bool> watch_one_before(TimePoint now);
    [[nodiscard]] Result<bool> take_if_free(TimePoint now);
    [[nodiscard]] Result<void> make_own_place();
    [[nodiscard]] Result<void> give_own_place_up();
    void listen_for_the_file(TimePoint now);
    void leave_line();
    [[nodiscard]] std::string fifo(std::uint32_t ticket) const;

    Place place_;
    Claim claim_;
    PoolFile file_;
    std::optional<Ledger> ledger_;
    std::optional<Order> order_;  // while it stands in line
    std::uint32_t ticket_ = 0;
    SlotNumber slot_ = 0;
    Descriptor own_fifo_;  // while its place is written down
    Descriptor before_;    // the FIFO of the one before
    Descriptor bell_;      // inotify, for the first in line
    bool first_ = false;
    TimePoint next_look_;
    Duration pause_{};
    unsigned looks_ = 0;
};

// Does this waiter still stand in line? What the kernel says, not the record.
[[nodiscard]] bool stands_in_line(const Place& place, const std::string& pool, const Waiter& waiter);

}  // namespace tidegate::slots
