// What a session's last statement left on its connection that a later statement may ask for: LAST_INSERT_ID(), the
// warnings, FOUND_ROWS(). While the connection stays with the session they stay on the server. Before somebody else
// gets the connection, the gate fetches what there is to fetch, and keeps it here for the session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "net/loop.h"
#include "net/task.h"

namespace tidegate::proxy {

class ServerConnection;

class Leftovers {
public:
    explicit Leftovers(net::Loop& loop) : fetched_(loop) {}

    // What is on the connection now, after a statement; nothing of it has been fetched.
    bool insert_id = false;  // a reply had an id that is not 0: only a hint, the value must be asked for (Trap 4)
    bool warnings = false;
    bool found_rows = false;  // after SQL_CALC_FOUND_ROWS

    [[nodiscard]] bool any() const { return insert_id || warnings || found_rows; }

    // What was fetched.
    std::uint64_t last_insert_id = 0;
    std::optional<std::uint64_t> found_rows_value;
    std::vector<std::byte> warnings_reply;  // of SHOW WARNINGS, as it came from the server

    // Fetches from the connection, which then is free of them. False: the connection is lost, and they with it.
    net::Task<bool> fetch(ServerConnection& connection);
    // The connection is gone, and what was on it.
    void lost();

    // Those of the connection that the session had before, while somebody is still to fetch them.
    std::shared_ptr<Leftovers> earlier;
    // Waits until they are fetched, and takes them over.
    net::Task<void> absorb_earlier();

private:
    net::Event fetched_;
};

}  // namespace tidegate::proxy
