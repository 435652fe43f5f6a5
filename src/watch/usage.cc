#include "watch/usage.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "watch/holders.h"

namespace tidegate::watch {
namespace {

constexpr std::size_t kGroupsNamed = 3;

// The limit of one account, and whose it is: its own, else the one for all accounts; 0: none.
std::pair<std::uint64_t, std::string> limit_of(const Snapshot& snapshot, const std::string& user) {
    std::pair<std::uint64_t, std::string> found{0, ""};
    for (const auto& account : snapshot.accounts) {
        if (account.user != user || account.max_user_connections == 0) continue;
        // Of several hosts' accounts with this name the smallest is the one that is felt first.
        if (found.first == 0 || account.max_user_connections < found.first)
            found = {account.max_user_connections,
                     fmt::format("MAX_USER_CONNECTIONS of '{}'@'{}'", account.user, account.host)};
    }
    if (found.first == 0) found = {snapshot.variable("max_user_connections").value_or(0), "max_user_connections"};
    return found;
}

std::string own_user(const Snapshot& snapshot) {
    return snapshot.own_account.substr(0, snapshot.own_account.rfind('@'));
}

std::string minutes_or(Duration time) {
    return fmt::format("{}", std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

void advise_on_idle(const Snapshot& snapshot, Duration max_idle, Verdict& verdict) {
    const auto programs = group_by(snapshot, max_idle, program_of_connection);
    std::size_t named = 0;
    std::string who;
    for (const auto& group : programs) {
        if (group.idle == 0 || named == kGroupsNamed) continue;
        ++named;
        who += fmt::format("{}{} by {}", who.empty() ? "" : ", ", group.idle, group.name);
    }
    const auto idle = counts(snapshot, max_idle).idle;
    if (idle == 0) return;
    verdict.advice.push_back(fmt::format(
        "{} connections are idle for {} or more ({}): see them with tidegate kill --idle {} --dry-run, end them with "
        "tidegate status --kill-idle --max-idle {}",
        idle, words_of(max_idle), who, minutes_or(max_idle), minutes_or(max_idle)));
}

void advise_on_long(const Snapshot& snapshot, Duration long_statement, Verdict& verdict) {
    const auto runs_long = [&](const Connection& c) {
        return c.kind == Kind::client && !c.sleeping() && !c.statement.empty() && c.time >= long_statement;
    };
    const auto count = std::ranges::count_if(snapshot.connections, runs_long);
    if (count == 0) return;
    const auto longest = std::ranges::max_element(
        snapshot.connections, {}, [&](const Connection& c) { return runs_long(c) ? c.time : Duration{}; });
    verdict.advice.push_back(fmt::format(
        "{} statements run for {} or longer, connection {} for {}: stop one and keep its connection with tidegate kill "
        "--id {} --query",
        count, words_of(long_statement), longest->id, words_of(longest->time), longest->id));
}

void advise_on_transactions(const Snapshot& snapshot, Duration max_idle, Verdict& verdict) {
    const auto sits = [&](const Connection& c) { return c.in_transaction && c.idle_for(max_idle); };
    const auto count = std::ranges::count_if(snapshot.connections, sits);
    if (count == 0) return;
    verdict.advice.push_back(fmt::format(
        "{} of the idle ones sit in an open transaction, and keep its locks: whoever holds one must COMMIT before it "
        "sleeps",
        count));
}

}  // namespace

std::string_view name_of(Level level) {
    switch (level) {
        case Level::well:
            return "well";
        case Level::attention:
            return "attention";
        case Level::critical:
            break;
    }
    return "critical";
}

Level Usage::level() const {
    if (percent() >= kCriticalFrom) return Level::critical;
    return percent() >= kAttentionFrom ? Level::attention : Level::well;
}

std::string Usage::text() const {
    return limit == 0 ? fmt::format("{}, no limit known", used)
                      : fmt::format("{} / {} ({:.1f}%)", used, limit, percent());
}

Counts counts(const Snapshot& snapshot, Duration max_idle, std::string_view user) {
    Counts found;
    for (const auto& connection : snapshot.connections) {
        if (!connection.is_held() || (!user.empty() && connection.user != user)) continue;
        ++found.total;
        if (!connection.sleeping()) {
            ++found.active;
            continue;
        }
        ++found.sleeping;
        if (connection.idle_for(max_idle) && connection.kind == Kind::client) ++found.idle;
    }
    return found;
}

std::vector<Usage> usages(const Snapshot& snapshot) {
    std::vector<Usage> all;
    all.push_back({.of = "server",
                   .limit_name = "max_connections",
                   .used = snapshot.count("Threads_connected").value_or(snapshot.held()),
                   .limit = snapshot.variable("max_connections").value_or(0)});
    std::map<std::string, std::uint64_t> used{{own_user(snapshot), 0}};
    for (const auto& connection : snapshot.connections) {
        if (connection.is_held() && !connection.user.empty()) ++used[connection.user];
    }
    for (const auto& [user, count] : used) {
        const auto [limit, name] = limit_of(snapshot, user);
        if (limit != 0) all.push_back({.of = "account " + user, .limit_name = name, .used = count, .limit = limit});
    }
    std::ranges::sort(all.begin() + 1, all.end(), std::ranges::greater{}, &Usage::percent);
    return all;
}

const Usage& tightest(const std::vector<Usage>& usages) {
    return *std::ranges::max_element(usages, {}, &Usage::percent);
}

Verdict verdict(const Snapshot& snapshot, Duration max_idle, Duration long_statement) {
    const auto all = usages(snapshot);
    const Usage& tight = tightest(all);
    const auto idle = counts(snapshot, max_idle).idle;
    Verdict verdict{.level = tight.level(), .sentence = {}, .advice = {}};
    const auto left = tight.limit > tight.used ? tight.limit - tight.used : 0;
    const auto room =
        left == 0 ? std::string("no room is left: new clients are refused") : fmt::format("room for {} more", left);
    verdict.sentence = fmt::format("{}: the {} uses {} of its {}, {}{}", name_of(verdict.level), tight.of, tight.text(),
                                   tight.limit_name, room,
                                   idle == 0 ? "" : fmt::format("; {} idle for {} or more", idle, words_of(max_idle)));
    advise_on_idle(snapshot, max_idle, verdict);
    advise_on_transactions(snapshot, max_idle, verdict);
    advise_on_long(snapshot, long_statement, verdict);
    if (verdict.level != Level::well && idle * 2 < tight.used) {
        verdict.advice.push_back(
            "most of them are no idle ones: let the clients share a few connections instead, through tidegate serve, "
            "or "
            "start fewer at a time, with tidegate exec or tidegate run");
    }
    if (verdict.level != Level::well) verdict.advice.push_back("tidegate doctor says what is wrong with the settings");
    return verdict;
}

}  // namespace tidegate::watch
