// Starts one process of a fleet: in a process group of its own, entered with the keeper before it runs, with the
// signals, limits and files that a program expects. And what /proc says of one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fleet/keeper.h"
#include "fleet/worker.h"

namespace tidegate::fleet {

// With a journal the command gets a parent that waits for it and writes down how it ended, so that the end of a job is
// known even if the supervisor is gone by then.
struct JournalNote {
    int fd = -1;  // -1: no journal
    std::uint64_t number = 0;
    std::uint64_t fingerprint = 0;
};

struct Launch {
    std::vector<std::string> command;
    std::vector<std::string> environment;  // NAME=value, all of it
    int out = -1;                          // what its standard output and error become; the caller closes them
    int err = -1;
    std::uint64_t open_files = 0;  // its limit of open files (the supervisor's own is raised); 0: as it is
    JournalNote journal;
};

// The process, which leads its group. An error's code is the errno of what failed: ENOENT, EACCES: it will not work
// next time either.
[[nodiscard]] Result<pid_t> launch(const Launch& what, const Keeper& keeper);

// A child of this process that has ended and was not asked for yet; nullopt: there is none.
struct EndedChild {
    pid_t pid = 0;
    Exit exit;
};
[[nodiscard]] std::optional<EndedChild> next_ended_child();

// Would SIGTERM cut the process group of `leader` off? False: somebody in it handles, blocks or ignores it.
[[nodiscard]] bool dies_of_sigterm(pid_t leader);

// `leader` and those of its descendants that are in its group.
[[nodiscard]] std::vector<pid_t> processes_of(pid_t leader);

// The resident memory of `leader` and its descendants, in bytes; 0: not known.
[[nodiscard]] std::uint64_t resident_bytes(pid_t leader);

// This process's environment without what was meant for it alone (NOTIFY_SOCKET, WATCHDOG_*, LISTEN_*).
[[nodiscard]] std::vector<std::string> inherited_environment();

}  // namespace tidegate::fleet
