// The gate that runs on this host, asked over its control socket: its standing connection to the server, which is still
// there when nobody else gets in, its clients, and which connections of the server are its pool's.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "watch/session.h"
#include "watch/snapshot.h"

namespace tidegate::cli {

class LocalGate {
public:
    // The gate whose control socket is in the folder of the slots, if one answers there; nothing: none does, or it may
    // not be asked. `slots_folder`: as slots::find_place() takes it.
    [[nodiscard]] static std::optional<LocalGate> find(const std::string& slots_folder);

    // Which server it stands before, as "127.0.0.1:3306" or a socket's path; where clients connect to it (0: nowhere).
    [[nodiscard]] const std::string& server() const { return server_; }

    // The answer to GET target, as JSON.
    [[nodiscard]] Result<nlohmann::ordered_json> ask(const std::string& target) const;
    // Its clients, as /api/clients has them, those of this host with their pids, and with their
    // programs' names where they give none themselves.
    [[nodiscard]] Result<nlohmann::ordered_json> clients() const;
    // Through its standing connection. Lives by itself.
    [[nodiscard]] std::unique_ptr<watch::Session> session() const;
    // The ids of those connections of the server that are its own; none where it does not answer.
    [[nodiscard]] std::vector<std::uint32_t> server_connections() const;

private:
    LocalGate() = default;

    std::string socket_;
    std::string server_;
    std::uint16_t port_ = 0;  // where its clients connect
};

}  // namespace tidegate::cli
