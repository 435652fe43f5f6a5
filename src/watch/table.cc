#include "watch/table.h"

#include <algorithm>
#include <charconv>

#include "base/letters.h"

namespace tidegate::watch {
namespace {}  // namespace

Table::Cell Table::cell(const Row& row, std::string_view column) const {
    for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
        if (same_letters(columns[i], column)) return row[i];
    }
    return std::nullopt;
}

std::string Table::text(const Row& row, std::string_view column) const {
    return cell(row, column).value_or("");
}

std::optional<std::uint64_t> Table::number(const Row& row, std::string_view column) const {
    const auto value = cell(row, column);
    return value ? whole_number(*value) : std::nullopt;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || (end != text.data() + text.size() && *end != '.')) return std::nullopt;
    return value;
}

}  // namespace tidegate::watch
