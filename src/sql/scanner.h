// The scanner: one pass over a statement's text, without allocating, that says what it may do to its session.
// It exists because the servers' trackers keep part of that to themselves: user variables set in a SELECT, GET_LOCK(),
// CREATE TEMPORARY TABLE .. SELECT, FLUSH TABLES WITH READ LOCK, HANDLER. It is no parser: it knows tokens, and so
// much of the grammar as it takes to see what a name in front of a parenthesis is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sql/classifier.h"
#include "sql/facts.h"
#include "sql/lexer.h"
#include "sql/mode.h"

namespace tidegate::sql {

// The way for a statement that arrives in pieces: feed() them in order, then finish().
// Cut anywhere, the facts are the same as for the whole text. Keeps no reference to what it was fed.
class Scanner {
public:
    explicit Scanner(Mode mode);
    void feed(std::span<const char> piece);
    [[nodiscard]] Facts finish();

private:
    void run(Lexer::Input& in);
    void keep(const Lexer::Input& in);
    const char* finish_carried(const char* at, const char* end);

    Mode mode_;
    Lexer lexer_;
    Classifier classifier_;
    std::uint32_t offset_ = 0;  // of the first carried byte, or of the next piece, in the whole text
    std::size_t carried_ = 0;   // at most kTokenBytes between two pieces
    std::array<char, 2 * kTokenBytes> carry_;
};

// The way for a whole text.
[[nodiscard]] Facts scan(std::string_view text, Mode mode);

}  // namespace tidegate::sql
