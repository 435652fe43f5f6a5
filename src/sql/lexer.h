// Text -> tokens, as the servers' own lexers cut it: comments, quotes, numbers that look like names. Resumable: a text
// may arrive in pieces cut anywhere, and gives the same tokens. Knows no keyword.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sql/mode.h"

namespace tidegate::sql {

// A token longer than this has no text, only a length: no keyword, variable or hint is so long.
inline constexpr std::size_t kTokenBytes = 64;

enum class TokenKind : std::uint8_t {
    end,
    word,         // a name without quotes, or a keyword
    quoted_name,  // `x`, and "x" under ANSI_QUOTES
    string,
    number,
    at,      // @
    at_at,   // @@
    assign,  // :=
    equals,
    dot,
    comma,
    open,
    close,
    semicolon,
    other,
    comment,           // the text between the marks; only of /* */
    executable_open,   // /*!50100, /*M!100100
    executable_close,  // its */
};

struct Token {
    TokenKind kind = TokenKind::end;
    bool overlong = false;      // over kTokenBytes: `text` is empty
    bool escaped = false;       // quoted: the text has backslashes or doubled quotes
    bool high = false;          // word: has bytes beyond ASCII
    bool unterminated = false;  // quoted, comment: the text ended first
    bool doubtful = false;      // what follows depends on something that the lexer cannot know
    std::uint32_t offset = 0;   // where the token begins in the whole text, with its quote
    std::uint32_t end = 0;      // one past its last byte
    std::string_view text;      // quoted: without the quotes. Valid until the next call.
};

class Lexer {
public:
    // What is left to read of a piece, and how far from the text's beginning `begin` is.
    struct Input {
        const char* at;
        const char* end;
        const char* begin;
        std::uint32_t base;

        [[nodiscard]] std::uint32_t offset(const char* p) const { return base + static_cast<std::uint32_t>(p - begin); }
        [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end - at); }
    };

    explicit Lexer(Mode mode) : mode_(mode) {}

    // Reads the next token. False where the piece ends inside of it: then in.at is the unfinished token's first byte,
    // and the caller gives those bytes again with more behind them. With `last` it never is false: the end is a token.
    bool next(Input& in, Token& token, bool last);

    // The unfinished token before in.end is longer than kTokenBytes: remember what kind it is instead of its bytes.
    // Leaves at most one byte before in.end unread.  REQUIRES: next() has just returned false.
    void enter(Input& in);

private:
    enum class Inside : std::uint8_t { none, word, number, quote, block_comment, line_comment };

    bool resume(Input& in, Token& token, bool last);
    bool number(Input& in, Token& token, bool last);
    bool special(Input& in, Token& token, bool last);
    bool slash(Input& in, Token& token, bool last);
    bool minus(Input& in, Token& token, bool last);

    // Each reads on from `p`, somewhere inside of its token.
    bool run_word(Input& in, Token& token, bool last, const char* p);
    bool run_digits(Input& in, Token& token, bool last, const char* p);
    bool run_quote(Input& in, Token& token, bool last, const char* p);
    bool run_block_comment(Input& in, Token& token, bool last, const char* p);
    bool run_line_comment(Input& in, Token& token, bool last, const char* p);

    bool finish(Input& in, Token& token, TokenKind kind, const char* end, std::string_view text);
    bool cut(Inside inside, const char* decided);

    Mode mode_;
    bool in_executable_ = false;
    TokenKind before_ = TokenKind::end;  // the token before, and where it ended: is a dot part of a name?
    std::uint32_t before_end_ = 0;

    // The unfinished token: how far it was read, and, once entered, what of it must not be forgotten.
    Inside cut_ = Inside::none;
    const char* decided_ = nullptr;
    Inside inside_ = Inside::none;
    char quote_ = 0;
    bool escaped_ = false;
    bool high_ = false;
    bool doubtful_ = false;
    std::uint32_t start_ = 0;
};

}  // namespace tidegate::sql
