// Statements that call something: which of them need not pin, given what is known of the server's routines.
#include "sql/lifted_calls.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sql/scanner.h"

namespace tidegate::sql {
namespace {

RoutineSource::Routine routine(std::string schema, std::string name, bool procedure, std::string_view body) {
    return {.schema = std::move(schema),
            .name = std::move(name),
            .procedure = procedure,
            .facts = scan_routine(body, procedure ? Program::procedure : Program::function, {}, {})};
}

RoutineSource shop() {
    RoutineSource source;
    source.loadable_known = true;
    source.routines = {
        routine("shop", "plain", false, "RETURN 1"),
        routine("shop", "plain", true, "SELECT 1"),
        routine("shop", "deep", true, "BEGIN CALL plain(); CALL inserts(); END"),
        routine("shop", "inserts", true, "INSERT INTO t VALUES (1)"),
        routine("shop", "again", false, "RETURN IF(1, again(), shop.plain())"),
        routine("shop", "locks", false, "RETURN GET_LOCK('a', 1)"),
        routine("shop", "deep_locks", true, "BEGIN CALL plain(); CALL calls_locks(); END"),
        routine("shop", "calls_locks", true, "SELECT locks()"),
        routine("shop", "elsewhere", false, "RETURN other.plain()"),
        routine("shop", "nowhere", false, "RETURN missing()"),
        routine("other", "plain", false, "RETURN 2"),
    };
    return source;
}

Facts facts_of(std::string_view text, const RoutineSet& known, std::string_view schema = "shop", Mode mode = {}) {
    Facts facts = scan(text, mode);
    lift_calls(facts, text, mode, schema, known);
    return facts;
}

TEST(LiftedCalls, OfWhatIsKnown) {
    const RoutineSet known(shop(), {});
    for (const std::string_view text :
         {"SELECT plain()", "SELECT PLAIN ( 1 )", "SELECT `plain`()", "SELECT shop.plain(), `other`.`plain`()",
          "SELECT a, other . plain(a) FROM t WHERE plain/* x */(a) = 1", "UPDATE t SET a = plain(a)",
          "INSERT INTO t (a) VALUES (plain(1))", "CALL plain()", "CALL plain", "CALL `shop`.`plain`(1, '@x');",
          "CALL/**/deep(plain())", "SELECT again()", "SELECT elsewhere()", "DO plain(plain(plain(plain())))"}) {
        const Facts facts = facts_of(text, known);
        EXPECT_TRUE(facts.pins.none()) << text;
        EXPECT_TRUE(facts.lifted.any()) << text;
    }
}

TEST(LiftedCalls, NotOfWhatIsNot) {
    const RoutineSet known(shop(), {});
    for (const std::string_view text : {"SELECT locks()",
                                        "CALL deep_locks()",
                                        "CALL calls_locks()",
                                        "SELECT nowhere()",
                                        "SELECT missing()",
                                        "SELECT plain(), locks()",
                                        "CALL plain(locks())",
                                        "SELECT third.plain()",
                                        "CALL inserts2()",
                                        "CALL plain(@x)",
                                        "SELECT plain(@x := 1)",
                                        "SELECT plain(); SELECT 1",
                                        "SELECT 1; SELECT plain()",
                                        "SELECT SHOP.plain()",
                                        "SELECT /*!50000 plain()*/",
                                        "SELECT /*!50000 plain*/()",
                                        "CALL /*!50000 plain()*/",
                                        "SELECT `pla``in`()",
                                        "SELECT plain(plain(plain(plain(plain()))))",
                                        "SELECT plain(GET_LOCK('a', 1))",
                                        "CALL a.b.plain()",
                                        "CALL inserts.plain()"}) {
        const Facts facts = facts_of(text, known, "shop", {.multi_statements = true});
        EXPECT_TRUE(facts.pins.any()) << text;
        EXPECT_TRUE(facts.lifted.none()) << text;
    }
    EXPECT_TRUE(facts_of("SELECT plain()", known, "").pins.any()) << "without a schema";
    EXPECT_TRUE(facts_of("SELECT shop.plain()", known, "").pins.none());
    EXPECT_TRUE(facts_of("SELECT plain()", known, "third").pins.any());
    EXPECT_TRUE(facts_of("SELECT plain()", RoutineSet()).pins.any());
}

TEST(LiftedCalls, LoadableFunctionsAndPackagesGoFirst) {
    RoutineSource source = shop();
    source.loadable.insert("plain");
    source.packages.insert("other");
    const RoutineSet known(source, {});
    EXPECT_TRUE(facts_of("SELECT plain()", known).pins.any());
    EXPECT_TRUE(facts_of("SELECT shop.plain()", known).pins.none());
    EXPECT_TRUE(facts_of("CALL plain()", known).pins.none());
    EXPECT_TRUE(facts_of("SELECT other.plain()", known).pins.any());
    EXPECT_TRUE(facts_of("SELECT elsewhere()", known).pins.any());
    source.loadable_known = false;
    source.loadable.clear();
    EXPECT_TRUE(facts_of("SELECT plain()", RoutineSet(source, {})).pins.any());
}

TEST(LiftedCalls, WhatIsCalledLeavesWhatStatementsLeave) {
    const RoutineSet known(shop(), {});
    EXPECT_FALSE(facts_of("CALL plain()", known).sets_last_insert_id);
    EXPECT_TRUE(facts_of("CALL inserts()", known).sets_last_insert_id);
    EXPECT_TRUE(facts_of("CALL deep()", known).sets_last_insert_id);
    EXPECT_TRUE(facts_of("CALL plain()", known).calc_found_rows);
    EXPECT_FALSE(facts_of("SELECT plain()", known).calc_found_rows);
    EXPECT_FALSE(facts_of("SELECT plain()", known).asks.has(Ask::last_insert_id));
    EXPECT_TRUE(facts_of("SELECT plain(), LAST_INSERT_ID()", known).asks.has(Ask::last_insert_id));
    EXPECT_FALSE(facts_of("CALL plain()", known).touches_tables);
    EXPECT_TRUE(facts_of("CALL plain((SELECT a FROM t))", known).touches_tables);
}

TEST(LiftedCalls, OnTheOperatorsWord) {
    Facts facts = scan("CALL nobody_knows(1)", {});
    trust_calls(facts);
    EXPECT_TRUE(facts.pins.none());
    EXPECT_TRUE(facts.trusted_calls && facts.sets_last_insert_id && facts.calc_found_rows);
    facts = scan("SELECT f(@x)", {});
    trust_calls(facts);
    EXPECT_EQ(facts.pins, Pins(Pin::user_variable));
}

TEST(RoutineSet, TriggersAndViewsThatLeaveSomethingUnseen) {
    const auto hidden = [](Program program, std::string_view body) {
        return RoutineSet(shop(), {{.schema = "shop", .name = "x", .facts = scan_routine(body, program, {}, {})}})
            .hidden();
    };
    EXPECT_EQ(hidden(Program::trigger, "SET NEW.a = plain()"), "");
    EXPECT_EQ(hidden(Program::view, "select `shop`.`plain`() AS `a`"), "");
    EXPECT_EQ(hidden(Program::trigger, "SET NEW.a = locks()"), "shop.x: GET_LOCK()");
    EXPECT_EQ(hidden(Program::trigger, "CALL deep_locks()"), "shop.x: GET_LOCK()");
    EXPECT_EQ(hidden(Program::view, "select `shop`.`locks`() AS `a`"), "shop.x: GET_LOCK()");
    EXPECT_EQ(hidden(Program::view, "select get_lock('a',1) AS `a`"), "shop.x: GET_LOCK()");
    RoutineSource source = shop();
    EXPECT_EQ(RoutineSet(source, {}).hidden(), "");
    source.programs_visible = false;
    EXPECT_EQ(RoutineSet(source, {}).hidden().substr(0, 22), "shop.locks: GET_LOCK()");
}

TEST(Scanner, SeesWhatChangesRoutines) {
    for (const std::string_view text : {"CREATE PROCEDURE p() SELECT 1",
                                        "CREATE DEFINER = a@b FUNCTION f() RETURNS INT RETURN 1",
                                        "CREATE OR REPLACE PROCEDURE p() SELECT 1",
                                        "CREATE AGGREGATE FUNCTION f RETURNS INT SONAME 'x.so'",
                                        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @x = 1",
                                        "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ "
                                        "/*!50003 TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @x = 1 */",
                                        "CREATE ALGORITHM = MERGE VIEW v AS SELECT 1",
                                        "CREATE OR REPLACE VIEW v AS SELECT 1",
                                        "CREATE PACKAGE BODY p AS END",
                                        "ALTER PROCEDURE p COMMENT 'x'",
                                        "ALTER FUNCTION f COMMENT 'x'",
                                        "ALTER VIEW v AS SELECT 1",
                                        "DROP PROCEDURE p",
                                        "DROP FUNCTION IF EXISTS f",
                                        "DROP TRIGGER g",
                                        "DROP VIEW v",
                                        "DROP PACKAGE p",
                                        "DROP DATABASE d",
                                        "CREATE SCHEMA d",
                                        "RENAME TABLE v TO w",
                                        "INSTALL COMPONENT 'x'"}) {
        EXPECT_TRUE(scan(text, {}).changes_routines) << text;
    }
    for (const std::string_view text :
         {"CREATE TABLE t (a INT)", "DROP TABLE t", "ALTER TABLE t DROP a", "SELECT 1", "CALL p()",
          "CREATE INDEX i ON t (a)", "CREATE TEMPORARY TABLE t SELECT 1", "DROP PREPARE s", "RENAME USER a TO b"}) {
        EXPECT_FALSE(scan(text, {}).changes_routines) << text;
    }
}

}  // namespace
}  // namespace tidegate::sql
