// The reply to SHOW PROCESSLIST with a word before the statements in it: whose connection a row is. All else stays as
// the server gave it. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire.h"

namespace tidegate::protocol {

// What stands before the statement (column Info) of the row with this Id and User; empty: nothing. ASCII.
using ProcessNote = std::function<std::string(std::uint64_t id, std::string_view user)>;

// `reply` is whole, as the client is to get it. What is no such reply, a row that is not understood, and one that
// would not fit a packet any more are left as they are.
[[nodiscard]] std::vector<std::byte> with_process_notes(Bytes reply, bool deprecate_eof, const ProcessNote& note);

}  // namespace tidegate::protocol
