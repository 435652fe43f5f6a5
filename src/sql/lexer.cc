#include "sql/lexer.h"

#include <algorithm>
#include <array>

namespace tidegate::sql {
namespace {

using byte_class::kDigit;
using byte_class::kQuote;
using byte_class::kSingle;
using byte_class::kWord;

bool is_word(char c) {
    return (class_of(c) & kWord) != 0;
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

TokenKind single_kind(char c) {
    switch (c) {
        case '(':
            return TokenKind::open;
        case ')':
            return TokenKind::close;
        case ',':
            return TokenKind::comma;
        case ';':
            return TokenKind::semicolon;
        default:
            return TokenKind::equals;
    }
}

constexpr int kNone = -1;   // the text ends here
constexpr int kMore = -2;   // the piece ends here
constexpr int kLimit = -3;  // the token has become overlong

}  // namespace

bool Lexer::next(Input& in, Token& token, bool last) {
    if (inside_ != Inside::none) {
        return resume(in, token, last);
    }
    const char* p = in.at;
    while (p < in.end && (class_of(*p) & byte_class::kSpace) != 0) {
        ++p;
    }
    in.at = p;
    start_ = in.offset(p);
    flags_ = 0;
    if (p == in.end) {
        token = Token{.offset = start_, .end = start_, .text = {}};
        return last || cut(Inside::none, p);
    }
    const std::uint8_t bits = class_of(*p);
    if ((bits & kSingle) != 0) {
        return finish(in, token, single_kind(*p), p + 1, {p, 1});
    }
    if ((bits & kQuote) != 0) {
        quote_ = *p;
        return run_quote(in, token, last, p + 1);
    }
    if ((bits & byte_class::kLetter) != 0) {
        return run_word(in, token, last, p);
    }
    if ((bits & kDigit) != 0) {
        return number(in, token, last);
    }
    if ((bits & byte_class::kSpecial) != 0) {
        return special(in, token, last);
    }
    return finish(in, token, TokenKind::other, p + 1, {p, 1});
}

void Lexer::enter(Input& in) {
    inside_ = cut_;
    in.at = decided_;
}

bool Lexer::resume(Input& in, Token& token, bool last) {
    const Inside inside = inside_;
    bool whole = false;
    switch (inside) {
        case Inside::quote:
            whole = run_quote(in, token, last, in.at);
            break;
        case Inside::block_comment:
            whole = run_block_comment(in, token, last, in.at);
            break;
        case Inside::line_comment:
            whole = run_line_comment(in, token, last, in.at);
            break;
        case Inside::number:
            whole = run_digits(in, token, last, in.at);
            break;
        default:
            whole = run_word(in, token, last, in.at);
            break;
    }
    if (!whole) {
        in.at = decided_;
    }
    return whole;
}

bool Lexer::cut(Inside inside, const char* decided) {
    cut_ = inside;
    decided_ = decided;
    return false;
}

bool Lexer::finish(Input& in, Token& token, TokenKind kind, const char* end, std::string_view text) {
    token.kind = kind;
    token.flags = flags_;
    token.offset = start_;
    token.end = in.offset(end);
    token.text = text;
    if (token.end - start_ > kTokenBytes) {
        token.flags |= Token::kOverlong;
        token.text = {};
    }
    in.at = end;
    inside_ = Inside::none;
    before_ = kind;
    before_end_ = token.end;
    return true;
}

bool Lexer::run_word(Input& in, Token& token, bool last, const char* p) {
    std::uint8_t seen = 0;
    while (p < in.end && (class_of(*p) & kWord) != 0) {
        seen |= class_of(*p);
        ++p;
    }
    flags_ |= (seen & byte_class::kHigh) != 0 ? Token::kHigh : 0;
    if (p == in.end && !last) {
        return cut(Inside::word, p);
    }
    return finish(in, token, TokenKind::word, p, {in.at, static_cast<std::size_t>(p - in.at)});
}

// Ends a token between marks of these lengths: quotes, or those of a comment.
bool Lexer::finish_long(Input& in, Token& token, TokenKind kind, const char* end, std::size_t open, std::size_t close) {
    const bool entered = inside_ != Inside::none;
    const std::size_t length = static_cast<std::size_t>(end - in.at);
    const std::string_view text =
        entered ? std::string_view{} : std::string_view(in.at, length).substr(open, length - open - close);
    return finish(in, token, kind, end, text);
}

// The rest of a number that is longer than a token may be: whatever it is, nobody asks.
bool Lexer::run_digits(Input& in, Token& token, bool last, const char* p) {
    while (p < in.end && is_word(*p)) {
        ++p;
    }
    if (p == in.end && !last) {
        return cut(Inside::number, p);
    }
    return finish(in, token, TokenKind::number, p, {});
}

// 1, 1.5, 1., .5, 1e5, 1.5e+3 are numbers, also with a word right behind (`1e5INTO`); 1a and 0x1 are words; and behind
// a name's dot everything is a name (`t.1`).
bool Lexer::number(Input& in, Token& token, bool last) {
    const bool part_of_name = before_ == TokenKind::dot && before_end_ == start_;
    if (part_of_name) {
        return run_word(in, token, last, in.at);
    }
    const char* const limit = in.at + kTokenBytes;
    const auto peek = [&](const char* p) -> int {
        if (p - in.at >= static_cast<std::ptrdiff_t>(kTokenBytes)) {
            return kLimit;
        }
        return p < in.end ? static_cast<unsigned char>(*p) : (last ? kNone : kMore);
    };
    const auto digits = [&](const char* p) {
        while (p < in.end && p - in.at < static_cast<std::ptrdiff_t>(kTokenBytes) && is_digit(*p)) {
            ++p;
        }
        return p;
    };
    const char* p = digits(in.at);
    int c = peek(p);
    const bool fraction = c == '.';
    if (fraction) {
        p = digits(p + 1);
        c = peek(p);
    }
    if (c == 'e' || c == 'E') {
        int sign = peek(p + 1);
        const bool is_signed = sign == '+' || sign == '-';
        const int digit = is_signed ? peek(p + 2) : sign;
        if (digit == kMore || digit == kLimit) {
            c = digit;
        } else if (digit >= '0' && digit <= '9') {
            p = digits(p + (is_signed ? 3 : 2));
            c = peek(p);
            if (c != kMore && c != kLimit) {
                return finish(in, token, TokenKind::number, p, {in.at, static_cast<std::size_t>(p - in.at)});
            }
        }
    }
    if (c == kMore) {
        return cut(Inside::none, in.at);
    }
    if (c == kLimit) {
        return run_digits(in, token, last, limit);
    }
    if (!fraction && c >= 0 && is_word(static_cast<char>(c))) {
        return run_word(in, token, last, p);
    }
    return finish(in, token, TokenKind::number, p, {in.at, static_cast<std::size_t>(p - in.at)});
}

bool Lexer::run_quote(Input& in, Token& token, bool last, const char* p) {
    const bool is_name = quote_ == '`' || (quote_ == '"' && mode_.ansi_quotes);
    const TokenKind kind = is_name ? TokenKind::quoted_name : TokenKind::string;
    const char escape = is_name || mode_.no_backslash_escapes ? quote_ : '\\';
    const char star = in_executable_ ? '*' : quote_;  // `*/` in a string: a server that skips the comment ends it there
    while (true) {
        while (p < in.end && *p != quote_ && *p != escape && *p != star) {
            ++p;
        }
        if (p == in.end || (p + 1 == in.end && !last)) {
            break;
        }
        const bool followed = p + 1 < in.end;
        if (*p == quote_) {
            if (!followed || p[1] != quote_) {
                return finish_long(in, token, kind, p + 1, 1, 1);
            }
            flags_ |= Token::kEscaped;
            p += 2;
        } else if (*p == star) {
            flags_ |= followed && p[1] == '/' ? Token::kDoubtful : 0;
            ++p;
        } else {
            flags_ |= Token::kEscaped;
            p += followed ? 2 : 1;
        }
    }
    if (!last) {
        return cut(Inside::quote, p);
    }
    finish_long(in, token, kind, in.end, 0, 0);
    token.text = {};
    token.flags |= Token::kUnterminated;
    return true;
}

bool Lexer::run_block_comment(Input& in, Token& token, bool last, const char* p) {
    while (true) {
        while (p < in.end && *p != '*') {
            ++p;
        }
        if (p == in.end || (p + 1 == in.end && !last)) {
            break;
        }
        if (p + 1 < in.end && p[1] == '/') {
            return finish_long(in, token, TokenKind::comment, p + 2, 2, 2);
        }
        ++p;
    }
    if (!last) {
        return cut(Inside::block_comment, p);
    }
    finish_long(in, token, TokenKind::comment, in.end, 0, 0);
    token.text = {};
    token.flags |= Token::kUnterminated;
    return true;
}

bool Lexer::run_line_comment(Input& in, Token& token, bool last, const char* p) {
    flags_ |= in_executable_ ? Token::kDoubtful : 0;  // a server that skips the comment would end it in this line
    while (p < in.end && *p != '\n') {
        ++p;
    }
    if (p == in.end && !last) {
        return cut(Inside::line_comment, p);
    }
    const bool whole = inside_ == Inside::none;
    const std::size_t mark = whole && *in.at == '-' ? 2 : 1;
    return finish_long(in, token, TokenKind::comment, p, mark, 0);
}

// `/*!`, `/*M!`, each with a version, `/*`, or a division.
bool Lexer::slash(Input& in, Token& token, bool last) {
    const char* p = in.at;
    const auto missing = [&](const char* q) { return q >= in.end && !last; };
    const auto is = [&](const char* q, char c) { return q < in.end && *q == c; };
    if (missing(p + 1)) {
        return cut(Inside::none, p);
    }
    if (!is(p + 1, '*')) {
        return finish(in, token, TokenKind::other, p + 1, {p, 1});
    }
    if (missing(p + 2) || (is(p + 2, 'M') && missing(p + 3))) {
        return cut(Inside::none, p);
    }
    const char* mark = is(p + 2, 'M') ? p + 3 : p + 2;
    if (!is(mark, '!')) {
        return run_block_comment(in, token, last, p + 2);
    }
    const char* end = mark + 1;
    while (end < in.end && end - mark <= 6 && is_digit(*end)) {
        ++end;
    }
    if (end - mark <= 6 && missing(end)) {
        return cut(Inside::none, p);
    }
    finish(in, token, TokenKind::executable_open, end, {});
    token.flags |= in_executable_ ? Token::kDoubtful : 0;
    in_executable_ = true;
    return true;
}

// `--` is a comment only in front of a space, a control character or the end.
bool Lexer::minus(Input& in, Token& token, bool last) {
    const char* p = in.at;
    if ((p + 1 >= in.end || (p[1] == '-' && p + 2 >= in.end)) && !last) {
        return cut(Inside::none, p);
    }
    if (p + 1 < in.end && p[1] == '-') {
        const auto third = p + 2 < in.end ? static_cast<unsigned char>(p[2]) : 0U;
        if (third <= 0x20 || third == 0x7F) {
            return run_line_comment(in, token, last, p + 2);
        }
        finish(in, token, TokenKind::other, p + 1, {p, 1});
        token.flags |= third >= 0x80 ? Token::kDoubtful : 0;  // in some character sets 0xA0 is a space
        return true;
    }
    return finish(in, token, TokenKind::other, p + 1, {p, 1});
}

bool Lexer::special(Input& in, Token& token, bool last) {
    const char* p = in.at;
    switch (*p) {
        case '#':
            return run_line_comment(in, token, last, p + 1);
        case '/':
            return slash(in, token, last);
        case '-':
            return minus(in, token, last);
        default:
            break;
    }
    if (p + 1 >= in.end && !last) {
        return cut(Inside::none, p);
    }
    const char follows = p + 1 < in.end ? p[1] : '\0';
    TokenKind kind = TokenKind::other;
    std::size_t length = 1;
    switch (*p) {
        case '@':
            kind = follows == '@' ? TokenKind::at_at : TokenKind::at;
            length = follows == '@' ? 2 : 1;
            break;
        case ':':
            kind = follows == '=' ? TokenKind::assign : TokenKind::other;
            length = follows == '=' ? 2 : 1;
            break;
        case '.': {
            const bool behind_name =
                (before_ == TokenKind::word || before_ == TokenKind::quoted_name) && before_end_ == start_;
            if (!behind_name && is_digit(follows)) {
                return number(in, token, last);
            }
            kind = TokenKind::dot;
            break;
        }
        case '\\':
            length = follows == 'N' ? 2 : 1;  // \N is NULL
            break;
        default:  // a star
            if (in_executable_ && follows == '/') {
                in_executable_ = false;
                kind = TokenKind::executable_close;
                length = 2;
            }
            break;
    }
    return finish(in, token, kind, p + length, {p, length});
}

}  // namespace tidegate::sql
