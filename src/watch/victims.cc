#include "watch/victims.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/letters.h"
#include "config/values.h"

namespace tidegate::watch {
namespace {

// One of the patterns fits one of the texts; no pattern fits everything.
bool any_fits(const std::vector<std::string>& patterns, std::initializer_list<std::string_view> texts) {
    if (patterns.empty()) return true;
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return std::ranges::any_of(texts, [&](std::string_view text) { return fits(text, pattern); });
    });
}

bool program_fits(const std::vector<std::string>& patterns, const Connection& connection) {
    const std::string_view name = connection.local ? std::string_view(connection.local->name) : "";
    const std::string_view command = connection.local ? std::string_view(connection.local->command) : "";
    return any_fits(patterns, {name, command, connection.program_name});
}

}  // namespace

bool fits(std::string_view text, std::string_view pattern) {
    // Where the last `*` was, and how much of the text it took: what follows is tried again, a character further.
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || lower_letter(pattern[p]) == lower_letter(text[t]))) {
            ++t;
            ++p;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool Filter::empty() const {
    return users.empty() && hosts.empty() && schemas.empty() && programs.empty() && states.empty() &&
           statements.empty() && ids.empty() && !idle && !busy && !in_transaction;
}

bool Filter::matches(const Connection& connection) const {
    if (idle && !connection.idle_for(*idle)) return false;
    if (busy && (connection.sleeping() || connection.time < *busy)) return false;
    if (in_transaction && (!connection.in_transaction || *connection.in_transaction < *in_transaction)) return false;
    if (!ids.empty() && std::ranges::find(ids, connection.id) == ids.end()) return false;
    return any_fits(users, {connection.user}) && any_fits(hosts, {connection.host}) &&
           any_fits(schemas, {connection.schema}) && program_fits(programs, connection) &&
           any_fits(states, {connection.state, connection.command}) && any_fits(statements, {connection.statement});
}

std::string Filter::text() const {
    std::vector<std::string> parts;
    const auto list = [&](std::string_view name, const auto& values) {
        if (!values.empty()) parts.push_back(fmt::format("{} {}", name, fmt::join(values, " or ")));
    };
    const auto time = [&](std::string_view name, const std::optional<Duration>& at_least) {
        if (at_least) parts.push_back(fmt::format("{} for {} s or more", name, seconds(*at_least)));
    };
    time("idle", idle);
    time("at one statement", busy);
    time("in a transaction", in_transaction);
    list("account", users);
    list("host", hosts);
    list("schema", schemas);
    list("program", programs);
    list("state", states);
    list("statement", statements);
    list("id", ids);
    return fmt::format("{}", fmt::join(parts, ", "));
}

Choice choose(const Snapshot& snapshot, const Filter& filter, Victims which, std::size_t limit) {
    Choice choice;
    for (const auto& connection : snapshot.connections) {
        if (!filter.matches(connection)) continue;
        if (connection.kind == Kind::client)
            choice.victims.push_back(connection);
        else
            ++choice.spared[connection.kind];
    }
    std::ranges::sort(choice.victims, [](const Connection& a, const Connection& b) {
        return std::pair(b.time, a.id) < std::pair(a.time, b.id);
    });
    if (which == Victims::oldest) limit = 1;
    if (limit != 0 && choice.victims.size() > limit) {
        choice.beyond_limit = choice.victims.size() - limit;
        choice.victims.resize(limit);
    }
    return choice;
}

bool is_unchanged(const Connection& chosen, const Connection& now) {
    // A new sleep, and a new run of the same statement, begin at 0 again.
    return chosen.id == now.id && chosen.user == now.user && chosen.host == now.host && chosen.port == now.port &&
           chosen.command == now.command && chosen.statement == now.statement && now.time >= chosen.time;
}

}  // namespace tidegate::watch
