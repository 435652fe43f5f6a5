// How a fleet is to be run: plain values, from flags or from [[fleet]]. docs/fleet.md explains each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace tidegate::fleet {

// Whether a worker that ended by itself is started again.
enum class Restart : std::uint8_t { always, on_failure, never };

[[nodiscard]] std::string_view text_of(Restart restart);
[[nodiscard]] std::optional<Restart> parse_restart(std::string_view text);

inline constexpr unsigned kMostWorkers = 100'000;
inline constexpr std::uint64_t kRecycleJobs = 100;  // of a fleet whose workers are always started again
inline constexpr Duration kRecycleTime = 1h;

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

}  // namespace tidegate::fleet
