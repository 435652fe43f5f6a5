#include "watch/holders.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace tidegate::watch {
namespace {

constexpr std::size_t kPidsListed = 4;

struct Unit {
    long seconds;
    const char* one;
    const char* many;
};
constexpr std::array<Unit, 4> kUnits{
    {{86400, "day", "days"}, {3600, "hour", "hours"}, {60, "minute", "minutes"}, {1, "second", "seconds"}}};

// The largest unit that there are at least two of, or seconds.
const Unit& unit_of(long seconds) {
    const auto fits = [&](const Unit& unit) { return seconds >= 2 * unit.seconds; };
    const auto at = std::ranges::find_if(kUnits, fits);
    return at == kUnits.end() ? kUnits.back() : *at;
}

long whole_seconds(Duration time) {
    return std::max<long>(0, static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(time).count()));
}

template <class Value>
void add_unique(std::vector<Value>& to, const Value& value) {
    const auto at = std::ranges::lower_bound(to, value);
    if (at == to.end() || *at != value) to.insert(at, value);
}

void add(Group& group, const Connection& connection, Duration max_idle) {
    ++group.total;
    if (connection.sleeping()) {
        group.shortest_sleep = group.sleeping == 0 ? connection.time : std::min(group.shortest_sleep, connection.time);
        group.longest_sleep = std::max(group.longest_sleep, connection.time);
        ++group.sleeping;
        if (connection.idle_for(max_idle)) ++group.idle;
    } else {
        ++group.active;
    }
    if (connection.local) {
        if (connection.local->pid != 0) add_unique(group.pids, connection.local->pid);
        for (const int pid : connection.local->one_of) add_unique(group.pids, pid);
    }
    add_unique(group.hosts, connection.host);
}

}  // namespace

std::string account_of(const Connection& connection) {
    return connection.user.empty() ? "(none)" : connection.user;
}

std::string host_of(const Connection& connection) {
    return connection.host.empty() ? "(not told)" : connection.host;
}

std::string schema_of(const Connection& connection) {
    return connection.schema.empty() ? "(none)" : connection.schema;
}

std::string program_of_connection(const Connection& connection) {
    if (auto name = connection.program(); !name.empty()) return name;
    return fmt::format("{} at {}", account_of(connection), host_of(connection));
}

std::vector<Group> group_by(const Snapshot& snapshot, Duration max_idle, const KeyOf& key) {
    std::vector<Group> groups;
    std::unordered_map<std::string, std::size_t> places;
    for (const auto& connection : snapshot.connections) {
        if (!connection.is_held()) continue;
        const auto name = key(connection);
        const auto [at, added] = places.try_emplace(name, groups.size());
        if (added) groups.emplace_back().name = name;
        add(groups[at->second], connection, max_idle);
    }
    std::ranges::sort(groups, [](const Group& a, const Group& b) {
        return std::pair(b.total, std::string_view(a.name)) < std::pair(a.total, std::string_view(b.name));
    });
    return groups;
}

std::string words_of(Duration time) {
    const long s = whole_seconds(time);
    const Unit& unit = unit_of(s);
    const long count = s / unit.seconds;
    return fmt::format("{} {}", count, count == 1 ? unit.one : unit.many);
}

std::string words_of(Duration from, Duration to) {
    const long first = whole_seconds(from);
    const long last = whole_seconds(to);
    const Unit& unit = unit_of(last);
    if (first / unit.seconds == last / unit.seconds) return words_of(to);
    if (&unit_of(first) == &unit || first < 1)
        return fmt::format("{} to {} {}", first / unit.seconds, last / unit.seconds, unit.many);
    return fmt::format("{} to {}", words_of(from), words_of(to));
}

std::string words_of_pids(const std::vector<int>& pids) {
    if (pids.empty()) return "";
    if (pids.size() == 1) return fmt::format("pid {}", pids.front());
    const bool in_row = static_cast<std::size_t>(pids.back() - pids.front()) + 1 == pids.size();
    if (in_row) return fmt::format("pid {} to {}", pids.front(), pids.back());
    std::string words = "pid ";
    for (std::size_t i = 0; i < pids.size() && i < kPidsListed; ++i)
        words += fmt::format("{}{}", i == 0 ? "" : ", ", pids[i]);
    if (pids.size() > kPidsListed) words += fmt::format(" and {} more", pids.size() - kPidsListed);
    return words;
}

std::string sentence_of(const Group& group) {
    std::string words =
        fmt::format("{} {}: {}", group.total, group.total == 1 ? "connection" : "connections", group.name);
    if (!group.pids.empty()) words += fmt::format(" ({})", words_of_pids(group.pids));
    if (group.active > 0) words += fmt::format(", {} at work", group.active);
    if (group.sleeping > 0) {
        words += group.active > 0 ? fmt::format(", {} sleeping", group.sleeping) : ", sleeping";
        words += fmt::format(" for {}", words_of(group.shortest_sleep, group.longest_sleep));
    }
    return words;
}

}  // namespace tidegate::watch
