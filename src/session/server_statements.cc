#include "session/server_statements.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidegate::session {

bool ServerStatements::fits(const ServerStatement& there, const Statement& statement) const {
    // A client that has never said the types gets the answer that a server gives to that, not another client's types.
    if (statement.bound.empty()) return there.bound.empty();
    if (types_ == Types::any || there.made_for.empty()) return true;
    if (there.made_for.size() != statement.made_for.size()) return false;
    for (std::size_t at = 1; at < there.made_for.size(); at += 2) {
        const bool same =
            there.made_for[at] == statement.made_for[at] && there.made_for[at + 1] == statement.made_for[at + 1];
        if (!same && !is_null_type(there.made_for, at)) return false;
    }
    return true;
}

ServerStatement* ServerStatements::find(const Statement& statement) {
    if (statement.holds()) {
        const auto kept = std::ranges::find(by_use_, statement.id, &ServerStatement::kept_for);
        return kept == by_use_.end() ? nullptr : &*kept;
    }
    const auto [begin, end] = by_text_.equal_range(statement.text.get());
    auto best = end;
    for (auto each = begin; each != end; ++each) {
        if (!fits(*each->second, statement)) continue;
        best = each;
        if (each->second->made_for == statement.made_for) break;  // no need to make it for other types
    }
    if (best == end) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, best->second);
    return &*best->second;
}

std::span<std::uint32_t> ServerStatements::make_room(const PreparedText& text, std::size_t limit,
                                                     std::span<std::uint32_t> room) {
    std::size_t closed = 0;
    const auto [begin, end] = by_text_.equal_range(&text);
    for (auto each = begin; each != end && !room.empty(); ++each) {
        if (types_ == Types::matter && !each->second->bound.empty()) continue;
        room[closed++] = each->second->id;
        erase(each->second);
        break;
    }
    auto at = by_use_.end();
    while (at != by_use_.begin() && by_use_.size() >= limit && closed < room.size()) {
        --at;
        if (at->kept_for != 0) continue;
        room[closed++] = at->id;
        const auto next = std::next(at);
        erase(at);
        at = next;
    }
    return room.first(closed);
}

ServerStatement& ServerStatements::add(PreparedTextPtr text, std::uint32_t id) {
    by_use_.push_front({.text = std::move(text), .id = id, .bound = {}, .made_for = {}});
    by_text_.emplace(by_use_.front().text.get(), by_use_.begin());
    return by_use_.front();
}

void ServerStatements::remove(const ServerStatement& statement) {
    erase(place_of(statement));
}

void ServerStatements::keep(ServerStatement& statement, std::uint32_t client_id) {
    if (statement.kept_for == 0) forget_text(statement);
    statement.kept_for = client_id;
}

bool ServerStatements::share(ServerStatement& statement) {
    if (statement.strange) return false;
    if (statement.kept_for == 0) return true;
    const auto [begin, end] = by_text_.equal_range(statement.text.get());
    for (auto each = begin; each != end; ++each) {
        if (types_ == Types::any || each->second->made_for == statement.made_for) return false;
    }
    by_text_.emplace(statement.text.get(), place_of(statement));
    statement.kept_for = 0;
    return true;
}

void ServerStatements::forget_text(const ServerStatement& statement) {
    const auto [begin, end] = by_text_.equal_range(statement.text.get());
    for (auto each = begin; each != end; ++each) {
        if (&*each->second != &statement) continue;
        by_text_.erase(each);
        return;
    }
}

std::vector<std::uint32_t> ServerStatements::drop_all() {
    std::vector<std::uint32_t> ids;
    for (auto at = by_use_.begin(); at != by_use_.end();) {
        const auto next = std::next(at);
        if (at->kept_for == 0) {
            ids.push_back(at->id);
            erase(at);
        }
        at = next;
    }
    return ids;
}

void ServerStatements::clear() {
    by_text_.clear();
    by_use_.clear();
}

ServerStatements::ByUse::iterator ServerStatements::place_of(const ServerStatement& statement) {
    auto at = by_use_.begin();
    while (&*at != &statement) ++at;
    return at;
}

void ServerStatements::erase(ByUse::iterator at) {
    forget_text(*at);
    by_use_.erase(at);
}

}  // namespace tidegate::session
