// What the operator asked for: one plain struct for the whole program. Every field has its default here, and
// docs/configuration.md explains each. Made by load() (load.h); nothing in it changes afterwards: a reload makes
// another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace tidegate::config {

enum class TlsMode : std::uint8_t { disabled, preferred, required, verify_ca, verify_identity };
enum class PoolMode : std::uint8_t { transaction, session };
enum class LogFormat : std::uint8_t { text, json };

// To whom the gate's RSA key is offered over plain TCP, for full caching_sha2_password authentication.
enum class RsaMode : std::uint8_t { never, loopback, always };

// An IP address or host name, and a port; IPv6 without brackets. Port 0 is any free port.
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] std::string text() const;  // "127.0.0.1:6306", "[::1]:6306"
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Server {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3306;
    std::string socket;  // a path; goes before host and port
    std::string schema;
    std::string user;  // the monitor's account; empty: no monitor, pass-through only
    Secret password;
    TlsMode tls = TlsMode::preferred;
    std::string ca;  // a file; empty: the system's authorities
    Duration connect_timeout = 5s;
    Duration query_timeout{};                // 0: off
    Duration monitor_interval = 5s;          // limits, others' connections and hashes are read so often
    [[nodiscard]] std::string text() const;  // "db.example:3306" or the socket's path; no account, no password
    [[nodiscard]] bool has_account() const { return !user.empty(); }
};

struct Budget {
    std::optional<unsigned> max_connections;  // empty: "auto"
    unsigned reserve = 3;
    std::optional<unsigned> max_per_user;  // empty: "auto"
    unsigned opening_at_once = 8;
};

struct Listen {
    std::optional<Endpoint> address = Endpoint{"127.0.0.1", 6306};  // empty: "off"
    std::string unix_path;                                          // empty: none
    std::string tls_cert;                                           // both empty: the gate makes its own
    std::string tls_key;
    bool require_tls = false;
    bool console = true;  // the account of [server] url gets the administrator's console in schema `tidegate`
    unsigned max_clients = 20000;
    Duration login_timeout = 10s;
    Duration drain_timeout = 30s;                  // SIGTERM: transactions may take so long to finish
    unsigned max_login_failures = 10;              // of one address in a row; 0: no hold-off
    Duration login_hold_off = 30s;                 // then it is refused for so long
    std::vector<std::string> proxy_protocol_from;  // networks ("10.0.0.0/8") whose PROXY header is believed
};

struct Pool {
    PoolMode mode = PoolMode::transaction;
    Duration idle_timeout = 60s;
    Duration max_age = 1h;
    Duration wait_timeout = 30s;
    unsigned max_waiting = 10000;
    Duration idle_in_transaction{};  // 0: off
    Duration pin_warning = 60s;      // 0: off
    unsigned max_prepared = 100;     // statements that are prepared on a server connection
};

// How accounts that are not configured get in: proved at the server.
struct Passthrough {
    bool enabled = true;
    Duration proof_expiry = 60s;
    RsaMode rsa = RsaMode::loopback;
    unsigned proving_at_once = 8;                   // logins being proved, all together
    unsigned proving_per_address = 4;               // and from one address
    std::vector<std::string> allow_empty_password;  // accounts that may come from afar without a password
    std::vector<std::string> allow_remote;  // accounts that may come from afar though the server wants them local
};

struct User {
    std::string name;
    std::optional<Secret> password;  // from password or password_file
    std::string hash;                // as in mysql.user; empty: none. At most one of the two is given
    std::string class_name;          // empty: whatever matches, else the default class
    std::optional<PoolMode> mode;    // empty: [pool] mode
    std::optional<unsigned> max_connections;
    unsigned guaranteed = 0;
};

// What a client must look like to belong to a class; an empty field says nothing. `*` and `?` as in file names.
struct ClassMatch {
    std::string user;
    std::string address;  // a network ("10.0.0.0/8"), an address, or "local" for loopback and Unix sockets
    std::string program;  // the connection attribute program_name
    [[nodiscard]] bool empty() const { return user.empty() && address.empty() && program.empty(); }
    // Whether all that is given fits. `address` is numeric, or "localhost" for a Unix socket.
    [[nodiscard]] bool fits(std::string_view of_user, std::string_view of_address, std::string_view of_program) const;
    friend bool operator==(const ClassMatch&, const ClassMatch&) = default;
};

