// What a session looks like to the statements that run in it: its schema, the system variables that differ from the
// server's defaults, its role, and whether a text may hold several statements. States are interned: two sessions that
// look the same share one object, so equality is identity. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/handshake.h"

namespace tidegate::session {

struct Variable {
    std::string name;   // in lower case
    std::string value;  // as the server's trackers report it
    friend bool operator==(const Variable&, const Variable&) = default;
};

struct State {
    std::string schema;  // empty: none
    // By name; one that is not here has the server's default. User variables are in front (session/user_variables.h).
    std::vector<Variable> variables;
    bool multi_statements = false;  // the client flag, which COM_SET_OPTION changes
    std::string role{};             // what has to stand behind SET ROLE; empty: the one that a login gives
    // SET TRANSACTION statements, a line each, that the next transaction has still before it (Session::lets_go()).
    std::string next_transaction{};
    friend bool operator==(const State&, const State&) = default;
};

using StatePtr = std::shared_ptr<const State>;

// A value that equals no other: the variable must be set again before anybody relies on it.
inline constexpr std::string_view kUnknown = "\x01unknown";

class States {
public:
    [[nodiscard]] StatePtr intern(State state);
    [[nodiscard]] StatePtr with_schema(const StatePtr& from, std::string_view schema);
    // `changes` replace or add; an empty span gives `from` back.
    [[nodiscard]] StatePtr with_variables(const StatePtr& from, std::span<const Variable> changes);
    [[nodiscard]] StatePtr with_multi_statements(const StatePtr& from, bool on);
    [[nodiscard]] StatePtr with_role(const StatePtr& from, std::string_view role);
    [[nodiscard]] StatePtr with_next_transaction(const StatePtr& from, std::string_view statements);
    // As much of a state as makes a difference to what is prepared in it.
    [[nodiscard]] StatePtr for_prepare(const StatePtr& from);
    // The state that a session in state `now` has to be in for a statement that was prepared in `prepared` (a state of
    // for_prepare()): `now` itself where nothing that matters has changed since. Whatever else there is stays: to go
    // there and back touches no transaction. A statement that was prepared without a schema does with any.
    [[nodiscard]] StatePtr preparing(const StatePtr& now, const StatePtr& prepared);
    [[nodiscard]] std::size_t size() const { return known_.size(); }

private:
    std::unordered_multimap<std::size_t, std::weak_ptr<const State>> known_;
    std::size_t next_sweep_ = 64;
};

// The SET statement that brings the variables of a connection in state `from` to those of `to`; empty where none
// differs; nothing where a value cannot be written safely. Only variables are its business: the schema, the role and
// the rest have commands and statements of their own. REQUIRES: !has_other_user_variables(from, to).
[[nodiscard]] std::optional<std::string> restoring_statement(const State& from, const State& to);

// The session system variables that the gate carries from one connection to another: it asks the server's trackers for
// them. A statement that sets another one pins its client.
[[nodiscard]] bool is_carried(std::string_view name);
[[nodiscard]] std::span<const std::string_view> carried_variables();

// What has to stand behind SET ROLE for what CURRENT_ROLE() has told ("NONE": no role); nothing where that cannot be
// written safely.
[[nodiscard]] std::optional<std::string> role_clause(protocol::Flavour flavour, std::string_view current);

// A variable that the trackers of an untouched server report to a client that asked for tracking.
[[nodiscard]] bool is_reported_by_default(std::string_view name);

}  // namespace tidegate::session
