// What the clients of the twin test do: short sequences of statements as applications use them, each with everything
// that a session can have.
#pragma once

#include <cstddef>
#include <vector>

#include "twin/session.h"

namespace tidegate::twin {

enum class Server : std::uint8_t { mariadb, mysql };

[[nodiscard]] std::size_t idiom_count(Server server);

// The steps of one idiom for that client. Clients have tables and locks of their own (`t0`, `l0`, ..), so that a reply
// depends on nothing but what its own client has done. `salt` chooses values.
[[nodiscard]] std::vector<Act> steps_of(Server server, std::size_t idiom, unsigned client, unsigned salt);

}  // namespace tidegate::twin
