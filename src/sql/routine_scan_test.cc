// Bodies of stored routines, triggers and views: which leave nothing behind, and why the others might.
#include "sql/routine_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate::sql {
namespace {

const std::vector<std::string> kParameters{"n", "p_name", "result"};

RoutineFacts scan_as(Program program, std::string_view body, Mode mode = {}) {
    return scan_routine(body, program, mode, kParameters);
}
RoutineFacts procedure(std::string_view body) {
    return scan_as(Program::procedure, body);
}

TEST(RoutineScan, LeaveNothingBehind) {
    for (const std::string_view body : {
             "BEGIN END",
             "SELECT id, v FROM t WHERE id = n",
             "RETURN n * 2",
             "RETURN (SELECT MAX(v) FROM t WHERE LEFT(name, 1) = p_name)",
             "BEGIN DECLARE a, b INT DEFAULT 0; SET a = n, b = COALESCE(n, 1); SELECT a, b; END",
             "BEGIN DECLARE x VARCHAR(20); SET x := CONCAT('@y', p_name); SELECT x; END",
             "BEGIN SET result = (SELECT COUNT(*) FROM t), n = 3; END",
             "BEGIN DECLARE done INT DEFAULT FALSE; DECLARE c CURSOR FOR SELECT id FROM t; DECLARE CONTINUE HANDLER "
             "FOR NOT "
             "FOUND SET done = TRUE; OPEN c; r: LOOP FETCH c INTO n; IF done THEN LEAVE r; END IF; END LOOP; CLOSE c; "
             "END",
             "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END; START TRANSACTION; INSERT "
             "INTO t "
             "(id, v) VALUES (n, p_name) ON DUPLICATE KEY UPDATE v = VALUES(v); UPDATE t SET v = 1, w = 2 WHERE id = "
             "n; "
             "COMMIT; END",
             "INSERT INTO log SET at = NOW(), what = 'GET_LOCK(1)' -- SET @x = 1",
             "BEGIN CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, KEY k (id)); DROP TABLE t; TRUNCATE TABLE u; END",
             "ALTER TABLE t ADD COLUMN c INT, DROP COLUMN d",
             "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no', MYSQL_ERRNO = 1644",
             "BEGIN CASE n WHEN 1 THEN SET n = 2; ELSE SET n = 3; END CASE; WHILE n > 0 DO SET n = n - 1; END WHILE; "
             "END",
             "SELECT t.execute, t.temporary, `prepare` FROM t WHERE `get_lock` = 1",
             "SELECT @@sql_mode, @@session.time_zone, CURRENT_USER(), DATABASE()",
             "SELECT * FROM t FOR UPDATE",
             "SELECT * FROM t LOCK IN SHARE MODE",
             "SELECT SQL_CALC_FOUND_ROWS id FROM t LIMIT 1",
             "SELECT id FROM (SELECT 1 AS id) q (id) WHERE EXISTS (SELECT 1)",
             "WITH RECURSIVE q (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM q WHERE a < n) SELECT * FROM q",
             "SELECT LAST_INSERT_ID()",
             "BEGIN GET STACKED DIAGNOSTICS CONDITION 1 n = MYSQL_ERRNO; END",
         }) {
        const RoutineFacts facts = procedure(body);
        EXPECT_EQ(facts.unsafe, "") << body;
        EXPECT_THAT(facts.calls, testing::IsEmpty()) << body;
    }
}

TEST(RoutineScan, MayLeaveSomethingBehind) {
    for (const std::string_view body : {
             "SET @x = n",
             "BEGIN DECLARE a INT; SET a = 1, @x = 2; END",
             "SELECT n INTO @x",
             "SELECT @x := n",
             "SELECT @x",
             "DO GET_LOCK('a', 1)",
             "SELECT get_lock ('a', 1)",
             "DO RELEASE_LOCK('a')",
             "DO RELEASE_ALL_LOCKS()",
             "SELECT IS_USED_LOCK('a')",
             "CREATE TEMPORARY TABLE t (a INT)",
             "CREATE TEMPORARY TABLE t SELECT 1 AS a",
             "CREATE OR REPLACE TEMPORARY TABLE t SELECT 1 AS a",
             "DROP TEMPORARY TABLE t",
             "BEGIN PREPARE s FROM 'SELECT 1'; END",
             "EXECUTE IMMEDIATE 'SELECT 1'",
             "DEALLOCATE PREPARE s",
             "DROP PREPARE s",
             "HANDLER t OPEN",
             "LOCK TABLES t READ",
             "LOCK INSTANCE FOR BACKUP",
             "FLUSH TABLES WITH READ LOCK",
             "XA START 'a'",
             "SAVEPOINT a",
             "COMMIT RELEASE",
             "COMMIT AND NO CHAIN RELEASE",
             "SET sql_mode = ''",
             "SET SESSION time_zone = '+00:00'",
             "SET @@sql_mode = ''",
             "SET GLOBAL max_connections = 1",
             "SET ROLE r",
             "SET NAMES utf8mb4",
             "SET TRANSACTION READ ONLY",
             "SET PASSWORD = 'x'",
             "SET timestamp = 5",
             "IF n THEN SET sql_log_bin = 0; END IF",
             "BEGIN UPDATE t SET a = 1; SET sql_mode = ''; END",
             "BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND SET autocommit = 0; SELECT 1; END",
             "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
             "SELECT FOUND_ROWS()",
             "SELECT ROW_COUNT()",
             "SELECT CONNECTION_ID()",
             "SELECT @@warning_count",
             "SHOW WARNINGS",
             "SHOW COUNT(*) WARNINGS",
             "SHOW ERRORS",
             "GET DIAGNOSTICS n = NUMBER",
             "SELECT NEXTVAL(s)",
             "SELECT NEXT VALUE FOR s",
             "SELECT s.nextval",
             "CREATE VIEW v AS SELECT 1",
             "DROP DATABASE d",
             "CREATE USER u",
             "DROP FUNCTION f",
             "/*!50000 SELECT 1 */",
             "SELECT 'without an end",
         }) {
        EXPECT_NE(procedure(body).unsafe, "") << body;
    }
}

// What no tracker reports: a trigger or a view that does it makes connections be reset.
TEST(RoutineScan, LeaveSomethingThatNothingTells) {
    for (const std::string_view body : {
             "SELECT MAX(id) INTO @last FROM t",
             "INSERT INTO u SELECT @n := @n + 1 FROM t",
             "DO GET_LOCK('a', 1)",
             "BEGIN CREATE TEMPORARY TABLE q SELECT 1; END",
             "SET @@sql_mode = ''",
             "CALL p(@x)",
         }) {
        EXPECT_NE(scan_as(Program::trigger, body).hidden, "") << body;
    }
    for (const std::string_view body :
         {"SET @x = NEW.id", "SET NEW.v = UPPER(NEW.v), @x = 1, @y := 2", "SET NEW.a = @x + 1",
          "IF NEW.id > @limit THEN SET NEW.id = 1; END IF", "INSERT INTO log VALUES (NEW.id)"}) {
        EXPECT_EQ(scan_as(Program::trigger, body).hidden, "") << body;
    }
    EXPECT_NE(scan_as(Program::view, "select last_insert_id(5) AS `a`").hidden, "");
    EXPECT_EQ(scan_as(Program::view, "select last_insert_id() AS `a`").hidden, "");
}

TEST(RoutineScan, TellsWhatIsCalled) {
    const auto calls = [](std::string_view body) { return procedure(body).calls; };
    const auto call = [](std::string schema, std::string name, bool is_procedure) {
        return RoutineCall{.schema = std::move(schema), .name = std::move(name), .procedure = is_procedure};
    };
    using testing::ElementsAre;
    EXPECT_THAT(calls("CALL p"), ElementsAre(call("", "p", true)));
    EXPECT_THAT(calls("CALL Shop.P(1)"), ElementsAre(call("Shop", "p", true)));
    EXPECT_THAT(calls("BEGIN CALL `p`(f(1)); END"), ElementsAre(call("", "p", true), call("", "f", false)));
    EXPECT_THAT(calls("RETURN f(1) + f(2) + `d`.`G`(3)"), ElementsAre(call("", "f", false), call("d", "g", false)));
    EXPECT_THAT(calls("INSERT INTO t (a) VALUES (f(1))"), ElementsAre(call("", "f", false)));
    EXPECT_THAT(calls("UPDATE t SET a = f (1)"), ElementsAre(call("", "f", false)));
    EXPECT_THAT(calls("SELECT count (*) FROM t"), ElementsAre(call("", "count", false)));
    EXPECT_NE(procedure("CALL a.b.c()").unsafe, "");
    EXPECT_NE(procedure("SELECT `a``b`(1)").unsafe, "");
}

TEST(RoutineScan, TellsWhatTheCallerMayAskFor) {
    EXPECT_TRUE(procedure("INSERT INTO t VALUES (1)").sets_insert_id);
    EXPECT_TRUE(procedure("DO LAST_INSERT_ID(5)").sets_insert_id);
    EXPECT_FALSE(procedure("SELECT INSERT('abc', 1, 1, 'x')").sets_insert_id);
    EXPECT_FALSE(scan_as(Program::function, "BEGIN INSERT INTO t VALUES (1); RETURN 1; END").sets_insert_id);
    EXPECT_TRUE(procedure("SELECT LAST_INSERT_ID()").asks_insert_id);
    EXPECT_TRUE(procedure("SELECT @@identity").asks_insert_id);
    EXPECT_FALSE(procedure("SELECT 1").asks_insert_id);
    EXPECT_TRUE(procedure("SELECT 1").queries);
    EXPECT_FALSE(procedure("BEGIN DECLARE a INT; SET a = 1; END").queries);
}

// The sql_mode that it was made in says how it is read.
TEST(RoutineScan, ReadsQuotesAsTheRoutineDoes) {
    EXPECT_EQ(scan_as(Program::function, "RETURN \"f\"").unsafe, "");
    EXPECT_EQ(scan_as(Program::function, "RETURN \"f\"(1)").calls.size(), 0U);
    EXPECT_EQ(scan_as(Program::function, "RETURN \"f\"(1)", {.ansi_quotes = true}).calls.size(), 1U);
    EXPECT_NE(scan_as(Program::function, "RETURN 'a\\' || GET_LOCK(1, 1) || '", {.no_backslash_escapes = true}).unsafe,
              "");
}

}  // namespace
}  // namespace tidegate::sql
