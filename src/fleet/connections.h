// What the kernel knows of the sockets of a worker and of all that it has started: so the gate can tell which of its
// clients they are. Linux, /proc.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "proxy/parties.h"

namespace tidegate::fleet {

// The process groups that these lead, each with its processes and its ends of established TCP connections.
[[nodiscard]] std::vector<proxy::Party> parties_of(std::span<const pid_t> leaders);

}  // namespace tidegate::fleet
