#include "sql/digest.h"

#include <gtest/gtest.h>

namespace tidegate::sql {
namespace {

std::string of(std::string_view text, Mode mode = {}) {
    return digest(text, mode);
}

TEST(Digest, LiteralsBecomeQuestionMarks) {
    EXPECT_EQ(of("SELECT a FROM t WHERE b = 5 AND c='secret' AND d = 1.5e3"),
              "SELECT a FROM t WHERE b = ? AND c=? AND d = ?");
    EXPECT_EQ(of("SELECT GET_LOCK('import of shop 5', 0)"), "SELECT GET_LOCK(?, ..)");
    EXPECT_EQ(of("SET @a := 0x41, @b = x'41', @c = N'x', @d = _utf8mb4'x', @e = 0b01"),
              "SET @a := ?, @b = x?, @c = N?, @d = _utf8mb4?, @e = ?");
    EXPECT_EQ(of("SELECT -1, +2, a-3"), "SELECT -?, .., a-?");
    EXPECT_EQ(of("SELECT 'it''s' 'two'"), "SELECT ? ?");
}

TEST(Digest, ListsAreFolded) {
    EXPECT_EQ(of("SELECT a FROM t WHERE b IN (1,2,3)"), "SELECT a FROM t WHERE b IN (?, ..)");
    EXPECT_EQ(of("SELECT a FROM t WHERE b IN (1, -2, 'x' , 4.0)"), "SELECT a FROM t WHERE b IN (?, ..)");
    EXPECT_EQ(of("INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c')"), "INSERT INTO t VALUES (?, ..), ..");
    EXPECT_EQ(of("INSERT INTO t VALUES (1), (2) , (3)"), "INSERT INTO t VALUES (?), ..");
    EXPECT_EQ(of("SELECT f(1), f(2)"), "SELECT f(?), f(?)");
    std::string many = "SELECT a FROM t WHERE b IN (1";
    for (int i = 0; i < 5000; ++i) many += ", " + std::to_string(i);
    EXPECT_EQ(of(many + ") FOR UPDATE"), "SELECT a FROM t WHERE b IN (?, ..) FOR UPDATE");
}

TEST(Digest, WhiteSpaceAndCommentsAreOneSpace) {
    EXPECT_EQ(of("  SELECT\n\t a /* password: x */ -- and more\n FROM t # end"), "SELECT a FROM t");
    EXPECT_EQ(of("/* tidegate: pin */ SELECT 1"), "/* tidegate: pin */ SELECT ?");
    EXPECT_EQ(of("/*!50003 SET @a = 1 */"), "/*!50003 SET @a = ? */");
    EXPECT_EQ(of(""), "");
}

TEST(Digest, NamesStayAsTheyAreWritten) {
    EXPECT_EQ(of("CREATE TEMPORARY TABLE `my shop`.`cart` (a INT)"), "CREATE TEMPORARY TABLE `my shop`.`cart` (a INT)");
    EXPECT_EQ(of("SELECT gr\xC3\xB6\xC3\x9F"
                 "e FROM t"),
              "SELECT gr\xC3\xB6\xC3\x9F"
              "e FROM t");
    EXPECT_EQ(of("SELECT gr\xF6\xDF"
                 "e FROM `t\xF6`"),
              "SELECT ? FROM ?")
        << "not UTF-8";
    EXPECT_EQ(of("SELECT `a\nb`"), "SELECT ?") << "a line of the log stays one";
    EXPECT_EQ(of(R"(SELECT "x")", {.ansi_quotes = true}), "SELECT ?") << "a name, if nobody is mistaken";
}

TEST(Digest, NothingOfAPasswordIsShown) {
    EXPECT_EQ(of("CREATE USER a IDENTIFIED BY 'secret' REQUIRE SSL"), "CREATE USER a IDENTIFIED ..");
    EXPECT_EQ(of("CREATE USER a IDENTIFIED BY `secret`"), "CREATE USER a IDENTIFIED ..");
    EXPECT_EQ(of("ALTER USER a identified WITH x AS 0xAB"), "ALTER USER a identified ..");
    EXPECT_EQ(of("SET PASSWORD = PASSWORD('secret')"), "SET PASSWORD = PASSWORD(?)");
    EXPECT_EQ(of("SET PASSWORD FOR 'a'@'%' = \"secret\""), "SET PASSWORD FOR ?@? = ?");
    EXPECT_EQ(of("SELECT 'secret"), "SELECT ? ..") << "unterminated";
    EXPECT_EQ(of("SELECT 1 /* secret"), "SELECT ? ..");
}

// The statement itself may change what a backslash is, and by then nobody knows how it was read.
TEST(Digest, WhatABackslashMayHideIsNotShown) {
    EXPECT_EQ(of(R"(SET @a = 'it\'s secret', @b = 1)"), "SET @a = ? ..");
    EXPECT_EQ(of(R"(SET @a = 'it\'s secret')", {.no_backslash_escapes = true}), "SET @a = ? ..");
    EXPECT_EQ(of(R"(SET @a = 'a\nb', @b = 1)"), "SET @a = ?, @b = ?") << "either way the same";
}

TEST(Digest, InACharacterSetWhoseBytesMisleadOnlyTheBeginningIsShown) {
    EXPECT_EQ(of("SELECT a, '\xBF\x5C' OR 'secret'", {.unsafe_multibyte = true}), "SELECT a, ..");
    EXPECT_EQ(of("SELECT 1, b", {.unsafe_multibyte = true}), "SELECT ?, b");
}

TEST(Digest, IsBounded) {
    const std::string long_one = "SELECT " + std::string(50, 'a') + " FROM " + std::string(50, 'b') + " WHERE " +
                                 std::string(60, 'c') + " = d AND efg";
    ASSERT_LE(long_one.size(), kDigestBytes);
    EXPECT_EQ(of(long_one), long_one);
    std::string words = "SELECT";
    while (words.size() < 1000) words += " gr\xC3\xB6\xC3\x9F";
    const std::string shown = of(words);
    EXPECT_LE(shown.size(), kDigestBytes);
    EXPECT_GT(shown.size(), kDigestBytes - 10);
    EXPECT_TRUE(shown.ends_with(" ..")) << shown;
    EXPECT_NE(static_cast<unsigned char>(shown[shown.size() - 4]), 0xC3U) << "not in the middle of a character";
    EXPECT_EQ(of("SELECT " + std::string(65, 'x')), "SELECT ?") << "no name is so long: perhaps it is data";
    EXPECT_EQ(digest("SELECT 1", {}, false, 2), " .");
}

TEST(Digest, TheBeginningOfALongText) {
    EXPECT_EQ(digest("INSERT INTO t VALUES (1, 'abc", {}, true), "INSERT INTO t VALUES (?, ..");
    EXPECT_EQ(digest("INSERT INTO cart", {}, true), "INSERT INTO ..") << "perhaps it is called cartoon";
}

}  // namespace
}  // namespace tidegate::sql
