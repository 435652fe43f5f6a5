// What keeps a session on its connection: each row of docs' table of what the servers do not report, and what other
// proxies were seen to miss.
#include "sql/scan_testing.h"

namespace tidegate::sql {
namespace {

struct Case {
    std::string_view text;
    std::string_view pins;  // names, in the order of the enumeration
    Mode mode = kMariadb;
};

void check(std::span<const Case> cases) {
    for (const Case& c : cases) {
        EXPECT_EQ(pin_names(scan_all_ways(c.text, c.mode).pins), c.pins) << c.text;
    }
}

TEST(Pins, UserVariables) {
    const Case cases[] = {
        {"SET @x := 1", "user_variable"},
        {"SET @x = 1", "user_variable"},
        {"SET @`x y` = 1", "user_variable"},
        {"SET @'x' = 1, @\"y\" = 2", "user_variable"},
        {"SET time_zone = '+00:00', @x = 1", "user_variable"},
        {"SELECT @y := 2", "user_variable"},
        {"SELECT 1 INTO @q", "user_variable"},
        {"SELECT @rownum := @rownum + 1, t.* FROM t", "user_variable"},
        {"UPDATE t SET a = (@a := a)", "user_variable"},
        {"LOAD DATA INFILE 'x' INTO TABLE t (a, @b) SET c = @b", "user_variable"},
        {"CREATE TABLE t SELECT @x", "user_variable"},
        {"EXPLAIN FORMAT=JSON INTO @x SELECT 1", "user_variable", kMysql},
        {"GET DIAGNOSTICS CONDITION 1 @a = RETURNED_SQLSTATE", "user_variable"},
        {"SELECT @@sql_mode, @@session.time_zone, @@global.port", ""},
        {"SELECT '@x', \"@x\", `@x` -- @x\n /* @x */ # @x", ""},
        {"SELECT * FROM t WHERE mail = 'a@b.c'", ""},
        {"GRANT SELECT ON *.* TO a@b", ""},
        {"CREATE USER 'a'@'%' IDENTIFIED BY 'x'", ""},
        {"SHOW GRANTS FOR a@b", ""},
        {"SHOW CREATE USER a@b", ""},
        {"CREATE DEFINER=a@b VIEW v AS SELECT 1", ""},
        {"CREATE DEFINER=`a`@`b` PROCEDURE p() SET @x = 1", ""},
        {"SHOW TABLES WHERE @x := 1", "user_variable"},
    };
    check(cases);
}

TEST(Pins, TemporaryTables) {
    const Case cases[] = {
        {"CREATE TEMPORARY TABLE t (a INT)", "temporary_table"},
        {"CREATE TEMPORARY TABLE t SELECT 1", "temporary_table"},
        {"CREATE TEMPORARY TABLE t AS SELECT 1", "temporary_table"},
        {"CREATE OR REPLACE TEMPORARY TABLE t (a INT)", "temporary_table"},
        {"create/**/or -- x\nreplace # y\n temporary/* z */table t like u", "temporary_table"},
        {"CREATE TEMPORARY SEQUENCE s", "temporary_table"},
        {"CREATE /*! TEMPORARY */ TABLE t (a INT)", "temporary_table executable_comment"},
        {"CREATE TABLE temporary (temporary INT)", ""},
        {"CREATE TABLE `temporary` (a INT)", ""},
        {"DROP TEMPORARY TABLE t", ""},
        {"ALTER TABLE t ADD a INT", ""},
    };
    check(cases);
    EXPECT_TRUE(scan("DROP TEMPORARY TABLE t", kMariadb).may_end.has(Pin::temporary_table));
    EXPECT_TRUE(scan("DROP TABLE t", kMariadb).may_end.has(Pin::temporary_table));
    EXPECT_FALSE(scan("DROP VIEW t", kMariadb).may_end.has(Pin::temporary_table));
}

TEST(Pins, NamedLocks) {
    const Case cases[] = {
        {"SELECT GET_LOCK('a', 10)", "named_lock"},
        {"SELECT get_lock ('a', 10)", "named_lock"},
        {"SELECT get_lock\n\t/* x */ -- y\n('a', 10)", "named_lock"},
        {"DO GET_LOCK('a', 1)", "named_lock"},
        {"SELECT 1 WHERE get_lock('a', 0) = 1", "named_lock"},
        {"SELECT * FROM t WHERE a IN (SELECT Get_Lock('a', 0))", "named_lock"},
        {"SELECT /*! get_lock('a', 1) */", "named_lock"},
        {"SELECT /*M!100100 get_lock('a', 1) */", "named_lock"},
        {"SELECT /*!99999 get_lock('a', 1) */ 1", "named_lock"},
        {"SET SESSION wait_timeout = GET_LOCK('a', 1)", "named_lock"},
        {"INSERT INTO t SET a = GET_LOCK('a', 1)", "named_lock"},
        {"INSERT INTO t VALUES (GET_LOCK('a', 1))", "named_lock"},
        {"SELECT `get_lock`('a', 1)", "unknown_function"},  // it runs, too; the name is not looked at
        {"SELECT 'get_lock(1)', get_lock FROM t", ""},
        {"SELECT RELEASE_LOCK('a')", ""},
        {"SELECT is_free_lock('a')", ""},
    };
    check(cases);
    EXPECT_TRUE(scan("SELECT RELEASE_LOCK ('a')", kMariadb).may_end.has(Pin::named_lock));
    EXPECT_TRUE(scan("DO RELEASE_ALL_LOCKS()", kMariadb).may_end.has(Pin::named_lock));
}

TEST(Pins, PreparedTexts) {
    const Case cases[] = {
        {"PREPARE s FROM 'SELECT 1'", "text_prepare"},
        {"prepare`s`from'SELECT 1'", "text_prepare"},
        {"PREPARE s FROM @x", "user_variable text_prepare"},
        {"EXECUTE s", "text_execute"},
        {"EXECUTE s USING @a", "user_variable text_execute"},
        {"EXECUTE IMMEDIATE 'CREATE TEMPORARY TABLE t (a INT)'", "text_execute"},
        {"DEALLOCATE PREPARE s", ""},
        {"DROP PREPARE s", ""},
    };
    check(cases);
    EXPECT_TRUE(scan("DEALLOCATE PREPARE s", kMariadb).may_end.has(Pin::text_prepare));
    EXPECT_TRUE(scan("DROP PREPARE s", kMariadb).may_end.has(Pin::text_prepare));
}

TEST(Pins, LocksHandlersAndTwoPhaseTransactions) {
    const Case cases[] = {
        {"LOCK TABLES t READ, u AS v WRITE", "lock_tables"},
        {"LOCK/**/TABLE t WRITE", "lock_tables"},
        {"UNLOCK TABLES", ""},
        {"LOCK INSTANCE FOR BACKUP", "instance_lock", kMysql},
        {"UNLOCK INSTANCE", "", kMysql},
        {"BACKUP STAGE START", "instance_lock"},
        {"BACKUP STAGE END", ""},
        {"BACKUP LOCK db.t", "instance_lock"},
        {"BACKUP UNLOCK", ""},
        {"FLUSH TABLES WITH READ LOCK", "flush_lock"},
        {"FLUSH LOCAL TABLES a, b WITH READ LOCK", "flush_lock"},
        {"FLUSH TABLES /* x */ WITH READ -- y\n LOCK", "flush_lock"},
        {"FLUSH TABLES a FOR EXPORT", "flush_lock"},
        {"FLUSH TABLES", ""},
        {"FLUSH STATUS", ""},
        {"HANDLER t OPEN", "handler"},
        {"HANDLER db.t OPEN AS x", "handler"},
        {"HANDLER x READ FIRST", ""},
        {"HANDLER x CLOSE", ""},
        {"XA START 'a'", "xa"},
        {"XA BEGIN 'a','b',1", "xa"},
        {"XA END 'a'", "xa"},
        {"XA PREPARE 'a'", "xa"},
        {"XA COMMIT 'a' ONE PHASE", ""},
        {"XA ROLLBACK 'a'", ""},
        {"XA RECOVER", ""},
    };
    check(cases);
    EXPECT_TRUE(scan("UNLOCK TABLES", kMariadb).may_end.has(Pin::lock_tables));
    EXPECT_TRUE(scan("UNLOCK TABLES", kMariadb).may_end.has(Pin::flush_lock));
    EXPECT_TRUE(scan("UNLOCK INSTANCE", kMariadb).may_end.has(Pin::instance_lock));
    EXPECT_TRUE(scan("BACKUP STAGE END", kMariadb).may_end.has(Pin::instance_lock));
    EXPECT_TRUE(scan("HANDLER x CLOSE", kMariadb).may_end.has(Pin::handler));
    EXPECT_TRUE(scan("XA COMMIT 'a'", kMariadb).may_end.has(Pin::xa));
}

TEST(Pins, RoutinesAndBlocks) {
    const Case cases[] = {
        {"CALL p()", "call"},
        {"CALL db.p", "call"},
        {"CALL db.p(1, 2)", "call"},
        {"CALL p(f(1))", "call unknown_function"},
        {"BEGIN NOT ATOMIC SELECT 1", "compound"},
        {"BEGIN NOT ATOMIC DO GET_LOCK('a', 1)", "named_lock compound"},
        {"IF 1 THEN SELECT 1", "unknown_statement"},
        {"FOR i IN 1..2 DO SELECT 1", "unknown_statement"},
        {"SET STATEMENT max_statement_time = 1 FOR SELECT 1", "set_statement"},
        {"CREATE PROCEDURE p() BEGIN SET @x = 1; CREATE TEMPORARY TABLE t (a INT); END", ""},
        {"CREATE OR REPLACE DEFINER=a@b FUNCTION f() RETURNS INT RETURN GET_LOCK('a', 1)", ""},
        {"CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @x = 1", ""},
        {"CREATE EVENT e ON SCHEDULE EVERY 1 HOUR DO SET @x = 1", ""},
        {"CREATE EVENT e ON SCHEDULE AT GET_LOCK('a', 1) DO SELECT 1", "named_lock"},
        {"ALTER EVENT e DO SET @x = 1", ""},
        {"CREATE PROCEDURE p() SELECT 1; SELECT GET_LOCK('a', 1)", "compound", kMulti},
        {"CREATE PROCEDURE p() SELECT 1;", "", kMulti},
    };
    check(cases);
}

TEST(Pins, Sequences) {
    const Case cases[] = {
        {"SELECT NEXTVAL(s)", "sequence"},
        {"SELECT NEXT VALUE FOR s", "sequence"},
        {"SELECT next/**/value for s", "sequence"},
        {"SELECT SETVAL(s, 5)", "sequence"},
        {"SELECT LASTVAL(s)", "sequence"},
        {"SELECT PREVIOUS VALUE FOR s", "sequence"},
        {"SELECT s.nextval", "sequence"},
        {"INSERT INTO t VALUES (NEXT VALUE FOR s)", "sequence"},
        {"CREATE SEQUENCE s", ""},
    };
    check(cases);
}

TEST(Pins, ExecutableCommentsAreCode) {
    const Case cases[] = {
        {"/*!40101 SET NAMES utf8 */", ""},
        {"/*!40101 SET NAMES utf8 */;", ""},
        {"/*M!100100 SET @x = 1 */", "user_variable"},
        {"/*! SELECT 1 */", ""},
        {"SELECT /*!40001 SQL_NO_CACHE */ * FROM `t`", ""},
        {"START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */", ""},
        {"SHOW /*!50002 FULL */ TABLES", ""},
        // The server may skip the comment, and then it is another statement.
        {"/*!99999 SELECT */ LOCK TABLES t READ", "executable_comment"},
        {"LOCK /*!99999 x */ TABLES t READ", "executable_comment unknown_statement"},
        {"SELECT 1 /*!99999 ; SELECT 2 */", "executable_comment"},
        {"SELECT a, /*!99999 b) */ f(1)", "unknown_function"},
        {"SELECT a /*!99999 AS */ f(1)", "unknown_function"},
        {"INSERT /*!99999 INTO */ t SET a = f(1)", "unknown_function"},
        {"SET /*!99999 @@x.y = */ time_zone = 1", "variable executable_comment"},
        {"/*!40101 SET time_zone = 1", "executable_comment"},
        // A quote or a line comment that begins in one and hides its end.
        {"SELECT 1 /*!99999 ' */ , get_lock('a', 1) /* ' */", "executable_comment"},
        {"SELECT 1 /*!99999 -- */ , get_lock('a', 1)\n */", "executable_comment"},
        {"SELECT 1 /*!99999 /*!99998 x */ */", "executable_comment"},
        {"SELECT 1 /* plain /*! */", ""},
    };
    check(cases);
}

TEST(Pins, BytesThatMislead) {
    constexpr Mode kGbk{.unsafe_multibyte = true};
    const Case cases[] = {
        {"SELECT '\xbf\\', 1", "multibyte", kGbk},
        {"SELECT 'a'", "", kGbk},
        {"SELECT '\xc3\xa4'", ""},
        {"SELECT `\xc3\xa4`, \xc3\xa4 FROM t\xc3\xa4", ""},
        {"CREATE\xa0TEMPORARY TABLE t", "unknown_statement"},
        {"CREATE OR REPLACE\xa0TEMPORARY TABLE t (a INT)", "multibyte"},
        {"SELECT 1 --\xa0'\n, get_lock('a', 1) -- '", "multibyte"},
    };
    check(cases);
    EXPECT_TRUE(unsafe_charset("GBK"));
    EXPECT_TRUE(unsafe_charset("sjis"));
    EXPECT_FALSE(unsafe_charset("utf8mb4"));
    EXPECT_FALSE(unsafe_charset("gb2312"));
}

TEST(Pins, WhatChangesHowTheNextStatementIsRead) {
    const Case cases[] = {
        {"SET sql_mode = 'ANSI_QUOTES'; SELECT 1", "compound", kMulti},
        {"SET NAMES gbk; SELECT 1", "compound", kMulti},
        {"SET NAMES utf8mb4; SELECT 1", "", kMulti},
        {"SET sql_mode = ''", "", kMulti},
    };
    check(cases);
}

TEST(Pins, QuotesFollowTheSqlMode) {
    constexpr Mode kAnsi{.ansi_quotes = true};
    constexpr Mode kNoEscapes{.no_backslash_escapes = true};
    const Case cases[] = {
        {R"(SELECT 'a\' , @x , \'b')", ""},
        {R"(SELECT 'a\' , @x , 'b')", "user_variable", kNoEscapes},
        {R"(SELECT "a\" , @x , \"b")", ""},
        {R"(SELECT "a\" , @x , "b")", "user_variable", kAnsi},
        {"SELECT 'it''s @x', \"say \"\"@x\"\"\", `a``@x`", ""},
        {R"(SELECT `a\`, @x, `b`)", "user_variable"},
        {"SELECT \"f\"(1)", "", kMariadb},
        {"SELECT \"f\"(1)", "unknown_function", kAnsi},
        {"SELECT _utf8'@x', N'@x', x'41', b'1', 0x40, 1e5, 1.5e+3, .5, t.1, 1.", ""},
    };
    check(cases);
}

TEST(Pins, Comments) {
    const Case cases[] = {
        {"/* tidegate: pin */ SELECT 1", "asked"},
        {"SELECT 1 /*tidegate:pin*/", "asked"},
        {"-- tidegate: pin\nSELECT 1", "asked"},
        {"SELECT 1 -- tidegate: session", "asked"},
        {"#tidegate: pin\r\nSELECT 1", "asked"},
        {"SELECT 1 # tidegate: pin", "asked"},
        {"SELECT 1 -- \n--\n#", ""},
        {"SELECT 1 /*\n tidegate:  session */", "asked"},
        {"SELECT 1 /* tidegate: pint */", ""},
        {"SELECT '/* tidegate: pin */'", ""},
        {"SELECT 5--1", ""},
        {"SELECT 5--@x", "user_variable"},
        {"SELECT 5-- @x", ""},
        {"SELECT 1 --\t@x\n", ""},
        {"SELECT 1 # @x\n, @y", "user_variable"},
        {"SELECT 1 /* @x", ""},
    };
    check(cases);
    EXPECT_TRUE(scan("/* tidegate: session */ SELECT 1", kMariadb).session_mode);
    EXPECT_FALSE(scan("/* tidegate: pin */ SELECT 1", kMariadb).session_mode);
}

TEST(Pins, EachHasANameAndASentence) {
    for (int i = 0; i < kPinCount; ++i) {
        EXPECT_NE(name(static_cast<Pin>(i)), "?") << i;
        EXPECT_GT(describe(static_cast<Pin>(i)).size(), 40U) << i;
        EXPECT_EQ(describe(static_cast<Pin>(i)).back(), '.') << i;
    }
}

}  // namespace
}  // namespace tidegate::sql
