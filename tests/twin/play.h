// Plays an interleaving of several clients at one address.
#pragma once

#include <string>
#include <vector>

#include "twin/session.h"

namespace tidegate::twin {

struct Interleaving {
    std::vector<std::vector<Act>> clients;  // what each does, in its order
    std::vector<unsigned> order;            // whose turn it is; whoever has steps left then goes round and round
};

// The replies of each client, in its order. Every client has a thread; a step begins when the one before it was
// answered, or after a moment: whoever waits for a connection that another holds must not hold up that other one.
[[nodiscard]] std::vector<std::vector<std::string>> play(const Interleaving& what, const Place& place);

}  // namespace tidegate::twin
