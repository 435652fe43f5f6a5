// What a statement calls that is not the server's own, by name: read from the text at the places that the scanner has
// noted (Facts::call_ends). Asked only for statements that would pin by it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "sql/facts.h"
#include "sql/mode.h"

namespace tidegate::sql {

// Views into the statement's text, without quotes.
struct CalledName {
    std::string_view schema;  // empty: the one that the session is in
    std::string_view name;
    bool procedure = false;
};

class CalledNames {
public:
    // REQUIRES: `facts` are what the scanner found in this whole text, in this mode.
    CalledNames(std::string_view text, const Facts& facts, Mode mode);

    // All of them are in all(). False wherever that is not certain; then nothing may be concluded.
    [[nodiscard]] bool sure() const { return sure_; }
    // CALL: its arguments may read tables.
    [[nodiscard]] bool from() const { return from_; }
    [[nodiscard]] std::span<const CalledName> all() const { return std::span(names_).first(count_); }

private:
    std::array<CalledName, kMaxCalls + 1> names_;
    std::size_t count_ = 0;
    bool sure_ = false;
    bool from_ = false;
};

}  // namespace tidegate::sql
