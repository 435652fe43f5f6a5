#include "fleet/policy.h"

namespace tidegate::fleet {
namespace {

constexpr unsigned kRecycleJobs = 100;  // of a fleet whose workers are always started again
constexpr Duration kRecycleTime = 1h;

}  // namespace

Policy policy_of(const config::Fleet& fleet) {
    const bool recycles = fleet.restart == Restart::always;
    Policy policy;
    policy.workers = fleet.workers;
    policy.restart = fleet.restart;
    policy.batch = fleet.batch.value_or(0);
    policy.batch_delay = fleet.batch_delay;
    policy.max_jobs = fleet.max_jobs.value_or(recycles ? kRecycleJobs : 0);
    policy.max_time = fleet.max_time.value_or(recycles ? kRecycleTime : Duration::zero());
    policy.max_rss = fleet.max_rss;
    policy.stop_timeout = fleet.stop_timeout;
    return policy;
}

}  // namespace tidegate::fleet
