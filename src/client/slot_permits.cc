#include "client/slot_permits.h"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace tidegate::client {

Result<std::shared_ptr<SlotPermits>> SlotPermits::open(const Options& options) {
    if (!slots::is_pool_name(options.slots)) {
        return fail(
            fmt::format("{} is no name for a pool of slots: 1 to 64 letters, digits, and . _ - but not at the start",
                        options.slots));
    }
    const char* shared = std::getenv("TIDEGATE_SLOTS");
    auto door = slots::Door::open(options.slots_folder.empty() && shared != nullptr ? shared : options.slots_folder);
    if (!door) return std::unexpected(std::move(door.error()));
    return std::make_shared<SlotPermits>(std::move(*door), options);
}

SlotPermits::SlotPermits(slots::Door door, const Options& options)
    : door_(std::move(door)),
      pool_(options.slots),
      max_(options.slots_max > 0 ? std::optional(options.slots_max) : std::nullopt),
      wait_(options.wait_timeout),
      ending_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

SlotPermits::~SlotPermits() {
    if (ending_ >= 0) close(ending_);
}

Result<std::shared_ptr<void>> SlotPermits::take() {
    auto claim = slots::make_claim(pool_, wait_, Clock::now());
    claim.slots = max_;
    claim.slots_said = max_.has_value();
    auto slot = door_.acquire(std::move(claim), {}, ending_);
    if (!slot) return std::unexpected(std::move(slot.error()));
    return std::make_shared<slots::Slot>(std::move(*slot));
}

void SlotPermits::give_up() {
    (void)eventfd_write(ending_, 1);
}

}  // namespace tidegate::client
