// Which of a server's threads waits for which of its clients: where a server tells its threads (MariaDB's TID, MySQL's
// THREAD_OS_ID) this says who is at the other end of a Unix socket, which nothing else does. Linux; takes what it takes
// to look into the server's process: root. Only looks, holds nothing up.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace tidegate::watch {

// By the inode of the server's socket, the thread that waits for something to read there. Empty where the process may
// not be looked into, where it numbers its threads in a namespace of its own, or where it does not give each connection
// a thread.
[[nodiscard]] std::unordered_map<std::uint64_t, int> waiting_threads(int server_pid);

}  // namespace tidegate::watch
