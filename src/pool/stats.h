// The pool's figures, for people and for monitoring: a copy, taken when asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "budget/budget.h"
#include "pool/connection.h"

namespace tidegate::pool {

struct Stats {
    // Of one account, and of all together.
    struct Counts {
        std::string name;  // the account's
        unsigned limit = 0;
        unsigned opening = 0;
        unsigned idle = 0;
        unsigned active = 0;
        unsigned closing = 0;
        std::size_t waiting = 0;
        std::uint64_t granted = 0;    // leases in all
        std::uint64_t waited = 0;     // of them, those that stood in line first
        std::uint64_t refused = 0;    // clients that got an error instead
        std::uint64_t cancelled = 0;  // clients that left the line
        unsigned peak = 0;            // connections held at once, at most
        WaitHistogram waits;          // of those that stood in line, served or not
        [[nodiscard]] unsigned open() const { return idle + active + closing; }
    };

    Counts all;
    std::vector<Counts> accounts;  // by AccountId
    std::size_t most_waiting = 0;
    std::array<std::uint64_t, budget::kOpenFailures>
        open_failures{};                                // by budget::OpenFailure: what the server refused
    std::array<std::uint64_t, kCloseReasons> closed{};  // by CloseReason
    std::uint64_t opened = 0;
    Duration longest_lease{};
    Duration longest_wait{};  // of those who wait now
    std::uint64_t generation = 0;
};

}  // namespace tidegate::pool
