#include "watch/rules.h"

#include <algorithm>

namespace tidegate::watch {
namespace {

constexpr std::size_t kToldKept = 10'000;

Filter filter_of(const config::KillRule& rule) {
    const auto list = [](const std::string& pattern) {
        return pattern.empty() ? std::vector<std::string>() : std::vector{pattern};
    };
    return {.users = list(rule.user),
            .hosts = list(rule.host),
            .schemas = list(rule.schema),
            .programs = list(rule.program),
            .states = list(rule.state),
            .statements = list(rule.statement),
            .idle = rule.idle,
            .busy = rule.busy,
            .in_transaction = rule.in_transaction};
}

}  // namespace

void Rules::set(const std::vector<config::KillRule>& rules, TimePoint now) {
    std::vector<Standing> all;
    for (const auto& rule : rules) {
        const auto same = std::ranges::find(rules_, rule, &Standing::rule);
        if (same != rules_.end())
            all.push_back(std::move(*same));
        else
            all.push_back({.rule = rule, .since = now, .next = now + rule.every, .told = {}});
    }
    rules_ = std::move(all);
}

TimePoint Rules::next() const {
    const auto first = std::ranges::min_element(rules_, {}, &Standing::next);
    return first == rules_.end() ? TimePoint::max() : first->next;
}

std::vector<Rules::Turn> Rules::due(TimePoint now) {
    std::vector<Turn> turns;
    for (auto& standing : rules_) {
        if (standing.next > now) continue;
        standing.next = now + standing.rule.every;
        turns.push_back({.name = standing.rule.name,
                         .filter = filter_of(standing.rule),
                         .query_only = standing.rule.query,
                         .limit = standing.rule.limit,
                         .dry_run = now < standing.since + standing.rule.dry_run});
    }
    return turns;
}

bool Rules::is_news(const std::string& rule, std::uint64_t connection) {
    const auto at = std::ranges::find(rules_, rule, [](const Standing& each) { return each.rule.name; });
    if (at == rules_.end()) return true;
    if (at->told.size() >= kToldKept) at->told.clear();
    return at->told.insert(connection).second;
}

}  // namespace tidegate::watch
