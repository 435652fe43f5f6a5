// SET, read a little closer than other statements: which variables it sets, in which spelling, and whether all of them
// can be carried to another connection. The classifier hands over each token of a SET behind the SET itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/facts.h"
#include "sql/lexer.h"
#include "sql/mode.h"
#include "sql/variables.h"
#include "sql/words.h"

namespace tidegate::sql {

class SetParser {
public:
    void on(const Token& token, const WordInfo* info, unsigned depth, Dialect dialect, Facts& facts);

    // Whether an @ at this place is part of an account's name.
    [[nodiscard]] bool names_account() const { return names_account_; }
    // SET PASSWORD, SET DEFAULT ROLE: a statement about accounts.
    [[nodiscard]] bool about_accounts() const { return about_accounts_; }
    // Whether it changes how statements behind it in the same text are to be read.
    [[nodiscard]] bool changes_lexing() const { return changes_lexing_; }
    // Whether it is one that sets session state only, all of it reported. REQUIRES: the statement has ended.
    [[nodiscard]] bool carried() const { return carried_; }

private:
    enum class State : std::uint8_t {
        target,         // in front of an assignment
        system_target,  // behind @@
        name,           // behind a variable's name
        component,      // behind the dot of a structured name
        value,          // behind the equals sign, and for the rest of the assignment
        user_variable,  // an assignment to @x, to its end
        character,      // behind CHARACTER, in front of SET
        names,          // behind NAMES, or CHARACTER SET
        charset,        // behind NAMES x
        collate,        // behind NAMES x COLLATE
        names_end,      // behind the collation
        transaction,    // behind TRANSACTION
        rest,           // not an assignment: nothing more to find
    };
    enum class Scope : std::uint8_t { none, session, global };

    void target(const Token& token, const WordInfo* info, Facts& facts);
    bool keyword_target(Word word, Facts& facts);
    void behind_name(const Token& token, Dialect dialect, Facts& facts);
    void commit(Dialect dialect, Facts& facts);
    void first_of_value(const Token& token, Facts& facts);
    void names(const Token& token, const WordInfo* info, Facts& facts);
    void pin(Pin pin, Facts& facts);
    void give_up(Facts& facts);
    void remember(const Token& token);
    void next_assignment();

    State state_ = State::target;
    Scope scope_ = Scope::none;
    bool sticky_global_ = false;  // MariaDB lets a GLOBAL hold for the assignments behind it
    bool bare_at_at_ = false;     // @@x, without a scope
    bool structured_ = false;     // a.b
    bool nameless_ = false;       // a name that is too long or has escapes
    bool first_ = true;           // nothing but a scope has been seen
    bool value_begins_ = false;
    std::string_view must_be_;  // the value, in one token, that leaves nothing behind which holds the connection
    bool carried_ = true;
    bool names_account_ = false;
    bool about_accounts_ = false;
    bool changes_lexing_ = false;
    Word scope_word_ = Word::none;  // of the name, if it may be a scope
    VariableKind kind_ = VariableKind::pinned;
    TextSpan name_;
};

}  // namespace tidegate::sql
