// plan() of programs.h: who is to be ended, and who is not though the filter fits.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "watch/holders.h"
#include "watch/programs.h"
#include "watch/victims.h"

namespace tidegate::watch {
namespace {

template <class List, class Value>
bool contains(const List& list, const Value& value) {
    return std::ranges::find(list, value) != list.end();
}

bool fits_program(const Program& program, const std::string& pattern) {
    if (pattern.find_first_of("*?") == std::string::npos) return fits(program.name, "*" + pattern + "*");
    return fits(program.name, pattern) || fits(program.script, pattern) || fits(program.command, pattern);
}

bool fits_all(const Program& program, const ProgramFilter& filter) {
    const auto fits_one = [&](const std::string& pattern) { return fits_program(program, pattern); };
    return (filter.programs.empty() || std::ranges::any_of(filter.programs, fits_one)) &&
           (filter.accounts.empty() || contains(filter.accounts, program.account)) &&
           (filter.pids.empty() || contains(filter.pids, program.pid));
}

// The last time that it used one of its connections; nothing: not known of each.
std::optional<Duration> quiet_of(const LocalHolder& holder) {
    auto least = holder.ends.front().quiet;
    for (const auto& end : holder.ends) {
        if (!end.quiet || !least) return std::nullopt;
        least = std::min(least, end.quiet);
    }
    return least;
}

std::string_view first_word(std::string_view name) {
    return name.substr(0, name.find(' '));
}

// Why such a program is never ended, whoever asks; empty: it may be.
std::string why_never(const Program& program, const LocalView& view, std::span<const int> never) {
    constexpr std::array<std::string_view, 5> kServers{"mysqld", "mariadbd", "mysqld-debug", "mysqld_safe",
                                                       "mariadbd-safe"};
    constexpr std::array<std::string_view, 2> kBinlogReaders{"mysqlbinlog", "mariadb-binlog"};
    const auto word = first_word(program.name);
    if (program.pid == 1) return "the first process of this system";
    if (contains(never, program.pid)) return "this program itself, or what has started it";
    if (view.server && view.server->pid == program.pid) return "the server itself, or what stands in its place";
    if (contains(kServers, word)) return "a database server: a replica of this one, or it reads tables of it";
    if (contains(kBinlogReaders, word)) return "reads the binary log";
    if (word == "tidegate" && program.name != "tidegate run" && program.name != "tidegate exec") {
        return "a gate; it gives its connections back itself: tidegate ctl drain";
    }
    return "";
}

// Why a quiet time does not choose it; empty: it does.
std::string why_not_quiet(const LocalHolder& holder) {
    const auto pid = holder.program.pid;
    if (!quiet_of(holder)) {
        return fmt::format(
            "over a Unix socket, of which nothing tells how long it is quiet; to end it: --pid {} without a "
            "time",
            pid);
    }
    const bool spoke = std::ranges::any_of(holder.ends, [](const LocalEnd& end) { return end.spoke_last; });
    if (!spoke) return "";
    return fmt::format(
        "it spoke last: a statement of it may be running; to end it all the same: --pid {} without a time", pid);
}

class Planner {
public:
    Planner(const LocalView& view, const ProgramFilter& filter, std::span<const int> never)
        : view_(view), filter_(filter), never_(never) {}

    ProgramPlan run() {
        for (const auto& holder : view_.holders) consider(holder);
        for (const auto& holder : view_.holders) {
            if (targets_.contains(holder.program.pid)) add_heirs(holder);
        }
        for (auto& [pid, target] : targets_) plan_.targets.push_back(std::move(target));
        return std::move(plan_);
    }

private:
    void consider(const LocalHolder& holder) {
        if (!fits_all(holder.program, filter_)) return;
        const auto quiet = quiet_of(holder);
        if (filter_.quiet && quiet && *quiet < *filter_.quiet) return;
        auto why = why_never(holder.program, view_, never_);
        if (why.empty() && filter_.quiet) why = why_not_quiet(holder);
        if (!why.empty()) {
            plan_.spared.push_back({holder.program, std::move(why)});
            return;
        }
        targets_.emplace(holder.program.pid, Target{holder.program, holder.ends.size(), quiet, std::nullopt});
    }

    // A connection ends when all that have it have let go.
    void add_heirs(const LocalHolder& holder) {
        std::map<int, std::size_t> shares;
        for (const auto& end : holder.ends) {
            for (const int pid : end.also) ++shares[pid];
        }
        for (const auto& heir : view_.heirs) {
            const auto share = shares.find(heir.pid);
            if (share == shares.end() || targets_.contains(heir.pid)) continue;
            if (auto why = why_not_heir(heir); !why.empty()) {
                plan_.spared.push_back({heir, std::move(why)});
                continue;
            }
            targets_.emplace(heir.pid, Target{heir, share->second, quiet_of(holder), holder.program.pid});
        }
    }

    [[nodiscard]] std::string why_not_heir(const Program& heir) const {
        if (auto why = why_never(heir, view_, never_); !why.empty()) return why;
        const auto is_heir = [&](const LocalHolder& holder) { return holder.program.pid == heir.pid; };
        if (std::ranges::none_of(view_.holders, is_heir)) return "";
        return "it has inherited a connection that is to end, and has others that the filter does not fit";
    }

    const LocalView& view_;
    const ProgramFilter& filter_;
    std::span<const int> never_;
    std::map<int, Target> targets_;
    ProgramPlan plan_;
};

std::string listed(const std::vector<std::string>& values) {
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : " or ") + value;
    return text;
}

}  // namespace

bool ProgramFilter::empty() const {
    return programs.empty() && accounts.empty() && pids.empty() && !quiet;
}

std::string ProgramFilter::text() const {
    std::vector<std::string> parts;
    if (!programs.empty()) parts.push_back("program " + listed(programs));
    if (!accounts.empty()) parts.push_back("of " + listed(accounts));
    if (!pids.empty()) parts.push_back(words_of_pids(pids));
    if (quiet) parts.push_back(fmt::format("quiet for {} s or more", static_cast<long>(seconds(*quiet))));
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

ProgramPlan plan(const LocalView& view, const ProgramFilter& filter, std::span<const int> never) {
    return Planner(view, filter, never).run();
}

std::string sentence_of(const Target& target) {
    std::string text =
        fmt::format("{} (pid {}, {}), {} {}", target.program.name, target.program.pid, target.program.account,
                    target.connections, target.connections == 1 ? "connection" : "connections");
    if (target.inherited_from) text += fmt::format(" inherited from pid {}", *target.inherited_from);
    if (target.quiet) text += fmt::format(", quiet for {}", words_of(*target.quiet));
    return text;
}

}  // namespace tidegate::watch
