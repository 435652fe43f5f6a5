#include "sql/user_variables.h"

#include <gtest/gtest.h>

#include <string>

#include "sql/scanner.h"

namespace tidegate::sql {
namespace {

// The names that the text may give values to; "?": it may be others, too.
std::string assigned(std::string_view text, Mode mode = {.multi_statements = true}) {
    const auto found = user_variables(text, scan(text, mode), mode);
    std::string said;
    for (const auto& each : found.assigned) said += (said.empty() ? "" : " ") + each;
    if (found.unsure) said += said.empty() ? "?" : " ?";
    return said;
}

TEST(UserVariables, TargetsOfSet) {
    EXPECT_EQ(assigned("SET @a = 1"), "a");
    EXPECT_EQ(assigned("set @A := 'x', @b=@c, sql_mode = @d, @`e f` = 1"), "a b ?");
    EXPECT_EQ(assigned("SET @a = 1, @`b` = 2, @'c' = 3, @\"d\" = 4"), "a b c d");
    EXPECT_EQ(assigned("SET @a = @b = 3"), "a");
    EXPECT_EQ(assigned("SET @a = (@b := 3) + 1"), "a b");
    EXPECT_EQ(assigned("SET @a = IF(@b = 1, @c, @d = 2), @e = 5"), "a e");
    EXPECT_EQ(assigned("SET sql_mode = @old, time_zone = @zone"), "");
    EXPECT_EQ(assigned("SET @OLD_MODE = @@sql_mode, SQL_MODE = ''"), "old_mode");
    EXPECT_EQ(assigned("/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;"),
              "old_character_set_client");
}

TEST(UserVariables, AssignmentsWithinStatements) {
    EXPECT_EQ(assigned("SELECT @a := 1, @b"), "a");
    EXPECT_EQ(assigned("SELECT @a, @b = 2 FROM t WHERE c = @c"), "");
    EXPECT_EQ(assigned("UPDATE t SET n = (@n := @n + 1), m = @m"), "n");
    EXPECT_EQ(assigned("UPDATE t SET a = 1 WHERE b = @x"), "");
    EXPECT_EQ(assigned("SELECT 1, 2 INTO @a, @b"), "a b");
    EXPECT_EQ(assigned("SELECT a INTO @a FROM t WHERE b = @b"), "a");
    EXPECT_EQ(assigned("SELECT a, @c FROM t WHERE b = @b INTO @a, /* x */ @d"), "a d");
    EXPECT_EQ(assigned("(SELECT 1 INTO @a)"), "a");
    EXPECT_EQ(assigned("INSERT INTO t VALUES (@a, @b := 2)"), "b");
    EXPECT_EQ(assigned("WITH c AS (SELECT @a := 1) SELECT @b FROM c"), "a");
    EXPECT_EQ(assigned("SELECT /*! @a := */ 1"), "a");
    EXPECT_EQ(assigned("SELECT @a; SET @b = 1; SELECT @c := 1"), "b c");
}

TEST(UserVariables, OtherStatementsMayGiveValuesToAllThatTheyName) {
    EXPECT_EQ(assigned("LOAD DATA INFILE 'f' INTO TABLE t (a, @b) SET c = @b"), "b");
    EXPECT_EQ(assigned("CALL p(@a, 1, @b)"), "a b");
    EXPECT_EQ(assigned("GET DIAGNOSTICS CONDITION 1 @state = RETURNED_SQLSTATE, @text = MESSAGE_TEXT"), "state text");
    EXPECT_EQ(assigned("EXECUTE s USING @a"), "a");
}

TEST(UserVariables, AreUnsureWhereTheTextDoesNotTell) {
    EXPECT_EQ(assigned("SET @`a b` = 1"), "?");
    EXPECT_EQ(assigned("SET @`a``b` = 1"), "?");
    EXPECT_EQ(assigned("SET @a.b = 1"), "?");
    EXPECT_EQ(assigned("SET @t\xc3\xa4 = 1"), "?");
    EXPECT_EQ(assigned("SET @ a = 1"), "?");
    EXPECT_EQ(assigned("SELECT @1"), "?");
    EXPECT_EQ(assigned("SET @a = 'x"), "a ?");
    EXPECT_EQ(assigned(""), "?");
    // A view may call a function: what it does hides behind what SET itself reports.
    EXPECT_EQ(assigned("SET @a = (SELECT MAX(id) FROM t)"), "a ?");
    EXPECT_EQ(assigned("SET @a = (TABLE t)"), "a ?");
}

}  // namespace
}  // namespace tidegate::sql
