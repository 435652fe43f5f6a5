// How many more workers, or jobs, the server has room for now: from what it says about its connections and from what
// was started already. Pure.
//
// Each of ours counts as a connection from its start to its end, whether it has connected yet or not: so a worker that
// takes a second to come up is not taken for room. What the server has beyond that belongs to others. From 80 % of
// the limit on only half of what is left is used; a refusal at the server's door (1040) halves what may run at once,
// and it grows back by a tenth of the limit with every look that finds none.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"

namespace tidegate::fleet {

// One look at the server, or at the gate in front of it.
struct Load {
    unsigned connected = 0;                  // connections that there are, the looking one included
    unsigned limit = 0;                      // that there may be
    unsigned waiting = 0;                    // in line at the gate
    std::uint64_t refused = 0;               // refusals for want of room, ever
    bool refused_us = false;                 // the look itself was refused: it is full
    bool shared = false;                     // clients of a gate share its connections: they may be more than those
    [[nodiscard]] std::string text() const;  // "93 of 151 connections"
};

class Pace {
public:
    explicit Pace(unsigned reserve) : reserve_(reserve) {}

    // How many may be started now, while `running` of ours are there.
    [[nodiscard]] unsigned room(const Load& load, unsigned running);
    // Why the last answer was less than everything that was free; empty: it was not.
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    [[nodiscard]] unsigned unrefused(const Load& load, unsigned running);

    unsigned reserve_;
    unsigned others_ = 1;                   // connections that are not ours, as last seen without any of ours
    std::optional<std::uint64_t> refused_;  // at the last look
    std::optional<unsigned> ceiling_;       // of ours at once, after refusals
    std::string reason_;
};

// A pace, and the sentence for people when it leaves no room: once, and again when that lasts.
class Room {
public:
    explicit Room(unsigned reserve) : pace_(reserve) {}
    // `wanted`: there is somebody to be started.
    [[nodiscard]] unsigned look(const Load& load, unsigned running, bool wanted, TimePoint now,
                                const std::function<void(const std::string&)>& say);

private:
    Pace pace_;
    bool waiting_ = false;
    TimePoint said_at_{};
};

}  // namespace tidegate::fleet
