// A MariaDB of the demo's own: data in the temporary folder, a port on loopback, accounts with a random password. It is
// set up as servers are out of the box, with max_connections 151, but for a longer listen backlog. Owned by the main
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/demo/child.h"
#include "cli/demo/workplace.h"

namespace tidegate::demo {

constexpr unsigned kServerLimit = 151;  // MariaDB's default

class PrivateServer {
public:
    // `program`: the mariadbd to start; empty: looked for in PATH and where Debian and others put it.
    // Errors: no such program; it would not start (with its own last words).
    [[nodiscard]] static Result<PrivateServer> start(const Workplace& workplace, const std::string& program);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::string& version() const { return version_; }
    [[nodiscard]] const std::string& password() const { return password_; }  // of load@ and monitor@

    // Starts counting anew. REQUIRES (for a true count): the clients before have left.
    [[nodiscard]] Result<void> reset_peak();
    // The most connections at once since then, as the server counts them.
    [[nodiscard]] Result<unsigned> peak();

    [[nodiscard]] bool running() { return child_.running(); }
    void kill() { child_.kill(); }
    void stop();

private:
    PrivateServer() = default;
    Result<void> initialise(const Workplace& workplace, const std::string& program);
    Result<void> launch(const Workplace& workplace, const std::string& program);
    Result<std::string> ask(const std::string& statement, unsigned column);

    Child child_;
    std::uint16_t port_ = 0;
    std::string socket_;
    std::string password_;
    std::string version_;
};

// A port of loopback that is free at this moment.
[[nodiscard]] std::uint16_t free_port();

}  // namespace tidegate::demo
