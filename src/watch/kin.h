// The programs of this host that hold a server's connections, in groups that are alike to a person: by name and
// account. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "watch/local.h"

namespace tidegate::watch {

struct Kin {
    std::string name;
    std::string account;
    std::vector<int> pids;  // sorted
    std::size_t connections = 0;
    std::optional<Duration> shortest_quiet;
    std::optional<Duration> longest_quiet;
    bool spared = false;  // never to be ended: plan() of programs.h
};

// The largest first, without this process.
[[nodiscard]] std::vector<Kin> kin_of(const LocalView& view);

}  // namespace tidegate::watch