struct Class {
    std::string name;
    unsigned weight = 100;
    ClassMatch match;
    std::uint32_t rank = 0;  // from the weights: 0 is served first
};

// Something else than usual for some sessions, or for some of their statements (rules.h).
struct Rule {
    ClassMatch who{};                // empty: everybody
    std::string statement{};         // how it begins, folded (rules.h); empty: the rule is for the whole session
    std::optional<PoolMode> mode{};  // of the session
    bool pin = false;                // the statement's client keeps its connection from then on
    bool trust_calls = false;        // what is called leaves nothing behind, without looking
    friend bool operator==(const Rule&, const Rule&) = default;
};

// Slots for programs that connect by themselves (docs/slots.md).
struct Slots {
    std::optional<unsigned> max = 150;  // of each pool; empty: "auto", what a running gate's budget allows
    bool max_given = false;             // somebody has named the number (or "auto"): it is not the default
    Duration wait_timeout = 30s;
    std::string path;  // the folder of the pools' files and of the socket; empty: the user's own
};

// Whether a worker that ended by itself is started again.
enum class Restart : std::uint8_t { always, on_failure, never };

inline constexpr unsigned kMostWorkers = 100'000;
inline constexpr unsigned kMostJobs = 1'000'000'000;
inline constexpr Duration kLongestOfFleets = 30 * 24h;
inline constexpr std::size_t kLongestSingle = 91;  // what a socket's name in the kernel leaves

// A fleet of workers (docs/fleet.md), from [[fleet]] or from the flags of `tidegate run`.
struct Fleet {
    std::string name{};                  // [[fleet]] only
    std::vector<std::string> command{};  // {id} in it is the worker's number
    unsigned workers = 1;
    std::optional<unsigned> batch = 150;  // empty: "auto"
    Duration batch_delay = 2s;
    Restart restart = Restart::on_failure;
    std::optional<unsigned> max_jobs{};  // empty: by `restart`; 0: off
    std::optional<Duration> max_time{};  // the same
    std::uint64_t max_rss = 0;           // bytes; 0: off
    Duration stop_timeout = 30s;
    std::string job_line{};  // a regular expression; empty: none
    std::string single{};    // one instance of this name on this host; empty: as many as are started
    std::string logs{};      // a folder; empty: our own output
    bool prefix = true;      // the worker's number before each line
    friend bool operator==(const Fleet&, const Fleet&) = default;
};

// A standing order of a running gate: connections at the server that fit are ended, as `tidegate kill` does it
// (docs/watch.md). In texts `*` and `?` as in file names; an empty field says nothing.
struct KillRule {
    std::string name{};
    std::optional<Duration> idle{};  // at least one of the three is given
    std::optional<Duration> busy{};
    std::optional<Duration> in_transaction{};
    std::string user{};
    std::string host{};
    std::string schema{};
    std::string program{};
    std::string state{};
    std::string statement{};
    bool query = false;     // only the statement is stopped
    unsigned limit = 0;     // in one round; 0: none
    Duration every = 10s;   // a round
    Duration dry_run = 1h;  // for so long after the start it only says what it would end
    friend bool operator==(const KillRule&, const KillRule&) = default;
};

struct Api {
    std::optional<Endpoint> address = Endpoint{"127.0.0.1", 6380};  // empty: "off"
    Secret token;                                                   // from token_file; empty: none is asked for
};

struct Log {
    std::string level = "info";
    LogFormat format = LogFormat::text;
};

struct Config {
    Server server;
    Budget budget;
    Listen listen;
    Pool pool;
    Passthrough passthrough;
    std::vector<User> users;
    std::vector<Class> classes;
    std::uint32_t default_rank = 0;  // of clients without a class: as one with weight 100
    Slots slots;
    std::vector<Fleet> fleets;
    std::vector<KillRule> kill_rules;
    std::vector<Rule> rules;
    Api api;
    Log log;
    std::string file;  // where it was read from; empty: no file

    [[nodiscard]] const User* user(std::string_view name) const;
    [[nodiscard]] const Class* class_named(std::string_view name) const;
    [[nodiscard]] const Fleet* fleet(std::string_view name) const;
};

// `*` is any text, `?` any one character, everything else itself.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text);

// The class of a client: its account's own, else the first whose match fits; nullptr: none. `address` is numeric, or
// "localhost" for a Unix socket; `program` may be empty.
[[nodiscard]] const Class* class_of(const Config& config, std::string_view user, std::string_view address,
                                    std::string_view program);

}  // namespace tidegate::config
