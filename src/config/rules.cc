#include "config/rules.h"

#include "base/letters.h"

namespace tidegate::config {
namespace {

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Behind white space and comments. (What is in /*! .. */ is no comment.)
std::string_view without_front(std::string_view text) {
    while (!text.empty()) {
        if (is_space(text.front())) {
            text.remove_prefix(1);
        } else if (text.starts_with("/*") && !text.starts_with("/*!") && !text.starts_with("/*M!")) {
            const std::size_t end = text.find("*/", 2);
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
        } else if (text.starts_with("#") || text.starts_with("-- ")) {
            const std::size_t end = text.find('\n');
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        } else {
            break;
        }
    }
    return text;
}

// Whether the text begins as the pattern says.
bool begins_as(std::string_view pattern, std::string_view text) {
    if (pattern.ends_with('*')) return fits(pattern, text);
    // The pattern with a star behind it; patterns are short, and this is no statement's usual way.
    std::array<char, FoldedStatement::kMost + 1> open;
    const std::size_t size = pattern.copy(open.data(), FoldedStatement::kMost);
    open[size] = '*';
    return fits({open.data(), size + 1}, text);
}

}  // namespace

FoldedStatement::FoldedStatement(std::string_view text) {
    bool space = false;
    for (const char c : without_front(text)) {
        if (is_space(c)) {
            space = true;
            continue;
        }
        if (space && size_ < kMost) folded_[size_++] = ' ';
        space = false;
        if (size_ == kMost) return;
        folded_[size_++] = lower_letter(c);
    }
}

Wish SessionRules::wish_for(std::string_view text) const {
    Wish wish{.trust_calls = trust_calls};
    if (statements.empty()) return wish;
    const FoldedStatement folded(text);
    for (const Rule& rule : statements) {
        if (!begins_as(rule.statement, folded.text())) continue;
        wish.pin |= rule.pin;
        wish.trust_calls |= rule.trust_calls;
    }
    return wish;
}

SessionRules rules_of(const Config& config, std::string_view user, std::string_view address, std::string_view program) {
    SessionRules found;
    for (const Rule& rule : config.rules) {
        if (!rule.who.fits(user, address, program)) continue;
        if (!rule.statement.empty()) {
            found.statements.push_back(rule);
            continue;
        }
        if (!found.mode) found.mode = rule.mode;
        found.trust_calls |= rule.trust_calls;
    }
    return found;
}

}  // namespace tidegate::config
