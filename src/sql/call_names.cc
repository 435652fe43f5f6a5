#include "sql/call_names.h"

#include "sql/lexer.h"
#include "sql/words.h"

namespace tidegate::sql {
namespace {

// A name whose bytes are those that the server compares.
bool is_plain_name(const Token& token) {
    if (token.kind != TokenKind::word && token.kind != TokenKind::quoted_name) return false;
    for (const char c : token.text) {
        if ((static_cast<unsigned char>(c) & 0x80U) != 0) return false;
    }
    return !token.text.empty() && !token.overlong() && !token.escaped() && !token.unterminated() && !token.doubtful();
}

bool is_from(std::string_view word) {
    const WordInfo* info = find_word(word);
    return info != nullptr && info->word == Word::from_;
}

// Behind CALL: a name, a dot and another one, then the parenthesis or the end. An argument with an @ may be given a
// value.
class ProcedureName {
public:
    void on(const Token& token) {
        if (token.kind == TokenKind::at) variables_ = true;
        if (done_) return;
        if (expects_name_ && is_plain_name(token) && parts_ < 2) {
            name_.schema = name_.name;
            name_.name = token.text;
            ++parts_;
            expects_name_ = false;
        } else if (!expects_name_ && token.kind == TokenKind::dot) {
            expects_name_ = true;
        } else {
            done_ = true;
            good_ = !expects_name_ && (token.kind == TokenKind::open || token.kind == TokenKind::end ||
                                       token.kind == TokenKind::semicolon);
        }
    }
    [[nodiscard]] bool good() const { return good_ && !variables_; }
    [[nodiscard]] const CalledName& name() const { return name_; }

private:
    CalledName name_{.schema = {}, .name = {}, .procedure = true};
    int parts_ = 0;
    bool expects_name_ = true;
    bool done_ = false;
    bool good_ = false;
    bool variables_ = false;
};

}  // namespace

CalledNames::CalledNames(std::string_view text, const Facts& facts, Mode mode) {
    if (!facts.calls_told) return;
    Lexer lexer(mode);
    Lexer::Input in{.at = text.data(), .end = text.data() + text.size(), .begin = text.data(), .base = 0};
    Token token;
    ProcedureName procedure;
    std::array<Token, 2> before;  // the token before, and the one before that, comments left out
    std::size_t call = 0;
    bool understood = true;
    do {
        lexer.next(in, token, true);
        if (token.kind == TokenKind::comment) continue;
        if (token.kind == TokenKind::executable_open || token.doubtful()) return;
        if (facts.calls_procedure && token.offset >= facts.procedure_at) procedure.on(token);
        if (call < facts.call_count && token.end == facts.call_ends[call] && token.kind != TokenKind::end) {
            ++call;
            const bool qualified = before[0].kind == TokenKind::dot;
            understood = understood && is_plain_name(token) && (!qualified || is_plain_name(before[1]));
            names_[count_++] = {.schema = qualified ? before[1].text : std::string_view(), .name = token.text};
        }
        if (token.kind == TokenKind::word && token.text.size() == 4) from_ = from_ || is_from(token.text);
        before = {token, before[0]};
    } while (token.kind != TokenKind::end);
    if (facts.calls_procedure) {
        understood = understood && procedure.good();
        names_[count_++] = procedure.name();
    }
    sure_ = understood && call == facts.call_count && count_ > 0;
}

}  // namespace tidegate::sql
