#include "sql/user_variables.h"

#include <algorithm>
#include <cstdint>

#include "base/letters.h"
#include "sql/lexer.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

class Finder {
public:
    void on(const Token& token);
    UserVariables found() { return std::move(found_); }

private:
    // Where an @ can stand.
    enum class Rule : std::uint8_t {
        marked,  // only what := or INTO say is given a value
        set,     // so are the targets of SET
        any,     // LOAD DATA, CALL, GET DIAGNOSTICS, .. and all that is not known
    };

    void begin_statement(const Token& token);
    void name(const Token& token);
    void take(std::string name);

    UserVariables found_;
    Rule rule_ = Rule::any;
    bool started_ = false;
    bool at_ = false;      // the token before was an @
    bool into_ = false;    // in the list behind INTO
    bool target_ = false;  // SET: an assignment's left side may begin here
    bool in_set_target_ = false;
    std::uint32_t depth_ = 0;
    std::uint32_t end_ = 0;  // of the name before
    std::string name_;       // of the variable before: is it followed by :=, = or a dot?
};

void Finder::begin_statement(const Token& token) {
    started_ = true;
    into_ = target_ = in_set_target_ = false;
    depth_ = 0;
    const WordInfo* info = token.kind == TokenKind::word ? find_word(token.text) : nullptr;
    switch (info == nullptr ? Word::none : info->word) {
        case Word::set_:
            rule_ = Rule::set;
            target_ = true;
            break;
        case Word::select_:
        case Word::insert_:
        case Word::update_:
        case Word::delete_:
        case Word::replace_:
        case Word::with_:
        case Word::values_:
        case Word::do_:
        case Word::show_:
        case Word::kill_:
        case Word::create_:
        case Word::explain_:
            rule_ = Rule::marked;
            break;
        default:
            rule_ = token.kind == TokenKind::open ? Rule::marked : Rule::any;
            break;
    }
}

void Finder::take(std::string name) {
    if (std::ranges::find(found_.assigned, name) == found_.assigned.end()) found_.assigned.push_back(std::move(name));
}

// Behind an @.
void Finder::name(const Token& token) {
    const bool name =
        token.kind == TokenKind::word || token.kind == TokenKind::quoted_name || token.kind == TokenKind::string;
    if (!name || token.offset != end_ || token.overlong() || token.escaped() || !is_plain_variable(token.text)) {
        found_.unsure = true;
        return;
    }
    name_ = lower(token.text);
    in_set_target_ = target_;
    target_ = false;
    if (into_ || rule_ == Rule::any) take(name_);
    end_ = token.end;
}

void Finder::on(const Token& token) {
    const bool executable = token.kind == TokenKind::executable_open || token.kind == TokenKind::executable_close;
    if (token.kind == TokenKind::comment || executable) return;
    if (at_) {
        at_ = false;
        return name(token);
    }
    if (!name_.empty()) {
        const bool given = token.kind == TokenKind::assign || (token.kind == TokenKind::equals && in_set_target_);
        if (given) take(std::move(name_));
        if (token.kind == TokenKind::dot && token.offset == end_) found_.unsure = true;  // @a.b is one name
        const bool list_goes_on = token.kind == TokenKind::comma;
        into_ = into_ && list_goes_on;
        name_.clear();
    } else if (into_ && token.kind != TokenKind::at) {
        into_ = false;
    }
    switch (token.kind) {
        case TokenKind::semicolon:
            started_ = false;
            return;
        case TokenKind::at:
            at_ = true;
            end_ = token.end;
            return;
        case TokenKind::open:
            ++depth_;
            break;
        case TokenKind::close:
            depth_ -= depth_ > 0 ? 1 : 0;
            break;
        default:
            break;
    }
    if (!started_) return begin_statement(token);
    target_ = rule_ == Rule::set && token.kind == TokenKind::comma && depth_ == 0;
    const WordInfo* info = token.kind == TokenKind::word ? find_word(token.text) : nullptr;
    if (info != nullptr && info->word == Word::into_) into_ = true;
    if (info != nullptr && info->word == Word::table_ && rule_ == Rule::set) found_.unsure = true;  // as below
}

}  // namespace

bool is_plain_variable(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
    });
}

UserVariables user_variables(std::string_view text, const Facts& facts, Mode mode) {
    Finder finder;
    Lexer lexer(mode);
    Lexer::Input in{.at = text.data(), .end = text.data() + text.size(), .begin = text.data(), .base = 0};
    Token token;
    bool doubtful = text.empty();
    while (lexer.next(in, token, true) && token.kind != TokenKind::end) {
        doubtful = doubtful || token.unterminated() || token.doubtful();
        finder.on(token);
    }
    UserVariables found = finder.found();
    // What a SET reports is hidden in the report of its own doing: that a view in it, say, has called a function which
    // sets other variables.
    const bool may_hide = facts.kind == Kind::set && facts.touches_tables;
    found.unsure = found.unsure || doubtful || may_hide;
    return found;
}

}  // namespace tidegate::sql
