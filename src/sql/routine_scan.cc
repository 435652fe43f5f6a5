#include "sql/routine_scan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/letters.h"
#include "sql/lexer.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

struct Piece {
    TokenKind kind = TokenKind::end;
    std::uint32_t offset = 0;
    std::uint32_t end = 0;
    std::string text;  // of words and names, in lower case; empty where it has no text that could be compared
    std::string written;
};

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
    return std::ranges::find(words, word) != words.end();
}

class BodyScan {
public:
    BodyScan(Program program, Mode mode, std::span<const std::string> parameters)
        : program_(program), mode_(mode), locals_(parameters.begin(), parameters.end()) {}

    RoutineFacts run(std::string_view body) {
        read(body);
        find_locals();
        for (at_ = 0; at_ < pieces_.size(); ++at_) look();
        return std::move(facts_);
    }

private:
    [[nodiscard]] const Piece& piece(std::size_t at) const {
        static const Piece kNone;
        return at < pieces_.size() ? pieces_[at] : kNone;
    }
    [[nodiscard]] const Piece& before(std::size_t at, std::size_t steps = 1) const {
        return piece(at >= steps ? at - steps : pieces_.size());
    }
    [[nodiscard]] bool is_word(std::size_t at, std::string_view word) const {
        return piece(at).kind == TokenKind::word && piece(at).text == word;
    }
    [[nodiscard]] static bool is_name(const Piece& piece) {
        return piece.kind == TokenKind::word || piece.kind == TokenKind::quoted_name;
    }
    void unsafe(std::string_view why) {
        if (facts_.unsafe.empty()) facts_.unsafe = why;
    }
    void hidden(std::string_view why) {
        unsafe(why);
        if (facts_.hidden.empty()) facts_.hidden = why;
    }

    void read(std::string_view body);
    void find_locals();
    void look();
    void on_word(const std::string& word);
    void on_statement_word(const std::string& word);
    void on_definition(const std::string& word);
    void on_set();
    void on_at();
    void on_system_variable();
    void on_open();
    void on_function(const std::string& word, bool tight);
    void on_call_word();
    [[nodiscard]] std::size_t chain_begin(std::size_t last) const;
    void add_call(std::size_t first, std::size_t last, bool procedure);

    Program program_;
    Mode mode_;
    std::vector<std::string> locals_;
    std::vector<Piece> pieces_;
    std::size_t at_ = 0;
    // Of the statement under way, or as much of it as has been seen since something that begins one.
    bool clause_set_ = false;  // a SET in it is a clause: UPDATE .. SET
    bool alters_ = false;      // ALTER TABLE: a DROP in it is a clause
    bool gives_out_ = false;   // CALL, GET DIAGNOSTICS: they may give a value to a variable
    bool json_table_ = false;
    std::vector<std::size_t> set_variables_;  // user variables that a SET sets
    RoutineFacts facts_;
};

void BodyScan::read(std::string_view body) {
    Lexer lexer(mode_);
    Lexer::Input in{.at = body.data(), .end = body.data() + body.size(), .begin = body.data(), .base = 0};
    Token token;
    while (lexer.next(in, token, true) && token.kind != TokenKind::end) {
        if (token.kind == TokenKind::executable_open || token.doubtful() || token.unterminated())
            unsafe("an executable comment, or a text without an end");
        if (token.kind == TokenKind::comment || token.kind == TokenKind::executable_open ||
            token.kind == TokenKind::executable_close)
            continue;
        const bool comparable = !token.overlong() && !token.escaped() && !token.high();
        const bool named = token.kind == TokenKind::word || token.kind == TokenKind::quoted_name;
        pieces_.push_back({.kind = token.kind,
                           .offset = token.offset,
                           .end = token.end,
                           .text = comparable && named ? lower(token.text) : std::string(),
                           .written = comparable && named ? std::string(token.text) : std::string()});
    }
}

