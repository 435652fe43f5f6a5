#include "sql/bare_question.h"

#include <algorithm>
#include <string_view>

#include "base/letters.h"

namespace tidegate::sql {
namespace {

// A word that means nothing elsewhere.
bool is(const Token& token, std::string_view lower) {
    return token.kind == TokenKind::word && same_letters(token.text, lower);
}

}  // namespace

Bare BareQuestion::function(Word word) {
    switch (word) {
        case Word::row_count_:
            return Bare::row_count;
        case Word::found_rows_:
            return Bare::found_rows;
        case Word::last_insert_id_:
            return Bare::last_insert_id;
        case Word::connection_id_:
            return Bare::connection_id;
        default:
            return Bare::none;
    }
}

void BareQuestion::advance(const Token& token, const WordInfo* info) {
    const Step step = step_;
    step_ = Step::no;
    const Word word = info == nullptr ? Word::none : info->word;
    const bool quoted = token.kind == TokenKind::quoted_name || token.kind == TokenKind::string;
    switch (step) {
        case Step::start:
            step_ = word == Word::select_ ? Step::select : (word == Word::show_ ? Step::show : Step::no);
            break;
        case Step::show:
        case Step::full:
            if (is(token, "processlist")) {
                bare_ = Bare::processlist;
                step_ = Step::shown;
                break;
            }
            if (step == Step::full) {
                break;
            }
            if (is(token, "full")) {
                step_ = Step::full;
                break;
            }
            bare_ = word == Word::warnings_ ? Bare::show_warnings : Bare::show_errors;
            step_ = word == Word::warnings_ || word == Word::errors_ ? Step::shown : Step::no;
            break;
        case Step::select:
            column_.offset = token.offset;
            if (token.kind == TokenKind::at_at) {
                step_ = Step::at_at;
            } else if (token.kind == TokenKind::word) {
                bare_ = function(word);
                step_ = bare_ == Bare::none ? Step::no : Step::function;
            }
            break;
        case Step::at_at: {
            const WordInfo* name = token.kind == TokenKind::word ? find_word(token.text) : nullptr;
            const Word variable = name == nullptr ? Word::none : name->word;
            if (variable == Word::warning_count_ || variable == Word::error_count_) {
                bare_ = variable == Word::warning_count_ ? Bare::warning_count : Bare::error_count;
                column_.length = token.end - column_.offset;
                step_ = Step::whole;
            }
            break;
        }
        case Step::function:
            step_ = token.kind == TokenKind::open ? Step::open : Step::no;
            break;
        case Step::open:
            if (token.kind == TokenKind::close) {
                column_.length = token.end - column_.offset;
                step_ = Step::whole;
            }
            break;
        case Step::whole:
            if (word == Word::as_) {
                step_ = Step::as;
                break;
            }
            if (token.kind == TokenKind::word && info != nullptr) {
                break;  // FROM, INTO, LIMIT, ..
            }
            [[fallthrough]];
        case Step::as:
            if ((quoted || token.kind == TokenKind::word) && !token.overlong() && !token.escaped() &&
                !token.unterminated()) {
                const std::uint32_t quotes = quoted ? 1 : 0;
                column_ = {token.offset + quotes, token.end - token.offset - 2 * quotes};
                step_ = Step::alias;
            }
            break;
        default:  // whatever follows an alias, or SHOW WARNINGS
            break;
    }
}

}  // namespace tidegate::sql
