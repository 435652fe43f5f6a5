#include "session/prepared.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/letters.h"
#include "protocol/execute.h"

namespace tidegate::session {
namespace {

// Whether a call of this function may stand in the text. `name` is in lower case.
bool may_call(std::string_view text, std::string_view name) {
    const auto same = [](char a, char b) { return lower_letter(a) == b; };
    while (true) {
        const auto found = std::ranges::search(text, name, same);
        if (found.empty()) return false;
        text.remove_prefix(static_cast<std::size_t>(found.end() - text.begin()));
        const std::size_t next = text.find_first_not_of(" \t\r\n\f\v");
        if (next != std::string_view::npos &&
            (text[next] == '(' || text[next] == '/' || text[next] == '-' || text[next] == '#'))
            return true;
    }
}

}  // namespace

bool may_be_shared(std::string_view text, const sql::Facts& facts, bool schema) {
    if (facts.asks.intersects({sql::Ask::found_rows, sql::Ask::row_count, sql::Ask::warnings, sql::Ask::last_value}))
        return false;
    // MySQL gives a user variable, while it prepares, the type that it keeps for the statement.
    if (facts.pins.has(sql::Pin::user_variable)) return false;
    return schema || (!may_call(text, "database") && !may_call(text, "schema"));
}

PreparedTextPtr PreparedTexts::intern(std::string_view text, StatePtr state, const sql::Facts& facts) {
    const std::size_t hash = std::hash<std::string_view>()(text) * 31 + std::hash<const void*>()(state.get());
    const auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
        PreparedTextPtr known = it->second.lock();
        if (known && known->text == text && known->state == state) return known;
    }
    if (known_.size() >= next_sweep_) {
        std::erase_if(known_, [](const auto& each) { return each.second.expired(); });
        next_sweep_ = known_.size() * 2 + 64;
    }
    PreparedText fresh{.text = std::string(text), .state = std::move(state), .facts = facts};
    fresh.shared = may_be_shared(text, facts, !fresh.state->schema.empty());
    auto made = std::make_shared<const PreparedText>(std::move(fresh));
    if (made->shared) known_.emplace(hash, made);
    return made;
}

void Statement::bind(std::span<const std::byte> types) {
    bound.assign(types.begin(), types.end());
    if (made_for.size() != bound.size()) {
        made_for = bound;
        return;
    }
    for (std::size_t at = 1; at < bound.size(); at += 2) {
        if (is_null_type(bound, at)) continue;
        made_for[at] = bound[at];
        made_for[at + 1] = bound[at + 1];
    }
}

Statement& Statements::add(PreparedTextPtr text, std::uint16_t parameters) {
    last_ = next_id_++;
    all_.push_back({.id = last_, .text = std::move(text), .parameters = parameters, .bound = {}, .made_for = {}});
    return all_.back();
}

Statement* Statements::find(std::uint32_t id, bool last_too) {
    if (last_too && id == protocol::kLastPrepared) id = last_;
    const auto found = std::ranges::lower_bound(all_, id, {}, &Statement::id);
    return found != all_.end() && found->id == id ? &*found : nullptr;
}

void Statements::close(const Statement& statement) {
    if (statement.id == last_) last_ = 0;
    all_.erase(all_.begin() + (&statement - all_.data()));
}

void Statements::clear() {
    all_.clear();
    last_ = 0;
}

sql::Pins Statements::pins() const {
    sql::Pins pins;
    for (const Statement& each : all_) {
        if (each.cursor) pins.add(sql::Pin::cursor);
        if (each.long_data) pins.add(sql::Pin::long_data);
        if (!each.shared()) pins.add(sql::Pin::prepared);
    }
    return pins;
}

}  // namespace tidegate::session
