// How a fleet is to be run: plain values. docs/fleet.md explains each.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "config/config.h"

namespace tidegate::fleet {

using config::kMostWorkers;
using config::Restart;

struct Policy {
    unsigned workers = 1;
    Restart restart = Restart::on_failure;
    unsigned batch = 150;  // workers started within batch_delay, at most; 0: as many as there is room for
    Duration batch_delay = 2s;
    std::uint64_t max_jobs = 0;    // a worker is replaced after so many jobs; 0: never
    Duration max_time{};           // .. after so long; 0: never
    std::uint64_t max_rss = 0;     // .. when its process group has more memory, in bytes; 0: never
    Duration stop_timeout = 30s;   // from being asked to end to SIGKILL
    Duration first_delay = 1s;     // between a failure and the next start; doubles ..
    Duration last_delay = 60s;     // .. up to this
    Duration healthy_after = 10s;  // a worker that lived so long, or did a job, did not fail at its start
    unsigned crash_limit = 5;      // failures at the start in a row, then it is given up
};

// What was asked for, with the defaults that depend on each other.
[[nodiscard]] Policy policy_of(const config::Fleet& fleet);

}  // namespace tidegate::fleet
