#include "sql/constant_set.h"

#include <algorithm>
#include <cstddef>

#include "sql/lexer.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

constexpr std::size_t kLongest = 256;

bool is_default(std::string_view word) {
    const WordInfo* info = find_word(word);
    return info != nullptr && info->word == Word::default_;
}

// CURRENT_USER, UTC_DATE, LOCALTIME and the like are functions without parentheses.
bool is_constant(std::string_view word) {
    const auto begins = [word](std::string_view with) {
        return word.size() >= with.size() && std::ranges::equal(word.substr(0, with.size()), with, [](char a, char b) {
                   return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
               });
    };
    return !begins("current") && !begins("utc_") && !begins("local");
}

}  // namespace

bool is_constant_set(std::string_view text, const Facts& facts, Mode mode) {
    if (facts.kind != Kind::set || !facts.set_only_carried || facts.set_unreported || facts.pins.any() ||
        facts.one_shot_transaction || facts.new_generation || facts.asks.any() || text.size() > kLongest)
        return false;
    Lexer lexer(mode);
    Lexer::Input in{.at = text.data(), .end = text.data() + text.size(), .begin = text.data(), .base = 0};
    Token token;
    bool value = false;  // behind an equals sign
    while (lexer.next(in, token, true) && token.kind != TokenKind::end) {
        switch (token.kind) {
            case TokenKind::word:
                if (is_default(token.text) || (value && !is_constant(token.text))) return false;
                break;
            case TokenKind::equals:
            case TokenKind::assign:
                value = true;
                break;
            case TokenKind::comma:
                value = false;
                break;
            case TokenKind::at_at:
                if (value) return false;
                break;
            case TokenKind::string:
            case TokenKind::number:
            case TokenKind::quoted_name:
            case TokenKind::dot:
                break;
            case TokenKind::other:  // the sign of a number
                if (!value) return false;
                break;
            default:
                return false;
        }
    }
    return true;
}

}  // namespace tidegate::sql
