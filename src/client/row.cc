#include <fmt/core.h>
#include <tidegate/rows.h>

#include <algorithm>

#include "base/letters.h"

namespace tidegate {
namespace {

Error no_such_column(std::string_view which, std::span<const Column> columns) {
    std::string names;
    for (const auto& column : columns) names += (names.empty() ? "" : ", ") + column.name;
    return {error_code::no_column, "42S22", fmt::format("the result has no column {}; it has {}", which, names)};
}

}  // namespace

std::size_t Row::find(std::string_view name) const {
    const auto found =
        std::ranges::find_if(columns_, [&](const Column& column) { return same_letters(column.name, name); });
    return found == columns_.end() ? size() : static_cast<std::size_t>(found - columns_.begin());
}

Error Row::no_column(std::size_t position) const {
    return no_such_column(fmt::format("number {} (the first is 0)", position), columns_);
}

Error Row::no_column(std::string_view name) const {
    return no_such_column(fmt::format("`{}`", name), columns_);
}

}  // namespace tidegate
