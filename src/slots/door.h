// How a program gets slots: through the running gate, or by itself through the pool's file. The same slots either way.
//
//   auto door = Door::open(named_folder);
//   auto slot = door->acquire(make_claim("default", 30s, Clock::now()));   // waits; Error::code kNoSlot: none in time
//   auto pool = door->look("default");                                     // who has them, who waits
//   pool->room()                                                           // slots that a newcomer would find free
//
// For an event loop: `Turn` (turn.h), which is what acquire() waits for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "slots/turn.h"

namespace tidegate::slots {

// A pool as it is at one moment. `gate`: a running gate said so; else the file did.
struct PoolView {
    std::string name;
    bool gate = false;
    Ledger ledger{1};
    [[nodiscard]] unsigned room() const { return ledger.room(); }
};

class Door {
public:
    // `named`: as find_place() takes it.
    [[nodiscard]] static Result<Door> open(const std::string& named);
    explicit Door(Place place) : place_(std::move(place)) {}

    // Called while it waits: at the first look, and at every fifth from then on where it is the first in line and
    // looks.
    using Waiting = std::function<void(const Turn& turn)>;
    // Waits until the claim's deadline at most. `stop`, where not -1, ends the wait when it becomes readable.
    [[nodiscard]] Result<Slot> acquire(Claim claim, const Waiting& waiting = {}, int stop = -1) const;

    // The dead are left out; nothing is changed. A pool that nobody has used yet is empty.
    [[nodiscard]] Result<PoolView> look(const std::string& pool) const;
    [[nodiscard]] Result<std::vector<PoolView>> look_at_all() const;  // by name

    [[nodiscard]] const Place& place() const { return place_; }

private:
    [[nodiscard]] Result<PoolView> look_at_file(const std::string& pool) const;

    Place place_;
};

}  // namespace tidegate::slots
