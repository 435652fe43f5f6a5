// The kernel's lists of this host's sockets (of this network namespace): netlink sock_diag, which tells more than /proc
// and takes no privilege. Linux.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "watch/ip.h"

namespace tidegate::watch {

// One end that listens or is established.
struct TcpSocket {
    Ip local;
    Ip remote;
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0;
    std::uint64_t inode = 0;  // 0: not accepted yet
    std::uint32_t uid = 0;
    bool listens = false;
    std::optional<Duration> since_sent;  // bytes, not acknowledgements
    std::optional<Duration> since_received;
};

// A stream socket that listens or is connected.
struct UnixSocket {
    std::uint64_t inode = 0;
    std::uint64_t peer = 0;  // the inode of the other end
    std::string path;        // as it was bound, which may be relative; "@name": an abstract one; empty: has none
    bool listens = false;
    std::optional<std::uint32_t> uid;  // since Linux 5.3
};

// Errors: a sentence. Where a sandbox keeps netlink from us, /proc/net/tcp stands in, which has no times.
[[nodiscard]] Result<std::vector<TcpSocket>> tcp_sockets();
[[nodiscard]] Result<std::vector<UnixSocket>> unix_sockets();

}  // namespace tidegate::watch
