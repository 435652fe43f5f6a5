#include "protocol/text_table.h"

#include <algorithm>

#include "protocol/packets.h"

namespace tidegate::protocol {
namespace {

constexpr std::byte kNull{0xFB};
constexpr std::byte kEof{0xFE};
constexpr std::uint16_t kUtf8mb4 = 45;  // utf8mb4_general_ci, which both servers and all clients know
constexpr std::uint16_t kBinary = 63;

// As servers describe such columns: type, collation, length, flags, decimals.
struct Description {
    std::uint8_t type;
    std::uint16_t charset;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint8_t decimals;
};

Description description_of(TextTable::Type type) {
    constexpr std::uint8_t kBigint = 8;
    constexpr std::uint8_t kNewDecimal = 246;
    constexpr std::uint8_t kVarString = 253;
    constexpr std::uint16_t kBinaryFlag = 128;
    constexpr std::uint8_t kNoFixedDecimals = 0x1F;
    switch (type) {
        case TextTable::Type::integer:
            return {kBigint, kBinary, 21, kBinaryFlag, 0};
        case TextTable::Type::decimal:
            return {kNewDecimal, kBinary, 21, kBinaryFlag, 3};
        case TextTable::Type::text:
            break;
    }
    return {kVarString, kUtf8mb4, static_cast<std::uint32_t>(kMostOfCell), 0, kNoFixedDecimals};
}

void write_definition(std::uint8_t sequence, const TextTable::Column& column, bool extended,
                      std::vector<std::byte>& out) {
    const Description as = description_of(column.type);
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    w.lenenc_text("def");
    w.zeros(3);  // schema, table, the table's own name: none
    w.lenenc_text(column.name);
    w.zeros(1);                // the column's own name
    if (extended) w.zeros(1);  // its number says all of its type
    w.u8(0x0C);                // so many bytes of fixed length follow
    w.u16(as.charset);
    w.u32(as.length);
    w.u8(as.type);
    w.u16(as.flags);
    w.u8(as.decimals);
    w.zeros(2);
    w.end_packet(at);
}

// Cut between two characters.
void write_cut(Writer& w, std::string_view text) {
    constexpr std::string_view kMore = "..";
    std::size_t end = kMostOfCell - kMore.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    w.lenenc(end + kMore.size());
    w.text(text.substr(0, end));
    w.text(kMore);
}

void write_row(std::uint8_t sequence, const std::vector<TextTable::Cell>& row, std::vector<std::byte>& out) {
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    for (const TextTable::Cell& cell : row) {
        if (!cell)
            w.bytes({&kNull, 1});
        else if (cell->size() > kMostOfCell)
            write_cut(w, *cell);
        else
            w.lenenc_text(*cell);
    }
    w.end_packet(at);
}

}  // namespace

void write_end(std::uint8_t sequence, bool deprecate_eof, std::uint16_t status, std::vector<std::byte>& out) {
    if (!deprecate_eof) {
        write_eof(sequence, status, 0, out);
        return;
    }
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    w.bytes({&kEof, 1});
    w.zeros(2);  // affected rows, last insert id
    w.u16(status);
    w.u16(0);
    w.end_packet(at);
}

void write_text_table(std::uint8_t sequence, const TextTable& table, Capabilities negotiated, std::uint16_t status,
                      std::vector<std::byte>& out) {
    const bool deprecate_eof = (negotiated & capability::deprecate_eof) != 0;
    const bool extended = (negotiated & capability::extended_metadata) != 0;
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence++);
    w.lenenc(table.columns.size());
    w.end_packet(at);
    for (const TextTable::Column& column : table.columns) write_definition(sequence++, column, extended, out);
    if (!deprecate_eof) write_eof(sequence++, status, 0, out);
    for (const auto& row : table.rows) write_row(sequence++, row, out);
    write_end(sequence, deprecate_eof, status, out);
}

}  // namespace tidegate::protocol
