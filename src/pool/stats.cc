#include "pool/stats.h"

#include <algorithm>

#include "pool/pool.h"

namespace tidegate::pool {

Stats Pool::stats(TimePoint now) {
    Stats stats;
    for (const auto& account : accounts_) {
        Stats::Counts counts;
        counts.name = budget_.name(account->id);
        counts.limit = budget_.limit_of(account->id);
        counts.opening = budget_.opening(account->id);
        counts.idle = account->idle;
        counts.active = account->active;
        counts.closing = account->closing;
        counts.waiting = account->waiting;
        counts.granted = account->granted;
        counts.waited = account->waited;
        counts.refused = account->refused;
        counts.cancelled = account->cancelled;
        counts.peak = account->peak;
        counts.waits = account->waits;
        stats.all.granted += counts.granted;
        stats.all.waited += counts.waited;
        stats.all.refused += counts.refused;
        stats.all.cancelled += counts.cancelled;
        stats.accounts.push_back(std::move(counts));
    }
    stats.all.limit = budget_.limit();
    stats.all.opening = budget_.opening();
    stats.all.idle = static_cast<unsigned>(idle_.size());
    stats.all.active = active();
    stats.all.closing = static_cast<unsigned>(closing_.size());
    stats.all.waiting = waiting_;
    stats.all.peak = peak_;
    stats.all.waits = waits_;
    stats.most_waiting = most_waiting_;
    for (std::size_t i = 0; i < stats.open_failures.size(); ++i) {
        stats.open_failures[i] = budget_.failures(static_cast<budget::OpenFailure>(i));
    }
    stats.closed = closed_;
    stats.opened = opened_;
    stats.generation = generation_;
    // Leases are in their order of time, so are waits within a rank.
    if (!leased_.empty()) stats.longest_lease = now - leased_.front().state_since;
    for (const auto& account : accounts_) {
        for (const auto& lane : account->lanes)
            stats.longest_wait = std::max(stats.longest_wait, lane->longest_wait(now));
    }
    return stats;
}

}  // namespace tidegate::pool
