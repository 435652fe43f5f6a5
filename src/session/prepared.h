// Prepared statements of the binary protocol, as a client sees them: numbers of the gate's own, each for a text that
// may be prepared on any connection. Clients with the same text in the same state share one PreparedText. Pure; one
// thread.
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

#include "base/error.h"
#include "session/state.h"
#include "sql/facts.h"

namespace tidegate::session {

// A text, and what it meant when it was prepared: the same text is another statement under another schema or sql_mode
// (protocol.md, Trap 6). Account, role and client flags are the connection's: it is shared only among those alike.
struct PreparedText {
    std::string text;    // empty: it was too long to keep
    StatePtr state;      // States::for_prepare() of the session's
    sql::Facts facts;    // of the text
    bool shared = true;  // false: it stays on the connection where it was prepared, which it holds
};
using PreparedTextPtr = std::shared_ptr<const PreparedText>;

// Equality is identity.
class PreparedTexts {
public:
    [[nodiscard]] PreparedTextPtr intern(std::string_view text, StatePtr state, const sql::Facts& facts);
    [[nodiscard]] std::size_t size() const { return known_.size(); }

private:
    std::unordered_multimap<std::size_t, std::weak_ptr<const PreparedText>> known_;
    std::size_t next_sweep_ = 64;
};

// Whether a text means the same on whatever connection it is prepared, and whether preparing it leaves alone what it
// asks about. `schema`: a schema is selected. (Without one, only DATABASE() can tell under which one it was prepared:
// every other name has its schema before it.)
[[nodiscard]] bool may_be_shared(std::string_view text, const sql::Facts& facts, bool schema);

// Where the types of a statement's parameters stand in what protocol::ExecuteHead calls bound: two bytes each, behind
// one.
inline constexpr std::byte kNullType{6};
[[nodiscard]] inline bool is_null_type(std::span<const std::byte> bound, std::size_t at) {
    return bound[at] == kNullType;
}

// A client's statement.
struct Statement {
    // More than these, and their types might not fit the buffer that a command is looked at in.
    static constexpr std::uint16_t kMostParameters = 4096;

    std::uint32_t id = 0;
    PreparedTextPtr text;
    std::uint16_t parameters = 0;
    // The types of its parameters as the client sent them last (protocol::ExecuteHead); and the same, but for a NULL
    // the type that it had the time before: MySQL's statements are made for these. Empty: it has sent none.
    std::vector<std::byte> bound;
    std::vector<std::byte> made_for;
    bool cursor = false;            // one is open
    bool long_data = false;         // some was sent since it was executed
    std::optional<Error> broken{};  // why long data was lost: the next execution is told

    void bind(std::span<const std::byte> types);
    [[nodiscard]] bool shared() const { return text->shared && parameters <= kMostParameters; }
    // It is where it is, and nowhere else.
    [[nodiscard]] bool holds() const { return cursor || long_data || !shared(); }
};

class Statements {
public:
    // The number that the next one will have.
    [[nodiscard]] std::uint32_t next_id() const { return next_id_; }
    Statement& add(PreparedTextPtr text, std::uint16_t parameters);
    void failed() { last_ = 0; }  // a text could not be prepared
    // nullptr: there is none. `last_too`: MariaDB's number for the one prepared last counts. Good until add() or
    // close().
    [[nodiscard]] Statement* find(std::uint32_t id, bool last_too);
    void close(const Statement& statement);
    void clear();
    [[nodiscard]] std::size_t size() const { return all_.size(); }

    // The pins of all of them.
    [[nodiscard]] sql::Pins pins() const;

private:
    std::vector<Statement> all_;  // by number
    std::uint32_t next_id_ = 1;
    std::uint32_t last_ = 0;
};

}  // namespace tidegate::session
