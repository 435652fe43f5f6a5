// Text -> tokens, as the servers' own lexers cut it: comments, quotes, numbers that look like names. Resumable: a text
// may arrive in pieces cut anywhere, and gives the same tokens. Knows no keyword.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sql/byte_class.h"
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
    comment,           // the text between the marks
    executable_open,   // /*!50100, /*M!100100
    executable_close,  // its */
};

struct Token {
    enum Flag : std::uint8_t {
        kOverlong = 1,      // over kTokenBytes: `text` is empty
        kEscaped = 2,       // quoted: the text has backslashes or doubled quotes
        kHigh = 4,          // word: has bytes beyond ASCII
        kUnterminated = 8,  // quoted, comment: the text ended first
        kDoubtful = 16,     // what follows depends on something that the lexer cannot know
    };

    TokenKind kind = TokenKind::end;
    std::uint8_t flags = 0;
    std::uint32_t offset = 0;  // where the token begins in the whole text, with its quote
    std::uint32_t end = 0;     // one past its last byte
    std::string_view text;     // quoted: without the quotes. Valid until the next call.

    [[nodiscard]] bool overlong() const { return (flags & kOverlong) != 0; }
    [[nodiscard]] bool escaped() const { return (flags & kEscaped) != 0; }
    [[nodiscard]] bool high() const { return (flags & kHigh) != 0; }
    [[nodiscard]] bool unterminated() const { return (flags & kUnterminated) != 0; }
    [[nodiscard]] bool doubtful() const { return (flags & kDoubtful) != 0; }
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

    // Whether the next byte begins a token, or white space.
    [[nodiscard]] bool between_tokens() const { return inside_ == Inside::none; }
    [[nodiscard]] TokenKind before() const { return before_; }
    // Somebody else has read tokens; the last of them was this.
    void passed(TokenKind kind, std::uint32_t end) {
        before_ = kind;
        before_end_ = end;
    }

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
    bool finish_long(Input& in, Token& token, TokenKind kind, const char* end, std::size_t open, std::size_t close);
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
    std::uint8_t flags_ = 0;
    std::uint32_t start_ = 0;
};

}  // namespace tidegate::sql
