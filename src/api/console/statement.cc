#include "api/console/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "api/console/tokens.h"

namespace tidegate::api::console {
namespace {

constexpr std::uint16_t kSyntax = 1064;
constexpr std::uint16_t kEmpty = 1065;
constexpr std::uint16_t kNotSupported = 1235;

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
