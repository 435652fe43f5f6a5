// Who is behind the connections, in groups that a person can act on: "14 connections: php worker.php (pid 4242 to
// 4255), sleeping for 8 to 41 minutes". Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "watch/snapshot.h"

namespace tidegate::watch {

// Connections that are alike in one respect.
struct Group {
    std::string name;  // of the account, host, program or schema; "(none)", "(not known)" where it has none
    std::size_t total = 0;
    std::size_t active = 0;
    std::size_t sleeping = 0;
    std::size_t idle = 0;  // of the sleeping ones: for longer than the limit that was asked for
    Duration shortest_sleep{};
    Duration longest_sleep{};
    std::vector<int> pids;           // of this host, sorted
    std::vector<std::string> hosts;  // where they come from, sorted
};

using KeyOf = std::function<std::string(const Connection&)>;
// The held connections (Snapshot::held) by a key, the largest group first.
[[nodiscard]] std::vector<Group> group_by(const Snapshot& snapshot, Duration max_idle, const KeyOf& key);
[[nodiscard]] std::string account_of(const Connection& connection);
[[nodiscard]] std::string host_of(const Connection& connection);
[[nodiscard]] std::string schema_of(const Connection& connection);
// The program as far as it is known; else the account and the host.
[[nodiscard]] std::string program_of_connection(const Connection& connection);

// "14 connections: php worker.php (pid 4242 to 4255), sleeping for 8 to 41 minutes".
[[nodiscard]] std::string sentence_of(const Group& group);

// For a person, coarse: "8 seconds", "41 minutes", "3 hours"; and "8 to 41 minutes".
[[nodiscard]] std::string words_of(Duration time);
[[nodiscard]] std::string words_of(Duration from, Duration to);
// "pid 4242", "pid 4242 to 4255" where they are consecutive or many, "pid 4242, 4250".
[[nodiscard]] std::string words_of_pids(const std::vector<int>& pids);

}  // namespace tidegate::watch
