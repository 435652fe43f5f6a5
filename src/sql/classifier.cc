#include "sql/classifier.h"

#include <limits>

namespace tidegate::sql {
namespace {

constexpr Pins kMayAskAnything = {Pin::call,      Pin::unknown_function,   Pin::text_execute,     Pin::compound,
                                  Pin::multibyte, Pin::executable_comment, Pin::unknown_statement};

bool is_name(TokenKind kind) {
    return kind == TokenKind::word || kind == TokenKind::quoted_name;
}

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin + 1);
}

}  // namespace

void Classifier::on_busy(const Token& token) {
    if (token.doubtful()) {
        pin(in_executable_ ? Pin::executable_comment : Pin::multibyte);
    }
    switch (token.kind) {
        case TokenKind::end:
            break;
        case TokenKind::comment:
            on_comment(token);
            break;
        case TokenKind::executable_open:
        case TokenKind::executable_close:
            on_executable(token);
            break;
        case TokenKind::semicolon:
            on_semicolon();
            break;
        default:
            on_token(token);
            break;
    }
    busy_ = !s_.started || s_.skipped || s_.comment_closed || s_.awaits_argument || s_.in_system_variable ||
            s_.with != 0 || s_.head != Head::none || s_.kind == Kind::set || s_.bare.possible();
}

Facts Classifier::finish() {
    if (s_.started) {
        end_statement();
    }
    if (in_executable_) {
        pin(Pin::executable_comment);
    }
    if (unsafe_bytes_) {
        pin(Pin::multibyte);
    }
    const bool single = facts_.statements == 1;
    if (facts_.pins.intersects(kMayAskAnything)) {
        facts_.only_calls_ask = !facts_.asks.has(Ask::last_insert_id);
        facts_.asks.add(Ask::last_insert_id);
        facts_.calls_told = facts_.calls_told && single && !executable_seen_;
    }
    facts_.plain_read = facts_.plain_read && single && facts_.pins.none() && facts_.asks.none();
    Pins not_carried = facts_.pins;
    not_carried.remove(Pin::user_variable);
    facts_.set_only_carried = facts_.set_only_carried && single && not_carried.none();
    if (!single || facts_.pins.any()) {
        facts_.bare = Bare::none;
        facts_.column = {};
    }
    if (!single && facts_.kill != Kill::none) {
        facts_.kill = Kill::other;
        facts_.kill_id = 0;
        facts_.kill_query = false;
    }
    return facts_;
}

void Classifier::on_comment(const Token& token) {
    s_.plain = s_.plain && !token.unterminated();
    s_.bare.on_comment();
    const std::string_view text = trim(token.text);
    constexpr std::string_view kMark = "tidegate:";
    if (!text.starts_with(kMark)) {
        return;
    }
    const std::string_view wish = trim(text.substr(kMark.size()));
    if (wish == "pin" || wish == "session") {
        pin(Pin::asked);
        facts_.session_mode |= wish == "session";
    }
}

// What is in an executable comment is read as if it were not in one. But the server may skip it, if its version is not
// that of the comment: where the statement then is another one, nothing is sure.
void Classifier::on_executable(const Token& token) {
    if (token.kind == TokenKind::executable_open) {
        in_executable_ = executable_seen_ = true;
        s_.mixed |= s_.started;
        s_.target = false;
    } else {
        in_executable_ = false;
        s_.comment_closed |= s_.started;
    }
}

void Classifier::on_semicolon() {
    if (s_.skipped) {
        s_.semicolon_skipped = true;
        return;
    }
    if (in_executable_) {
        pin(Pin::executable_comment);
    }
    if (s_.started) {
        end_statement();
        s_ = Statement{};
    }
}

void Classifier::begin_statement(const Token& token, const WordInfo* info) {
    s_.started = true;
    s_.began_in_comment = in_executable_;
    if (facts_.statements < std::numeric_limits<std::uint16_t>::max()) {
        ++facts_.statements;
    }
    if (lexing_changed_) {
        pin(Pin::compound);
    }
    if (token.kind == TokenKind::open) {
        s_.kind = Kind::select;
        s_.head = Head::parentheses;
        s_.calls = s_.tolerant = true;
    } else {
        first_word(info == nullptr ? Word::none : info->word);
    }
}

void Classifier::end_statement() {
    if (s_.kind == Kind::unknown) {
        pin(Pin::unknown_statement);
    }
    if (s_.mixed) {
        s_.bare.give_up();
        if (!s_.tolerant || s_.began_in_comment) {
            pin(Pin::executable_comment);
        }
    }
    if (s_.kind == Kind::kill) {
        end_kill();
    }
    if (s_.kind == Kind::set) {
        lexing_changed_ |= s_.set.changes_lexing();
        s_.kind = s_.set.about_accounts() ? Kind::grant : Kind::set;
    }
    facts_.touches_tables |= touches_tables();
    selected_ |= s_.kind == Kind::select && !s_.mixed;
    if (facts_.statements == 1) {
        facts_.kind = s_.kind;
        facts_.plain_read = s_.plain && !s_.mixed && s_.kind == Kind::select;
        facts_.set_only_carried = (s_.kind == Kind::set && s_.set.carried()) || s_.kind == Kind::use;
        s_.bare.result(facts_);
    }
}

