// What the commands around slots have in common: where slots live, and how many there are.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "base/clock.h"
#include "slots/door.h"

namespace tidegate::cli {

struct SlotSettings {
    std::string folder;             // as find_place() takes it
    std::optional<unsigned> slots;  // empty: nobody has said
    Duration wait{};
};

// From TIDEGATE_SLOTS, DB_CONNECTION_LIMIT and the configuration; what is wrong is said, and the exit code returned.
[[nodiscard]] std::expected<SlotSettings, int> slot_settings(const std::string& config_file);

// The door there; what is wrong is said.
[[nodiscard]] std::expected<slots::Door, int> open_door(const SlotSettings& settings);

}  // namespace tidegate::cli
