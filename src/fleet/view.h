// What the API, the metrics and `tidegate ctl` say about a fleet of a gate: a plain copy. Pure.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fleet/fleet.h"
#include "fleet/log_ring.h"

namespace tidegate::fleet {

enum class FleetState : std::uint8_t {
    waiting,   // for the server, for its name (`single`), or for the end of a fleet of the same name
    running,   //
    done,      // all workers have ended, none is to be started again
    stopping,  // told to end
    given_up,  // it cannot work: `why` says how that was seen
};

[[nodiscard]] std::string_view text_of(FleetState state);

struct WorkerView {
    Worker worker;
    pid_t pid = 0;  // 0: it has no process now
};

struct FleetView {
    std::string name{};
    FleetState state = FleetState::waiting;
    std::string why{};  // for what it waits, why it was given up; empty: nothing to say
    Figures figures;
    std::vector<WorkerView> workers;
    std::string logs;  // the folder of its logs; empty: none
    TimePoint now{};   // when it was so
};

struct LogPage {
    std::vector<LogLine> lines;
    std::uint64_t last = 0;  // ask for what comes after this
    TimePoint now{};
};

}  // namespace tidegate::fleet