bool Classifier::touches_tables() const {
    switch (s_.kind) {
        case Kind::select:
        case Kind::set:
        case Kind::do_:
            return s_.from;
        case Kind::use:
        case Kind::begin:
        case Kind::commit:
        case Kind::rollback:
        case Kind::savepoint:
        case Kind::prepare:
        case Kind::deallocate:
        case Kind::unlock_tables:
        case Kind::xa:
        case Kind::kill:
            return false;
        default:
            return true;
    }
}

void Classifier::end_kill() {
    if (s_.kill == Kill::none && s_.kill_has_id) {
        s_.kill = Kill::connection;
    }
    const bool known = s_.kill_has_id && s_.kill != Kill::other && !s_.mixed;
    facts_.kill = known ? s_.kill : Kill::other;
    facts_.kill_id = known ? s_.kill_id : 0;
    facts_.kill_query = !known && s_.kill_query;
}

void Classifier::on_token(const Token& token) {
    if (s_.skipped) {
        if (s_.semicolon_skipped && mode_.multi_statements) {
            pin(Pin::compound);
            facts_.new_generation = true;  // whatever is behind the stored program is not read
        }
        return;
    }
    const WordInfo* info = token.kind == TokenKind::word ? word_of(token) : nullptr;
    if (s_.comment_closed) {
        s_.mixed = true;
    }
    if (s_.awaits_argument) {
        facts_.sets_last_insert_id |= token.kind != TokenKind::close;
        s_.awaits_argument = false;
    }
    if (!s_.started) {
        begin_statement(token, info);
    } else if (s_.kind == Kind::set) {
        s_.set.on(token, info, s_.depth, mode_.dialect, facts_);
        s_.names_account = s_.set.names_account();
    } else if (s_.head != Head::none) {
        on_head(token, info);
    }
    s_.bare.on(token, info);
    s_.plain = s_.plain && !token.overlong() && !token.unterminated();
    switch (token.kind) {
        case TokenKind::word:
        case TokenKind::quoted_name:
            on_name(token, info);
            break;
        case TokenKind::open:
            on_open(token);
            break;
        case TokenKind::close:
            on_close();
            break;
        case TokenKind::at:
            on_at();
            break;
        case TokenKind::at_at:
            s_.in_system_variable = true;
            break;
        case TokenKind::equals:
            s_.target = false;
            break;
        case TokenKind::assign:
            s_.plain = false;
            break;
        default:
            break;
    }
    s_.before_that = s_.before;
    s_.before = {info, token.end, token.kind};
}

// What the word means here. Behind a name's dot, an @ or an @@ it is a name, whatever it is elsewhere.
const WordInfo* Classifier::word_of(const Token& token) {
    const Seen& before = s_.before;
    if (before.kind == TokenKind::at_at) {
        return nullptr;
    }
    if ((before.kind == TokenKind::dot || before.kind == TokenKind::at) && before.end == token.offset) {
        if (token.text.size() == 7 && !s_.in_system_variable) {  // sequence.nextval, in MariaDB's sql_mode ORACLE
            const WordInfo* info = find_word(token.text);
            if (info != nullptr && (info->word == Word::nextval_ || info->word == Word::currval_)) {
                on_effect(info->word == Word::nextval_ ? Word::nextval_ : Word::lastval_);
            }
        }
        return nullptr;
    }
    return find_word(token.text);
}

void Classifier::on_name(const Token& token, const WordInfo* info) {
    const Seen& before = s_.before;
    if (before.kind == TokenKind::at_at || (before.kind == TokenKind::dot && s_.in_system_variable)) {
        on_system_variable(token);
        return;
    }
    s_.in_system_variable = false;
    s_.plain = s_.plain && !token.high();  // in some character sets 0xA0 is a space, and this is two words
    const Word word = info == nullptr ? Word::none : info->word;
    if (s_.with != 0 && in_with()) {
        const bool place =
            before.kind == TokenKind::comma || before.word() == Word::with_ || before.word() == Word::recursive_;
        if (!place && word != Word::as_ && word != Word::recursive_) {
            s_.with &= ~(std::uint64_t{1} << s_.depth);
        }
    }
    if (word != Word::none) {
        on_keyword(word);
    }
}

