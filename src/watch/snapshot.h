// What one look at the server has seen: a plain copy, taken by probe.h, which everything of the watch works on. The
// checks, the choice of victims and the reports are functions of snapshots alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tidegate::watch {

using WallTime = std::chrono::system_clock::time_point;

enum class Flavour : std::uint8_t { mariadb, mysql };

// Whose a connection is. Only a client's may ever be ended.
enum class Kind : std::uint8_t {
    client,
    own,              // the one that asks, or another of this program
    gate,             // of a gate's pool, or its standing connection: a gate drains it, nobody else ends it
    replica,          // a replication thread of this server, reading from another one
    binlog_dump,      // a replica, or a program like one, that reads this server's binary log
    event_scheduler,  // the scheduler; an event that it runs is `system`
    system,           // the server's own threads
};
[[nodiscard]] std::string_view name_of(Kind kind);

// A program of this host at the other end of a connection (local.h finds it). No passwords in any of it.
struct Program {
    int pid = 0;                // 0: one of several processes that run the same, `one_of`; which one is not known
    std::vector<int> one_of{};  // sorted; empty where `pid` is known
    int parent = 0;
    std::uint32_t uid = 0;
    std::string account{};  // of the system
    std::string name{};     // short, for a person: "php worker.php", "node import.js", "mariadb"
    std::string command{};  // the whole command line
    std::string script{};   // the script's path, where an interpreter runs one
    std::string folder{};   // where it works
    std::optional<WallTime> started{};
    std::uint64_t start_tick = 0;  // of the kernel's clock: with `pid`, this process and no later one
    friend bool operator==(const Program&, const Program&) = default;
};

// One row of the process list.
struct Connection {
    std::uint64_t id = 0;
    Kind kind = Kind::client;
    std::string user;
    std::string host;        // as the server names it, without the port; "localhost" for a Unix socket
    std::uint16_t port = 0;  // of the client's end; 0: a Unix socket, or not told
    std::string schema;
    std::string command;    // "Sleep", "Query", "Binlog Dump", ..
    std::string state;      // what the server says that it is doing
    std::string statement;  // at most kStatementKept bytes of what it runs; a sleeping one has none
    Duration time{};        // in this command: a sleeping one has slept so long. Milliseconds where the server has them
    std::optional<Duration> in_transaction;  // open for so long; nothing: none, or not told (see Snapshot::hidden)
    std::uint64_t rows_locked = 0;           // by that transaction
    std::uint64_t rows_modified = 0;
    std::string program_name;      // the connection attribute, where the server keeps it
    int server_thread = 0;         // the system's number of the thread that serves it; 0: not told
    std::optional<int> pid;        // the attribute _pid: on the client's host
    std::optional<Program> local;  // the program itself, where it runs on this host

    // It takes one of the connections that there may be: everything but the server's own threads.
    [[nodiscard]] bool is_held() const {
        return kind != Kind::system && kind != Kind::event_scheduler && kind != Kind::replica;
    }
    [[nodiscard]] bool sleeping() const { return command == "Sleep"; }
    [[nodiscard]] bool idle_for(Duration at_least) const { return sleeping() && time >= at_least; }
    // What a person would call the program: the local one's name, the attribute, or nothing.
    [[nodiscard]] std::string program() const {
        if (local) return local->name;
        return program_name;
    }
};
inline constexpr std::size_t kStatementKept = 1000;

// One connection that waits for a lock of another.
struct LockWait {
    std::uint64_t waiting = 0;  // connection ids
    std::uint64_t blocking = 0;
    Duration waited{};
    std::string table;
    std::string statement;  // of the one that waits
};

// An account's own limits; 0: none.
struct Account {
    std::string user{};
    std::string host{};
    std::uint64_t max_user_connections = 0;
    std::uint64_t max_connections_per_hour = 0;
    std::uint64_t max_queries_per_hour = 0;
    bool super = false;  // may take the reserved connection: SUPER, CONNECTION ADMIN, or CONNECTION_ADMIN
};

// Errors of one client host, from performance_schema.host_cache.
struct HostErrors {
    std::string ip;
    std::string host;
    std::map<std::string, std::uint64_t, std::less<>>
        counts;  // COUNT_.._ERRORS and SUM_CONNECT_ERRORS in lower case, those that are not 0
};

// Something that this account may not see, and what would show it.
struct Hidden {
    std::string what;   // "other accounts' connections"
    std::string grant;  // "GRANT PROCESS ON *.* TO 'app'@'%';"; empty: no privilege helps
};

struct Snapshot {
    WallTime taken{};
    std::string way;  // Session::way()
    Flavour flavour = Flavour::mariadb;
    std::string version;  // "10.11.6", of MariaDB too
    std::uint64_t own_id = 0;
    std::string own_account;    // CURRENT_USER(): "app@%"
    bool sees_all = false;      // other accounts' connections are in the list
    bool may_kill_all = false;  // and may be ended

    std::map<std::string, std::string, std::less<>> variables;  // SHOW GLOBAL VARIABLES
    std::map<std::string, std::string, std::less<>> status;     // SHOW GLOBAL STATUS
    std::vector<Connection> connections;                        // by id
    std::vector<LockWait> lock_waits;
    std::vector<Account> accounts;  // what may be read of mysql.user; at least the own one
    std::vector<HostErrors> host_errors;
    std::uint64_t accounts_by_host_name = 0;  // accounts whose host is a name: they need name resolution
    std::vector<Hidden> hidden;

    [[nodiscard]] std::optional<std::uint64_t> variable(std::string_view name) const;  // as a number
    [[nodiscard]] std::optional<std::uint64_t> count(std::string_view name) const;     // of the status
    [[nodiscard]] std::string text(std::string_view variable) const;                   // empty: there is none
    [[nodiscard]] bool on(std::string_view variable) const;                            // ON, 1, YES
    [[nodiscard]] const Account* own() const;                                          // nullptr: not readable
    // How many are held.
    [[nodiscard]] std::size_t held() const;
};

}  // namespace tidegate::watch
