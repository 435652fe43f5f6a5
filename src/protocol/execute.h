// COM_STMT_EXECUTE, and the statement's number in every command of a prepared statement: looked at and changed where
// they lie. The payload is: command, number (4), cursor flags (1), iterations (4), and, if there are parameters: a bit
// for each that is NULL, a byte that says whether their types follow, the types (2 each), the values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/wire.h"

namespace tidegate::protocol {

// MariaDB's clients call the statement that was prepared last so.
inline constexpr std::uint32_t kLastPrepared = 0xFFFF'FFFF;

// The number that a command of a prepared statement is about; nothing where the payload is too short for one.
[[nodiscard]] std::optional<std::uint32_t> statement_id(Bytes payload);
// REQUIRES: statement_id(payload) gave one.
void set_statement_id(MutableBytes payload, std::uint32_t id);

// COM_STMT_CLOSE as a whole packet. There is no reply to it.
inline constexpr std::size_t kStatementClose = 9;
void write_statement_close(std::uint32_t id, MutableBytes out);  // REQUIRES: kStatementClose bytes of room
void write_statement_close(std::uint32_t id, std::vector<std::byte>& out);

// Places in the payload.
struct ExecuteHead {
    std::size_t bound_at = 0;    // where the byte stands that says whether types follow; 0: there are no parameters
    std::size_t bound_size = 0;  // of that byte and the types behind it; 0: the client leaves them as they were
    friend bool operator==(const ExecuteHead&, const ExecuteHead&) = default;
};

// How much of the payload read_execute() wants to see of a statement with so many parameters, if there is as much.
[[nodiscard]] std::size_t execute_head_size(std::uint16_t parameters);
// Nothing where the payload is too short for what it says.
[[nodiscard]] std::optional<ExecuteHead> read_execute(Bytes payload, std::uint16_t parameters);
// Gives the parameters that are NULL the types that they have in `types` (as ExecuteHead::bound stands in the payload):
// for a NULL any type will do. REQUIRES: the payload's own types are there, and as many.
void fill_in_types(MutableBytes payload, const ExecuteHead& head, Bytes types);

}  // namespace tidegate::protocol
