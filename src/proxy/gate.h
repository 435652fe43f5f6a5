// A running gate: listeners, sessions, pool and monitor on one loop thread. What `tidegate serve` runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/show.h"
#include "net/loop.h"
#include "proxy/companion.h"
#include "proxy/console.h"
#include "proxy/parties.h"
#include "proxy/seats.h"
#include "proxy/snapshot.h"

namespace tidegate::proxy {

class Gate {
public:
    struct Hooks {
        std::function<void()> ready;                     // it listens
        std::function<Result<config::Config>()> reload;  // SIGHUP: the configuration, read again
        std::function<void()> stopping;                  // SIGTERM: it drains
    };

    // Binds the listeners; an error says which address and why. Blocks SIGTERM, SIGINT and SIGHUP for the calling
    // thread and those that it starts afterwards. May throw while starting up (no memory, no descriptors).
    [[nodiscard]] static Result<std::unique_ptr<Gate>> create(config::Config config, Hooks hooks);
    ~Gate();

    // Serves until it is told to stop and is drained; the program's exit code. The calling thread becomes the loop's.
    int run();

    // What runs beside the proxy. Call add() before run(); the companion outlives run().
    void add(Companion& companion);
    // Who answers at the administrator's console. The same holds for it; without one there is no console.
    void set_console(Console& console);
    [[nodiscard]] net::Loop& loop();
    [[nodiscard]] Seats& seats();
    [[nodiscard]] unsigned limit() const;  // of server connections, now; the loop's thread
    [[nodiscard]] std::vector<bool> who_rests(std::span<const Party> parties) const;  // the loop's thread
    [[nodiscard]] Occupancy occupancy() const;                                        // the loop's thread

    [[nodiscard]] Snapshot snapshot();  // thread-safe; waits a second for the loop at most, then gives the last one
    [[nodiscard]] Clients clients();    // thread-safe; nobody when the loop does not answer within a second
    [[nodiscard]] std::vector<ServerConnectionView> connections();  // the same
    [[nodiscard]] std::vector<config::Setting> settings();          // the same; without secrets

    // What an administrator may order. Thread-safe, for other threads than the loop's; an error says why it was not
    // done, or that the loop did not answer in time.
    [[nodiscard]] Result<void> pause();
    [[nodiscard]] Result<void> resume();
    [[nodiscard]] Result<void> reload();
    // Ends that client, or only what it is running.
    [[nodiscard]] Result<void> kill(std::uint32_t client, bool query_only);

    // Asks the server over the gate's standing connection. Thread-safe, for other threads than the loop's: waits for
    // the answer, at most as long as the monitor waits for its server.
    [[nodiscard]] Result<ServerAnswer> ask_server(const std::string& statement);
    [[nodiscard]] std::uint16_t port() const;  // that it listens on; 0: on none

private:
    class Impl;
    explicit Gate(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::proxy
