#include "sql/constant_set.h"

#include <gtest/gtest.h>

#include "sql/scanner.h"

namespace tidegate::sql {
namespace {

bool constant(std::string_view text, Mode mode = {}) {
    return is_constant_set(text, scan(text, mode), mode);
}

TEST(ConstantSet, IsOfConstantsOnly) {
    for (const char* text :
         {"SET NAMES utf8mb4", "set names 'utf8mb4' collate 'utf8mb4_unicode_ci'", "SET CHARACTER_SET_RESULTS = NULL",
          "SET SESSION sql_mode = 'ANSI', autocommit=1", "SET time_zone = SYSTEM", "SET @@session.sql_mode := ''",
          "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET wait_timeout = 2147483, sql_auto_is_null=0",
          "SET LOCAL lock_wait_timeout = +5", "SET autocommit = ON"})
        EXPECT_TRUE(constant(text)) << text;
}

TEST(ConstantSet, IsNothingThatReadsAValue) {
    for (const char* text :
         {"SET sql_mode = DEFAULT", "SET sql_mode = @old", "SET sql_mode = @@global.sql_mode",
          "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", "SET time_zone = (SELECT '+00:00')", "SET NAMES DEFAULT",
          "SET NAMES utf8mb4; SELECT 1", "SET lc_time_names = CURRENT_ROLE", "SET max_error_count = UTC_DATE",
          "SET @a = 1", "SET GLOBAL wait_timeout = 5", "SET TRANSACTION READ ONLY", "SET @@sql_mode = ''",
          "SET timestamp = 5", "SET ROLE a", "SELECT 1", "", "/*!40101 SET NAMES utf8mb4 */"})
        EXPECT_FALSE(constant(text)) << text;
    EXPECT_FALSE(constant("SET sql_mode = '" + std::string(300, 'x') + "'"));
    EXPECT_TRUE(constant("SET @@sql_mode = ''", {.dialect = Dialect::mysql})) << "there it is reported";
}

}  // namespace
}  // namespace tidegate::sql
