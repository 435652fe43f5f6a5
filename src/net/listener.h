// Sockets that wait for clients, and connecting to servers.
#pragma once

#include <memory>

#include "base/error.h"
#include "net/address.h"
#include "net/stream.h"

namespace tidegate::net {

// A listening Unix socket at `path` that only this process's own user may connect to; its descriptor.
[[nodiscard]] Result<int> listen_privately(const std::string& path);

class Listener {
public:
    // Binds and listens with a backlog that holds a thousand clients at once; a stale Unix socket's file is replaced.
    [[nodiscard]] static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address);
    ~Listener();

    // The next client, waiting as long as it takes; nullptr once the listener is shut. Out of descriptors: it pauses
    // and tries again, and the clients wait in the backlog.
    Task<std::unique_ptr<Stream>> accept();
    void shut();

    [[nodiscard]] std::uint16_t port() const { return bound_.port(); }

private:
    Listener(Loop& loop, int fd, Address bound) : socket_(loop, fd), bound_(std::move(bound)) {}

    Socket socket_;
    Address bound_;
    bool shut_ = false;
};

// Connects; gives up at `deadline`. Error 2003 says what the system said.
Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, Address address, TimePoint deadline);

}  // namespace tidegate::net
