#include "slots/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "slots/process.h"

namespace tidegate::slots {

std::string text_of(Duration duration) {
    const double s = seconds(duration);
    if (s < 10) return fmt::format("{:.1f} s", s);
    if (s < 600) return fmt::format("{:.0f} s", s);
    if (s < 3 * 3600.0) return fmt::format("{:.0f} min", s / 60);
    return fmt::format("{:.1f} h", s / 3600);
}

std::string figures(const Ledger& ledger) {
    return fmt::format("active {}, waiting {}, peak {}, max {}", ledger.active(), ledger.waiting(),
                       ledger.totals().peak, ledger.size());
}

std::string who(const Process& process) {
    if (process.pid == 0) return "a process that is not known";
    return fmt::format("pid {} ({}, {})", process.pid, process.command(), account_name(process.uid));
}

std::string no_slot_in_time(const std::string& pool, const Ledger& ledger, Duration waited, TimePoint now) {
    std::string longest;
    const Holder* oldest = nullptr;
    for (const Holder& holder : ledger.holders()) {
        if (holder.by != HeldBy::nobody && (oldest == nullptr || holder.since < oldest->since)) oldest = &holder;
    }
    if (oldest != nullptr) {
        longest = fmt::format("; the longest by {} for {}", who(oldest->who), text_of(now - oldest->since));
    }
    return fmt::format(
        "no slot of '{}' within {}: {} of {} are taken{}; {} more wait. `tidegate slots` shows who holds them", pool,
        text_of(waited), ledger.active(), ledger.size(), longest, ledger.waiting());
}

}  // namespace tidegate::slots
