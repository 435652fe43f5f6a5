// Which programs on this host are in the middle of something here: for those who want to end a program that cannot be
// asked itself. Belongs to the loop's thread; looks at every client, so it is for now and then.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace tidegate::proxy {

class Core;

// A program: its processes, and its ends of TCP connections as net::Address writes them ("127.0.0.1:43210").
struct Party {
    std::vector<pid_t> processes;
    std::vector<std::string> addresses;
};

// For each of them: it has clients here, and all of these have rested for a moment, outside any transaction.
[[nodiscard]] std::vector<bool> who_rests(const Core& core, std::span<const Party> parties);

}  // namespace tidegate::proxy
