#include "client/session_mark.h"

#include <gtest/gtest.h>

#include "sql/scanner.h"

namespace tidegate::client {
namespace {

SessionMark after(std::string_view statement) {
    SessionMark mark;
    mark.sent(sql::scan(statement, {}));
    return mark;
}

TEST(SessionMark, PlainStatementsLeaveNothing) {
    for (const auto* statement :
         {"SELECT name FROM person WHERE id = ?", "INSERT INTO t VALUES (1, NOW())", "UPDATE t SET a = a + 1",
          "DELETE FROM t", "REPLACE INTO t VALUES (1)", "START TRANSACTION", "COMMIT", "ROLLBACK", "SHOW TABLES",
          "SELECT id FROM job WHERE state = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
          "CREATE TABLE t (a INT)", "EXPLAIN SELECT 1", "SELECT COUNT(*), CONCAT(a, 'x') FROM t"}) {
        EXPECT_FALSE(after(statement).dirty()) << statement;
    }
}

TEST(SessionMark, WhateverMayStayBehindIsReset) {
    for (const auto* statement :
         {"SET sql_mode = ''", "SET @x = 1", "SELECT @x := 1", "USE other", "CREATE TEMPORARY TABLE t (a INT)",
          "SELECT GET_LOCK('a', 1)", "CALL p()", "PREPARE s FROM 'SELECT 1'", "LOCK TABLES t WRITE", "FLUSH TABLES",
          "SELECT my_function(1)", "HANDLER t OPEN", "WHATEVER THIS IS", "SET SESSION TRANSACTION READ ONLY"}) {
        EXPECT_TRUE(after(statement).dirty()) << statement;
        EXPECT_FALSE(after(statement).beyond_reset()) << statement;
    }
}

TEST(SessionMark, WhatNoResetRemovesClosesTheConnection) {
    for (const auto* statement : {"SET ROLE admin", "XA START 'a'", "SET profiling = 1"}) {
        EXPECT_TRUE(after(statement).beyond_reset()) << statement;
    }
}

TEST(SessionMark, AnotherSchemaIsRemembered) {
    EXPECT_TRUE(after("USE other").schema_changed());
    EXPECT_TRUE(after("CALL p()").schema_changed());
    EXPECT_FALSE(after("SET @x = 1").schema_changed());
    auto mark = after("USE other");
    mark.reset();
    EXPECT_FALSE(mark.dirty() || mark.schema_changed());
}

}  // namespace
}  // namespace tidegate::client
