#include "cli/status_text.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "watch/holders.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using watch::Connection;
using watch::Group;
using watch::Snapshot;

constexpr std::size_t kGroupsShown = 12;
constexpr std::size_t kStatementsShown = 10;
constexpr std::size_t kStatementWidth = 70;

using Out = std::back_insert_iterator<std::string>;

std::string at_most(std::string text, std::size_t width) {
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    if (text.size() > width) text = text.substr(0, width - 2) + "..";
    return text;
}

std::uint64_t number(const Snapshot& snapshot, std::string_view name) {
    return snapshot.count(name).value_or(0);
}

std::string own_user(const Snapshot& snapshot) {
    return snapshot.own_account.substr(0, snapshot.own_account.rfind('@'));
}

std::string_view flavour_name(const Snapshot& snapshot) {
    return snapshot.flavour == watch::Flavour::mariadb ? "MariaDB" : "MySQL";
}

// What the server refused since its start because it was full. MariaDB (10.11 and 11.8, measured) has the counter and
// never counts in it: nothing is known then.
std::optional<std::uint64_t> refused(const Snapshot& snapshot) {
    const auto count = snapshot.count("Connection_errors_max_connections");
    if (snapshot.flavour == watch::Flavour::mariadb && count.value_or(0) == 0) return std::nullopt;
    return count;
}

std::string refused_text(const Snapshot& snapshot) {
    const auto count = refused(snapshot);
    return count ? std::to_string(*count)
                 : fmt::format("not counted by this server (connects that failed for any reason: {})",
                               number(snapshot, "Aborted_connects"));
}

void head(Out out, const StatusView& view) {
    const auto& s = view.snapshot;
    fmt::format_to(out, "{} {} at {}, up for {}; seen {}\n", flavour_name(s), s.version, view.server,
                   watch::words_of(std::chrono::seconds(number(s, "Uptime"))), s.way);
    for (const auto& failed : view.failed) fmt::format_to(out, "  not {}\n", failed);
    fmt::format_to(out, "\n");
}

std::string in_words(const watch::Counts& counts, Duration max_idle) {
    return fmt::format("{} active, {} sleeping, {} idle for {} or more", counts.active, counts.sleeping, counts.idle,
                       watch::words_of(max_idle));
}

void limits(Out out, const StatusView& view) {
    const auto& s = view.snapshot;
    const auto all = watch::usages(s);
    fmt::format_to(out, "Current usage: {}\n", watch::tightest(all).text());
    fmt::format_to(out, "  {:<20} {:<22} {}\n", "server", all.front().text(),
                   in_words(counts(s, view.max_idle), view.max_idle));
    const auto user = own_user(s);
    const auto own = counts(s, view.max_idle, user);
    const auto own_usage = std::ranges::find(all, "account " + user, &watch::Usage::of);
    fmt::format_to(out, "  {:<20} {:<22} {}\n", "this account, " + user,
                   own_usage != all.end() ? own_usage->text() : fmt::format("{}, no limit", own.total),
                   in_words(own, view.max_idle));
    for (const auto& usage : all) {
        if (&usage == &all.front() || usage.of == "account " + user) continue;
        fmt::format_to(out, "  {:<20} {:<22} {}\n", usage.of, usage.text(), usage.limit_name);
    }
    if (const auto* account = s.own(); account != nullptr && account->max_connections_per_hour > 0)
        fmt::format_to(out, "  {:<20} {} connections an hour\n", "", account->max_connections_per_hour);
    const auto peak_at = s.status.find("Max_used_connections_time");  // MySQL's
    fmt::format_to(
        out, "  peak {} since the start{}, refused since the start {}\n", number(s, "Max_used_connections"),
        peak_at != s.status.end() && !peak_at->second.empty() ? fmt::format(" (at {})", peak_at->second) : "",
        refused_text(s));
    fmt::format_to(out, "  threads: {} running, {} connected, {} cached, {} created\n", number(s, "Threads_running"),
                   number(s, "Threads_connected"), number(s, "Threads_cached"), number(s, "Threads_created"));
}

void connection_errors(Out out, const Snapshot& s) {
    std::string list = fmt::format("aborted clients {}, aborted connects {}", number(s, "Aborted_clients"),
                                   number(s, "Aborted_connects"));
    for (const auto& [name, value] : s.status) {
        constexpr std::string_view kPrefix = "Connection_errors_";
        if (name.starts_with(kPrefix) && value != "0")
            list += fmt::format(", {} {}", name.substr(kPrefix.size()), value);
    }
    fmt::format_to(out, "  errors since the start: {}\n", list);
}

