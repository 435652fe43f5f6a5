// A table that the gate itself has to show a client: written as a text result set, for COM_QUERY. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/capabilities.h"
#include "protocol/wire.h"

namespace tidegate::protocol {

struct TextTable {
    enum class Type : std::uint8_t { text, integer, decimal };  // what clients take the cells for; they come as text
    struct Column {
        std::string name;
        Type type = Type::text;
    };
    using Cell = std::optional<std::string>;  // UTF-8; nothing: NULL

    std::vector<Column> columns;          // at least one
    std::vector<std::vector<Cell>> rows;  // each as long as `columns`
};

// Whole packets, the first one with this sequence number, for a client with these capabilities. A cell longer than
// kMostOfCell is cut, and ends in "..".
inline constexpr std::size_t kMostOfCell = 60'000;
void write_text_table(std::uint8_t sequence, const TextTable& table, Capabilities negotiated, std::uint16_t status,
                      std::vector<std::byte>& out);

// The end of rows or definitions for a client: an EOF packet or, with DEPRECATE_EOF, an OK packet in its place.
void write_end(std::uint8_t sequence, bool deprecate_eof, std::uint16_t status, std::vector<std::byte>& out);

}  // namespace tidegate::protocol
