// Recognizes the few statements that ask for nothing but one of the connection's volatile values, so that the gate can
// answer them from memory: SELECT ROW_COUNT(), SHOW WARNINGS and their kin. Anything more, and it is not one of them.
#pragma once

#include <cstdint>

#include "sql/facts.h"
#include "sql/lexer.h"
#include "sql/words.h"

namespace tidegate::sql {

class BareQuestion {
public:
    // Each token of the statement, the first included.
    void on(const Token& token, const WordInfo* info) {
        if (step_ != Step::no) {
            advance(token, info);
        }
    }
    // A comment within the expression would be part of the column's name.
    void on_comment() {
        if (step_ == Step::function || step_ == Step::open || step_ == Step::at_at) {
            step_ = Step::no;
        }
    }
    [[nodiscard]] bool possible() const { return step_ != Step::no; }
    void give_up() { step_ = Step::no; }

    // REQUIRES: the statement has ended.
    void result(Facts& facts) const {
        if (step_ == Step::whole || step_ == Step::shown || step_ == Step::alias) {
            facts.bare = bare_;
            facts.column = column_;
        }
    }

private:
    enum class Step : std::uint8_t {
        no,
        start,
        show,
        full,      // behind SHOW FULL
        shown,     // whole, and nothing may follow
        select,    // behind SELECT
        function,  // behind the name
        open,
        at_at,
        whole,  // the expression is complete: an alias may follow
        as,
        alias,  // complete, with an alias
    };

    void advance(const Token& token, const WordInfo* info);
    [[nodiscard]] static Bare function(Word word);

    Step step_ = Step::start;
    Bare bare_ = Bare::none;
    TextSpan column_;
};

}  // namespace tidegate::sql
