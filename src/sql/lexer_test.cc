// The tokens themselves, where the servers' lexers are not what one would expect.
#include "sql/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate::sql {
namespace {

std::vector<std::string> tokens(std::string_view text, Mode mode = {}) {
    Lexer lexer(mode);
    Lexer::Input in{text.data(), text.data() + text.size(), text.data(), 0};
    std::vector<std::string> all;
    Token token;
    while (lexer.next(in, token, true) && token.kind != TokenKind::end) {
        const std::string whole(text.substr(token.offset, token.end - token.offset));
        switch (token.kind) {
            case TokenKind::word:
                all.push_back("w:" + whole);
                break;
            case TokenKind::number:
                all.push_back("n:" + whole);
                break;
            case TokenKind::string:
                all.push_back("s:" + std::string(token.text));
                break;
            case TokenKind::quoted_name:
                all.push_back("q:" + std::string(token.text));
                break;
            case TokenKind::comment:
                all.push_back("c:" + std::string(token.text));
                break;
            default:
                all.push_back(whole);
                break;
        }
    }
    return all;
}

using Tokens = std::vector<std::string>;

TEST(Lexer, Numbers) {
    EXPECT_EQ(tokens("1 1.5 .5 1. 1e5 1.5e-3 1E+5"),
              (Tokens{"n:1", "n:1.5", "n:.5", "n:1.", "n:1e5", "n:1.5e-3", "n:1E+5"}));
    EXPECT_EQ(tokens("1a 1e 0x1F 1e+"), (Tokens{"w:1a", "w:1e", "w:0x1F", "w:1e", "+"}));
    EXPECT_EQ(tokens("1INTO 1.INTO .5INTO 1e5INTO"),
              (Tokens{"w:1INTO", "n:1.", "w:INTO", "n:.5", "w:INTO", "n:1e5", "w:INTO"}));
    EXPECT_EQ(tokens("t.1 t.1e5x `t`.1 t .5"),
              (Tokens{"w:t", ".", "w:1", "w:t", ".", "w:1e5x", "q:t", ".", "w:1", "w:t", "n:.5"}));
    EXPECT_EQ(tokens("1,2"), (Tokens{"n:1", ",", "n:2"}));
}

TEST(Lexer, Quotes) {
    EXPECT_EQ(tokens(R"('a''b' 'a\'b' "a""b" `a``b`)"), (Tokens{"s:a''b", R"(s:a\'b)", R"(s:a""b)", "q:a``b"}));
    EXPECT_EQ(tokens(R"("a\"b")"), (Tokens{R"(s:a\"b)"}));
    EXPECT_EQ(tokens(R"("a\"b)", {.ansi_quotes = true}), (Tokens{R"(q:a\)", "w:b"}));
    EXPECT_EQ(tokens(R"('a\'b)", {.no_backslash_escapes = true}), (Tokens{R"(s:a\)", "w:b"}));
    EXPECT_EQ(tokens("'' \"\" ``"), (Tokens{"s:", "s:", "q:"}));
    EXPECT_EQ(tokens("'open"), (Tokens{"s:"}));
    EXPECT_EQ(tokens("N'a'_utf8'b'x'4'"), (Tokens{"w:N", "s:a", "w:_utf8", "s:b", "w:x", "s:4"}));
}

TEST(Lexer, Comments) {
    EXPECT_EQ(tokens("a/*b*/c"), (Tokens{"w:a", "c:b", "w:c"}));
    EXPECT_EQ(tokens("a--b -- c\nd--"), (Tokens{"w:a", "-", "-", "w:b", "c: c", "w:d", "c:"}));
    EXPECT_EQ(tokens("a#b\nc"), (Tokens{"w:a", "c:b", "w:c"}));
    EXPECT_EQ(tokens("/*!50100a*/ /*!a*/ /*M!100100 a*/ /*Ma*/"),
              (Tokens{"/*!50100", "w:a", "*/", "/*!", "w:a", "*/", "/*M!100100", "w:a", "*/", "c:Ma"}));
    EXPECT_EQ(tokens("a*/b /"), (Tokens{"w:a", "*", "/", "w:b", "/"}));
    EXPECT_EQ(tokens("/**/ /***/ /*/*/"), (Tokens{"c:", "c:*", "c:/"}));
}

TEST(Lexer, Punctuation) {
    EXPECT_EQ(tokens("@a@@b:=c:d\\N"), (Tokens{"@", "w:a", "@@", "w:b", ":=", "w:c", ":", "w:d", "\\N"}));
    EXPECT_EQ(tokens("(a,b);c=$1"), (Tokens{"(", "w:a", ",", "w:b", ")", ";", "w:c", "=", "w:$1"}));
    EXPECT_EQ(tokens("a\v\fb\xc3\xa4"), (Tokens{"w:a", "w:b\xc3\xa4"}));
}

TEST(Lexer, ATokenOfMoreThan64BytesHasNoText) {
    for (const std::string_view text : {"'%'", "`%`", "/*%*/", "%"}) {
        for (const std::size_t size : {kTokenBytes, kTokenBytes + 1}) {
            std::string filled(text);
            filled.replace(filled.find('%'), 1, std::string(size - text.size() + 1, 'a'));
            Lexer lexer({});
            Lexer::Input in{filled.data(), filled.data() + filled.size(), filled.data(), 0};
            Token token;
            ASSERT_TRUE(lexer.next(in, token, true));
            EXPECT_EQ(token.overlong(), size > kTokenBytes) << filled;
            EXPECT_EQ(token.text.empty(), size > kTokenBytes) << filled;
            EXPECT_EQ(token.end, size);
        }
    }
}

}  // namespace
}  // namespace tidegate::sql
