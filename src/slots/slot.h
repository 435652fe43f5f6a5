// A slot that this process holds. Gives it back when it goes; should the process be killed, the kernel does.
//
//   auto slot = door.acquire(claim);              // door.h
//   connect to the server, work, close the connection
//   slot->give_back();                            // or let it go out of scope
//
// For a child (REQUIRES: one thread between fork() and exec()):
//   slot->prepare_child(HoldBy::tree);
//   if (fork() == 0) { slot->keep_in_child(); execvp(..); }
//   waitpid(..); slot->child_ended();
//
// One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "slots/pool_file.h"

namespace tidegate::slots {

// Whether what a command leaves running behind it keeps the slot.
enum class HoldBy : std::uint8_t {
    process,  // the command alone
    tree,     // the command and whatever it has started, until the last of them has ended
};

class Slot {
public:
    // `file` has the slot's lock. `gate`: the connection that the gate gave it on, if one did.
    Slot(std::string pool, SlotNumber number, PoolFile file, Duration waited, Descriptor gate = {});
    Slot(Slot&& other) noexcept;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot() { give_back(); }

    [[nodiscard]] bool held() const { return held_; }
    [[nodiscard]] const std::string& pool() const { return pool_; }
    [[nodiscard]] SlotNumber number() const { return number_; }
    [[nodiscard]] Duration waited() const { return waited_; }
    [[nodiscard]] bool by_gate() const { return static_cast<bool>(gate_); }

    // What the pool looks like afterwards; nothing where it could not be seen (then it is given back all the same).
    std::optional<Ledger> give_back();

    [[nodiscard]] Result<void> prepare_child(HoldBy by);
    // In the child. Async-signal-safe. False: the system refused, and the child must not go on.
    [[nodiscard]] bool keep_in_child();
    // The child was waited for. Under `tree` the slot stays with those whom it has left behind, if there are any.
    std::optional<Ledger> child_ended();

private:
    std::optional<Ledger> write_down_return();

    std::string pool_;
    SlotNumber number_;
    PoolFile file_;
    Duration waited_;
    Descriptor gate_;
    PoolFile for_child_;  // a description without locks, under HoldBy::process
    HoldBy by_ = HoldBy::tree;
    bool held_ = true;
};

}  // namespace tidegate::slots
