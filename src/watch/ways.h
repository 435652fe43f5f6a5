// The ways into a server, tried in order until one works: as the operator says; the standing connection of a gate that
// runs on this host; MariaDB's extra_port; MySQL's admin_address; the Unix socket, as the operator's account and as the
// system's own root, who is privileged and has a reserved connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "watch/local.h"
#include "watch/session.h"

namespace tidegate::watch {

// One way that was tried and did not work.
struct Attempt {
    std::string way;  // "as app at 127.0.0.1:3306"
    Error error;
};

struct Entry {
    std::unique_ptr<Session> session;  // nullptr: nothing got in
    std::vector<Attempt> failed;       // in the order in which they were tried
    // Why the first way failed; nothing when it worked.
    [[nodiscard]] std::optional<Error> refusal() const {
        return failed.empty() ? std::nullopt : std::optional(failed.front().error);
    }
};

struct WaysIn {
    const config::Server* server = nullptr;
    std::optional<config::Endpoint>
        admin;  // where extra_port or admin_address is, as the operator says; else looked for
    // Asks the gate of this host that stands before that server; gives nothing where none runs.
    std::function<std::unique_ptr<Session>()> gate = [] { return nullptr; };
};

// Only where the server has no room (1040, 1203, 1226), or cannot be reached over the network, are other ways tried: a
// wrong password is told at once.
[[nodiscard]] Entry enter(const WaysIn& ways);

// A connection of our own, by the one way that `server` names.
[[nodiscard]] Result<std::unique_ptr<Session>> connect(const config::Server& server);

// Whether an error says that the server has no room for us.
[[nodiscard]] bool is_full(const Error& error);

}  // namespace tidegate::watch
