#include "session/server_statements.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidegate::session {

ServerStatement* ServerStatements::find(const Statement& statement) {
    if (statement.holds()) {
        const auto kept = std::ranges::find(by_use_, statement.id, &ServerStatement::kept_for);
        return kept == by_use_.end() ? nullptr : &*kept;
    }
    const auto found = by_text_.find(statement.text.get());
    if (found == by_text_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return &*found->second;
}

std::span<std::uint32_t> ServerStatements::make_room(const PreparedText& text, std::size_t limit,
                                                     std::span<std::uint32_t> room) {
    std::size_t closed = 0;
    if (const auto found = by_text_.find(&text); found != by_text_.end() && !room.empty()) {
        room[closed++] = found->second->id;
        erase(found->second);
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
    by_use_.push_front({.text = std::move(text), .id = id, .bound = {}});
    by_text_.insert_or_assign(by_use_.front().text.get(), by_use_.begin());
    return by_use_.front();
}

void ServerStatements::remove(const ServerStatement& statement) {
    erase(place_of(statement));
}

void ServerStatements::keep(ServerStatement& statement, std::uint32_t client_id) {
    if (statement.kept_for == 0) by_text_.erase(statement.text.get());
    statement.kept_for = client_id;
}

bool ServerStatements::share(ServerStatement& statement) {
    if (statement.kept_for == 0) return true;
    if (!by_text_.try_emplace(statement.text.get(), place_of(statement)).second) return false;
    statement.kept_for = 0;
    return true;
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
    if (at->kept_for == 0) by_text_.erase(at->text.get());
    by_use_.erase(at);
}

}  // namespace tidegate::session
