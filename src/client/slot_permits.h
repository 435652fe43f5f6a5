// Slots for a pool's connections, so that the pools of many processes stay under one limit. Each connection holds one
// for as long as it is open; should the process die, the kernel gives them back. Thread-safe.
#pragma once

#include <tidegate/options.h>

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "slots/door.h"

namespace tidegate::client {

class SlotPermits {
public:
    // REQUIRES: options.slots is not empty.
    static Result<std::shared_ptr<SlotPermits>> open(const Options& options);

    SlotPermits(slots::Door door, const Options& options);
    SlotPermits(const SlotPermits&) = delete;
    SlotPermits& operator=(const SlotPermits&) = delete;
    ~SlotPermits();

    // A slot, in its turn, within wait_timeout; destroying it gives it back. Errors: 1040, none in time.
    Result<std::shared_ptr<void>> take();
    // Ends every take() that waits, for good.
    void give_up();

private:
    slots::Door door_;
    std::string pool_;
    std::optional<unsigned> max_;
    Duration wait_;
    int ending_;  // an eventfd: readable once give_up() was called
};

}  // namespace tidegate::client
