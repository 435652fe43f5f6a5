// What /proc says of the processes of this host: who has which sockets, who started whom. Linux; what belongs to
// another user shows less, and root sees all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tidegate::watch {

// The process that has started it; 0: none, or it has gone.
[[nodiscard]] int parent_of(int pid);
// When it was started, in the kernel's ticks: with the pid, this process and no later one. 0: it has gone, or is only
// waited for by its parent (a zombie).
[[nodiscard]] std::uint64_t start_tick_of(int pid);
// This process, and those that it was started by, up to the first of all.
[[nodiscard]] std::vector<int> own_line();

// The inodes of the sockets that a process has open.
[[nodiscard]] std::vector<std::uint64_t> sockets_of(int pid);

// The same of one of its files; nothing: it is no socket.
[[nodiscard]] std::optional<std::uint64_t> socket_of(int pid, int file);

// The sockets of all processes: by inode, those that have it, by pid.
using SocketOwners = std::unordered_map<std::uint64_t, std::vector<int>>;
[[nodiscard]] SocketOwners all_socket_owners();

[[nodiscard]] std::string folder_of(int pid);  // empty: not to be seen

}  // namespace tidegate::watch
