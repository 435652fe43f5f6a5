// What people are told of slots: refusals, log lines, figures.
#pragma once

#include <string>

#include "slots/ledger.h"

namespace tidegate::slots {

[[nodiscard]] std::string text_of(Duration duration);  // "0.2 s", "95 s", "12 min", "3.5 h"

// "active 150, waiting 37, peak 150, max 150"
[[nodiscard]] std::string figures(const Ledger& ledger);

// "pid 4711 (php import.php, www-data)"
[[nodiscard]] std::string who(const Process& process);

// Why there was none: how long it waited, for what, what holds the slots, and what to do.
[[nodiscard]] std::string no_slot_in_time(const std::string& pool, const Ledger& ledger, Duration waited,
                                          TimePoint now);

}  // namespace tidegate::slots
