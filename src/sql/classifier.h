// Tokens -> facts. Looks at the first words of a statement to see what it is, then at every token for what leaves
// traces: an @, a call of something that is not the server's own, INTO, FOR UPDATE. What it does not know for sure,
// pins.
#pragma once

#include <cstdint>

#include "sql/bare_question.h"
#include "sql/facts.h"
#include "sql/lexer.h"
#include "sql/mode.h"
#include "sql/set_parser.h"
#include "sql/words.h"

namespace tidegate::sql {

class Classifier {
public:
    explicit Classifier(Mode mode) : mode_(mode) {}

    void on(const Token& token) {
        if (busy_ || token.flags != 0 || !on_calm(token)) {
            on_busy(token);
        }
    }

    // The short way for tokens that are not part of anything, as most are: while calm() holds, words, numbers, commas
    // and equals signs without flags may be told by pass() instead of on(). Words not behind a dot or an @.
    [[nodiscard]] bool calm() const { return !busy_; }
    void pass(TokenKind kind, const WordInfo* info, std::uint32_t end) {
        if (info != nullptr && info->word != Word::none) {
            on_keyword(info->word);
        }
        s_.target = s_.target && kind != TokenKind::equals;
        s_.before_that = s_.before;
        s_.before = {info, end, kind};
    }
    // The text has bytes whose meaning depends on an unsafe multi-byte character set.
    void on_unsafe_bytes() { unsafe_bytes_ = true; }
    // REQUIRES: every token has been seen.
    [[nodiscard]] Facts finish();

private:
    // What the words at the beginning of a statement have left open.
    enum class Head : std::uint8_t {
        none,
        second_word,  // it decides
        begin,
        rollback,
        parentheses,  // of a statement that begins with some
        with,
        explain,
        analyze,
        create,
        create_table,
        event,
        alter,
        drop,
        flush,
        backup,
        handler,
        load,
        show,
        kill,
        call,
    };

    // A token that has been seen.
    struct Seen {
        const WordInfo* info = nullptr;
        std::uint32_t end = 0;
        TokenKind kind = TokenKind::end;
        [[nodiscard]] Word word() const { return info == nullptr ? Word::none : info->word; }
    };

    struct Statement {
        Kind kind = Kind::unknown;
        Head head = Head::none;
        bool started = false;
        bool skipped = false;            // the body of a stored program: not this session's doing
        bool semicolon_skipped = false;  // and it goes on behind a semicolon
        bool calls = false;              // names in front of parentheses may be calls
        bool names_account = false;      // an @ is part of an account's name
        bool target = false;       // INSERT INTO and CALL: a name in front of a parenthesis is a table, a procedure
        bool partitioned = false;  // CREATE TABLE: VALUES belongs to a partition
        bool json_table = false;   // COLUMNS( is not a call
        bool in_system_variable = false;
        bool awaits_argument = false;  // LAST_INSERT_ID( has been seen
        bool plain = false;            // a SELECT, and nothing has been found yet that makes it more than reading
        bool mixed = false;            // an executable comment is only a part of it
        bool comment_closed = false;   // an executable comment has ended
        bool began_in_comment = false;
        bool from = false;      // there is a FROM in it
        bool tolerant = false;  // its first word says it all: an executable comment further on does not matter
        std::uint16_t depth = 0;
        std::uint64_t with = 0;  // a bit for each depth of parentheses that is in a list of WITH
        Kill kill = Kill::none;
        std::uint64_t kill_id = 0;
        bool kill_has_id = false;
        bool kill_query = false;
        Seen before;       // the token before
        Seen before_that;  // and the one before that
        SetParser set;
        BareQuestion bare;
    };

    bool on_calm(const Token& token) {
        switch (token.kind) {
            case TokenKind::open:
                on_open(token);
                break;
            case TokenKind::close:
                on_close();
                break;
            case TokenKind::quoted_name:
            case TokenKind::string:
            case TokenKind::number:
            case TokenKind::dot:
            case TokenKind::comma:
                break;
            default:
                return false;
        }
        s_.before_that = s_.before;
        s_.before = {nullptr, token.end, token.kind};
        return true;
    }
    void on_busy(const Token& token);

    void begin_statement(const Token& token, const WordInfo* info);
    void end_statement();
    void end_kill();
    void on_token(const Token& token);
    void on_comment(const Token& token);
    void on_executable(const Token& token);
    void on_semicolon();

    const WordInfo* word_of(const Token& token);
    void on_name(const Token& token, const WordInfo* info);
    void on_keyword(Word word);
    void on_at();
    void on_system_variable(const Token& token);
    void on_open(const Token& token);
    void on_close();
    [[nodiscard]] bool touches_tables() const;
    bool on_native(const WordInfo& info, bool spaced);
    bool on_effect(Word word);
    [[nodiscard]] bool names_no_routine() const;
    [[nodiscard]] bool in_with() const { return (s_.with >> (s_.depth & 63U) & 1U) != 0; }

    // statement_head.cc: what a statement is
    void first_word(Word word);
    void first_word_of_others(Word word);
    void on_head(const Token& token, const WordInfo* info);
    void on_second_word(Word word);
    void on_transaction_word(Word word);
    void on_inner_statement(Word word);
    void on_create(Word word);
    void on_create_table(Word word);
    void on_alter(Word word);
    void on_drop(Word word);
    void on_flush(Word word);
    void on_show(Word word);
    void on_load(Word word);
    void on_kill(const Token& token, Word word);
    void on_call(const Token& token);
    void on_unknown_call();
    void account_statement();
    void skip_body();

    void pin(Pin pin) { facts_.pins.add(pin); }

    Mode mode_;
    Facts facts_;
    Statement s_;
    bool busy_ = true;  // tokens may be part of something: a head, a SET, a list of WITH, a variable's name, ..
    bool in_executable_ = false;
    bool executable_seen_ = false;  // then no name is taken for granted by the place where it stands
    bool unsafe_bytes_ = false;
    bool lexing_changed_ = false;  // an earlier statement changed how this one is read
    bool selected_ = false;        // a statement of the text was a SELECT: FOUND_ROWS() behind it is its own
};

}  // namespace tidegate::sql
