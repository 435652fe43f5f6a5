// How the commands of the watch get to a server and take their looks: by the flags, the configuration and whatever way
// is open (watch/ways.h); with the programs of this host, and a gate's own connections, named.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/local_gate.h"
#include "cli/server_flags.h"
#include "config/load.h"
#include "watch/local.h"
#include "watch/probe.h"
#include "watch/ways.h"

namespace tidegate::cli {

class WayIn {
public:
    // Reads flags and configuration; what is wrong there is said, and the exit code returned.
    [[nodiscard]] static std::expected<WayIn, int> prepare(const ServerFlags& flags);

    // Gets in. When nothing does, what to do is said (the emergency text when the server is full), and the exit code
    // returned: 2 full, 69 not reachable or no such account.
    [[nodiscard]] std::expected<void, int> open();

    // The same without a word, for those who were in and lost their way. The error is that of the first way.
    [[nodiscard]] Result<void> open_again();

    [[nodiscard]] Result<watch::Snapshot> look();
    [[nodiscard]] Result<watch::Snapshot> look_again(const watch::Snapshot& last);

    [[nodiscard]] const config::Config& config() const { return loaded_.config; }
    [[nodiscard]] const config::Server& server() const { return loaded_.config.server; }
    [[nodiscard]] watch::ServerAddress address() const { return {server().host, server().port, server().socket}; }
    [[nodiscard]] const std::string& server_from() const { return loaded_.server_from; }
    // The gate of this host that stands before this server; nullptr: none, or not ours to ask.
    [[nodiscard]] const LocalGate* gate();
    // It has ended, or another may run by now.
    void look_for_gate_again() { looked_for_gate_ = false; }
    [[nodiscard]] watch::Session& session() { return *entry_.session; }
    [[nodiscard]] const std::vector<watch::Attempt>& failed() const { return entry_.failed; }

private:
    explicit WayIn(config::Loaded loaded) : loaded_(std::move(loaded)) {}
    void enter();
    void name_all(watch::Snapshot& snapshot);
    int say_shut_out() const;

    config::Loaded loaded_;
    std::optional<config::Endpoint> admin_;
    bool looked_for_gate_ = false;
    std::optional<LocalGate> gate_;
    watch::Entry entry_;
};

}  // namespace tidegate::cli