void programs(Out out, const StatusView& view) {
    const auto groups = watch::group_by(view.snapshot, view.max_idle, watch::program_of_connection);
    fmt::format_to(out, "\nWho holds them\n");
    std::size_t shown = 0;
    std::size_t rest = 0;
    for (const auto& group : groups) {
        if (shown++ < kGroupsShown)
            fmt::format_to(out, "  {}\n", watch::sentence_of(group));
        else
            rest += group.total;
    }
    if (rest > 0) fmt::format_to(out, "  {} more, by {} others\n", rest, groups.size() - kGroupsShown);
}

void table(Out out, const StatusView& view, const char* title, const watch::KeyOf& key) {
    const auto groups = watch::group_by(view.snapshot, view.max_idle, key);
    fmt::format_to(out, "\n{:<28} {:>6} {:>7} {:>9} {:>6}\n", title, "TOTAL", "ACTIVE", "SLEEPING", "IDLE");
    for (std::size_t i = 0; i < groups.size() && i < kGroupsShown; ++i) {
        const Group& group = groups[i];
        fmt::format_to(out, "{:<28} {:>6} {:>7} {:>9} {:>6}\n", at_most(group.name, 28), group.total, group.active,
                       group.sleeping, group.idle);
    }
    if (groups.size() > kGroupsShown) fmt::format_to(out, "and {} more\n", groups.size() - kGroupsShown);
}

std::vector<const Connection*> long_statements(const StatusView& view) {
    std::vector<const Connection*> found;
    for (const auto& c : view.snapshot.connections) {
        if (c.kind == watch::Kind::client && !c.sleeping() && !c.statement.empty() && c.time >= view.long_statement)
            found.push_back(&c);
    }
    std::ranges::sort(found, std::ranges::greater{}, &Connection::time);
    return found;
}

void statements(Out out, const StatusView& view) {
    const auto found = long_statements(view);
    if (found.empty()) return;
    fmt::format_to(out, "\nStatements over {}\n", watch::words_of(view.long_statement));
    for (std::size_t i = 0; i < found.size() && i < kStatementsShown; ++i) {
        fmt::format_to(out, "  {:>8} {:>12} {:<16} {}\n", found[i]->id, watch::words_of(found[i]->time), found[i]->user,
                       at_most(found[i]->statement, kStatementWidth));
    }
    if (found.size() > kStatementsShown) fmt::format_to(out, "  and {} more\n", found.size() - kStatementsShown);
}

void gate_clients(Out out, const StatusView& view) {
    if (!view.clients.is_object()) return;
    const auto& list = view.clients.value("clients", json::array());
    std::map<std::string, std::pair<std::size_t, std::size_t>> by_program;  // all, with a server connection
    for (const auto& client : list) {
        const auto program = client.value("program", "");
        auto& [all, with] =
            by_program[program.empty() ? client.value("user", "") + " at " + client.value("address", "") : program];
        ++all;
        if (client.value("server_connection", 0) != 0) ++with;
    }
    fmt::format_to(out, "\nBehind the gate\n  {} clients share {} connections\n", list.size(),
                   view.clients.value("server_connections", json::array()).size());
    std::vector<std::pair<std::string, std::pair<std::size_t, std::size_t>>> sorted(by_program.begin(),
                                                                                    by_program.end());
    std::ranges::sort(sorted, std::ranges::greater{}, [](const auto& each) { return each.second.first; });
    for (std::size_t i = 0; i < sorted.size() && i < kGroupsShown; ++i) {
        fmt::format_to(out, "  {} clients: {}, {} with a connection now\n", sorted[i].second.first, sorted[i].first,
                       sorted[i].second.second);
    }
}

// Who does not share, and why.
void gate_pins(Out out, const StatusView& view) {
    if (!view.clients.is_object()) return;
    struct Cause {
        std::size_t clients = 0;
        double longest = 0;
        std::string statement;  // of the longest
    };
    std::map<std::string, Cause> causes;
    for (const auto& client : view.clients.value("clients", json::array())) {
        for (const auto& pin : client.value("pins", json::array())) {
            if (!pin.is_object()) continue;
            Cause& cause = causes[pin.value("name", "")];
            ++cause.clients;
            if (const double age = pin.value("seconds", 0.0); age >= cause.longest) {
                cause.longest = age;
                const auto text = pin.find("statement");
                cause.statement = text != pin.end() && text->is_string() ? text->get<std::string>() : "not known";
            }
        }
    }
    for (const auto& [name, cause] : causes) {
        fmt::format_to(out, "  {} pinned by {}, the longest for {}: {}\n", cause.clients, name,
                       watch::words_of(std::chrono::seconds(static_cast<long>(cause.longest))),
                       at_most(cause.statement, kStatementWidth));
    }
}

json json_of(const Group& group) {
    return {{"name", group.name},     {"total", group.total},
            {"active", group.active}, {"sleeping", group.sleeping},
            {"idle", group.idle},     {"longest_sleep_seconds", seconds(group.longest_sleep)},
            {"pids", group.pids},     {"hosts", group.hosts}};
}

