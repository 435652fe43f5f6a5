// What a statement asks of the connection's past, which questions the gate may answer itself, and which reads may be
// run a second time.
#include "sql/scan_testing.h"

namespace tidegate::sql {
namespace {

TEST(Asks, AreSeenWherever) {
    const std::pair<std::string_view, Asks> cases[] = {
        {"SELECT LAST_INSERT_ID()", Ask::last_insert_id},
        {"SELECT last_insert_id ( ) + 1", Ask::last_insert_id},
        {"INSERT INTO t VALUES (LAST_INSERT_ID())", Ask::last_insert_id},
        {"SELECT @@last_insert_id", Ask::last_insert_id},
        {"SELECT @@session.identity", Ask::last_insert_id},
        {"SELECT @@`last_insert_id`", Ask::last_insert_id},
        {"SELECT FOUND_ROWS()", Ask::found_rows},
        {"SELECT ROW_COUNT()", Ask::row_count},
        {"SELECT ROW_COUNT(), FOUND_ROWS()", {Ask::row_count, Ask::found_rows}},
        {"SHOW WARNINGS", Ask::warnings},
        {"SHOW ERRORS LIMIT 1", Ask::warnings},
        {"SHOW COUNT(*) WARNINGS", Ask::warnings},
        {"SELECT @@warning_count + 1", Ask::warnings},
        {"SELECT @@session.error_count", Ask::warnings},
        {"GET DIAGNOSTICS", Ask::warnings},
        {"SELECT CONNECTION_ID()", Ask::connection_id},
        {"SELECT @@pseudo_thread_id", Ask::connection_id},
        {"SELECT IS_USED_LOCK('a')", Ask::connection_id},
        {"KILL CONNECTION_ID()", Ask::connection_id},
        {"SELECT LASTVAL(s)", Ask::last_value},
        {"CALL p()", Ask::last_insert_id},
        {"EXECUTE s", Ask::last_insert_id},
        {"SELECT f()", Ask::last_insert_id},
        {"SELECT last_insert_id, found_rows FROM t", {}},
        {"SELECT 'LAST_INSERT_ID()'", {}},
        {"SHOW COLUMNS FROM errors", {}},
        {"SELECT t.row_count FROM t", {}},
        {"SELECT @@version", {}},
    };
    for (const auto& [text, asks] : cases) {
        EXPECT_EQ(scan_all_ways(text).asks.bits(), asks.bits()) << text;
    }
}

// What a statement asks about the one in front of it, in the same text, owes nothing to what was before.
TEST(Asks, AreNotThoseThatTheTextItselfAnswers) {
    const auto asks = [](std::string_view text) { return scan_all_ways(text, {.multi_statements = true}).asks.bits(); };
    EXPECT_EQ(asks("INSERT INTO t VALUES (1); SELECT id FROM t WHERE ROW_COUNT() = 1 AND id = LAST_INSERT_ID()"),
              Asks(Ask::last_insert_id).bits());
    EXPECT_EQ(asks("SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1; SELECT FOUND_ROWS()"), Asks().bits());
    EXPECT_EQ(asks("UPDATE t SET a = 1; SELECT FOUND_ROWS()"), Asks(Ask::found_rows).bits());
    EXPECT_EQ(asks("SELECT ROW_COUNT(); SELECT 1"), Asks(Ask::row_count).bits());
    EXPECT_EQ(asks("SELECT FOUND_ROWS(); SELECT FOUND_ROWS()"), Asks(Ask::found_rows).bits());
    EXPECT_EQ(asks("SELECT 1; SHOW WARNINGS"), Asks(Ask::warnings).bits());
}

TEST(Asks, LastInsertIdWithAnArgumentSetsIt) {
    EXPECT_TRUE(scan_all_ways("SELECT LAST_INSERT_ID(5)").sets_last_insert_id);
    EXPECT_TRUE(scan_all_ways("UPDATE t SET id = LAST_INSERT_ID (/* x */ id + 1)").sets_last_insert_id);
    EXPECT_FALSE(scan_all_ways("SELECT LAST_INSERT_ID( /* nothing */ )").sets_last_insert_id);
}

TEST(Asks, CalcFoundRowsIsAHint) {
    const Facts facts = scan_all_ways("SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1");
    EXPECT_TRUE(facts.calc_found_rows);
    EXPECT_TRUE(facts.pins.none());
    EXPECT_FALSE(facts.plain_read);
}

TEST(Bare, QuestionsAreRecognized) {
    struct BareCase {
        std::string_view text;
        Bare bare;
        std::string_view column;
    };
    const BareCase cases[] = {
        {"SELECT ROW_COUNT()", Bare::row_count, "ROW_COUNT()"},
        {"select  row_count ( ) ;", Bare::row_count, "row_count ( )"},
        {"SELECT FOUND_ROWS() AS n", Bare::found_rows, "n"},
        {"SELECT FOUND_ROWS() n;", Bare::found_rows, "n"},
        {"SELECT FOUND_ROWS() AS `the n`", Bare::found_rows, "the n"},
        {"SELECT LAST_INSERT_ID() 'id'", Bare::last_insert_id, "id"},
        {"/* route */ SELECT LAST_INSERT_ID() -- done", Bare::last_insert_id, "LAST_INSERT_ID()"},
        {"SELECT CONNECTION_ID()", Bare::connection_id, "CONNECTION_ID()"},
        {"SELECT @@warning_count", Bare::warning_count, "@@warning_count"},
        {"SELECT @@ERROR_COUNT AS e", Bare::error_count, "e"},
        {"SHOW WARNINGS", Bare::show_warnings, ""},
        {"show/**/errors ;", Bare::show_errors, ""},
        {"SHOW PROCESSLIST", Bare::processlist, ""},
        {"show /* x */ Full processList;", Bare::processlist, ""},
        {"SHOW FULL", Bare::none, ""},
        {"SHOW FULL WARNINGS", Bare::none, ""},
        {"SHOW FULL FULL PROCESSLIST", Bare::none, ""},
        {"SHOW PROCESSLIST; SELECT 1", Bare::none, ""},
        {"SHOW PROCESSLIST WHERE 1", Bare::none, ""},
        {"SHOW `PROCESSLIST`", Bare::none, ""},
        {"SHOW /*!80000 FULL */ PROCESSLIST", Bare::none, ""},
        {"SHOW WARNINGS LIMIT 1", Bare::none, ""},
        {"SHOW COUNT(*) WARNINGS", Bare::none, ""},
        {"SELECT ROW_COUNT", Bare::none, ""},
        {"SELECT ROW_COUNT(", Bare::none, ""},
        {"SELECT ROW_COUNT() FROM DUAL", Bare::none, ""},
        {"SELECT ROW_COUNT() LIMIT 1", Bare::none, ""},
        {"SELECT ROW_COUNT() INTO @x", Bare::none, ""},
        {"SELECT ROW_COUNT(), 1", Bare::none, ""},
        {"SELECT ROW_COUNT() + 1", Bare::none, ""},
        {"SELECT ROW_COUNT(/* x */)", Bare::none, ""},
        {"SELECT /*!40000 ROW_COUNT() */", Bare::none, ""},
        {"SELECT LAST_INSERT_ID(5)", Bare::none, ""},
        {"SELECT DISTINCT ROW_COUNT()", Bare::none, ""},
        {"(SELECT ROW_COUNT())", Bare::none, ""},
        {"SELECT ROW_COUNT() AS 'it''s'", Bare::none, ""},
        {"SELECT ROW_COUNT() a b", Bare::none, ""},
        {"SELECT @@session.warning_count", Bare::none, ""},
        {"SELECT ROW_COUNT(); SELECT 1", Bare::none, ""},
        {"SELECT row_count FROM t", Bare::none, ""},
        {"SELECT db.row_count()", Bare::none, ""},
    };
    for (const BareCase& c : cases) {
        const Facts facts = scan_all_ways(c.text, kMulti);
        EXPECT_EQ(facts.bare, c.bare) << c.text;
        EXPECT_EQ(facts.column.in(c.text), c.column) << c.text;
    }
}

TEST(PlainRead, IsASelectThatLeavesAndAsksNothing) {
    for (const std::string_view text : {
             "SELECT 1",
             "SELECT * FROM t WHERE id = 5;",
             "(SELECT a FROM t) UNION ALL (SELECT b FROM u) ORDER BY 1 LIMIT 5",
             "WITH a AS (SELECT 1) SELECT * FROM a",
             "SELECT COUNT(*), NOW(), SLEEP(1), BENCHMARK(1, 1) FROM t",
             "SELECT @@version, @@sql_mode",
             "SELECT a FROM t USE INDEX FOR JOIN (i) WHERE SUBSTRING(b FROM 1 FOR 2) = 'x' -- y",
             "SELECT 'INTO @x', `into` FROM t",
             "SELECT t.update, t.`lock` FROM t",
             "SELECT '\xc3\xa4', `\xc3\xa4` FROM t",
         }) {
        EXPECT_TRUE(scan_all_ways(text).plain_read) << text;
    }
}

TEST(PlainRead, IsNothingElse) {
    for (const std::string_view text : {
             "",
             "INSERT INTO t VALUES (1)",
             "SHOW TABLES",
             "EXPLAIN SELECT 1",
             "DO 1",
             "SELECT 1; SELECT 2",
             "SELECT a FROM t FOR UPDATE",
             "SELECT a FROM t FOR UPDATE SKIP LOCKED",
             "SELECT a FROM t FOR SHARE",
             "SELECT a FROM t LOCK IN SHARE MODE",
             "SELECT a INTO OUTFILE '/tmp/x' FROM t",
             "SELECT 1.INTO OUTFILE '/tmp/x'",
             "SELECT .5INTO OUTFILE '/tmp/x'",
             "SELECT 1e5INTO OUTFILE '/tmp/x'",
             "SELECT 1e+5INTO OUTFILE '/tmp/x'",
             "SELECT 'a'INTO OUTFILE '/tmp/x'",
             "SELECT \\NINTO OUTFILE '/tmp/x'",
             "SELECT 1\xa0INTO OUTFILE '/tmp/x'",
             "SELECT a INTO DUMPFILE '/tmp/x' FROM t",
             "SELECT 1 INTO @x",
             "SELECT @x",
             "SELECT @x := 1",
             "SELECT f(1)",
             "SELECT db.f(1)",
             "SELECT GET_LOCK('a', 1)",
             "SELECT RELEASE_LOCK('a')",
             "SELECT IS_FREE_LOCK('a')",
             "SELECT MASTER_POS_WAIT('a', 1)",
             "SELECT LAST_INSERT_ID()",
             "SELECT FOUND_ROWS()",
             "SELECT ROW_COUNT()",
             "SELECT CONNECTION_ID()",
             "SELECT @@warning_count",
             "SELECT @@last_insert_id",
             "SELECT NEXTVAL(s)",
             "SELECT NEXT VALUE FOR s",
             "SELECT LASTVAL(s)",
             "SELECT SQL_CALC_FOUND_ROWS * FROM t",
             "SELECT * FROM t PROCEDURE ANALYSE()",
             "SELECT /*! 1 */",
             "SELECT 1 /*!99999 INTO OUTFILE 'x' */",
             "WITH a AS (SELECT 1) DELETE FROM t",
             "TABLE t INTO OUTFILE 'x'",
             "VALUES ROW(1)",
             "(TABLE t)",
             "SELECT 'unterminated",
             "SELECT 1 /* unterminated",
             "/* tidegate: pin */ SELECT 1",
         }) {
        EXPECT_FALSE(scan_all_ways(text, kMulti).plain_read) << text;
    }
    const std::string digits(80, '1');
    EXPECT_FALSE(scan_all_ways("SELECT " + digits + "e1INTO OUTFILE 'x'").plain_read);
}

}  // namespace
}  // namespace tidegate::sql
