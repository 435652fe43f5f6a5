#include "protocol/packets.h"

#include <array>
#include <cassert>

#include "protocol/frame.h"

namespace tidegate::protocol {

namespace {

constexpr std::uint8_t kOk = 0x00;
constexpr std::uint8_t kEof = 0xFE;
constexpr std::uint8_t kErr = 0xFF;
constexpr std::size_t kLongestMessage = std::size_t{64} * 1024;

// Without SESSION_TRACK a text that fills the packet is allowed, with its length in front or not.
std::string_view info_without_trackers(Bytes in) {
    Reader with_length(in);
    const std::string_view text = with_length.lenenc_text();
    return with_length.ok() && with_length.left() == 0 ? text : as_text(in);
}

}  // namespace

std::optional<OkPacket> parse_ok(Bytes payload, bool session_track) {
    Reader r(payload);
    const std::uint8_t first = r.u8();
    if (first != kOk && first != kEof) return std::nullopt;
    OkPacket ok;
    ok.affected_rows = r.lenenc();
    ok.last_insert_id = r.lenenc();
    ok.status = r.u16();
    ok.warnings = r.u16();
    if (r.ok() && r.left() > 0) {
        if (session_track) {
            ok.info = r.lenenc_text();
            if ((ok.status & status::session_state_changed) != 0 && r.left() > 0) ok.session_state = r.lenenc_bytes();
        } else {
            ok.info = info_without_trackers(r.bytes(r.left()));
        }
    }
    if (!r.ok()) return std::nullopt;
    return ok;
}

std::optional<TrackerReader::Item> TrackerReader::next() {
    while (true) {
        if (variables_.left() > 0) {
            Item item{.type = Tracker::system_variable};
            item.name = variables_.lenenc_text();
            item.value = variables_.lenenc_text();
            if (!variables_.ok()) (void)reader_.fail();
            return reader_.ok() ? std::optional(item) : std::nullopt;
        }
        if (reader_.left() == 0) return std::nullopt;
        Item item{.type = static_cast<Tracker>(reader_.u8())};
        item.data = reader_.lenenc_bytes();
        if (!reader_.ok()) return std::nullopt;
        Reader data(item.data);
        switch (item.type) {
            case Tracker::system_variable:
                variables_ = data;
                continue;
            case Tracker::gtids:
                data.skip(1);  // how the set is spelt: 0, as text, is the only way
                [[fallthrough]];
            case Tracker::schema:
            case Tracker::transaction_characteristics:
            case Tracker::transaction_state:
                item.value = data.lenenc_text();
                break;
            case Tracker::state_change:  // "1", and no length of its own
                item.value = data.rest();
                break;
            default:  // of a later server: the data as it came
                break;
        }
        if (!data.ok()) (void)reader_.fail();
        return reader_.ok() ? std::optional(item) : std::nullopt;
    }
}

std::optional<EofPacket> parse_eof(Bytes payload) {
    Reader r(payload);
    if (r.u8() != kEof || payload.size() > 8) return std::nullopt;
    EofPacket eof;
    if (payload.size() == 1) return eof;
    eof.warnings = r.u16();
    eof.status = r.u16();
    if (!r.ok()) return std::nullopt;
    return eof;
}

std::optional<ErrPacket> parse_err(Bytes payload) {
    Reader r(payload);
    if (r.u8() != kErr) return std::nullopt;
    ErrPacket err;
    err.code = r.u16();
    if (!r.ok()) return std::nullopt;
    err.message = r.rest();
    if (err.message.starts_with('#') && err.message.size() >= 6) {
        err.sqlstate = err.message.substr(1, 5);
        err.message.remove_prefix(6);
    }
    return err;
}

Error ErrPacket::to_error() const {
    return {.code = code,
            .sqlstate = sqlstate.empty() ? std::string(code == 1040 ? "08004" : "HY000") : std::string(sqlstate),
            .message = std::string(message)};
}

void write_ok(std::uint8_t sequence, const OkPacket& ok, std::vector<std::byte>& out) {
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    w.u8(kOk);
    w.lenenc(ok.affected_rows);
    w.lenenc(ok.last_insert_id);
    const bool tracked = !ok.session_state.empty();
    const auto plain = static_cast<std::uint16_t>(ok.status & ~status::session_state_changed);
    w.u16(tracked ? plain | status::session_state_changed : plain);
    w.u16(ok.warnings);
    if (tracked || !ok.info.empty()) w.lenenc_text(ok.info);
    if (tracked) w.lenenc_text(as_text(ok.session_state));
    w.end_packet(at);
}

void write_tracker(std::string_view name, std::string_view value, std::vector<std::byte>& out) {
    std::vector<std::byte> pair;
    Writer inner(pair);
    inner.lenenc_text(name);
    inner.lenenc_text(value);
    Writer w(out);
    w.u8(static_cast<std::uint8_t>(Tracker::system_variable));
    w.lenenc_text(as_text(pair));
}

void write_err(std::uint8_t sequence, const Error& error, std::vector<std::byte>& out) {
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    w.u8(kErr);
    w.u16(error.code);
    w.u8('#');
    w.text(error.sqlstate.size() == 5 ? std::string_view(error.sqlstate) : "HY000");
    w.text(std::string_view(error.message).substr(0, kLongestMessage));
    w.end_packet(at);
}

void write_eof(std::uint8_t sequence, std::uint16_t status, std::uint16_t warnings, std::vector<std::byte>& out) {
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    w.u8(kEof);
    w.u16(warnings);
    w.u16(status);
    w.end_packet(at);
}

void write_command(std::uint8_t command, std::string_view text, std::vector<std::byte>& out) {
    assert(text.size() + 1 < kMaxPayload);
    Writer w(out);
    const std::size_t at = w.begin_packet(0);
    w.u8(command);
    w.text(text);
    w.end_packet(at);
}

namespace {

// The digits of a BIGINT, and how many.
struct Digits {
    std::array<char, 20> text{};
    std::size_t size = 0;
    [[nodiscard]] std::string_view view() const { return {text.data() + text.size() - size, size}; }
};

Digits digits_of(std::uint64_t value, bool is_signed) {
    Digits d;
    const bool negative = is_signed && static_cast<std::int64_t>(value) < 0;
    std::uint64_t rest = negative ? 0 - value : value;
    do {
        d.text[d.text.size() - ++d.size] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (negative) d.text[d.text.size() - ++d.size] = '-';
    return d;
}

void write_number_column(Writer& w, std::uint8_t sequence, const OneValue& value, bool extended) {
    constexpr std::uint16_t kBinaryCharset = 63;
    const std::size_t at = w.begin_packet(sequence);
    w.lenenc_text("def");
    w.zeros(3);  // schema, table, the table's own name: none
    w.lenenc_text(value.column);
    w.zeros(1);                // the column's own name
    if (extended) w.zeros(1);  // its number says all of its type
    w.u8(0x0C);                // so many bytes of fixed length follow
    w.u16(kBinaryCharset);
    w.u32(value.length);
    w.u8(value.type);
    w.u16(value.flags);
    w.u8(0);  // decimals
    w.zeros(2);
    w.end_packet(at);
}

}  // namespace

void write_one_value(std::uint8_t sequence, const OneValue& value, Capabilities negotiated, std::uint16_t status,
                     std::vector<std::byte>& out) {
    const bool deprecate_eof = (negotiated & capability::deprecate_eof) != 0;
    Writer w(out);
    std::size_t at = w.begin_packet(sequence++);
    w.lenenc(1);
    w.end_packet(at);
    write_number_column(w, sequence++, value, (negotiated & capability::extended_metadata) != 0);
    if (!deprecate_eof) write_eof(sequence++, status, 0, out);
    at = w.begin_packet(sequence++);
    w.lenenc_text(digits_of(value.value, value.is_signed).view());
    w.end_packet(at);
    if (!deprecate_eof) {
        write_eof(sequence, status, 0, out);
        return;
    }
    at = w.begin_packet(sequence);
    w.u8(kEof);
    w.zeros(2);  // affected rows, last insert id
    w.u16(status);
    w.u16(0);
    w.end_packet(at);
}

}  // namespace tidegate::protocol
