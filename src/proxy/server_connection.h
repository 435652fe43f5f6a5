// One connection to the server: the pool's part of it, its bytes, and what its session looks like. Belongs to the
// loop's thread. Whoever has it (an opener, a lease, a cleaner) is the only one to use it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/stream.h"
#include "pool/connection.h"
#include "protocol/capabilities.h"
#include "protocol/handshake.h"
#include "protocol/reply_walker.h"
#include "proxy/leftovers.h"
#include "session/server_statements.h"
#include "session/state.h"

namespace tidegate::proxy {

// A reply that was read for the gate's own use.
struct Answer {
    protocol::ReplyWalker::Outcome outcome;
    std::vector<std::byte> bytes;    // as they came
    Error error;                     // when outcome.error
    bool extended_metadata = false;  // of the connection

    // The rows of a text result set. NULL is nothing. Views into `bytes`.
    [[nodiscard]] std::vector<std::vector<std::optional<std::string_view>>> rows(bool deprecate_eof = true) const;
    struct Column {
        std::string_view name;
        std::uint32_t length = 0;
        std::uint8_t type = 0;
        bool is_unsigned = false;
    };
    [[nodiscard]] std::vector<Column> columns() const;
};

class Core;

class ServerConnection : public pool::Connection {
public:
    ServerConnection(std::unique_ptr<net::Stream> stream, protocol::Capabilities capabilities, std::uint32_t thread_id,
                     protocol::Flavour flavour)
        : statements(flavour == protocol::Flavour::mysql ? session::ServerStatements::Types::matter
                                                         : session::ServerStatements::Types::any),
          stream_(std::move(stream)),
          capabilities_(capabilities),
          thread_id_(thread_id) {}

    [[nodiscard]] net::Stream& stream() { return *stream_; }
    [[nodiscard]] std::uint32_t thread_id() const { return thread_id_; }
    [[nodiscard]] bool has(protocol::Capabilities flag) const { return (capabilities_ & flag) != 0; }

    [[nodiscard]] const session::StatePtr& state() const { return state_; }
    void set_state(session::StatePtr state) {
        state_ = std::move(state);
        session_state = state_.get();
    }

    // Sends a command (whole packets) and reads the whole reply for the gate's own use. An error in the Result means
    // that the connection is of no further use; an ERR packet is an Answer. REQUIRES: no reply is under way.
    net::Task<Result<Answer>> exchange(std::vector<std::byte> packets, protocol::ReplyShape shape);
    net::Task<Result<Answer>> query(std::string_view sql);
    // The server counts a connection until it has seen its end: waits for that, a second at most. quit() asks for it.
    net::Task<void> quit();
    net::Task<void> wait_for_end();

    Core* core = nullptr;  // whose it is, for the watch over resting connections
    // Who ran the last statement here (a session's owner_; 0: nobody, or the gate since), and whose LAST_INSERT_ID()
    // this is (a session's insert_id_mark_).
    std::uint64_t used_by = 0;
    std::uint64_t insert_id_of = 0;
    bool warned = false;  // it has warnings; on MariaDB only a statement with a table in it clears them
    bool unsure = false;  // its last user may have left something that the server does not tell: reset it for others
    bool changes_routines = false;         // a statement that may change stored routines is under way (proxy::Routines)
    std::string identity;                  // what a login made of it that a reset does not restore
    std::string login_role;                // what has to stand behind SET ROLE to get it back; empty: not known
    session::ServerStatements statements;  // what is prepared on it
    // The last session's results that it may still ask for: to be fetched before somebody else gets the connection.
    std::shared_ptr<Leftovers> leftovers;
    void drop_leftovers() {
        if (leftovers) std::exchange(leftovers, nullptr)->lost();
    }

private:
    std::unique_ptr<net::Stream> stream_;
    protocol::Capabilities capabilities_;
    std::uint32_t thread_id_;
    session::StatePtr state_;
};

}  // namespace tidegate::proxy
