// Something that runs beside the proxy on the gate's loop and ends with it: the slots' door, for one. Called from the
// loop's thread only.
#pragma once

#include "base/clock.h"
#include "config/config.h"

namespace tidegate::proxy {

class Companion {
public:
    virtual ~Companion() = default;
    virtual void tick(TimePoint now) = 0;  // about every net::Loop::kTick
    virtual void reload(const config::Config& config) = 0;
    // The gate is told to stop. Whatever works through the gate itself finishes first; only then are its clients
    // drained, and cut_off() comes when the time is over.
    virtual void finish_work() {}
    [[nodiscard]] virtual bool work_finished() { return true; }
    virtual void cut_off() {}
    virtual void drain() = 0;               // take nothing new, and end what may be ended
    [[nodiscard]] virtual bool idle() = 0;  // nothing is left that needs the loop: it may end
};

}  // namespace tidegate::proxy
