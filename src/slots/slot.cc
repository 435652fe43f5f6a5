#include "slots/slot.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

namespace tidegate::slots {

Slot::Slot(std::string pool, SlotNumber number, PoolFile file, Duration waited, Descriptor gate)
    : pool_(std::move(pool)), number_(number), file_(std::move(file)), waited_(waited), gate_(std::move(gate)) {}

Slot::Slot(Slot&& other) noexcept
    : pool_(std::move(other.pool_)),
      number_(other.number_),
      file_(std::move(other.file_)),
      waited_(other.waited_),
      gate_(std::move(other.gate_)),
      for_child_(std::move(other.for_child_)),
      by_(other.by_),
      held_(std::exchange(other.held_, false)) {}

Slot& Slot::operator=(Slot&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    pool_ = std::move(other.pool_);
    number_ = other.number_;
    file_ = std::move(other.file_);
    waited_ = other.waited_;
    gate_ = std::move(other.gate_);
    for_child_ = std::move(other.for_child_);
    by_ = other.by_;
    held_ = std::exchange(other.held_, false);
    return *this;
}

// The lock is free by now; who has taken the slot since has written himself down already.
std::optional<Ledger> Slot::write_down_return() {
    auto guard = file_.lock();
    if (!guard) return std::nullopt;
    auto ledger = file_.load(1);
    if (!ledger || ledger->holder(number_) == nullptr) return std::nullopt;
    file_.drop_slot(number_);
    if (!file_.is_taken(number_)) {
        ledger->release(number_, Return::given_back, Clock::now());
        if (!file_.store_holder(*ledger, number_) || !file_.store_head(*ledger)) return std::nullopt;
    }
    return std::move(*ledger);
}

std::optional<Ledger> Slot::give_back() {
    std::optional<Ledger> ledger;
    if (!std::exchange(held_, false)) return ledger;
    for_child_.close();
    // The gate, where there is one, keeps the record. The lock is free before it is told; and it is told, since a
    // connection that just ends may be that of a process which was killed.
    if (gate_) {
        file_.drop_slot(number_);
        constexpr std::string_view kRelease = "RELEASE\n";
        (void)::send(gate_.get(), kRelease.data(), kRelease.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
        ledger = write_down_return();
        file_.drop_slot(number_);
    }
    file_.close();
    gate_.reset();
    return ledger;
}

Result<void> Slot::prepare_child(HoldBy by) {
    by_ = by;
    if (by == HoldBy::tree) return {};
    auto other = file_.again();
    if (!other) return std::unexpected(other.error());
    for_child_ = std::move(*other);
    return {};
}

bool Slot::keep_in_child() {
    if (by_ == HoldBy::tree) {
        const bool gate_kept = !gate_ || fcntl(gate_.get(), F_SETFD, 0) == 0;
        return gate_kept && fcntl(file_.fd(), F_SETFD, 0) == 0;
    }
    // First the other descriptor: closing any descriptor of a file ends the locks that a process has on it.
    ::close(file_.fd());
    return hold_slot_in_child(for_child_.fd(), number_);
}

std::optional<Ledger> Slot::child_ended() {
    if (by_ == HoldBy::process) return give_back();
    std::optional<Ledger> ledger;
    if (!std::exchange(held_, false)) return ledger;
    auto other = file_.again();
    file_.close();  // not the lock: children may have it
    const bool by_gate = static_cast<bool>(gate_);
    gate_.reset();
    if (by_gate || !other) return ledger;
    file_ = std::move(*other);
    ledger = write_down_return();
    file_.close();
    return ledger;
}

}  // namespace tidegate::slots
