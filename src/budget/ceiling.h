// What refusals at login teach: the limit closes to what is open at that moment, and opens again by one probe at a
// time, in steps that double while the probes work. Used for the server as a whole (1040) and for each account (1203,
// 1226). Pure; belongs to one thread. All counts are connections that the server holds of ours, those under way not
// among them.
#pragma once

#include <limits>

#include "base/clock.h"

namespace tidegate::budget {

class Ceiling {
public:
    static constexpr unsigned kNone = std::numeric_limits<unsigned>::max();

    // A login was refused while `open` connections were open.
    void refused(unsigned open, TimePoint now);
    // A login worked; `open` counts it.
    void worked(unsigned open, TimePoint now);
    // The figures have changed, or the limit is known to be higher: nothing learnt so far holds.
    void forget() { level_ = kNone; }

    [[nodiscard]] bool closed() const { return level_ != kNone; }
    // kNone while nothing is known. May be 0: others hold everything, and only a probe tells when that ends.
    [[nodiscard]] unsigned level() const { return level_; }
    // May one more be opened above the level, with `under_way` already in the making?
    [[nodiscard]] bool probe_due(unsigned under_way, TimePoint now) const {
        return closed() && under_way == 0 && now >= probe_at_;
    }

private:
    unsigned level_ = kNone;
    unsigned step_ = 1;
    Duration interval_{};
    TimePoint probe_at_{};
};

}  // namespace tidegate::budget