// The names that DECLARE and FOR make: a SET of those sets nothing of the session.
void BodyScan::find_locals() {
    for (std::size_t at = 0; at < pieces_.size(); ++at) {
        if (is_word(at, "declare")) {
            std::size_t name = at + 1;
            while (is_name(piece(name))) {
                locals_.push_back(piece(name).text);
                if (piece(name + 1).kind != TokenKind::comma) break;
                name += 2;
            }
        } else if (is_word(at, "for") && is_name(piece(at + 1)) && is_word(at + 2, "in")) {
            locals_.push_back(piece(at + 1).text);
        }
    }
}

void BodyScan::look() {
    const Piece& now = pieces_[at_];
    switch (now.kind) {
        case TokenKind::semicolon:
            clause_set_ = alters_ = gives_out_ = false;
            break;
        case TokenKind::at:
            on_at();
            break;
        case TokenKind::at_at:
            on_system_variable();
            break;
        case TokenKind::open:
            on_open();
            break;
        case TokenKind::word: {
            const bool behind_dot = before(at_).kind == TokenKind::dot;
            if (behind_dot && (now.text == "nextval" || now.text == "currval")) unsafe("a sequence");
            const bool part_of_name = behind_dot || piece(at_ + 1).kind == TokenKind::dot ||
                                      before(at_).kind == TokenKind::at || before(at_).kind == TokenKind::at_at;
            if (!part_of_name) on_word(now.text);
            break;
        }
        default:
            break;
    }
}

void BodyScan::on_word(const std::string& word) {
    static constexpr std::array<std::string_view, 6> kBegin{"begin", "then", "else", "do", "loop", "repeat"};
    static constexpr std::array<std::string_view, 6> kWithSet{"update", "insert",   "replace",
                                                              "signal", "resignal", "load"};
    static constexpr std::array<std::string_view, 7> kQuery{"select",  "insert", "update", "delete",
                                                            "replace", "show",   "values"};
    static constexpr std::array<std::string_view, 3> kText{"prepare", "execute", "deallocate"};
    if (one_of(word, kBegin)) clause_set_ = alters_ = gives_out_ = false;
    if (one_of(word, kWithSet)) clause_set_ = true;
    if (one_of(word, kQuery) || word == "sql_calc_found_rows") facts_.queries = true;
    if (one_of(word, kText)) {
        unsafe("a text that is prepared and executed");
    } else if (word == "insert" || word == "replace") {
        facts_.sets_insert_id |= program_ == Program::procedure && piece(at_ + 1).kind != TokenKind::open;
    } else if (word == "set") {
        on_set();
    } else if (word == "call") {
        gives_out_ = true;
        on_call_word();
    } else if (word == "json_table") {
        json_table_ = true;
    } else if (word == "create" || word == "alter" || word == "drop") {
        on_definition(word);
    } else {
        on_statement_word(word);
    }
}

// Statements that leave something in the session, or ask for what the session's last one has left.
void BodyScan::on_statement_word(const std::string& word) {
    const Piece& last = before(at_);
    const std::string& next = piece(at_ + 1).text;
    const auto next_is = [&](auto... words) { return ((next == words) || ...); };
    const auto last_is = [&](auto... words) { return last.kind == TokenKind::word && ((last.text == words) || ...); };
    if (word == "temporary") {
        hidden("a temporary table");
    } else if (word == "handler") {
        if (!last_is("continue", "exit", "undo")) hidden("HANDLER");
    } else if (word == "lock") {
        if (next_is("table", "tables", "instance")) hidden("LOCK");
    } else if (word == "flush" || word == "backup") {
        hidden("FLUSH or BACKUP");
    } else if (word == "xa") {
        if (next_is("start", "begin", "end", "prepare", "commit", "rollback", "recover")) unsafe("an XA transaction");
    } else if (word == "savepoint") {
        unsafe("a savepoint");  // with autocommit off no status tells of it
    } else if (word == "release") {
        if (last_is("commit", "rollback", "work", "chain")) unsafe("RELEASE, which ends the connection");
    } else if (word == "warnings" || word == "errors") {
        if (last_is("show") || last.kind == TokenKind::close) unsafe("SHOW WARNINGS");
    } else if (word == "diagnostics") {
        gives_out_ = true;
        if (!last_is("stacked")) unsafe("GET DIAGNOSTICS");
    } else if ((word == "next" || word == "previous") && next_is("value")) {
        unsafe("a sequence");
    } else if (word == "binlog" && piece(at_ + 1).kind == TokenKind::string) {
        hidden("BINLOG");
    }
}

