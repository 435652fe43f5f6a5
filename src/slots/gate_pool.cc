#include "slots/gate_pool.h"

#include <utility>

#include "base/log.h"
#include "slots/process.h"

namespace tidegate::slots {

GatePool::GatePool(std::string name, PoolFile file, Ledger ledger)
    : name_(std::move(name)), file_(std::move(file)), ledger_(std::move(ledger)) {}

Result<GatePool> GatePool::open(std::string name, const std::string& path, unsigned size, TimePoint now) {
    auto file = PoolFile::open(path);
    if (!file) return std::unexpected(file.error());
    auto guard = file->lock();
    if (!guard) return std::unexpected(guard.error());
    auto written = file->load(size);
    if (!written) return std::unexpected(written.error());
    if (auto reaped = file->reap(*written, now); !reaped) return std::unexpected(reaped.error());
    GatePool pool(std::move(name), std::move(*file),
                  Ledger(size, {written->holders().begin(), written->holders().end()}, {}, written->totals()));
    for (SlotNumber slot = 0; slot < written->holders().size(); ++slot) {
        if (written->holder(slot) != nullptr) pool.others_[slot] = false;
    }
    return pool;
}

Result<std::optional<PoolFile>> GatePool::lock(const Ledger::Next& next, TimePoint now) {
    auto file = file_.again();
    if (!file) return std::unexpected(file.error());
    if (file->try_slot(next.slot)) return std::move(*file);
    ledger_.found_taken(next.slot, {.by = HeldBy::lock, .since = now}, now);
    others_[next.slot] = false;
    return std::nullopt;
}

void GatePool::write_down(SlotNumber slot) {
    unwritten_.insert(slot);
    flush();
    // Its lock is ours, so its record is, too; the totals may follow.
    if (unwritten_.erase(slot) > 0 && !file_.store_holder(ledger_, slot)) changed_ = true;
}

bool GatePool::let_go(SlotNumber slot, bool has_seat, Return how, TimePoint now) {
    if (file_.is_taken(slot)) {
        others_[slot] = has_seat;
        return false;
    }
    ledger_.release(slot, how, now);
    unwritten_.insert(slot);
    return true;
}

bool GatePool::resume(SlotNumber slot, const Process& who, TimePoint now) {
    const Holder* holder = ledger_.holder(slot);
    const auto other = others_.find(slot);
    if (holder == nullptr || other == others_.end() || holder->by != HeldBy::connection) return false;
    if (holder->who.pid != who.pid || holder->who.started != who.started || file_.is_taken(slot)) return false;
    others_.erase(other);
    ledger_.release(slot, Return::given_back, now);
    return true;
}

unsigned GatePool::look_at_others(TimePoint now) {
    unsigned seats = 0;
    std::erase_if(others_, [&](const auto& other) {
        const auto [slot, has_seat] = other;
        const Holder* holder = ledger_.holder(slot);
        if (holder == nullptr) return true;
        if (file_.is_taken(slot) || (holder->by == HeldBy::connection && lives(holder->who))) return false;
        ledger_.release(slot, Return::holder_died, now);
        unwritten_.insert(slot);
        seats += has_seat ? 1 : 0;
        return true;
    });
    return seats;
}

void GatePool::flush() {
    if (unwritten_.empty() && !changed_) return;
    const auto guard = file_.try_lock();
    if (!guard) return;
    const auto written = file_.load(ledger_.size());  // how far its tables reach
    bool well = written.has_value();
    for (const SlotNumber slot : unwritten_) well = well && file_.store_holder(ledger_, slot).has_value();
    well = well && file_.store_head_but_line(ledger_).has_value();
    if (!well) log::warn("The slots' file {} cannot be written; the slots work on", file_.path());
    unwritten_.clear();
    changed_ = false;
}

}  // namespace tidegate::slots
