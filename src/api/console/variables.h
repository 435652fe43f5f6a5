// What drivers and graphical clients ask a server about itself when they connect: a console answers so that they go on.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tidegate::api::console {

struct Variable {
    std::string_view name;
    std::string_view value;
};

[[nodiscard]] std::span<const Variable> variables();
[[nodiscard]] std::optional<std::string_view> variable(std::string_view name);  // in lower case

}  // namespace tidegate::api::console
