// The fleet's keeper: a small process that outlives the supervisor when that is killed (-9), ends every worker's
// process group then, and removes the folder of the notify sockets. It reads a pipe whose other end only the supervisor
// holds; when the pipe ends, so has the supervisor.
//
// A worker enters itself between fork and exec, so none can be missed. The pipe carries process group ids as 32-bit
// numbers: N for one that begins, -N for one of which nothing is left, 0 for the keeper's own end.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace tidegate::fleet {

struct KeeperOrders {
    Duration grace{};         // from the supervisor's end to SIGKILL
    bool let_finish = false;  // no SIGTERM before that: jobs may end by themselves
    std::string folder;       // removed with all that is in it; empty: none
    int hold = -1;            // a descriptor that stays open until no worker is left: --single's
};

class Keeper {
public:
    [[nodiscard]] static Result<Keeper> start(KeeperOrders orders);
    Keeper(Keeper&& other) noexcept;
    Keeper& operator=(Keeper&& other) noexcept;
    ~Keeper();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] int pipe() const { return pipe_; }  // where a new worker enters itself; closes at exec
    void enter(pid_t group) const;
    void forget(pid_t group) const;
    void dismiss() const;  // it ends, and leaves everything to another one

private:
    Keeper(pid_t pid, int pipe) : pid_(pid), pipe_(pipe) {}
    pid_t pid_;
    int pipe_;
};

}  // namespace tidegate::fleet
