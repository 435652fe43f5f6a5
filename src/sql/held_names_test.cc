#include "sql/held_names.h"

#include <gtest/gtest.h>

#include <string>

#include "sql/scanner.h"

namespace tidegate::sql {
namespace {

// "+app.t" taken, "-app.t" given back, "?" unsure, "all": all locks are released.
std::string names(std::string_view text, Mode mode = {.multi_statements = true}) {
    const auto found = held_names(text, scan(text, mode), mode, "app");
    std::string said;
    const auto say = [&said](const std::string& word) { said += (said.empty() ? "" : " ") + word; };
    for (const auto& each : found.names) say((each.taken ? "+" : "-") + each.name);
    if (found.unsure.any()) say("?");
    if (found.releases_all_locks) say("all");
    return said;
}

TEST(HeldNames, TemporaryTables) {
    EXPECT_EQ(names("CREATE TEMPORARY TABLE t (a INT)"), "+app.t");
    EXPECT_EQ(names("create temporary table if not exists `T 1` select 1"), "+app.T 1");
    EXPECT_EQ(names("CREATE OR REPLACE TEMPORARY TABLE b.t LIKE x"), "+b.t");
    EXPECT_EQ(names("CREATE /* a */ TEMPORARY TABLE /* b */ t (a INT) -- c"), "+app.t");
    EXPECT_EQ(names("DROP TABLE t"), "-app.t");
    EXPECT_EQ(names("DROP TEMPORARY TABLE IF EXISTS t, b.u , v CASCADE"), "-app.t -b.u -app.v");
    EXPECT_EQ(names("CREATE TABLE t (a INT)"), "");
}

TEST(HeldNames, AreUnsureWhereTheTextDoesNotTellThem) {
    EXPECT_EQ(names("CREATE TEMPORARY TABLE `a``b` (a INT)"), "?");
    EXPECT_EQ(names("CREATE TEMPORARY TABLE t\xc3\xa4 (a INT)"), "?");
    EXPECT_EQ(names("CREATE TEMPORARY TABLE t (a INT); SELECT 1"), "?");
    EXPECT_EQ(names("CREATE TEMPORARY SEQUENCE s"), "?");
    EXPECT_EQ(names("ALTER TABLE t RENAME u"), "?");
    EXPECT_EQ(names("RENAME TABLE t TO u"), "?");
    EXPECT_EQ(names("SELECT 1; ALTER TABLE t RENAME u"), "?");
    EXPECT_EQ(names("CREATE /*!50000 TEMPORARY */ TABLE t (a INT)"), "?");
    EXPECT_EQ(names("SELECT GET_LOCK(CONCAT('a', 'b'), 0)"), "?");
    EXPECT_EQ(names("SELECT GET_LOCK('a' 'b', 0)"), "?");
    EXPECT_EQ(names("SELECT GET_LOCK('it''s', 0)"), "?");
    EXPECT_EQ(names("SELECT GET_LOCK(\"it's\", 0)"), "?");
    EXPECT_EQ(names("SELECT GET_LOCK(?, 0)"), "?");
    EXPECT_EQ(names(std::string("SELECT GET_LOCK('") + std::string(100, 'x') + "', 0)"), "?");
}

TEST(HeldNames, Locks) {
    EXPECT_EQ(names("SELECT GET_LOCK('Job', 10)"), "+job");
    EXPECT_EQ(names("SELECT get_lock ('a', 0), GET_LOCK('b', 1)"), "+a +b");
    EXPECT_EQ(names("SELECT RELEASE_LOCK('a')"), "");
    EXPECT_EQ(names("DO RELEASE_ALL_LOCKS()"), "all");
    EXPECT_EQ(names("SELECT RELEASE_ALL_LOCKS();"), "all");
    EXPECT_EQ(names("SELECT IF(0, RELEASE_ALL_LOCKS(), 1)"), "");
    EXPECT_EQ(names("SELECT RELEASE_ALL_LOCKS(), GET_LOCK('a', 0)"), "+a");
}

TEST(HeldNames, PreparedTextsAndHandlers) {
    EXPECT_EQ(names("PREPARE P FROM 'SELECT 1'"), "+p");
    EXPECT_EQ(names("DEALLOCATE PREPARE p"), "-p");
    EXPECT_EQ(names("DROP PREPARE `P`"), "-p");
    EXPECT_EQ(names("HANDLER t OPEN"), "+t");
    EXPECT_EQ(names("HANDLER b.t OPEN AS x"), "+x");
    EXPECT_EQ(names("HANDLER t OPEN x"), "+x");
    EXPECT_EQ(names("HANDLER x CLOSE"), "-x");
    EXPECT_EQ(names("HANDLER t READ FIRST"), "");
}

}  // namespace
}  // namespace tidegate::sql
