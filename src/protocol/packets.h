// The packets that end a reply: OK, ERR, EOF, and the session-state block that an OK packet may carry.
// Parsers take a payload without its header; the views they give point into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/capabilities.h"
#include "protocol/wire.h"

namespace tidegate::protocol {

namespace status {
inline constexpr std::uint16_t in_transaction = 0x0001;
inline constexpr std::uint16_t autocommit = 0x0002;
inline constexpr std::uint16_t more_results = 0x0008;
inline constexpr std::uint16_t no_good_index_used = 0x0010;
inline constexpr std::uint16_t no_index_used = 0x0020;
inline constexpr std::uint16_t cursor_exists = 0x0040;
inline constexpr std::uint16_t last_row_sent = 0x0080;
inline constexpr std::uint16_t db_dropped = 0x0100;
inline constexpr std::uint16_t no_backslash_escapes = 0x0200;
inline constexpr std::uint16_t metadata_changed = 0x0400;
inline constexpr std::uint16_t out_parameters = 0x1000;  // SERVER_PS_OUT_PARAMS: this row is a CALL's OUT parameters
inline constexpr std::uint16_t in_transaction_read_only = 0x2000;
inline constexpr std::uint16_t session_state_changed = 0x4000;
inline constexpr std::uint16_t ansi_quotes = 0x8000;  // MariaDB

// Whether a result ends behind its definitions, because a cursor of the client's was opened. A routine's cursor sets
// the same flag on whatever else the routine selects, whose rows follow as ever; more results always come behind those.
[[nodiscard]] constexpr bool opens_cursor(std::uint16_t status) {
    return (status & (cursor_exists | more_results)) == cursor_exists;
}
}  // namespace status

struct OkPacket {
    std::uint64_t affected_rows = 0;
    std::uint64_t last_insert_id = 0;
    std::uint16_t status = 0;
    std::uint16_t warnings = 0;
    std::string_view info{};
    Bytes session_state{};  // the block of trackers, without the length before it; to write: for who negotiated them
};

// An OK packet (first byte 0x00, or 0xFE as the end of rows) from a server connection; `session_track` says whether
// that connection negotiated it. Only the trackers depend on it: both servers write `info` with its length in front
// either way (net_send_ok() of both), where the manual says that without it the text fills the packet. An info that
// does fill it is taken as such.
[[nodiscard]] std::optional<OkPacket> parse_ok(Bytes payload, bool session_track);

// Calls `see(type, Bytes data)` for each tracker in an OK packet's session_state; false where the block is malformed.
// Types: 0 system variable, 1 schema, 2 state change, 3 GTIDs, 4 transaction characteristics, 5 transaction state.
enum class Tracker : std::uint8_t {
    system_variable = 0,
    schema = 1,
    state_change = 2,
    gtids = 3,
    transaction_characteristics = 4,
    transaction_state = 5,
};
class TrackerReader {
public:
    explicit TrackerReader(Bytes session_state) : reader_(session_state) {}
    struct Item {
        Tracker type;
        Bytes data{};
        // A system variable comes as (name, value) pairs, MySQL and MariaDB alike; here split already: `name` and
        // `value`.
        std::string_view name{};
        std::string_view value{};  // of schema, state change, characteristics and state: the text
    };
    [[nodiscard]] std::optional<Item> next();  // one variable an item, also where a block holds several
    [[nodiscard]] bool ok() const { return reader_.ok(); }

private:
    Reader reader_;
    Reader variables_{Bytes{}};  // what is left of a block of system variables
};

// An EOF packet: 0xFE and no more than 8 bytes; also the one byte of protocol 4.0.
struct EofPacket {
    std::uint16_t warnings = 0;
    std::uint16_t status = 0;
};
[[nodiscard]] std::optional<EofPacket> parse_eof(Bytes payload);

struct ErrPacket {
    std::uint16_t code = 0;
    std::string_view sqlstate;
    std::string_view message;
    [[nodiscard]] Error to_error() const;
};
// With or without '#' and an SQLSTATE: before the handshake there is none, and it is empty then.
[[nodiscard]] std::optional<ErrPacket> parse_err(Bytes payload);

// Whole packets, header included, for what the gate says itself.
void write_ok(std::uint8_t sequence, const OkPacket& ok, std::vector<std::byte>& out);
// A tracker of a system variable, as a part of OkPacket::session_state.
void write_tracker(std::string_view name, std::string_view value, std::vector<std::byte>& out);
void write_err(std::uint8_t sequence, const Error& error, std::vector<std::byte>& out);  // message cut at 64 KB
void write_eof(std::uint8_t sequence, std::uint16_t status, std::uint16_t warnings, std::vector<std::byte>& out);
// COM_QUERY and the like with one text argument, sequence 0. REQUIRES: text shorter than 16 MB - 2.
void write_command(std::uint8_t command, std::string_view text, std::vector<std::byte>& out);

// A text result set of one row that the gate answers from memory: SELECT CONNECTION_ID(), FOUND_ROWS(), ..
struct OneValue {
    static constexpr std::uint16_t kNotNull = 1;
    static constexpr std::uint16_t kUnsigned = 32;
    static constexpr std::uint16_t kBinary = 128;

    std::string_view column;  // the column's name, as the client wrote it
    std::uint64_t value = 0;
    bool is_signed = false;
    // What the server says of such a column.
    std::uint8_t type = 8;  // a BIGINT
    std::uint32_t length = 21;
    std::uint16_t flags = kNotNull | kUnsigned | kBinary;
};
// `negotiated`: what the client has, of DEPRECATE_EOF and MariaDB's extended metadata.
void write_one_value(std::uint8_t sequence, const OneValue& value, Capabilities negotiated, std::uint16_t status,
                     std::vector<std::byte>& out);

}  // namespace tidegate::protocol