// Of what a routine may define, only tables and their indexes are nothing but data.
void BodyScan::on_definition(const std::string& word) {
    std::size_t what = at_ + 1;
    if (word == "create") facts_.sets_insert_id |= program_ == Program::procedure;  // a table with rows in it
    if (word == "create" && is_word(what, "or")) what += 2;
    if (word == "create" && (is_word(what, "unique") || is_word(what, "fulltext") || is_word(what, "spatial"))) ++what;
    if (is_word(what, "temporary")) return;  // seen to when its turn comes
    const bool table = is_word(what, "table") || is_word(what, "tables") || is_word(what, "index");
    if (word == "alter" && table) alters_ = true;
    if (!table && !(word == "drop" && alters_)) unsafe("it defines something that is not a table");
}

// A statement of its own: everything that it sets must be a variable of the routine, or a column of the new row.
void BodyScan::on_set() {
    if (clause_set_ || is_word(at_ - 1, "character") || piece(at_ + 1).kind == TokenKind::open) return;
    std::size_t depth = 0;
    bool target = true;
    for (std::size_t at = at_ + 1; at < pieces_.size() && pieces_[at].kind != TokenKind::semicolon; ++at) {
        const Piece& now = pieces_[at];
        if (now.kind == TokenKind::open) ++depth;
        if (now.kind == TokenKind::close && depth > 0) --depth;
        if (!target) {
            target = now.kind == TokenKind::comma && depth == 0;
            continue;
        }
        target = false;
        if (now.kind == TokenKind::at) {
            unsafe("a user variable");
            set_variables_.push_back(at);
            continue;
        }
        if (now.kind == TokenKind::at_at) {
            hidden("a system variable");  // MariaDB's trackers say nothing of SET @@x
            continue;
        }
        const bool of_new_row =
            now.kind == TokenKind::word && now.text == "new" && piece(at + 1).kind == TokenKind::dot;
        const bool own = is_name(now) && !now.text.empty() && std::ranges::find(locals_, now.text) != locals_.end();
        const TokenKind behind = piece(at + 1).kind;
        const bool assigned = behind == TokenKind::equals || behind == TokenKind::assign || behind == TokenKind::dot;
        if (now.kind == TokenKind::word && now.text == "role") hidden("SET ROLE");
        if ((!own && !of_new_row) || !assigned) unsafe("a system variable");
    }
}

void BodyScan::on_at() {
    unsafe("a user variable");
    // What is set by a SET is reported. Behind INTO, by := and as a parameter that is given a value, it is not.
    const bool into = is_word(at_ - 1, "into");
    const bool by_set = std::ranges::find(set_variables_, at_) != set_variables_.end();
    const bool assigned = !by_set && piece(at_ + 2).kind == TokenKind::assign;
    if (into || assigned || gives_out_) hidden("a user variable that no SET sets");
}

void BodyScan::on_system_variable() {
    std::size_t name = at_ + 1;
    if (piece(name + 1).kind == TokenKind::dot) name += 2;
    const std::string& word = piece(name).text;
    if (word == "identity" || word == "last_insert_id") facts_.asks_insert_id = true;
    if (word == "warning_count" || word == "error_count" || word == "pseudo_thread_id" || word.empty())
        unsafe("a question about the session's last statement");
}

std::size_t BodyScan::chain_begin(std::size_t last) const {
    std::size_t first = last;
    while (first >= 2 && pieces_[first - 1].kind == TokenKind::dot && is_name(pieces_[first - 2])) first -= 2;
    return first;
}

