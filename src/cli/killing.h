// Ending connections for `tidegate kill` and `tidegate status --kill-idle`: lists them, ends them one by one with a
// pause, and leaves a line in the audit log for each.
#pragma once

#include <string>

#include "base/clock.h"
#include "cli/way_in.h"
#include "watch/victims.h"

namespace tidegate::cli {

struct Killing {
    watch::Filter filter{};
    watch::Victims which = watch::Victims::all;
    std::size_t limit = 0;  // 0: none
    Duration pause{};       // between two of them
    bool query_only = false;
    bool dry_run = false;
    bool json = false;
    std::string audit_log{};  // empty: kills.log in Tidegate's folder under ~/.local/state
};

// Over what `snapshot` shows. Says what it does; 0 done (also when there was nothing to do), 1 some could not be ended,
// 2 the server no longer answers.
[[nodiscard]] int end_connections(WayIn& way, const watch::Snapshot& snapshot, const Killing& killing);

}  // namespace tidegate::cli
