// Ends the programs of this host that hold a server's connections: for when nobody can log in any more, and what holds
// the connections are scripts that nobody needs (the zombies of a booking site's six scripts). Needs no login, and no
// privilege for one's own programs.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "watch/local.h"

namespace tidegate::watch {

// Each list is joined by OR, the fields by AND; an empty field says nothing.
struct ProgramFilter {
    std::vector<std::string> programs{};  // with * or ?: the whole of the name, the script or the command line; else a
                                          // part of the name. Upper and lower case are alike
    std::vector<std::string> accounts{};  // of the system
    std::vector<int> pids{};
    std::optional<Duration> quiet{};  // all its connections, for at least so long

    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::string text() const;  // for logs: "program node*, quiet for 300 s or more"
};

struct Target {
    Program program;
    std::size_t connections = 0;        // that it holds, or shares
    std::optional<Duration> quiet;      // the one that was used last; nothing: not known
    std::optional<int> inherited_from;  // the pid of the target that opened them
};

// What the filter fits and is left alone all the same.
struct Spared {
    Program program;
    std::string why;
};

struct ProgramPlan {
    std::vector<Target> targets;  // by pid
    std::vector<Spared> spared;
};

// `never`: pids that are not to be touched, own_line() of processes.h. Nor are touched: the server, database servers
// that read from it (replicas), readers of its binary log, gates, the first process. With a quiet time: who spoke last,
// since a statement of it may be running; and who is connected over a Unix socket, since nothing tells how long it is
// quiet. Both can be named by their pids. Pure.
[[nodiscard]] ProgramPlan plan(const LocalView& view, const ProgramFilter& filter, std::span<const int> never);

enum class ProgramEnd : std::uint8_t {
    ended,    // by TERM
    killed,   // by KILL, after the grace time
    gone,     // had ended by itself, or is another by now
    refused,  // not ours to end; `why` says so
    stays,    // still there after KILL: the kernel holds on to it
};
[[nodiscard]] std::string_view name_of(ProgramEnd end);

struct EndedProgram {
    Target target;
    ProgramEnd end = ProgramEnd::ended;
    std::string why;
};

// TERM to all of them at once, through handles that no later process with the same pid can be hit by; KILL to those
// that are there after `grace`. Calls `tell` with each as it ends. Blocks.
std::vector<EndedProgram> end(const std::vector<Target>& targets, Duration grace,
                              const std::function<void(const EndedProgram&)>& tell = {});

// "php worker.php (pid 4242, www-data), 3 connections, quiet for 41 minutes".
[[nodiscard]] std::string sentence_of(const Target& target);

}  // namespace tidegate::watch
