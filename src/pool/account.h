// What the pool knows of one account: its lanes and its counts. Limits are the budget's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/histogram.h"
#include "pool/lane.h"
#include "pool/pace.h"

namespace tidegate::pool {

struct Account {
    budget::AccountId id = 0;
    std::vector<std::unique_ptr<Lane>> lanes;  // a few: one for each set of flags that was seen
    unsigned idle = 0;
    unsigned active = 0;
    unsigned closing = 0;
    unsigned peak = 0;
    std::array<std::size_t, kRanks> waiting_by_rank{};
    std::size_t waiting = 0;
    std::uint64_t granted = 0;
    std::uint64_t waited = 0;
    std::uint64_t refused = 0;
    std::uint64_t cancelled = 0;
    WaitHistogram waits;
    Pace pace;
    unsigned measured_limit = 0;  // that `pace` was measured under
    unsigned logged_limit = 0;    // the last that an operator was told
};

}  // namespace tidegate::pool
