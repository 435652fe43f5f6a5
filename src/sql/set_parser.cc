#include "sql/set_parser.h"

namespace tidegate::sql {
namespace {

bool is_name(const Token& token) {
    return token.kind == TokenKind::word || token.kind == TokenKind::quoted_name;
}

bool is_scope(Word word) {
    return word == Word::session_ || word == Word::local_ || word == Word::global_ || word == Word::persist_ ||
           word == Word::persist_only_;
}

// The token's place without its quotes.
TextSpan inner(const Token& token) {
    const std::uint32_t quotes = token.kind == TokenKind::word ? 0 : 1;
    return {token.offset + quotes, token.end - token.offset - 2 * quotes};
}

}  // namespace

void SetParser::on(const Token& token, const WordInfo* info, unsigned depth, Dialect dialect, Facts& facts) {
    const bool next = token.kind == TokenKind::comma && depth == 0;
    switch (state_) {
        case State::target:
            target(token, info, facts);
            break;
        case State::system_target:
            if (is_name(token)) {
                remember(token);
            } else {
                give_up(facts);
            }
            break;
        case State::name:
            behind_name(token, dialect, facts);
            break;
        case State::component:
            structured_ = true;
            state_ = is_name(token) ? State::name : State::rest;
            break;
        case State::value:
            if (next) {
                next_assignment();
            } else if (value_begins_) {
                first_of_value(token, facts);
            } else if (!must_be_.empty()) {
                pin(Pin::variable, facts);  // that value, and then something more
            }
            break;
        case State::user_variable:
            if (next) {
                next_assignment();
            }
            break;
        case State::character:
            if (info != nullptr && info->word == Word::set_) {
                facts.set_unreported = true;  // the collation becomes the schema's
                state_ = State::names;
            } else {
                give_up(facts);
            }
            break;
        case State::names:
        case State::charset:
        case State::collate:
        case State::names_end:
            if (next) {
                next_assignment();
            } else {
                names(token, info, facts);
            }
            break;
        case State::transaction:
        case State::rest:
            break;
    }
}

void SetParser::target(const Token& token, const WordInfo* info, Facts& facts) {
    const Word word = info == nullptr ? Word::none : info->word;
    switch (token.kind) {
        case TokenKind::word:
            if (!keyword_target(word, facts)) {
                remember(token);
            }
            break;
        case TokenKind::quoted_name:
            remember(token);
            break;
        case TokenKind::at:  // whoever sees the @ pins by it
            state_ = State::user_variable;
            break;
        case TokenKind::at_at:
            bare_at_at_ = true;
            state_ = State::system_target;
            break;
        default:
            give_up(facts);
            break;
    }
    first_ = false;
}

// The words that may stand where an assignment's target stands.
bool SetParser::keyword_target(Word word, Facts& facts) {
    switch (word) {
        case Word::global_:
        case Word::persist_:
        case Word::persist_only_:
            scope_ = Scope::global;
            sticky_global_ = true;
            break;
        case Word::session_:
        case Word::local_:
            scope_ = Scope::session;
            sticky_global_ = false;
            break;
        case Word::names_:
        case Word::charset_:
            facts.set_collation = true;
            facts.set_unreported |= word == Word::charset_;
            state_ = State::names;
            break;
        case Word::character_:
            facts.set_collation = true;
            state_ = State::character;
            break;
        case Word::transaction_:
            facts.one_shot_transaction |= scope_ == Scope::none;
            facts.new_generation |= scope_ == Scope::global;
            carried_ = carried_ && scope_ != Scope::global;
            state_ = State::transaction;
            break;
        case Word::password_:
        case Word::default_:  // SET DEFAULT ROLE
            if (!first_) {
                return false;
            }
            if (word == Word::default_) {
                pin(Pin::role, facts);
            }
            facts.new_generation = true;
            about_accounts_ = names_account_ = true;
            carried_ = false;
            state_ = State::rest;
            break;
        case Word::role_:
            pin(Pin::role, facts);
            names_account_ = true;
            state_ = State::rest;
            break;
        case Word::statement_:
            pin(Pin::set_statement, facts);
            state_ = State::rest;
            break;
        case Word::resource_:  // SET RESOURCE GROUP: the thread's, for good
            give_up(facts);
            break;
        default:
            return false;
    }
    return true;
}

void SetParser::remember(const Token& token) {
    name_ = inner(token);
    nameless_ = token.overlong() || token.escaped() || token.unterminated();
    kind_ = nameless_ ? VariableKind::pinned : variable_kind(token.text);
    const WordInfo* info = token.kind == TokenKind::word ? find_word(token.text) : nullptr;
    scope_word_ = info != nullptr && is_scope(info->word) ? info->word : Word::none;
    state_ = State::name;
}

void SetParser::behind_name(const Token& token, Dialect dialect, Facts& facts) {
    if (token.kind == TokenKind::equals || token.kind == TokenKind::assign) {
        commit(dialect, facts);
        state_ = State::value;
        value_begins_ = true;
    } else if (token.kind == TokenKind::dot && bare_at_at_ && scope_word_ != Word::none) {
        const bool session = scope_word_ == Word::session_ || scope_word_ == Word::local_;
        scope_ = session ? Scope::session : Scope::global;
        bare_at_at_ = false;
        scope_word_ = Word::none;
        state_ = State::system_target;
    } else if (token.kind == TokenKind::dot && !structured_) {
        state_ = State::component;
    } else {
        give_up(facts);
    }
}

// A variable is about to be given a value.
void SetParser::commit(Dialect dialect, Facts& facts) {
    if (scope_ == Scope::global) {
        facts.new_generation = true;
        carried_ = false;
        return;
    }
    if (scope_ == Scope::none && sticky_global_) {
        facts.new_generation = true;
        carried_ = false;
    }
    if (structured_ || kind_ == VariableKind::pinned || kind_ == VariableKind::profiling) {
        pin(kind_ == VariableKind::profiling && !structured_ ? Pin::profiling : Pin::variable, facts);
        return;
    }
    const bool unscoped = bare_at_at_ && scope_ == Scope::none;
    if (unscoped && kind_ == VariableKind::isolation) {
        facts.one_shot_transaction = true;
        return;
    }
    if (kind_ == VariableKind::on_anyway) {
        must_be_ = "1";
        return;
    }
    facts.set_collation |= kind_ == VariableKind::collation;
    changes_lexing_ |= kind_ == VariableKind::lexing;
    must_be_ = kind_ == VariableKind::carried_as_zero ? "0" : "";
    facts.set_unreported |= unscoped && dialect == Dialect::mariadb;
    if (facts.set_count < kMaxSetNames) {
        facts.set_names[facts.set_count++] = name_;
    } else {
        pin(Pin::variable, facts);  // the list must be complete
    }
}

void SetParser::first_of_value(const Token& token, Facts& facts) {
    value_begins_ = false;
    if (!must_be_.empty() && !(token.kind == TokenKind::number && token.text == must_be_)) {
        pin(Pin::variable, facts);
        must_be_ = {};
    }
}

// SET NAMES x, SET NAMES x COLLATE y, SET NAMES DEFAULT, SET CHARACTER SET x: anything else is not understood.
void SetParser::names(const Token& token, const WordInfo* info, Facts& facts) {
    const bool text = is_name(token) || token.kind == TokenKind::string;
    if (state_ == State::charset && info != nullptr && info->word == Word::collate_) {
        state_ = State::collate;
    } else if (state_ == State::names && text) {
        const bool by_default = info != nullptr && info->word == Word::default_;
        facts.set_unreported |= by_default;
        changes_lexing_ |= by_default || unsafe_charset(token.text) || token.overlong() || token.escaped();
        state_ = State::charset;
    } else if (state_ == State::collate && text && !token.overlong() && !token.escaped() && !token.unterminated()) {
        if (info != nullptr && info->word == Word::default_) {
            facts.collation = {};
        } else {
            facts.collation = inner(token);
        }
        state_ = State::names_end;
    } else {
        give_up(facts);
    }
}

void SetParser::pin(Pin pin, Facts& facts) {
    facts.pins.add(pin);
    carried_ = false;
}

void SetParser::give_up(Facts& facts) {
    pin(Pin::variable, facts);
    state_ = State::rest;
}

void SetParser::next_assignment() {
    state_ = State::target;
    scope_ = Scope::none;
    bare_at_at_ = structured_ = value_begins_ = false;
    must_be_ = {};
}

}  // namespace tidegate::sql
