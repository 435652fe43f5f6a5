// Which programs of this host are at the other end of a server's connections: from the kernel's own lists of sockets
// (sock_diag) and /proc. Needs no login at the server, and no privilege for one's own programs; those of other users
// are named when root asks. Linux.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "watch/snapshot.h"

namespace tidegate::watch {

// Where a server listens: the address as the operator names it, and its Unix socket, if one is known.
struct ServerAddress {
    std::string host;  // a name, an address; empty: only the socket
    std::uint16_t port = 3306;
    std::string socket;
};

// One open connection of a local program to the server.
struct LocalEnd {
    std::uint16_t port = 0;  // of the program's end, as the process list shows it; 0: over the Unix socket
    std::string address;     // "127.0.0.1"; empty: over the Unix socket
    std::uint64_t inode = 0;
    std::uint32_t uid = 0;
    std::optional<Duration> quiet;  // nothing was sent or received for so long; nothing: not known (a Unix socket)
    // The program said something after the server did: a statement of it may be running. (Or it closed a prepared
    // statement, which has no reply.)
    bool spoke_last = false;
    int server_thread = 0;  // the server's, which waits for it; 0: not known, and over TCP not asked
    std::vector<int> also;  // other processes that have it too, by pid: it ends when all of them have let go
};

// A program and its connections to the server. `ends` is not empty. Of the processes that share a connection it is the
// eldest: the one that opened it, whose children inherited it.
struct LocalHolder {
    Program program;
    std::vector<LocalEnd> ends;
};

struct LocalView {
    std::vector<LocalHolder> holders;  // by pid
    std::vector<Program> heirs;        // the processes of LocalEnd::also, by pid
    std::vector<LocalEnd> of_unknown;  // connections of this host whose program cannot be seen: of another user's
    bool server_is_here = false;       // the server itself runs on this host
    // Its program, where that may be seen; or what listens there in its place (ssh -L, docker-proxy, haproxy, a gate):
    // then `server_is_here` is false.
    std::optional<Program> server;
    std::vector<std::string> sockets;  // the paths of Unix sockets that the server listens on, as far as is known
    std::vector<std::uint16_t> ports;  // all TCP ports that the server's process listens on, as far as may be seen
    std::string host_name;             // of this host, as gethostname() has it
    int self = 0;                      // this process
};

// Errors: the kernel's lists cannot be read (a sentence, with what to do).
[[nodiscard]] Result<LocalView> look_locally(const ServerAddress& server);

// The program with that pid; nothing where it has gone. `command` has its passwords blotted out.
[[nodiscard]] std::optional<Program> program_of(int pid);

// Gives each of the connections the local program at its other end: by address and port over TCP; over Unix sockets by
// the server's thread, or the attribute _pid. Servers without such attributes (MariaDB as it comes) tell nothing of who
// is behind a Unix socket: where all of its local holders that are left run the same program, it is named, with
// Program::one_of. Pure.
void name_programs(std::vector<Connection>& connections, const LocalView& local);

// Marks the connections that are a gate's: `own`, ids by the word of the gate at hand, and those whose program on this
// host is one. After name_programs().
void mark_gates(std::vector<Connection>& connections, std::span<const std::uint32_t> own);

}  // namespace tidegate::watch
