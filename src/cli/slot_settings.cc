#include "cli/slot_settings.h"

#include <fmt/core.h>

#include <cstdlib>

#include "cli/commands.h"
#include "cli/inputs.h"

namespace tidegate::cli {

std::expected<SlotSettings, int> slot_settings(const std::string& config_file) {
    const auto loaded = config::load_slots(collect_inputs(config_file, {}));
    if (!loaded) {
        for (const auto& problem : loaded.error()) fmt::print(stderr, "tidegate: {}\n", problem.text());
        return std::unexpected(kUsage);
    }
    SlotSettings settings{.folder = loaded->path, .slots = std::nullopt, .wait = loaded->wait_timeout};
    if (loaded->max_given) settings.slots = loaded->max;
    if (const char* named = std::getenv("TIDEGATE_SLOTS"); named != nullptr && *named != '\0') settings.folder = named;
    return settings;
}

std::expected<slots::Door, int> open_door(const SlotSettings& settings) {
    auto door = slots::Door::open(settings.folder);
    if (door) return std::move(*door);
    fmt::print(stderr, "tidegate: {}\n", door.error().message);
    return std::unexpected(kCritical);
}

}  // namespace tidegate::cli
