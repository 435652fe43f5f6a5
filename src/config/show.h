// The settings that hold now, for people to look at: by key, as docs/configuration.md names them. Never a secret: of a
// password, a hash or a token it is only said that there is one. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace tidegate::config {

struct Setting {
    std::string key;                     // "[pool] wait_timeout", "[[user]] shop: mode"
    std::string value;                   // as it may be written in tidegate.toml, without quotes
    std::optional<std::string> usual{};  // what it is where nobody says anything; of the tables in [[..]] nothing
};

// All keys of the tables in [..]; of those in [[..]] what was given.
[[nodiscard]] std::vector<Setting> show(const Config& config);

}  // namespace tidegate::config
