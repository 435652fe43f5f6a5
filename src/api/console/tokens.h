// The words of a statement at the console, one after another. Internal to console/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tidegate::api::console {

inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
inline bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_word(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

struct Token {
    enum class Kind : std::uint8_t { end, word, quoted, text, number, symbol };
    Kind kind = Kind::end;
    std::string value;  // of a word as it was written; of a name or a text without its quotes
    std::size_t begin = 0;
    std::size_t end = 0;

    [[nodiscard]] bool is(std::string_view word) const {
        return kind == Kind::word && std::ranges::equal(value, word, {}, upper);
    }
    [[nodiscard]] bool is_symbol(char c) const { return kind == Kind::symbol && value[0] == c; }
    [[nodiscard]] bool is_name() const { return kind == Kind::word || kind == Kind::quoted; }
};

// Blanks and comments are passed over; of an executable comment (/*! .. */) the text counts, as for a server.
class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) { advance(); }

    [[nodiscard]] const Token& now() const { return now_; }
    Token take() {
        Token taken = std::move(now_);
        last_end_ = taken.end;
        advance();
        return taken;
    }
    bool skip(std::string_view word) {
        const bool found = now_.is(word);
        if (found) (void)take();
        return found;
    }
    bool skip(char symbol) {
        const bool found = now_.is_symbol(symbol);
        if (found) (void)take();
        return found;
    }
    // What was written, from there to the end of the token taken last.
    [[nodiscard]] std::string_view since(std::size_t begin) const { return text_.substr(begin, last_end_ - begin); }
    [[nodiscard]] std::string_view rest() const { return text_.substr(std::min(now_.begin, text_.size())); }

private:
    void pass_over_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }
    // Whether something was passed over.
    bool pass_over() {
        const std::string_view rest = text_.substr(at_);
        if (rest.empty()) return false;
        if (is_space(rest[0])) {
            ++at_;
        } else if (rest[0] == '#' || (rest.starts_with("--") && (rest.size() == 2 || is_space(rest[2])))) {
            pass_over_line();
        } else if (rest.starts_with("/*!") || rest.starts_with("/*M!")) {
            at_ += rest[2] == '!' ? 3 : 4;
            while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
            executable_ = true;
        } else if (rest.starts_with("/*")) {
            const std::size_t end = text_.find("*/", at_ + 2);
            at_ = end == std::string_view::npos ? text_.size() : end + 2;
        } else if (executable_ && rest.starts_with("*/")) {
            at_ += 2;
            executable_ = false;
        } else {
            return false;
        }
        return true;
    }
    void advance() {
        while (pass_over()) {
        }
        now_ = {.kind = Token::Kind::end, .value = {}, .begin = at_, .end = at_};
        if (at_ == text_.size()) return;
        const char first = text_[at_];
        if (first == '`' || first == '\'' || first == '"') {
            quoted(first);
        } else if (is_digit(first)) {
            run(Token::Kind::number, [](char c) { return is_digit(c) || c == '.'; });
        } else if (is_word(first)) {
            run(Token::Kind::word, is_word);
        } else {
            now_.kind = Token::Kind::symbol;
            now_.value = first;
            ++at_;
        }
        now_.end = at_;
    }
    template <class Belongs>
    void run(Token::Kind kind, Belongs belongs) {
        now_.kind = kind;
        while (at_ < text_.size() && belongs(text_[at_])) now_.value += text_[at_++];
    }
    void quoted(char quote) {
        now_.kind = quote == '`' ? Token::Kind::quoted : Token::Kind::text;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            const bool more = at_ + 1 < text_.size();
            if (c == quote && more && text_[at_ + 1] == quote) {
                ++at_;
            } else if (c == quote) {
                ++at_;
                return;
            } else if (c == '\\' && quote != '`' && more) {
                // LIKE has its own use for these two.
                if (text_[at_ + 1] == '%' || text_[at_ + 1] == '_') now_.value += c;
                ++at_;
            }
            now_.value += text_[at_];
        }
        now_.kind = Token::Kind::symbol;  // it has no end, and is nothing
        now_.value = quote;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t last_end_ = 0;
    bool executable_ = false;
    Token now_;
};

}  // namespace tidegate::api::console
