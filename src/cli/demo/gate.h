// The gate of the demo: this very program, started as `serve` in front of the private server.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "cli/demo/child.h"
#include "cli/demo/crowd.h"
#include "cli/demo/private_server.h"

namespace tidegate::demo {

struct RunningGate {
    Child child;
    std::uint16_t port = 0;
};

// Returns when a client's statement has been served through it. Errors: it ended, or did not serve in time.
[[nodiscard]] Result<RunningGate> start_gate(const Workplace& workplace, const PrivateServer& server,
                                             unsigned connections, unsigned clients);

}  // namespace tidegate::demo
