#include "protocol/processlist.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "base/letters.h"
#include "protocol/frame.h"

namespace tidegate::protocol {
namespace {

constexpr std::byte kNull{0xFB};
constexpr std::byte kEof{0xFE};
constexpr std::byte kErr{0xFF};
constexpr std::size_t kMostNoted = 0xFF'0000;  // bytes of a row: a note more, and it is still one packet

// One packet as it stands in the reply, with its header; empty at the end.
Bytes next_packet(Bytes reply) {
    if (reply.size() < kHeaderSize) return {};
    const std::size_t size = kHeaderSize + read_header(reply).length;
    return reply.size() < size ? Bytes{} : reply.first(size);
}

struct Columns {
    std::optional<std::size_t> id, user, info;

    void add(std::size_t at, Bytes definition) {
        Reader reader(definition);
        for (int before = 0; before < 4; ++before) (void)reader.lenenc_bytes();  // catalog, schema, table, its name
        const std::string_view name = reader.lenenc_text();
        if (same_letters(name, "id")) id = at;
        if (same_letters(name, "user")) user = at;
        if (same_letters(name, "info")) info = at;
    }
    [[nodiscard]] bool all() const { return id && user && info; }
};

// Where a row's value of a column stands, with its length before it.
struct Cell {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string_view value;  // NULL: empty
};

std::optional<Cell> cell(Bytes row, std::size_t column) {
    std::size_t at = 0;
    for (std::size_t i = 0;; ++i) {
        if (at >= row.size()) return std::nullopt;
        Cell found{.begin = at, .end = at + 1, .value = {}};
        if (row[at] != kNull) {
            Reader reader(row.subspan(at));
            found.value = reader.lenenc_text();
            if (!reader.ok()) return std::nullopt;
            found.end = row.size() - reader.left();
        }
        if (i == column) return found;
        at = found.end;
    }
}

// The row with its note, or nothing.
bool write_noted(Bytes packet, const Columns& columns, const ProcessNote& note, std::vector<std::byte>& out) {
    const Bytes row = packet.subspan(kHeaderSize);
    if (row.size() > kMostNoted) return false;
    const auto id = cell(row, *columns.id);
    const auto user = cell(row, *columns.user);
    const auto info = cell(row, *columns.info);
    if (!id || !user || !info) return false;
    std::uint64_t number = 0;
    const auto read = std::from_chars(id->value.data(), id->value.data() + id->value.size(), number);
    if (id->value.empty() || read.ec != std::errc() || read.ptr != id->value.data() + id->value.size()) return false;
    std::string text = note(number, user->value);
    if (text.empty()) return false;
    if (!info->value.empty()) text.append(" ").append(info->value);
    Writer writer(out);
    const std::size_t begin = writer.begin_packet(read_header(packet).sequence);
    writer.bytes(row.first(info->begin));
    writer.lenenc_text(text);
    writer.bytes(row.subspan(info->end));
    writer.end_packet(begin);
    return true;
}

}  // namespace

std::vector<std::byte> with_process_notes(Bytes reply, bool deprecate_eof, const ProcessNote& note) {
    const auto as_it_is = [reply] { return std::vector<std::byte>(reply.begin(), reply.end()); };
    Bytes left = reply;
    const Bytes first = next_packet(left);
    if (first.size() <= kHeaderSize || first[kHeaderSize] == kErr) return as_it_is();
    const std::uint64_t count = Reader(first.subspan(kHeaderSize)).lenenc();
    left = left.subspan(first.size());
    Columns columns;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Bytes definition = next_packet(left);
        if (definition.empty()) return as_it_is();
        columns.add(i, definition.subspan(kHeaderSize));
        left = left.subspan(definition.size());
    }
    if (!deprecate_eof) left = left.subspan(next_packet(left).size());
    if (!columns.all()) return as_it_is();

    std::vector<std::byte> out(reply.begin(), reply.end() - static_cast<std::ptrdiff_t>(left.size()));
    bool continued = false;  // the packet before was the beginning of this row
    while (true) {
        const Bytes packet = next_packet(left);
        if (packet.empty()) break;
        const bool whole = !continued && !read_header(packet).continues() && packet.size() > kHeaderSize;
        const bool row = whole && packet[kHeaderSize] != kEof && packet[kHeaderSize] != kErr;
        if (!row || !write_noted(packet, columns, note, out)) out.insert(out.end(), packet.begin(), packet.end());
        continued = read_header(packet).continues();
        left = left.subspan(packet.size());
    }
    out.insert(out.end(), left.begin(), left.end());
    return out;
}

}  // namespace tidegate::protocol
