// Which server, as whom, and how the pool behaves. A plain struct: take the defaults and change what you need.
//
//     auto pool = tidegate::Pool::create({.host = "db.internal", .user = "app", .password = secret, .schema = "shop"});
//     auto pool = tidegate::Pool::from_url("mysql://app:secret@db.internal/shop");
//     auto pool = tidegate::Pool::from_environment();     // DB_HOST, DB_USER, .. and .env
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>

#include <tidegate/error.h>

namespace tidegate {

// What of TLS is wanted of the server. `preferred` takes it where it is offered and checks nothing. verify_ca and
// verify_identity both check the server's certificate and its name: Connector/C does not do one without the other.
enum class Tls : std::uint8_t { disabled, preferred, required, verify_ca, verify_identity };

// Something that an operator may want to read. Nothing in it is secret.
struct Notice {
    enum class Kind : std::uint8_t {
        lease_held,   // a lease has been out for longer than lease_warning; `where` took it. Once a lease
        open_failed,  // a connection could not be opened; it is tried again while somebody waits
        lost,         // a connection died while it was lent out, or was found dead before use
        left_open,    // close() ended its waiting while leases were out
    };
    Kind kind;
    std::string message;  // a sentence with the figures
    std::source_location where{};
};

// Durations: 0 is "off" where that is said, otherwise it is refused by Pool::create().
struct Options {
    // The server.
    std::string host = "127.0.0.1";
    std::uint16_t port = 3306;
    std::string socket{};  // the path of a Unix socket; goes before host and port
    std::string user{};
    std::string password{};  // the pool keeps it in locked memory, and in no message
    std::string schema{};    // empty: none is chosen
    Tls tls = Tls::preferred;
    std::string tls_ca{};  // a file of authorities (PEM); empty: the system's

    // How many. Every process has a pool of its own: what counts for the server is their sum.
    unsigned max_connections = 3;  // at least 1
    unsigned min_idle = 0;         // so many are kept open, even when nobody uses them

    // One limit for the pools of many processes: with a name here every connection holds a slot of that pool of slots
    // for as long as it is open, the same that `tidegate exec` and `tidegate slots` know. Who finds none waits for one
    // in their line. An idle connection holds its slot, too: keep idle_timeout short.
    std::string slots{};
    unsigned slots_max = 0;      // how many slots that pool has; 0: as many as it has already, 150 when it is new
    std::string slots_folder{};  // where it lives; empty: TIDEGATE_SLOTS, else the user's own

    // Waiting.
    std::chrono::milliseconds wait_timeout{30'000};  // acquire() without a deadline
    std::chrono::milliseconds connect_timeout{
        5'000};                                       // for one attempt, logging in included; whole seconds, rounded up
    std::chrono::milliseconds read_timeout{30'000};   // between two packets of the server; 0: off. Rounded up likewise
    std::chrono::milliseconds write_timeout{30'000};  // 0: off. Rounded up likewise

    // The life of a connection. Ages vary by up to a tenth from one connection to the next, so that those that were
    // opened together do not end together.
    std::chrono::milliseconds check_after{1'000};    // rested for longer: asked (COM_PING) before it is lent out
    std::chrono::milliseconds keep_alive{60'000};    // rested for so long: asked, so that nothing in between forgets it
    std::chrono::milliseconds idle_timeout{60'000};  // rested for so long: closed, down to min_idle. 0: never
    std::chrono::milliseconds max_age{30 * 60 * 1'000};  // replaced when it is next given back or idle. 0: never

    std::chrono::milliseconds lease_warning{60'000};  // out for longer: a Notice, with the place that took it. 0: off
    unsigned statement_cache = 32;                    // prepared statements kept by each connection

    // Called for each Notice, from any thread, one at a time, without a lock held. It may use the pool, but not wait
    // for it. Empty: they go to standard error, a line each.
    std::function<void(const Notice&)> on_notice{};

    // mysql://user[:password]@host[:port][/schema][?tls=..&socket=..&ca=..]; tls is one of disabled, preferred,
    // required, verify-ca, verify-identity. What is special in a URL is written %XX. Errors: 1105, without the
    // password.
    [[nodiscard]] static Result<Options> from_url(std::string_view url);

    // DB_HOST, DB_PORT, DB_SOCKET, DB_USER or DB_USERNAME, DB_PASSWORD, DB_NAME or DB_DATABASE, DB_CONNECTION_LIMIT:
    // from the process's environment, then from the file `dot_env` (which need not exist; NAME=value lines), then, for
    // what is still missing, from ~/.my.cnf. The address, and the account, each come from one of them as a whole.
    // Errors: 1105 a value makes no sense, a file that is there cannot be read, no user is named. It reads the
    // environment: not while another thread changes that.
    [[nodiscard]] static Result<Options> from_environment(const std::string& dot_env = ".env");
};

}  // namespace tidegate
