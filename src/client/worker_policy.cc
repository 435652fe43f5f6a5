#include "client/worker_policy.h"

#include <algorithm>
#include <cmath>

namespace tidegate::client {
namespace {

constexpr double kJitter = 0.1;

}  // namespace

WorkerPolicy::WorkerPolicy(const WorkerOptions& options, TimePoint now, std::uint64_t seed)
    : jitter_(seed),
      rest_(options.rest),
      end_(TimePoint::max()),
      give_up_after_(options.give_up_after),
      next_look_(now) {
    const double share = 1.0 + kJitter * (2.0 * jitter_.fraction() - 1.0);
    const auto jobs = static_cast<std::uint64_t>(std::lround(options.max_jobs * share));
    max_jobs_ = options.max_jobs == 0 ? 0 : std::max<std::uint64_t>(1, jobs);
    if (options.max_time.count() > 0) end_ = now + jitter_.around(options.max_time, kJitter);
}

void WorkerPolicy::found_none(TimePoint now) {
    failures_ = 0;
    backoff_.worked();
    next_look_ = std::min(now + rest_, end_);
}

void WorkerPolicy::did_one(bool well) {
    failures_ = 0;
    backoff_.worked();
    ++(well ? done_ : failed_);
}

void WorkerPolicy::could_not_take(TimePoint now) {
    ++failures_;
    backoff_.failed(now, jitter_);
    next_look_ = std::min(backoff_.retry_at(), end_);
}

std::optional<WorkerEnd::Reason> WorkerPolicy::end(TimePoint now) const {
    if (max_jobs_ != 0 && done_ + failed_ >= max_jobs_) return WorkerEnd::Reason::max_jobs;
    if (now >= end_) return WorkerEnd::Reason::max_time;
    if (give_up_after_ != 0 && failures_ >= give_up_after_) return WorkerEnd::Reason::gave_up;
    return std::nullopt;
}

}  // namespace tidegate::client
