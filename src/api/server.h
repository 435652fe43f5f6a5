// The API's HTTP server: a thread and an event loop of its own, so that whoever reads figures never slows a statement
// down. Slow, silent and oversized requests are cut off; what is answered is handler.h's.
#pragma once

#include <cstdint>
#include <memory>

#include "api/handler.h"
#include "base/error.h"
#include "config/config.h"

namespace tidegate::api {

class Server {
public:
    // Binds and starts. Refuses an address that other machines reach when there is no token. REQUIRES:
    // `config.address`.
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(const config::Api& config, Sources sources);
    // Stops: closes what is open and waits for the thread. `sources` are not called afterwards.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] config::Endpoint address() const;  // with the port that was bound

private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::api
