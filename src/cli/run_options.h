// What `tidegate run` was asked for, as it was written, and made into what the fleet takes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "fleet/policy.h"

namespace tidegate::cli {

struct RunOptions {
    std::vector<std::string> command;
    std::string workers;  // empty: DB_CONNECTION_LIMIT, or 1
    std::string batch = "150";
    std::string batch_delay = "2s";
    std::string max_jobs;  // these empty: see docs/fleet.md
    std::string max_time;
    std::string max_rss;
    std::string restart = "on-failure";
    std::string stop_timeout = "30s";
    std::string job_line;
    std::string jobs;  // a file or -; empty: a fleet of workers
    std::string journal;
    unsigned retries = 5;
    std::string single;
    bool wait = false;
    bool top = false;
    bool json = false;
    bool no_prefix = false;
    std::string logs;
    std::string server;
    std::string api;
    unsigned reserve = 3;
};

struct RunPlan {
    fleet::Policy policy;
    std::optional<config::Endpoint> api;
    std::string api_token;
};

// An error names the flag and what it takes.
[[nodiscard]] Result<RunPlan> plan_of(const RunOptions& options);

}  // namespace tidegate::cli
