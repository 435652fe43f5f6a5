#include "sql/digest.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/letters.h"
#include "sql/lexer.h"

namespace tidegate::sql {
namespace {

constexpr std::string_view kGoesOn = " ..";

// The length of the UTF-8 sequence that begins here; 0: this is none.
std::size_t sequence_at(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2);
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool beyond = (first == 0xED && byte(1) >= 0xA0) || (first == 0xF4 && byte(1) >= 0x90);
    const bool control = first == 0xC2 && byte(1) < 0xA0;
    return overlong || beyond || control ? 0 : length;
}

bool is_showable(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = sequence_at(text);
        if (length == 0 || static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// A text being written, token after token.
class Writer {
public:
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    [[nodiscard]] std::string take() { return std::move(out_); }

    void add(std::string_view text, bool gap) {
        if (gap && !out_.empty()) out_ += ' ';
        out_ += text;
    }
    void literal(bool gap) {
        drop_sign();
        if (fold(", ..,", ", ..") || fold_after_literal()) return;
        add("?", gap);
    }
    // A list of lists: the second of two that look the same goes.
    void close() {
        out_ += ')';
        for (const std::string_view list : {std::string_view("(?, ..)"), std::string_view("(?)")}) {
            if (!out_.ends_with(list)) continue;
            std::string_view before = std::string_view(out_).substr(0, out_.size() - list.size());
            if (before.ends_with(' ')) before.remove_suffix(1);
            if (!before.ends_with(',')) return;
            before.remove_suffix(1);
            const bool folded = before.ends_with("), ..");
            if (folded) before.remove_suffix(4);
            if (!before.ends_with(list)) return;
            out_.resize(before.size());
            out_ += ", ..";
            return;
        }
    }

private:
    [[nodiscard]] bool ends_with(std::string_view end) const {
        std::string_view text = out_;
        if (text.ends_with(' ')) text.remove_suffix(1);
        return text.ends_with(end);
    }
    void cut_space() {
        if (out_.ends_with(' ')) out_.pop_back();
    }
    // `..., ?` behind a list that is folded already: nothing is added.
    bool fold(std::string_view end, std::string_view to) {
        if (!ends_with(end)) return false;
        cut_space();
        out_.resize(out_.size() - end.size());
        out_ += to;
        return true;
    }
    bool fold_after_literal() {
        if (!ends_with("?,")) return false;
        cut_space();
        out_.pop_back();
        out_ += ", ..";
        return true;
    }
    // -1 in a list is a literal like any other.
    void drop_sign() {
        if (!out_.ends_with('-') && !out_.ends_with('+')) return;
        std::string_view before = std::string_view(out_).substr(0, out_.size() - 1);
        if (before.ends_with(' ')) before.remove_suffix(1);
        if (before.ends_with(',') || before.ends_with('(') || before.ends_with('=')) out_.pop_back();
    }

    std::string out_;
};

class Reader {
public:
    Reader(std::string_view text, Mode mode, bool cut) : text_(text), mode_(mode), lexer_(mode), cut_(cut) {
        // Bytes that may be half a quote: whatever comes behind them is not sure to be what it looks like.
        if (!mode.unsafe_multibyte) return;
        const auto high =
            std::ranges::find_if(text_, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
        cut_ = cut_ || high != text_.end();
        text_ = text_.substr(0, static_cast<std::size_t>(high - text_.begin()));
    }

    // True: there is more of the statement than was written.
    bool write(Writer& out, std::size_t limit) {
        Lexer::Input in{.at = text_.data(), .end = text_.data() + text_.size(), .begin = text_.data(), .base = 0};
        Token token;
        while (true) {
            lexer_.next(in, token, true);
            if (token.kind == TokenKind::end) return cut_;
            const bool at_cut = cut_ && token.end == text_.size();  // perhaps only the beginning of it
            if (at_cut || out.size() > limit || !one(out, token)) return true;
        }
    }

private:
    // False: from here on nothing is shown.
    bool one(Writer& out, const Token& token) {
        const bool gap = std::exchange(gap_, false) || token.offset != end_;
        end_ = token.end;
        const std::string_view source = text_.substr(token.offset, token.end - token.offset);
        switch (token.kind) {
            case TokenKind::comment:
                comment(out, token, gap);
                gap_ = true;
                break;
            case TokenKind::string:
            case TokenKind::number:
                out.literal(gap);
                break;
            case TokenKind::quoted_name:
                // (What stands in double quotes is a name only as long as nobody has mistaken the sql_mode.)
                name(out, source, gap, source.front() == '`' && !token.overlong() && !token.unterminated());
                break;
            case TokenKind::word:
                if (same_letters(source, "identified")) {
                    out.add(source, gap);
                    return false;
                }
                // 0x41, and names that begin like a number.
                if (source.front() >= '0' && source.front() <= '9')
                    out.literal(gap);
                else
                    name(out, source, gap, !token.overlong());
                break;
            case TokenKind::comma:
                out.add(source, false);
                break;
            case TokenKind::close:
                out.close();
                break;
            default:
                out.add(is_showable(source) ? source : "?", gap);
                break;
        }
        return !token.unterminated() && !token.doubtful();
    }

    static void name(Writer& out, std::string_view source, bool gap, bool sure) {
        out.add(sure && is_showable(source) ? source : "?", gap);
    }

    // What a comment says is nobody's business, but for what it asks of the gate.
    static void comment(Writer& out, const Token& token, bool gap) {
        const std::string_view said = trimmed(token.text);
        if (said != "tidegate: pin" && said != "tidegate: session") return;
        out.add("/* ", gap);
        out.add(said, false);
        out.add(" */", false);
    }

    std::string_view text_;
    Mode mode_;
    Lexer lexer_;
    bool cut_;
    bool gap_ = false;
    std::uint32_t end_ = 0;
};

// Not in the middle of a character.
std::size_t end_of_character(std::string_view text, std::size_t at) {
    while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) --at;
    return at;
}

}  // namespace

std::string digest(std::string_view text, Mode mode, bool cut, std::size_t limit) {
    const std::size_t room = limit - std::min(limit, kGoesOn.size());
    const auto write = [&](Mode as) {
        Writer out;
        const bool more = Reader(text, as, cut).write(out, room);
        return std::pair(out.take(), more);
    };
    auto [shown, more] = write(mode);
    // The statement may be the one that has changed what a backslash is: only what both readings agree on is shown.
    if (text.find('\\') != std::string_view::npos) {
        Mode other = mode;
        other.no_backslash_escapes = !mode.no_backslash_escapes;
        const std::string otherwise = write(other).first;
        if (otherwise != shown) {
            const auto same_up_to = std::ranges::mismatch(shown, otherwise).in1 - shown.begin();
            shown.resize(end_of_character(shown, static_cast<std::size_t>(same_up_to)));
            more = true;
        }
    }
    if (more || shown.size() > limit) {
        if (shown.size() > room) shown.resize(end_of_character(shown, room));
        shown += kGoesOn.substr(0, limit);
    }
    return shown;
}

}  // namespace tidegate::sql
