// A turn, from asking for a slot to having one: at the gate where one runs, else at the pool's file; and from one to
// the other when a gate comes or goes meanwhile, without losing its place or moving its deadline. A state machine for
// any kind of loop:
//
//   Turn turn(place, claim, now);
//   while (!(got = turn.look(Clock::now())))
//       poll(turn.descriptor() for POLLIN, until turn.next_look());
//
// One thread at a time. Going out of scope leaves the line.
#pragma once

#include <memory>
#include <optional>

#include "slots/file_turn.h"
#include "slots/gate_turn.h"

namespace tidegate::slots {

class Turn {
public:
    Turn(const Place& place, Claim claim, TimePoint now);

    // The slot, or why there will be none (code kNoSlot: none in time); nothing yet: wait. Not to be called again once
    // it has said something.
    [[nodiscard]] std::optional<Result<Slot>> look(TimePoint now);
    // Changes with every look; -1: there is only time to wait for.
    [[nodiscard]] int descriptor() const { return gate_ ? gate_->descriptor() : file_->descriptor(); }
    [[nodiscard]] TimePoint next_look() const { return gate_ ? gate_->next_look() : file_->next_look(); }

    [[nodiscard]] const Claim& claim() const { return claim_; }
    // The one at the file; nullptr: the gate has the line.
    [[nodiscard]] const FileTurn* at_file() const { return gate_ ? nullptr : file_.get(); }

private:
    void go_to_file(TimePoint now);

    Place place_;
    Claim claim_;
    std::optional<GateTurn> gate_;
    std::unique_ptr<FileTurn> file_;
};

}  // namespace tidegate::slots
