// The server behind the gate: where it is, how to log in there, and what it has told about itself. Belongs to the
// loop's thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "budget/budget.h"
#include "config/config.h"
#include "net/listener.h"
#include "net/tls.h"
#include "protocol/auth/client_login.h"
#include "protocol/handshake.h"
#include "proxy/server_connection.h"
#include "session/collations.h"
#include "session/state.h"

namespace tidegate::proxy {

// What is learnt from the first connection that can be logged in, and again when the server has been away.
struct ServerFacts {
    session::Collations collations;  // by the id that handshakes carry
    std::string sql_mode;
    std::string init_connect;        // not empty: connections are not reset but closed, since a reset does not run it
    std::string tracking;            // the statement that tells a new session to report what the gate carries over
    Duration wait_timeout = 28800s;  // of the server: idle connections are retired before it strikes
    std::size_t max_prepared_stmt_count = 16382;  // of all connections of the server together
};

struct OpenError {
    budget::OpenFailure failure = budget::OpenFailure::other;
    Error error;
};

class Upstream {
public:
    Upstream(net::Loop& loop, session::States& states, const config::Server& server);

    [[nodiscard]] Result<void> set_up_tls();

    struct Login {
        std::string user;
        protocol::auth::CredentialPtr credential;
        protocol::Capabilities sharing_flags = 0;
        std::uint16_t charset = 45;  // utf8mb4_general_ci, which MySQL and MariaDB both know
    };
    // Connects, logs in, and tells the session to report its changes. `password_used`, if given: whether it is certain
    // that the server checked the password.
    net::Task<std::expected<std::unique_ptr<ServerConnection>, OpenError>> open(Login login,
                                                                                bool* password_used = nullptr);

    // A new login on an open connection: nothing of the session before is left, its schema neither.
    net::Task<Result<void>> change_user(ServerConnection& connection, const std::string& user,
                                        protocol::auth::CredentialPtr credential, std::uint16_t charset);
    // COM_RESET_CONNECTION. The schema stays. An error where something else has stayed: a role, profiles (MariaDB).
    net::Task<Result<void>> reset(ServerConnection& connection);

    // Connects without logging in, for what the greeting tells.
    net::Task<Result<void>> learn_greeting();

    [[nodiscard]] const std::optional<protocol::Greeting>& greeting() const { return greeting_; }
    [[nodiscard]] protocol::Flavour flavour() const {
        return greeting_ ? greeting_->flavour() : protocol::Flavour::mariadb;
    }
    [[nodiscard]] const std::optional<ServerFacts>& facts() const { return facts_; }
    [[nodiscard]] const config::Server& server() const { return server_; }
    // A new session's state: the character set and the option that its handshake names, and a schema. Charset 0: the
    // server's own default.
    [[nodiscard]] session::StatePtr initial_state(std::uint16_t charset, std::string_view schema,
                                                  bool multi_statements);
    void set_init_connect(std::string text);
    void set_max_packet(std::size_t size);               // max_allowed_packet, global
    void set_default_collations(std::string_view text);  // MariaDB: character_set_collations
    // A reset makes a connection as good as new. (It does not run init_connect again, Trap 9.)
    [[nodiscard]] bool may_reset() const { return !facts_ || facts_->init_connect.empty(); }

private:
    using Stream = std::unique_ptr<net::Stream>;

    net::Task<Result<Stream>> connect(TimePoint deadline);
    net::Task<Result<protocol::Greeting>> read_greeting(net::Stream& stream);
    net::Task<std::expected<std::unique_ptr<ServerConnection>, OpenError>> log_in(Stream stream, const Login& login,
                                                                                  bool* password_used);
    net::Task<Result<void>> authenticate(net::Stream& stream, protocol::auth::ClientLogin& login,
                                         std::uint8_t sequence);
    net::Task<Result<void>> start_tracking(ServerConnection& connection);
    net::Task<Result<std::string>> identity_of(ServerConnection& connection);
    net::Task<Result<void>> leave_role(ServerConnection& connection);
    net::Task<Result<void>> learn(ServerConnection& connection, std::uint16_t charset);
    net::Task<Result<void>> learn_collations(ServerConnection& connection, ServerFacts& facts);
    net::Task<Result<std::vector<net::Address>>> resolve();
    [[nodiscard]] bool tls_wanted(const net::Address& peer, protocol::Capabilities of_server) const;

    net::Loop& loop_;
    session::States& states_;
    config::Server server_;  // without its password
    std::optional<net::TlsContext> tls_;
    std::vector<net::Address> addresses_;
    TimePoint resolved_at_{};
    std::optional<protocol::Greeting> greeting_;
    std::optional<ServerFacts> facts_;
    // ServerFacts::tracking is longer than a packet may be: sessions report every variable, which costs more.
    bool small_packets_ = false;
};

// What a failed login means for the line: by the server's error number.
[[nodiscard]] budget::OpenFailure failure_of(const Error& error);

}  // namespace tidegate::proxy