json groups_json(const StatusView& view, const watch::KeyOf& key) {
    json list = json::array();
    for (const auto& group : watch::group_by(view.snapshot, view.max_idle, key)) list.push_back(json_of(group));
    return list;
}

json json_of(const watch::Usage& usage) {
    return {{"of", usage.of},
            {"limit_name", usage.limit_name},
            {"used", usage.used},
            {"limit", usage.limit == 0 ? json(nullptr) : json(usage.limit)},
            {"percent", usage.percent()}};
}

json json_of(const watch::Counts& counts) {
    return {{"total", counts.total}, {"active", counts.active}, {"sleeping", counts.sleeping}, {"idle", counts.idle}};
}

}  // namespace

std::string status_text(const StatusView& view, const watch::Verdict& verdict) {
    std::string text;
    const Out out(text);
    head(out, view);
    limits(out, view);
    connection_errors(out, view.snapshot);
    programs(out, view);
    gate_clients(out, view);
    gate_pins(out, view);
    table(out, view, "ACCOUNT", watch::account_of);
    table(out, view, "HOST", watch::host_of);
    table(out, view, "SCHEMA", watch::schema_of);
    statements(out, view);
    if (!view.snapshot.hidden.empty()) fmt::format_to(out, "\nNot to be seen with this account\n");
    for (const auto& hidden : view.snapshot.hidden) fmt::format_to(out, "  {}: {}\n", hidden.what, hidden.grant);
    fmt::format_to(out, "\nVerdict: {}\n", verdict.sentence);
    for (const auto& advice : verdict.advice) fmt::format_to(out, "  - {}\n", advice);
    return text;
}

json status_json(const StatusView& view, const watch::Verdict& verdict) {
    const auto& s = view.snapshot;
    json usages = json::array();
    for (const auto& usage : watch::usages(s)) usages.push_back(json_of(usage));
    json errors = json::object();
    for (const auto& [name, value] : s.status) {
        if (name.starts_with("Connection_errors_")) errors[name] = number(s, name);
    }
    json statements = json::array();
    for (const auto* c : long_statements(view)) {
        statements.push_back(
            {{"id", c->id}, {"seconds", seconds(c->time)}, {"user", c->user}, {"statement", c->statement}});
    }
    json hidden = json::array();
    for (const auto& each : s.hidden) hidden.push_back({{"what", each.what}, {"grant", each.grant}});
    return {{"taken", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(s.taken)))},
            {"server", view.server},
            {"flavour", flavour_name(s)},
            {"version", s.version},
            {"way", s.way},
            {"ways_that_failed", view.failed},
            {"account", s.own_account},
            {"level", name_of(verdict.level)},
            {"verdict", verdict.sentence},
            {"advice", verdict.advice},
            {"usage", usages},
            {"connections", json_of(counts(s, view.max_idle))},
            {"this_account", json_of(counts(s, view.max_idle, own_user(s)))},
            {"max_idle_seconds", seconds(view.max_idle)},
            {"peak", number(s, "Max_used_connections")},
            {"refused", refused(s) ? json(*refused(s)) : json(nullptr)},
            {"threads",
             {{"running", number(s, "Threads_running")},
              {"connected", number(s, "Threads_connected")},
              {"cached", number(s, "Threads_cached")},
              {"created", number(s, "Threads_created")}}},
            {"aborted_clients", number(s, "Aborted_clients")},
            {"aborted_connects", number(s, "Aborted_connects")},
            {"errors", errors},
            {"by_program", groups_json(view, watch::program_of_connection)},
            {"by_account", groups_json(view, watch::account_of)},
            {"by_host", groups_json(view, watch::host_of)},
            {"by_schema", groups_json(view, watch::schema_of)},
            {"long_statements", statements},
            {"gate", view.clients},
            {"hidden", hidden}};
}

std::string check_line(const StatusView& view, const watch::Verdict& verdict) {
    const auto& s = view.snapshot;
    const auto all = watch::usages(s);
    const auto& tight = watch::tightest(all);
    const auto now = counts(s, view.max_idle);
    constexpr const char* kWords[] = {"OK", "WARNING", "CRITICAL"};
    const auto of_limit = [&](double percent) {
        return static_cast<std::uint64_t>(percent / 100 * static_cast<double>(tight.limit));
    };
    return fmt::format(
        "TIDEGATE {} - {} {} of {}, {} active, {} sleeping, {} idle | connections={};{};{};0;{} active={} "
        "sleeping={} idle={} refused={}c",
        kWords[static_cast<int>(verdict.level)], tight.text(), tight.limit_name, tight.of, now.active, now.sleeping,
        now.idle, tight.used, of_limit(watch::kAttentionFrom), of_limit(watch::kCriticalFrom), tight.limit, now.active,
        now.sleeping, now.idle, refused(s).value_or(0));
}

}  // namespace tidegate::cli
