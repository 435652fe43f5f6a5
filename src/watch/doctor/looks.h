// What the checks look at: two snapshots some seconds apart, so that what grows is seen, and what else is known: the
// machine, the gate of this host, programs that run here. A plain copy; the checks are functions of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watch/snapshot.h"

namespace tidegate::watch::doctor {

struct Machine {
    bool server_is_here = false;                // the server runs on this host
    std::optional<std::uint64_t> memory;        // bytes that the server's machine has
    std::optional<std::uint64_t> somaxconn;     // net.core.somaxconn, where the server is here
    std::uint64_t listen_overflows_before = 0;  // of all sockets of this host, at the first look
    std::uint64_t listen_overflows = 0;         // and at the second
};

// What the gate before this server says of itself.
struct GateSays {
    std::string version;
    unsigned limit = 0;                  // of server connections, that holds now
    std::optional<unsigned> configured;  // nothing: auto
    unsigned reserve = 0;
    unsigned peak = 0;
    std::uint64_t waiting = 0;
    std::uint64_t granted = 0;
    std::uint64_t waited = 0;
    std::uint64_t refused_clients = 0;    // waits that ended in 1040
    std::uint64_t refused_by_server = 0;  // 1040, 1203, 1226 at login
    double wait_p99 = 0;                  // seconds, of those who waited
    // From its configuration; nothing: not known.
    std::optional<Duration> wait_timeout;
    std::optional<Duration> idle_timeout;
};

struct Looks {
    Snapshot first;
    Snapshot second;
    std::vector<double> running;       // Threads_running without the one that asks, sampled between the looks
    std::uint64_t own_statements = 0;  // the doctor's, between the looks
    Duration max_idle = std::chrono::seconds(300);
    Machine machine;
    std::optional<GateSays> gate;
    std::vector<Program> programs;  // of this host, that held connections at both looks
    std::vector<int> by_cron;       // those of them that cron has started, by pid

    [[nodiscard]] double apart() const;   // seconds between the looks
    [[nodiscard]] double uptime() const;  // seconds that the status counts from
    // A counter of the status: now, and by how much it has grown between the looks. 0: there is none.
    [[nodiscard]] std::uint64_t count(std::string_view name) const;
    [[nodiscard]] std::uint64_t grown(std::string_view name) const;
    // A second, between the looks; and since the counting began.
    [[nodiscard]] double rate(std::string_view name) const;
    [[nodiscard]] double mean_rate(std::string_view name) const;
    [[nodiscard]] std::uint64_t setting(std::string_view variable) const;  // 0: there is none
    [[nodiscard]] bool has_setting(std::string_view variable) const;
    // max_connections, at least 1; connections open now; clients that sleep for max_idle or longer.
    [[nodiscard]] std::uint64_t limit() const;
    [[nodiscard]] std::uint64_t connected() const;
    [[nodiscard]] std::size_t idle() const;
};

// The account that a connection has logged in as; nullptr: it cannot be read.
[[nodiscard]] const Account* account_behind(const Snapshot& snapshot, const Connection& connection);

}  // namespace tidegate::watch::doctor