// Keywords that mean something anywhere in a statement.
void Classifier::on_keyword(Word word) {
    const Word before = s_.before.word();
    switch (word) {
        case Word::into_:
        case Word::lock_:
        case Word::procedure_:
            s_.plain = false;
            break;
        case Word::update_:
        case Word::share_:
            s_.plain = s_.plain && before != Word::for_;
            break;
        case Word::sql_calc_found_rows_:
            facts_.calc_found_rows = true;
            s_.plain = false;
            break;
        case Word::value_:
            s_.target = false;
            if (s_.calls && (before == Word::next_ || before == Word::previous_)) {  // NEXT VALUE FOR
                on_effect(before == Word::next_ ? Word::nextval_ : Word::lastval_);
            }
            break;
        case Word::select_:
        case Word::values_:
        case Word::set_:
            s_.target = false;
            break;
        case Word::with_:
            s_.target = false;
            if (s_.depth < 64) {
                s_.with |= std::uint64_t{1} << s_.depth;
                busy_ = true;
            }
            break;
        case Word::from_:
            s_.from = true;
            break;
        case Word::json_table_:
            s_.json_table = true;
            break;
        case Word::partition_:
            s_.partitioned = true;
            break;
        default:
            break;
    }
}

void Classifier::on_system_variable(const Token& token) {
    const WordInfo* info = find_word(token.text);
    switch (info == nullptr ? Word::none : info->word) {
        case Word::last_insert_id_:
        case Word::identity_:
            facts_.asks.add(Ask::last_insert_id);
            break;
        case Word::warning_count_:
        case Word::error_count_:
            facts_.asks.add(Ask::warnings);
            break;
        case Word::pseudo_thread_id_:
            facts_.asks.add(Ask::connection_id);
            break;
        default:
            s_.plain = s_.plain && !token.overlong() && !token.escaped();
            break;
    }
}

void Classifier::on_at() {
    if (!s_.names_account || executable_seen_) {
        pin(Pin::user_variable);
    }
}

// A parenthesis opens: is it a call, and of what?
void Classifier::on_open(const Token& token) {
    const Seen& name = s_.before;
    if (is_name(name.kind) && !names_no_routine()) {
        const bool qualified = s_.before_that.kind == TokenKind::dot;
        const bool native = name.info != nullptr && !qualified && on_native(*name.info, name.end != token.offset);
        if (!native && s_.calls) {
            on_unknown_call();
        }
    }
    s_.target = false;
    if (s_.depth < std::numeric_limits<std::uint16_t>::max()) {
        ++s_.depth;
    }
}

// A call of somebody's own function, whose name ends with the token before.
void Classifier::on_unknown_call() {
    pin(Pin::unknown_function);
    if (facts_.call_count < kMaxCalls && !executable_seen_) {
        facts_.call_ends[facts_.call_count++] = s_.before.end;
    } else {
        facts_.calls_told = false;
    }
}

void Classifier::on_close() {
    if (s_.depth == 0) {
        return;
    }
    --s_.depth;
    if (s_.with != 0 && s_.depth < 63) {
        s_.with &= (std::uint64_t{2} << s_.depth) - 1;
    }
}

// Whether the name in front of a parenthesis stands where a table, an alias or a member of WITH stands: behind AS,
// behind a closing parenthesis (an alias without AS), in a list of WITH, or where INSERT and CALL have their target.
bool Classifier::names_no_routine() const {
    if (executable_seen_) {
        return false;
    }
    const Seen& before = s_.before_that;
    if (s_.target || before.word() == Word::as_ || before.kind == TokenKind::close) {
        return true;
    }
    return s_.with != 0 && in_with() &&
           (before.kind == TokenKind::comma || before.word() == Word::with_ || before.word() == Word::recursive_);
}

// Whether a parenthesis behind this word is the server's own business; notes what it does.
bool Classifier::on_native(const WordInfo& info, bool spaced) {
    const bool function = mode_.dialect == Dialect::mariadb ? info.mariadb_function : info.mysql_function;
    if (on_effect(info.word)) {
        return true;
    }
    if (function && (!info.tight || !spaced || mode_.ignore_space)) {
        s_.plain = s_.plain && !info.waits;
        return true;
    }
    return info.no_call || (info.word == Word::columns_ && s_.json_table);
}

// The native functions that touch the session.
bool Classifier::on_effect(Word word) {
    switch (word) {
        case Word::get_lock_:
            pin(Pin::named_lock);
            return true;
        case Word::release_lock_:
        case Word::release_all_locks_:
            facts_.may_end.add(Pin::named_lock);
            s_.plain = false;
            return true;
        case Word::last_insert_id_:
            facts_.asks.add(Ask::last_insert_id);
            s_.awaits_argument = busy_ = true;
            return true;
        case Word::found_rows_:
            if (!selected_) {
                facts_.asks.add(Ask::found_rows);
            }
            return true;
        case Word::row_count_:
            if (facts_.statements == 1) {  // behind another statement it is that one's
                facts_.asks.add(Ask::row_count);
            }
            return true;
        case Word::connection_id_:
        case Word::is_used_lock_:
        case Word::ps_current_thread_id_:
            facts_.asks.add(Ask::connection_id);
            return true;
        case Word::nextval_:
        case Word::setval_:
            pin(Pin::sequence);
            return true;
        case Word::lastval_:
            pin(Pin::sequence);
            facts_.asks.add(Ask::last_value);
            return true;
        default:
            return false;
    }
}

}  // namespace tidegate::sql
