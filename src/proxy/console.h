// What answers an administrator who has logged in to the console: whoever logs in as the account of [server] url, with
// the password that the gate has for it, and names the schema `tidegate`. The session (client_session_console.cc) has
// the connection and its packets; whoever implements this has the facts, which come from beyond the proxy, too. Nothing
// of it ever takes a server connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "protocol/text_table.h"

namespace tidegate::proxy {

inline constexpr std::string_view kConsoleSchema = "tidegate";

struct ConsoleQuestion {
    std::string text;          // as it was sent
    std::uint32_t client = 0;  // ClientView::id of who asks
    std::string user;
    std::string host;  // where it comes from
};

struct ConsoleDone {
    std::string what{};  // for an OK packet: what was done, in words; may be empty
};
using ConsoleAnswer = std::variant<ConsoleDone, protocol::TextTable, Error>;

class Console {
public:
    virtual ~Console() = default;
    // Called on the loop's thread, and returns at once. Calls `done` exactly once, on any thread.
    virtual void ask(ConsoleQuestion question, std::function<void(ConsoleAnswer)> done) = 0;
};

}  // namespace tidegate::proxy
