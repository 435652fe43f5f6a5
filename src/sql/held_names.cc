#include "sql/held_names.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/letters.h"
#include "sql/lexer.h"

namespace tidegate::sql {
namespace {

struct Piece {
    TokenKind kind = TokenKind::end;
    std::string text;
};

// Its tokens without comments; nothing where one of them is not what it looks like.
std::optional<std::vector<Piece>> pieces_of(std::string_view text, Mode mode) {
    std::vector<Piece> pieces;
    Lexer lexer(mode);
    Lexer::Input in{.at = text.data(), .end = text.data() + text.size(), .begin = text.data(), .base = 0};
    Token token;
    while (lexer.next(in, token, true) && token.kind != TokenKind::end) {
        const bool executable = token.kind == TokenKind::executable_open || token.kind == TokenKind::executable_close;
        if (executable || token.unterminated() || token.doubtful()) return std::nullopt;
        if (token.kind == TokenKind::comment) continue;
        // One that has no text that could be compared is left empty, and matches nothing.
        const bool plain = !token.overlong() && !token.escaped() && !token.high();
        pieces.push_back({token.kind, plain ? std::string(token.text) : std::string()});
    }
    return pieces;
}

// Reads a statement's words from its beginning.
class Reader {
public:
    explicit Reader(const std::vector<Piece>& pieces) : pieces_(pieces) {}

    [[nodiscard]] bool at_end() const { return at_ == pieces_.size() || pieces_[at_].kind == TokenKind::semicolon; }
    bool word(std::string_view wanted) {
        if (at_end() || pieces_[at_].kind != TokenKind::word || lower(pieces_[at_].text) != wanted) return false;
        ++at_;
        return true;
    }
    bool is(TokenKind kind) {
        if (at_end() || pieces_[at_].kind != kind) return false;
        ++at_;
        return true;
    }
    // Empty: there is none, or none that can be told.
    std::string name() {
        if (at_end() || (pieces_[at_].kind != TokenKind::word && pieces_[at_].kind != TokenKind::quoted_name))
            return {};
        return pieces_[at_++].text;
    }
    // A table's name with its schema.
    std::string table(std::string_view schema) {
        std::string first = name();
        if (first.empty() || !is(TokenKind::dot)) return first.empty() ? first : std::string(schema) + '.' + first;
        std::string second = name();
        return second.empty() ? second : first + '.' + second;
    }

private:
    const std::vector<Piece>& pieces_;
    std::size_t at_ = 0;
};

class Finder {
public:
    Finder(const std::vector<Piece>& pieces, std::string_view schema)
        : pieces_(pieces), read_(pieces), schema_(schema) {}

    HeldNames find() {
        if (read_.word("create")) {
            create();
        } else if (read_.word("drop")) {
            drop();
        } else if (read_.word("prepare")) {
            add(Pin::text_prepare, true, lower(read_.name()));
        } else if (read_.word("deallocate") && read_.word("prepare")) {
            add(Pin::text_prepare, false, lower(read_.name()));
        } else if (read_.word("handler")) {
            handler();
        } else if (read_.word("alter") || read_.word("rename")) {
            found_.unsure.add(Pin::temporary_table);  // it may have another name now
        }
        locks();
        return std::move(found_);
    }

private:
    void add(Pin pin, bool taken, std::string name) {
        if (!name.empty()) {
            found_.names.push_back({pin, taken, std::move(name)});
        } else if (taken) {
            found_.unsure.add(pin);
        }
    }

    void create() {
        if (read_.word("or")) (void)read_.word("replace");
        if (!read_.word("temporary") || !read_.word("table")) return;
        if (read_.word("if")) (void)(read_.word("not") && read_.word("exists"));
        add(Pin::temporary_table, true, read_.table(schema_));
    }

    void drop() {
        if (read_.word("prepare")) return add(Pin::text_prepare, false, lower(read_.name()));
        (void)read_.word("temporary");
        if (!read_.word("table") && !read_.word("tables")) return;
        if (read_.word("if")) (void)read_.word("exists");
        do {
            add(Pin::temporary_table, false, read_.table(schema_));
        } while (read_.is(TokenKind::comma));
    }

    // It goes by its alias, else by its table's name without the schema.
    void handler() {
        std::string name = read_.name();
        if (read_.is(TokenKind::dot)) name = read_.name();
        if (read_.word("close")) return add(Pin::handler, false, std::move(name));
        if (!read_.word("open")) return;
        const bool as = read_.word("as");
        if (as || !read_.at_end()) name = read_.name();
        add(Pin::handler, true, std::move(name));
    }

    void locks() {
        for (std::size_t at = 0; at + 2 < pieces_.size(); ++at) {
            if (pieces_[at].kind != TokenKind::word || pieces_[at + 1].kind != TokenKind::open) continue;
            const std::string name = lower(pieces_[at].text);
            if (name == "get_lock") {
                // An empty text is a name, too, and one that the server refuses. One with quotes is not told: the
                // session writes names into a question to the server.
                const bool plain = pieces_[at + 2].text.find_first_of("'\"\\") == std::string::npos;
                const bool literal = plain && pieces_[at + 2].kind == TokenKind::string && at + 3 < pieces_.size() &&
                                     pieces_[at + 3].kind == TokenKind::comma;
                add(Pin::named_lock, true, literal ? lower(pieces_[at + 2].text) : std::string());
            }
            const bool whole = at == 1 && (pieces_.size() == 4 || pieces_[4].kind == TokenKind::semicolon) &&
                               pieces_[3].kind == TokenKind::close;
            found_.releases_all_locks = found_.releases_all_locks || (name == "release_all_locks" && whole);
        }
    }

    const std::vector<Piece>& pieces_;
    Reader read_;
    std::string_view schema_;
    HeldNames found_;
};

}  // namespace

HeldNames held_names(std::string_view text, const Facts& facts, Mode mode, std::string_view schema) {
    HeldNames found;
    const auto pieces = facts.statements == 1 && !text.empty() ? pieces_of(text, mode) : std::nullopt;
    if (pieces) {
        found = Finder(*pieces, schema).find();
    } else {
        found.unsure.add(Pin::temporary_table);
    }
    for (int i = 0; i < kPinCount; ++i) {
        const auto pin = static_cast<Pin>(i);
        const bool told =
            std::ranges::any_of(found.names, [&](const HeldName& each) { return each.taken && each.pin == pin; });
        if (kNamedPins.has(pin) && facts.pins.has(pin) && !told) found.unsure.add(pin);
    }
    return found;
}

}  // namespace tidegate::sql
