// What pins by name (temporary tables, locks of GET_LOCK(), prepared texts, HANDLERs): which of them a session holds,
// so that the pin ends with the last one. Pure; one thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/facts.h"
#include "sql/held_names.h"

namespace tidegate::session {

class NamedPins {
public:
    void clear() { *this = {}; }

    // What the statement under way takes and gives back; nothing: none of these.
    void before(std::optional<sql::HeldNames> names) { names_ = std::move(names); }
    [[nodiscard]] bool concerned() const { return names_.has_value(); }
    // It is over: the pins that have ended with it. One that failed may have taken what it wanted to take, and has
    // perhaps given nothing back. REQUIRES: concerned().
    [[nodiscard]] sql::Pins after(const sql::Facts& facts, bool failed);

    // Locks nest, and only the server knows whether the one that was given back was the last: ask this, which is empty
    // where nothing is to be asked, then call on_locks() with its value; it gives the pins that have ended.
    [[nodiscard]] bool asks_for_locks() const { return ask_for_locks_ && !unsure_.has(sql::Pin::named_lock); }
    [[nodiscard]] std::string locks_question() const;
    [[nodiscard]] sql::Pins on_locks(bool any);

private:
    [[nodiscard]] bool holds(sql::Pin pin) const;

    std::optional<sql::HeldNames> names_;
    std::vector<std::pair<sql::Pin, std::string>> held_;  // each once
    sql::Pins unsure_;                                    // those of which one is not known by name
    bool ask_for_locks_ = false;
};

}  // namespace tidegate::session
