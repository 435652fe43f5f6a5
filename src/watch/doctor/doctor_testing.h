// For the doctor's tests: a server that is well, as MariaDB 10.11 comes, a week after its start and with some work;
// each test makes one thing of it ill.
#pragma once

#include <algorithm>
#include <string>

#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

inline Connection sleeper(std::uint64_t id, Duration time, std::string user = "app") {
    Connection connection;
    connection.id = id;
    connection.user = std::move(user);
    connection.host = "10.0.0.7";
    connection.port = static_cast<std::uint16_t>(20000 + id);
    connection.command = "Sleep";
    connection.time = time;
    return connection;
}

inline Connection worker(std::uint64_t id, Duration time) {
    auto connection = sleeper(id, time);
    connection.command = "Query";
    connection.state = "Sending data";
    connection.statement = "SELECT * FROM orders";
    return connection;
}

inline Program program(int pid, std::string name, std::string folder = "/srv/shop", int parent = 1) {
    Program program;
    program.pid = pid;
    program.parent = parent;
    program.name = name;
    program.command = std::move(name);
    program.folder = std::move(folder);
    return program;
}

// Both looks alike, but for what the time between them adds.
inline Looks healthy() {
    Snapshot snapshot;
    snapshot.taken = WallTime(std::chrono::hours(500000));
    snapshot.way = "as monitor at 127.0.0.1:3306";
    snapshot.version = "10.11.6";
    snapshot.own_id = 1;
    snapshot.own_account = "monitor@%";
    snapshot.sees_all = snapshot.may_kill_all = true;
    snapshot.variables = {{"max_connections", "151"},
                          {"max_user_connections", "0"},
                          {"wait_timeout", "28800"},
                          {"interactive_timeout", "28800"},
                          {"thread_cache_size", "151"},
                          {"thread_handling", "one-thread-per-connection"},
                          {"back_log", "80"},
                          {"open_files_limit", "32186"},
                          {"table_open_cache", "2000"},
                          {"skip_name_resolve", "OFF"},
                          {"skip_networking", "OFF"},
                          {"performance_schema", "ON"},
                          {"max_connect_errors", "100"},
                          {"idle_transaction_timeout", "0"},
                          {"innodb_lock_wait_timeout", "50"},
                          {"lock_wait_timeout", "86400"},
                          {"innodb_buffer_pool_size", "134217728"},
                          {"innodb_log_buffer_size", "16777216"},
                          {"key_buffer_size", "134217728"},
                          {"query_cache_type", "OFF"},
                          {"thread_stack", "299008"},
                          {"sort_buffer_size", "2097152"},
                          {"join_buffer_size", "262144"},
                          {"read_buffer_size", "131072"},
                          {"read_rnd_buffer_size", "262144"},
                          {"net_buffer_length", "16384"},
                          {"log_bin", "OFF"}};
    snapshot.status = {{"Uptime", "604800"},
                       {"Uptime_since_flush_status", "604800"},
                       {"Threads_connected", "13"},
                       {"Threads_running", "3"},
                       {"Max_used_connections", "41"},
                       {"Connections", "900000"},
                       {"Connection_errors_max_connections", "0"},
                       {"Connection_errors_internal", "0"},
                       {"Connection_errors_accept", "0"},
                       {"Connection_errors_peer_address", "0"},
                       {"Threads_created", "1300"},
                       {"Aborted_clients", "210"},
                       {"Aborted_connects", "75"},
                       {"Open_files", "180"},
                       {"Opened_tables", "900"},
                       {"Table_open_cache_hits", "9000000"},
                       {"Table_open_cache_misses", "900"},
                       {"Table_open_cache_overflows", "0"},
                       {"Questions", "80000000"}};
    snapshot.accounts = {{.user = "app", .host = "%"},
                         {.user = "shop", .host = "%"},
                         {.user = "root", .host = "localhost", .super = true}};
    for (std::uint64_t id = 10; id < 18; ++id) snapshot.connections.push_back(sleeper(id, 4s));
    snapshot.connections.push_back(sleeper(18, 900s));
    snapshot.connections.push_back(worker(19, 10ms));
    snapshot.connections.push_back(sleeper(20, 2s, "shop"));

    Looks looks;
    looks.first = looks.second = snapshot;
    looks.second.taken += std::chrono::seconds(5);
    looks.second.status["Questions"] = "80000660";
    looks.second.status["Connections"] = "900007";
    looks.running = {1, 0, 2, 1, 1};
    looks.machine = {.server_is_here = true, .memory = 8ULL << 30, .somaxconn = 4096};
    return looks;
}

inline void set(Looks& looks, const std::string& variable, const std::string& value) {
    looks.first.variables[variable] = looks.second.variables[variable] = value;
}

// A counter: at the first look, and at the second.
inline void count(Looks& looks, const std::string& name, std::uint64_t before, std::uint64_t now) {
    looks.first.status[name] = std::to_string(before);
    looks.second.status[name] = std::to_string(now);
}

}  // namespace tidegate::watch::doctor
