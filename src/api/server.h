// The API's HTTP server: a thread and an event loop of its own, so that whoever reads figures never slows a statement
// down. Slow, silent and oversized requests are cut off; what is answered is handler.h's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "api/handler.h"
#include "base/error.h"
#include "config/config.h"

namespace tidegate::api {

class Server {
public:
    // Binds and starts. Refuses an address that other machines reach when there is no token. `control` is a listening
    // Unix socket (net::listen_privately), or -1: whoever connects there must be this process's user or root, and is
    // trusted. REQUIRES: one of `config.address` and `control`.
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(const config::Api& config, Sources sources,
                                                               int control = -1);
    // Stops: closes what is open and waits for the thread. `sources` are not called afterwards.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // With the port that was bound; empty: only the control socket is served.
    [[nodiscard]] std::optional<config::Endpoint> address() const;

private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::api
