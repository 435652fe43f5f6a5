#include "api/console/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tidegate::api::console {
namespace {

constexpr std::uint16_t kSyntax = 1064;
constexpr std::uint16_t kEmpty = 1065;
constexpr std::uint16_t kNotSupported = 1235;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_word(char c) {
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

constexpr std::string_view kKnown =
    "The console of Tidegate knows SHOW .., PAUSE, RESUME, RELOAD and KILL [QUERY] id; SHOW HELP lists them";

std::unexpected<Error> wrong_at(const Tokens& tokens) {
    constexpr std::size_t kShown = 60;
    const std::string_view rest = tokens.rest();
    const std::string at = rest.empty() ? "at its end" : fmt::format("near '{}'", rest.substr(0, kShown));
    return fail(kSyntax, "42000", fmt::format("{}. This was not understood {}", kKnown, at));
}

using What = Statement::What;

// What follows the whole of a statement: nothing.
Result<Statement> ended(Tokens& tokens, Statement statement) {
    while (tokens.skip(';')) {
    }
    if (tokens.now().kind != Token::Kind::end) return wrong_at(tokens);
    return statement;
}

// SHOW [FULL] WORDS [FROM ..] [LIKE 'pattern']
Result<Statement> parse_show(Tokens& tokens) {
    Statement show{.what = What::show};
    while (tokens.skip("FULL") || tokens.skip("GLOBAL") || tokens.skip("SESSION") || tokens.skip("LOCAL") ||
           tokens.skip("EXTENDED")) {
    }
    while (tokens.now().kind == Token::Kind::word && !tokens.now().is("LIKE") && !tokens.now().is("FROM") &&
           !tokens.now().is("IN") && !tokens.now().is("WHERE")) {
        if (!show.name.empty()) show.name += ' ';
        std::ranges::transform(tokens.take().value, std::back_inserter(show.name), upper);
    }
    if (show.name.empty()) return wrong_at(tokens);
    while (tokens.skip("FROM") || tokens.skip("IN")) {
        if (!tokens.now().is_name()) return wrong_at(tokens);
        (void)tokens.take();
    }
    if (tokens.skip("LIKE")) {
        if (tokens.now().kind != Token::Kind::text) return wrong_at(tokens);
        show.like = tokens.take().value;
    }
    if (tokens.now().is("WHERE")) {
        return fail(kNotSupported, "42000",
                    "The console of Tidegate has no WHERE: SHOW .. LIKE 'pattern' chooses by the first text column");
    }
    return ended(tokens, std::move(show));
}

// @@name, @@session.name: the name in lower case.
bool parse_variable(Tokens& tokens, Statement::Item& item) {
    if (!tokens.skip('@') || !tokens.now().is_name()) return false;
    item.kind = Statement::Item::Kind::variable;
    std::string name = tokens.take().value;
    if (tokens.skip('.')) {
        if (!tokens.now().is_name()) return false;
        name = tokens.take().value;
    }
    std::ranges::transform(name, std::back_inserter(item.name), lower);
    return true;
}

bool parse_expression(Tokens& tokens, Statement::Item& item) {
    if (tokens.skip('@')) return parse_variable(tokens, item);
    const Token::Kind kind = tokens.now().kind;
    if (kind == Token::Kind::number || kind == Token::Kind::text) {
        item.name = tokens.take().value;
        return true;
    }
    if (kind != Token::Kind::word) return false;
    item.null = tokens.now().is("NULL");
    std::ranges::transform(tokens.take().value, std::back_inserter(item.name), lower);
    if (item.null) return true;
    item.kind = Statement::Item::Kind::function;
    return tokens.skip('(') ? tokens.skip(')') : item.name == "current_user";
}

Result<Statement> parse_select(Tokens& tokens) {
    Statement select{.what = What::select};
    do {
        Statement::Item item;
        const std::size_t begin = tokens.now().begin;
        if (!parse_expression(tokens, item)) return wrong_at(tokens);
        item.column = tokens.since(begin);
        const bool named = tokens.skip("AS");
        const Token& next = tokens.now();
        const bool alias = next.kind == Token::Kind::quoted || next.kind == Token::Kind::text ||
                           (next.kind == Token::Kind::word && !next.is("FROM") && !next.is("LIMIT"));
        if (alias)
            item.column = tokens.take().value;
        else if (named)
            return wrong_at(tokens);
        select.items.push_back(std::move(item));
    } while (tokens.skip(','));
    if (tokens.skip("FROM") && !tokens.skip("DUAL")) return wrong_at(tokens);
    if (tokens.skip("LIMIT")) {
        if (tokens.now().kind != Token::Kind::number) return wrong_at(tokens);
        (void)tokens.take();
    }
    return ended(tokens, std::move(select));
}

Result<Statement> parse_kill(Tokens& tokens) {
    Statement kill{.what = What::kill};
    kill.query_only = tokens.skip("QUERY");
    if (!kill.query_only) (void)tokens.skip("CONNECTION");
    const Token id = tokens.now();
    const char* const end = id.value.data() + id.value.size();
    const auto read = std::from_chars(id.value.data(), end, kill.id);
    if (id.kind != Token::Kind::number || read.ec != std::errc() || read.ptr != end) return wrong_at(tokens);
    (void)tokens.take();
    return ended(tokens, std::move(kill));
}

Result<Statement> parse_use(Tokens& tokens) {
    if (!tokens.now().is_name()) return wrong_at(tokens);
    Statement use{.what = What::use, .name = tokens.take().value};
    return ended(tokens, std::move(use));
}

// Whatever is set, or begun and ended, is nothing to a console, and drivers begin with it.
Result<Statement> parse_rest(Tokens& tokens) {
    while (tokens.now().kind != Token::Kind::end && !tokens.now().is_symbol(';')) (void)tokens.take();
    return ended(tokens, {.what = What::settle});
}

template <What what>
Result<Statement> parse_order(Tokens& tokens) {
    return ended(tokens, {.what = what});
}

Result<Statement> parse_help(Tokens& tokens) {
    return ended(tokens, {.what = What::show, .name = "HELP"});
}

struct Verb {
    std::string_view word;
    Result<Statement> (*parse)(Tokens&);
};
constexpr std::array<Verb, 12> kVerbs{{{"SHOW", parse_show},
                                       {"SELECT", parse_select},
                                       {"KILL", parse_kill},
                                       {"PAUSE", parse_order<What::pause>},
                                       {"RESUME", parse_order<What::resume>},
                                       {"RELOAD", parse_order<What::reload>},
                                       {"HELP", parse_help},
                                       {"USE", parse_use},
                                       {"SET", parse_rest},
                                       {"BEGIN", parse_rest},
                                       {"COMMIT", parse_rest},
                                       {"ROLLBACK", parse_rest}}};

// From these places on, does the pattern fit? Goes on from the last % where it does not.
bool fits(std::string_view text, std::string_view pattern) {
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t retry_text = 0;
    std::size_t retry_pattern = std::string_view::npos;
    while (t < text.size()) {
        const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
        if (p < pattern.size() && pattern[p] == '%') {
            retry_pattern = ++p;
            retry_text = t;
            continue;
        }
        const std::size_t at = escaped ? p + 1 : p;
        const bool any = p < pattern.size() && !escaped && pattern[p] == '_';
        if (any || (p < pattern.size() && lower(pattern[at]) == lower(text[t]))) {
            p = at + 1;
            ++t;
        } else if (retry_pattern != std::string_view::npos) {
            p = retry_pattern;
            t = ++retry_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '%') ++p;
    return p == pattern.size();
}

}  // namespace

Result<Statement> parse(std::string_view text) {
    Tokens tokens(text);
    if (tokens.now().kind == Token::Kind::end || tokens.now().is_symbol(';'))
        return fail(kEmpty, "42000", "Query was empty");
    for (const Verb& verb : kVerbs) {
        if (tokens.skip(verb.word)) return verb.parse(tokens);
    }
    if (tokens.skip("START") && tokens.now().is("TRANSACTION")) return parse_rest(tokens);
    return wrong_at(tokens);
}

bool is_like(std::string_view text, std::string_view pattern) {
    return fits(text, pattern);
}

}  // namespace tidegate::api::console