// What stands in front of this parenthesis: a call, or a table, an alias, a type?
void BodyScan::on_open() {
    static constexpr std::array<std::string_view, 15> kTableBehind{
        "into",  "insert", "replace", "ignore", "table",     "exists",     "references", "key",
        "index", "as",     "unique",  "with",   "recursive", "constraint", "call"};
    static constexpr std::array<std::string_view, 12> kNoCall{"return", "until", "do",  "begin", "end",    "loop",
                                                              "repeat", "call",  "set", "on",    "escape", "partition"};
    if (at_ == 0 || !is_name(pieces_[at_ - 1])) return;
    const std::size_t last = at_ - 1;
    const std::size_t first = chain_begin(last);
    const Piece& name = pieces_[last];
    const Piece& context = before(first);
    if (context.kind == TokenKind::close) return;  // the columns of an alias
    if (context.kind == TokenKind::word && one_of(context.text, kTableBehind)) return;
    if (first == last && name.kind == TokenKind::word) {
        if (name.text == "last_insert_id" || name.text == "get_lock") {
            on_function(name.text, true);
            return;
        }
        const WordInfo* info = name.text.empty() ? nullptr : find_word(name.text);
        if (info != nullptr && (info->no_call || (json_table_ && info->word == Word::columns_))) return;
        if (one_of(name.text, kNoCall)) return;
        const bool native =
            info != nullptr && (mode_.dialect == Dialect::mariadb ? info->mariadb_function : info->mysql_function);
        const bool adjacent = name.end == pieces_[at_].offset || mode_.ignore_space;
        on_function(name.text, native && (!info->tight || adjacent));
        return;
    }
    add_call(first, last, false);
}

// An unquoted name without a schema, in front of a parenthesis.
void BodyScan::on_function(const std::string& word, bool native) {
    static constexpr std::array<std::string_view, 3> kOfLocks{"release_lock", "release_all_locks", "is_used_lock"};
    static constexpr std::array<std::string_view, 4> kAsk{"found_rows", "row_count", "connection_id",
                                                          "ps_current_thread_id"};
    static constexpr std::array<std::string_view, 3> kSequence{"nextval", "lastval", "setval"};
    if (word == "get_lock") {
        hidden(kTakesLock);
    } else if (word == "last_insert_id") {
        if (piece(at_ + 1).kind == TokenKind::close) {
            facts_.asks_insert_id = true;
        } else if (program_ == Program::view) {
            hidden("LAST_INSERT_ID() with a value");
        } else {
            facts_.sets_insert_id |= program_ == Program::procedure;  // that of a function ends with it
        }
    } else if (one_of(word, kOfLocks)) {
        unsafe("a named lock");
    } else if (one_of(word, kAsk)) {
        unsafe("a question about the session, or its last statement");
    } else if (one_of(word, kSequence)) {
        unsafe("a sequence");
    } else if (!native) {
        add_call(at_ - 1, at_ - 1, false);
    }
}

void BodyScan::on_call_word() {
    std::size_t last = at_ + 1;
    if (!is_name(piece(last))) {
        unsafe("a call that is not understood");
        return;
    }
    while (piece(last + 1).kind == TokenKind::dot && is_name(piece(last + 2))) last += 2;
    add_call(at_ + 1, last, true);
}

void BodyScan::add_call(std::size_t first, std::size_t last, bool procedure) {
    const std::string& name = pieces_[last].text;
    std::string schema = first == last ? std::string() : pieces_[first].written;
    if (name.empty() || (first != last && schema.empty()) || last - first > 2) {
        unsafe("a call that is not understood");
        return;
    }
    RoutineCall call{.schema = std::move(schema), .name = name, .procedure = procedure};
    if (std::ranges::find(facts_.calls, call) == facts_.calls.end()) facts_.calls.push_back(std::move(call));
}

}  // namespace

RoutineFacts scan_routine(std::string_view body, Program program, Mode mode, std::span<const std::string> parameters) {
    return BodyScan(program, mode, parameters).run(body);
}

}  // namespace tidegate::sql
