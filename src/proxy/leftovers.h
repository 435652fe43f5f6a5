// What a session's statements left on a connection that later ones may ask for: LAST_INSERT_ID(), the warnings,
// FOUND_ROWS(). While the connection stays with the session they stay on the server. Before somebody else gets the
// connection, the gate fetches what there is to fetch, and keeps it here for the session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "net/loop.h"
#include "net/task.h"
#include "session/results.h"

namespace tidegate::proxy {

class ServerConnection;

class Leftovers {
public:
    explicit Leftovers(net::Loop& loop) : loop_(loop), fetched_(loop) {}
    // Of a session that goes on on another connection: what is still on the one before, whoever gets that fetches.
    // REQUIRES: `before` has absorbed what was earlier.
    explicit Leftovers(std::shared_ptr<Leftovers> before);

    // After a statement on this connection. `insert_id`: it may have set LAST_INSERT_ID(), which is only a hint, the
    // value must be asked for (protocol.md, Trap 4).
    void note(const session::Results& results, bool insert_id);

    // Something is on the connection, and nowhere else.
    [[nodiscard]] bool any() const { return has(Where::connection); }
    // Fetches it from the connection, which then is free of it. False: the connection is lost, and it with it.
    net::Task<bool> fetch(ServerConnection& connection);
    // The connection is gone, and what was on it.
    void lost();
    // Waits for what others are about to fetch, and takes it over.
    net::Task<void> absorb_earlier();
    // The same for one question, and for what is on this connection, too. REQUIRES: others have the connection.
    net::Task<void> settle_warnings();
    net::Task<void> settle_found_rows();
    [[nodiscard]] bool found_rows_on_connection() const { return found_rows_at_ == Where::connection; }

    // What was fetched.
    [[nodiscard]] std::uint64_t last_insert_id() const { return id_; }
    [[nodiscard]] std::optional<std::uint64_t> found_rows() const { return rows_; }
    struct Warnings {
        std::vector<std::byte> reply;  // of SHOW WARNINGS, as it came from the server; empty: there are none
        std::size_t all = 0;
        std::size_t errors = 0;
    };
    [[nodiscard]] const Warnings& warnings() const { return warnings_; }

private:
    enum class Where : std::uint8_t { memory, connection, earlier };
    [[nodiscard]] bool has(Where where) const {
        return insert_id_at_ == where || warnings_at_ == where || found_rows_at_ == where;
    }
    net::Task<bool> fetch_warnings(ServerConnection& connection);

    net::Loop& loop_;
    net::Event fetched_;
    std::shared_ptr<Leftovers> earlier_;
    Where insert_id_at_ = Where::memory;
    Where warnings_at_ = Where::memory;
    Where found_rows_at_ = Where::memory;
    std::uint64_t id_ = 0;
    std::optional<std::uint64_t> rows_;  // nothing: the session counted them itself
    Warnings warnings_;
};

}  // namespace tidegate::proxy
