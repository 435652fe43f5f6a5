// One pool of slots as a running gate keeps it: its ledger, its file, and the slots that others hold there. Belongs to
// the gate's loop. The line is the gate's own; the truth about each slot is its lock in the file, as ever, so holders
// from before the gate, beside it and after it are all seen.
#pragma once

#include <map>
#include <set>
#include <string>

#include "slots/pool_file.h"

namespace tidegate::slots {

class GatePool {
public:
    // Opens the pool's file and takes over what is written there.
    [[nodiscard]] static Result<GatePool> open(std::string name, const std::string& path, unsigned size, TimePoint now);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] Ledger& ledger() { return ledger_; }
    [[nodiscard]] const Ledger& ledger() const { return ledger_; }

    // Locks the slot that next() offers; no file: somebody else has it, or the system refuses (then an error).
    // next() may offer another one then.
    [[nodiscard]] Result<std::optional<PoolFile>> lock(const Ledger::Next& next, TimePoint now);
    // Writes the holder down at once, for a slot whose lock ends with the gate.
    void write_down(SlotNumber slot);

    // The gate has nothing to do with it any more. True: it is free; else it is looked at with every tick, until
    // released() says that it is.
    [[nodiscard]] bool let_go(SlotNumber slot, bool has_seat, Return how, TimePoint now);
    // The holder of a slot from before, if it is exactly this process: it is free for it to take again.
    [[nodiscard]] bool resume(SlotNumber slot, const Process& who, TimePoint now);

    // Looks at slots that others hold; how many seats came back.
    [[nodiscard]] unsigned look_at_others(TimePoint now);
    // Brings the file up to date, unless somebody else is at it: then with the next tick.
    void flush();

private:
    GatePool(std::string name, PoolFile file, Ledger ledger);

    std::string name_;
    PoolFile file_;
    Ledger ledger_;
    std::map<SlotNumber, bool> others_;  // slots whose lock is not the gate's to end; whether they have a seat
    std::set<SlotNumber> unwritten_;
    bool changed_ = true;
};

}  // namespace tidegate::slots
