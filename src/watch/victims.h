// Which connections are to be ended: filters joined by AND over a snapshot, and what is never touched. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watch/snapshot.h"

namespace tidegate::watch {

// Each list is joined by OR, the fields by AND; an empty field says nothing. In texts `*` and `?` stand for any, as in
// file names; upper and lower case are alike.
struct Filter {
    std::vector<std::string> users{};
    std::vector<std::string> hosts{};
    std::vector<std::string> schemas{};
    std::vector<std::string> programs{};    // the local program's name or command line, or the attribute
    std::vector<std::string> states{};      // what the server says that it is doing, or the command: "Sleep"
    std::vector<std::string> statements{};  // the beginning that is kept of the statement that runs
    std::vector<std::uint64_t> ids{};
    std::optional<Duration> idle{};            // sleeping for at least so long
    std::optional<Duration> busy{};            // at one statement for at least so long
    std::optional<Duration> in_transaction{};  // open for at least so long, sleeping or not

    [[nodiscard]] bool empty() const;
    [[nodiscard]] bool matches(const Connection& connection) const;
    // For logs and the person who asked: "idle for 180 s or more, user app".
    [[nodiscard]] std::string text() const;
};

enum class Victims : std::uint8_t { all, oldest };

struct Choice {
    std::vector<Connection> victims;  // longest in their state first
    // What the filters fit, but what is never ended, by kind.
    std::map<Kind, std::size_t> spared;
    std::size_t beyond_limit = 0;  // victims that the limit leaves alone
};

// `limit`: at most so many; 0: no limit. Only connections of Kind::client are ever chosen.
[[nodiscard]] Choice choose(const Snapshot& snapshot, const Filter& filter, Victims which, std::size_t limit);

// Whether a connection as it is now is still the one that was chosen, in the same state: the same client in the same
// sleep or the same statement.
[[nodiscard]] bool is_unchanged(const Connection& chosen, const Connection& now);

// `*` and `?` as in file names, upper and lower case (ASCII) alike.
[[nodiscard]] bool fits(std::string_view text, std::string_view pattern);

}  // namespace tidegate::watch
