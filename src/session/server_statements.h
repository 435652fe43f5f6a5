// What is prepared on one server connection: which text under which number of the server's, the most recently used
// first. Whoever leases the connection uses them, whoever prepared them; but one with an open cursor, with long data,
// or that works only here belongs to the client's statement that it is kept for. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "session/prepared.h"

namespace tidegate::session {

struct ServerStatement {
    PreparedTextPtr text;
    std::uint32_t id = 0;             // the server's
    std::vector<std::byte> bound;     // the types that the server has for its parameters; empty: none yet
    std::vector<std::byte> made_for;  // and those that MySQL has made it for
    // It was executed in another state than it was prepared in, and a server that prepares it again by itself (after
    // DDL) does that in the state of then: it is nobody else's any more.
    bool strange = false;
    std::uint32_t kept_for = 0;  // the client's number of the statement that it is kept for; 0: it is everybody's
};

// On MySQL (8.0.22 and later) a statement is made for the types that it is first executed with: later ones are
// converted to them. So a client whose types are others needs another statement. (A parameter that was always NULL is
// open.)
class ServerStatements {
public:
    enum class Types : std::uint8_t { any, matter };

    explicit ServerStatements(Types types) : types_(types) {}
    ServerStatements(const ServerStatements&) = delete;
    ServerStatements& operator=(const ServerStatements&) = delete;

    // The one to use for a client's statement, which is the most recently used now. nullptr: not prepared here. Good
    // until it is removed. No allocation.
    [[nodiscard]] ServerStatement* find(const Statement& statement);
    // Makes room for a text that is about to be prepared: takes out the one that is there for it already (where types
    // matter: that was never executed), and those used longest ago, so that there are no more than `limit` with it.
    // Gives the numbers to be closed in front of `room`, as many as fit there: a limit that was lowered is reached in
    // steps.
    [[nodiscard]] std::span<std::uint32_t> make_room(const PreparedText& text, std::size_t limit,
                                                     std::span<std::uint32_t> room);
    ServerStatement& add(PreparedTextPtr text, std::uint32_t id);
    void remove(const ServerStatement& statement);
    // Another client's statement with this text needs one of its own as long as this is kept.
    void keep(ServerStatement& statement, std::uint32_t client_id);
    // It is everybody's again. False: it is strange, or there is another one by now, and this is to be removed.
    [[nodiscard]] bool share(ServerStatement& statement);
    // All but the kept ones go; gives their numbers.
    [[nodiscard]] std::vector<std::uint32_t> drop_all();
    void clear();  // the server has forgotten them
    [[nodiscard]] std::size_t size() const { return by_use_.size(); }
    [[nodiscard]] bool types_matter() const { return types_ == Types::matter; }

private:
    using ByUse = std::list<ServerStatement>;
    [[nodiscard]] ByUse::iterator place_of(const ServerStatement& statement);
    void erase(ByUse::iterator at);
    void forget_text(const ServerStatement& statement);
    [[nodiscard]] bool fits(const ServerStatement& there, const Statement& statement) const;

    Types types_;
    ByUse by_use_;
    std::unordered_multimap<const PreparedText*, ByUse::iterator> by_text_;  // but the kept ones
};

}  // namespace tidegate::session
