// What a server answers to a question of the watch: columns and rows of text, whoever carried it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::watch {

struct Table {
    using Cell = std::optional<std::string>;  // nothing: NULL
    using Row = std::vector<Cell>;

    std::vector<std::string> columns;
    std::vector<Row> rows;

    // The cell under that name, upper and lower case alike: servers differ in how they write theirs. Nothing where
    // there is no such column, or NULL in it.
    [[nodiscard]] Cell cell(const Row& row, std::string_view column) const;
    // The same as text, empty for NULL; as a whole number (what stands before a decimal point), nothing for NULL.
    [[nodiscard]] std::string text(const Row& row, std::string_view column) const;
    [[nodiscard]] std::optional<std::uint64_t> number(const Row& row, std::string_view column) const;
};

// The whole number that a text begins with ("28800", "1.500"); nothing where it begins with none.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view text);

}  // namespace tidegate::watch
