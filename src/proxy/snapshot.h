// Everything that the API, the metrics and the log say about a running gate: a plain copy, made by the gate on its own
// thread when somebody asks. Counters count from the start of the gate and only grow.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"

namespace tidegate::proxy {

using WallTime = std::chrono::system_clock::time_point;

// A counter with a name of its own: a reason, a cause. Lower case with underscores, since it becomes a metric's label.
struct NamedCount {
    std::string name;
    std::uint64_t count = 0;
};

enum class ServerState : std::uint8_t {
    unknown,  // nothing has been tried yet
    up,
    down,     // the last attempts could not reach it
    blocked,  // 1129: the server has blocked this host
};

struct ServerSnapshot {
    std::string address;  // "127.0.0.1:3306" or a socket's path
    std::string version;  // as Greeting::version() has it; empty: not seen yet
    ServerState state = ServerState::unknown;
    std::optional<WallTime> down_since;  // when state is down or blocked
    std::string last_error;              // the last failure to connect or log in, in words; empty: none
    std::optional<WallTime> last_error_at;
    bool monitored = false;  // there is a monitor account, and it can log in
};

// Where the limit comes from. `effective` is what holds now.
struct LimitSnapshot {
    std::optional<unsigned> configured;  // empty: auto
    std::optional<unsigned> learnt;      // what the server leaves us, refusals included; empty: not known
    unsigned effective = 0;
    unsigned reserve = 0;
    std::optional<unsigned> max_connections;       // the server's
    std::optional<unsigned> max_user_connections;  // the server's, over all accounts alike; 0: none
    std::optional<unsigned> others;                // connections that are not ours
    bool closed_by_refusals = false;               // the limit is down because the server refused
};

// Of one account, and of the whole gate.
struct PoolCounts {
    unsigned max = 0;  // the limit that holds now
    unsigned open = 0;
    unsigned active = 0;
    unsigned idle = 0;
    unsigned opening = 0;
    unsigned closing = 0;
    std::uint64_t waiting = 0;
    unsigned peak = 0;                  // connections at once, at most
    std::uint64_t granted = 0;          // leases
    std::uint64_t waited = 0;           // of them, those that stood in line first
    std::uint64_t refused_clients = 0;  // waits that ended in 1040
    std::uint64_t cancelled = 0;        // clients that left the line
};

struct AccountSnapshot {
    std::string name;
    std::string mode;  // "transaction" or "session"
    PoolCounts pool;
    std::uint64_t clients = 0;  // connected now
};

// What one cause of pins has to do with the clients.
struct PinnedSnapshot {
    std::string name;
    std::uint64_t clients = 0;  // pinned by it now
    Duration lasted{};          // all such pins, those included that still last
};

struct Snapshot {
    std::string version;  // the gate's
    WallTime started;
    Duration uptime{};
    bool draining = false;
    bool paused = false;
    std::uint16_t port = 0;  // where clients connect; 0: not over TCP

    ServerSnapshot server;
    LimitSnapshot limit;
    PoolCounts pool;
    std::uint64_t peak_waiting = 0;
    WallTime last_update;  // the last change of the pool's figures

    // Refusals of the server at login that were absorbed, by error number.
    std::uint64_t refused_1040 = 0;
    std::uint64_t refused_1203 = 0;
    std::uint64_t refused_1226 = 0;
    std::vector<NamedCount> open_failures;  // all reasons, these among them
    WaitHistogram waits;                    // of those who waited and were served or refused
    Duration longest_wait_now{};            // of those who wait now
    Duration longest_lease_now{};

    std::uint64_t clients = 0;  // connected now
    std::uint64_t clients_total = 0;
    std::uint64_t max_clients = 0;
    std::uint64_t statements = 0;
    std::uint64_t transactions = 0;
    std::uint64_t bytes_from_clients = 0;
    std::uint64_t bytes_to_clients = 0;
    std::uint64_t opened = 0;             // server connections
    std::vector<NamedCount> closed;       // server connections, by reason
    std::vector<NamedCount> client_ends;  // clients' connections, by reason
    std::vector<NamedCount> pins;         // leases that outlived their transaction, by cause
    std::uint64_t pinned_clients = 0;     // now
    std::vector<PinnedSnapshot> pinned;   // by cause
    std::uint64_t login_failures = 0;
    std::uint64_t held_off = 0;  // connections refused because of their address's failed logins

    std::vector<AccountSnapshot> accounts;
};

// Why a client keeps its connection with it.
struct PinView {
    std::string name;
    std::string statement;  // that brought it, without literals; empty: not known
    Duration age{};
    std::string advice;  // what it is, how it ends, what to do about it
};

// A client of the gate, now.
struct ClientView {
    std::uint32_t id = 0;  // CONNECTION_ID() as the client sees it
    std::string user;
    std::string address;  // "10.0.0.7:43210"; "localhost" over a Unix socket
    int pid = 0;          // of the program, over a Unix socket; 0: not known
    std::string program;  // the connection attribute program_name
    std::string state;  // "logging in", "idle", "waiting" for a connection, "active", "holding" one between statements,
                        // "console"
    Duration since{};   // in this state, or a shorter time
    Duration connected{};
    std::uint32_t server_connection = 0;  // the id of the one that it has; 0: none
    bool in_transaction = false;
    std::string held_by;  // what keeps its connection with it: "none", "transaction", "set_transaction",
                          // "user_variables", "pinned", "session_mode"
    std::vector<PinView> pins;
};

struct Clients {
    std::vector<ClientView> clients;
    std::vector<std::uint32_t> server_connections;  // ids of the gate's own, the monitor's among them
};

// A connection of the gate's to the server, now.
struct ServerConnectionView {
    std::uint32_t id = 0;      // the server's, as in its process list
    std::string account;       // empty: the gate's own, which watches the server
    std::string state;         // "active", "idle", "closing", "watching"
    Duration since{};          // in this state
    Duration open{};           // how long it has been there
    std::uint32_t client{};    // ClientView::id of who has it; 0: nobody
    std::size_t prepared = 0;  // statements that are prepared on it
};

// Who has which of the gate's connections to the server, by the server's id for it.
struct Holder {
    enum class Who : std::uint8_t { client, nobody, gate } who = Who::gate;
    std::uint32_t client = 0;  // ClientView::id
    friend bool operator==(const Holder&, const Holder&) = default;
};
using Holders = std::unordered_map<std::uint64_t, Holder>;

// What the server answered to a question that was asked over the gate's standing connection.
struct ServerAnswer {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;  // nothing: NULL
};

// How full a gate is, for those who would start more work.
struct Occupancy {
    bool server_is_up = false;
    unsigned limit = 0;  // of server connections
    unsigned active = 0;
    unsigned waiting = 0;  // clients in line
    std::uint64_t refused_by_server = 0;
};

}  // namespace tidegate::proxy
