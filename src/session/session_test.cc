#include "session/session.h"

#include "session/test_stage.h"

namespace tidegate::session {
namespace {

using sql::Pin;

class SessionTest : public SessionStage {};
class MysqlSessionTest : public MysqlSessionStage {};

TEST_F(SessionTest, HoldsNothingToBeginWithAndAfterPlainStatements) {
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.cleaning(), Cleaning::none);
    EXPECT_FALSE(run("SELECT 1", rows(1)));
    EXPECT_FALSE(run("INSERT INTO t VALUES (1)", ok(status::autocommit, 1)));
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.cleaning(), Cleaning::none);
}

TEST_F(SessionTest, ATransactionHoldsFromItsFirstReplyToItsLast) {
    run("BEGIN", ok(status::autocommit | status::in_transaction));
    EXPECT_EQ(session.hold(), Hold::transaction);
    EXPECT_EQ(session.cleaning(), Cleaning::reset);
    EXPECT_TRUE(session.in_work());
    run("SELECT 1", rows(1, 0, status::autocommit | status::in_transaction));
    EXPECT_EQ(session.hold(), Hold::transaction);
    run("COMMIT", ok());
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_FALSE(session.in_work());
}

TEST_F(SessionTest, AutocommitOffHoldsOnlyWhileATransactionIsOpen) {
    run("SET autocommit = 0", recorded::kAutocommitOff);
    EXPECT_EQ(value_of("autocommit"), "OFF");
    EXPECT_EQ(session.hold(), Hold::none);
    run("SELECT * FROM t", rows(1, 0, status::in_transaction));
    EXPECT_EQ(session.hold(), Hold::transaction);
    run("ROLLBACK", ok(0));
    EXPECT_EQ(session.hold(), Hold::none);
    run("SET autocommit = 1", recorded::kAutocommitOn);
    EXPECT_EQ(value_of("autocommit"), "ON");
    EXPECT_EQ(session.hold(), Hold::none);
}

// Trap 7: the server does not say that it is in a transaction then.
TEST_F(SessionTest, ASavepointHoldsWithoutAutocommit) {
    run("SAVEPOINT a");
    EXPECT_EQ(session.hold(), Hold::none) << "with autocommit it is gone at once";
    run("SET autocommit = 0", recorded::kAutocommitOff);
    run("SAVEPOINT a", ok(0));
    EXPECT_EQ(session.hold(), Hold::transaction);
    EXPECT_EQ(session.cleaning(), Cleaning::reset);
    run("ROLLBACK TO a", ok(0));
    EXPECT_EQ(session.hold(), Hold::transaction);
    run("COMMIT", ok(0));
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, SetTransactionHoldsUntilTheNextOneIsOver) {
    run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    EXPECT_EQ(session.hold(), Hold::next_statement);
    EXPECT_EQ(session.cleaning(), Cleaning::reset);
    run("SELECT 1", rows(1));
    EXPECT_EQ(session.hold(), Hold::next_statement) << "a statement without tables does not use it up";
    run("START TRANSACTION", ok(status::autocommit | status::in_transaction));
    EXPECT_EQ(session.hold(), Hold::transaction);
    run("COMMIT", ok());
    EXPECT_EQ(session.hold(), Hold::none);
    run("SET TRANSACTION READ ONLY", error(1568));
    EXPECT_EQ(session.hold(), Hold::none) << "it failed";
}

TEST_F(SessionTest, SetTransactionIsPutOffWhenSomebodyWaits) {
    const StatePtr before = session.state();
    run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    run("set transaction read only");
    ASSERT_TRUE(session.lets_go());
    session.put_off();
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.state()->next_transaction,
              "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE\nset transaction read only");
    EXPECT_NE(session.state(), before);
    EXPECT_EQ(states.for_prepare(session.state()), states.for_prepare(before));
    session.put_on();
    EXPECT_EQ(session.hold(), Hold::next_statement);
    EXPECT_EQ(session.state(), before);
    EXPECT_TRUE(session.lets_go()) << "once more, if need be";
    run("COMMIT", ok());
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_FALSE(session.lets_go());
    run("SET TRANSACTION READ WRITE");
    session.put_off();
    EXPECT_EQ(session.state()->next_transaction, "SET TRANSACTION READ WRITE") << "those before are over";
}

TEST_F(SessionTest, SetTransactionThatCannotBeRepeatedIsNotPutOff) {
    for (const char* text : {"SET @@transaction_isolation = 'SERIALIZABLE'", "SET TRANSACTION\nREAD ONLY"}) {
        start();
        run(text);
        EXPECT_EQ(session.hold(), Hold::next_statement) << text;
        EXPECT_FALSE(session.lets_go()) << text;
        run("SET TRANSACTION READ WRITE");
        EXPECT_FALSE(session.lets_go()) << text;
    }
    start();
    for (int i = 0; i < 20; ++i) run("SET TRANSACTION READ WRITE");
    EXPECT_FALSE(session.lets_go()) << "too many";
}

TEST_F(SessionTest, ARoleIsAskedForAndCarried) {
    const StatePtr before = session.state();
    for (const char* text : {"SET ROLE r", "SET DEFAULT ROLE r", "SET ROLE r; SELECT 1"}) {
        start();
        session.set_multi_statements(true);
        run(text);
        EXPECT_TRUE(session.role_unknown()) << text;
        session.on_role("`r`");
        EXPECT_FALSE(session.role_unknown()) << text;
        EXPECT_EQ(session.state()->role, "`r`") << text;
        EXPECT_EQ(session.hold(), Hold::none) << text;
        EXPECT_EQ(session.cleaning(), Cleaning::none) << text;
        run("SELECT 1", rows(1));
        EXPECT_FALSE(session.role_unknown()) << text;
    }
    session.on_role("");
    EXPECT_EQ(session.state()->role, "");
    run("SET ROLE r", error(1959));
    EXPECT_TRUE(session.role_unknown()) << "nobody knows what it has done";
    session.on_role(std::nullopt);
    EXPECT_EQ(session.pins(), sql::Pins(Pin::role));
    EXPECT_EQ(session.cleaning(), Cleaning::close);
    run("SET ROLE NONE");
    session.on_role("NONE");
    EXPECT_EQ(session.hold(), Hold::none) << "now it is known again";
}

TEST_F(SessionTest, TheNextTransactionMayBeAStatementWithinWhichItEnds) {
    run("SET TRANSACTION READ ONLY");
    run("COMMIT", ok());
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, PreparedStatementsHoldNothing) {
    Statement* one = prepare("SELECT ?", 1);
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(one->id, 1U) << "a number of the gate's own";
    EXPECT_EQ(prepare("INSERT INTO t VALUES (?)", 1)->id, 2U);
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.cleaning(), Cleaning::none);
    EXPECT_EQ(session.statement(1)->text->facts.kind, sql::Kind::select);
    EXPECT_EQ(session.statement(0xFFFF'FFFF)->text->facts.kind, sql::Kind::insert) << "MariaDB: the last one";
    EXPECT_EQ(session.statement(9), nullptr);
    session.close(*session.statement(1));
    EXPECT_EQ(session.statement(1), nullptr);
    protocol::ReplyWalker::Outcome failed;
    failed.error = true;
    EXPECT_EQ(session.prepared(texts.intern("SELEKT", session.state(), {}), failed), nullptr);
    EXPECT_EQ(session.statement(0xFFFF'FFFF), nullptr) << "the last one could not be prepared";
    start();
    EXPECT_EQ(session.statement(2), nullptr);
}

TEST_F(SessionTest, TheStateForPreparingFollowsTheState) {
    const StatePtr before = session.state_for_prepare();
    run("SET autocommit = 0", recorded::kAutocommitOff);
    EXPECT_EQ(session.state_for_prepare(), before) << "it matters to no text";
    run("SET time_zone = '+03:00'", recorded::kTimeZone);
    EXPECT_NE(session.state_for_prepare(), before);
    start();
    EXPECT_EQ(session.state_for_prepare(), before);
}

TEST_F(SessionTest, AnOpenCursorAndLongDataHold) {
    Statement* one = prepare("SELECT ?", 1);
    session.set_open(*one, true, false);
    EXPECT_EQ(session.pins(), sql::Pins(Pin::cursor));
    EXPECT_EQ(session.hold(), Hold::pinned);
    EXPECT_EQ(session.cleaning(), Cleaning::reset);
    session.set_open(*one, false, true);
    EXPECT_EQ(session.pins(), sql::Pins(Pin::long_data));
    session.set_open(*one, false, false);
    EXPECT_EQ(session.hold(), Hold::none);
    session.set_open(*one, true, true);
    session.close(*one);
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, AStatementThatWorksOnlyWhereItIsHoldsUntilItIsClosed) {
    prepare("SHOW WARNINGS");
    EXPECT_EQ(session.pins(), sql::Pins(Pin::prepared));
    EXPECT_EQ(session.hold(), Hold::pinned);
    session.close(*session.statement(1));
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, EveryPinHolds) {
    const std::pair<const char*, Pin> pins[] = {
        {"SET @`x y` = 1", Pin::user_variable},
        {"CREATE TEMPORARY TABLE t (a INT)", Pin::temporary_table},
        {"SELECT GET_LOCK('a', 1)", Pin::named_lock},
        {"PREPARE s FROM 'SELECT 1'", Pin::text_prepare},
        {"EXECUTE s", Pin::text_execute},
        {"HANDLER t OPEN", Pin::handler},
        {"LOCK TABLES t READ", Pin::lock_tables},
        {"FLUSH TABLES WITH READ LOCK", Pin::flush_lock},
        {"BACKUP STAGE START", Pin::instance_lock},
        {"XA START 'a'", Pin::xa},
        {"CALL p()", Pin::call},
        {"SELECT f()", Pin::unknown_function},
        {"SET profiling = 1", Pin::profiling},
        {"SET STATEMENT max_statement_time = 1 FOR SELECT 1", Pin::set_statement},
        {"SELECT NEXTVAL(s)", Pin::sequence},
        {"SET sql_log_bin = 0", Pin::variable},
        {"SELECT /* tidegate: pin */ 1", Pin::asked},
        {"FROBNICATE", Pin::unknown_statement},
    };
    for (const auto& [text, pin] : pins) {
        start();
        run(text);
        EXPECT_TRUE(session.pins().has(pin)) << text;
        EXPECT_EQ(session.hold(), Hold::pinned) << text;
        const bool survives = pin == Pin::profiling || pin == Pin::xa || pin == Pin::instance_lock ||
                              pin == Pin::sequence || pin == Pin::unknown_statement;
        EXPECT_EQ(session.cleaning(), survives ? Cleaning::close : Cleaning::reset) << text;
        run("SELECT 1", rows(1));
        EXPECT_EQ(session.hold(), Hold::pinned) << text;
    }
    start();
    EXPECT_EQ(session.hold(), Hold::none) << "a reset ends them all";
}

TEST_F(SessionTest, LockedTablesEndByAStatement) {
    run("LOCK TABLES t READ");
    EXPECT_TRUE(session.in_work());
    run("UNLOCK TABLES", error(1192));
    EXPECT_EQ(session.hold(), Hold::pinned);
    run("UNLOCK TABLES");
    EXPECT_EQ(session.hold(), Hold::none);
    run("FLUSH TABLES WITH READ LOCK");
    run("UNLOCK TABLES");
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, MistakesHoldNothing) {
    const std::pair<const char*, std::uint16_t> mistakes[] = {
        {"SELEKT", 1064},
        {"SELECT f(1 FROM t", 1064},
        {"SELECT * FROM missing", 1146},
        {"INSERT INTO t VALUES (1)", 1062},
        {"SELECT @x := 1 FROM missing", 1146},
        {"CREATE TEMPORARY TABLE a SELECT * FROM missing", 1146},
        {"SELECT GET_LOCK('a', 1), missing FROM t", 1054},
        {"SET missing = 1", 1193},
        {"SET sql_mode = 'missing'", 1231},
        {"SET time_zone = '+01:00', sql_mode = 'missing'", 1231},
        {"SET NAMES missing", 1115},
        {"PREPARE s FROM 'SELEKT'", 1064},
        {"EXECUTE missing", 1243},
        {"HANDLER missing OPEN", 1146},
        {"LOCK TABLES missing READ", 1146},
        {"USE missing", 1049},
    };
    for (const auto& [text, code] : mistakes) {
        start();
        EXPECT_FALSE(run(text, error(code))) << text;
        EXPECT_EQ(session.hold(), Hold::none) << text;
        EXPECT_EQ(session.cleaning(), Cleaning::none) << text;
    }
}

TEST_F(SessionTest, WhatMayHaveRunBeforeItFailedHolds) {
    const std::pair<const char*, std::uint16_t> failures[] = {
        {"CALL p()", 1146},                           // within it
        {"SELECT f()", 1054},                         // within it
        {"EXECUTE s", 1146},                          // of the text
        {"SET @a = 1; SELECT * FROM missing", 1146},  // the first was well
        {"SET time_zone = '+01:00', autocommit = 0", 1205},
    };
    for (const auto& [text, code] : failures) {
        start();
        session.set_multi_statements(true);
        (void)run(text, error(code));
        EXPECT_EQ(session.hold(), Hold::pinned) << text;
    }
}

// Trap 2: an error tells no status.
TEST_F(SessionTest, AsksForTheStatusAfterErrorsThatMayHaveChangedIt) {
    EXPECT_FALSE(run("SELECT * FROM missing", error(1146)));
    EXPECT_FALSE(run("BEGIN WORK WORK", error(1064))) << "it has not begun";
    EXPECT_TRUE(run("BEGIN", error(1205)));
    EXPECT_TRUE(run("CALL p()", error(1644)));
    start();
    run("BEGIN", ok(status::autocommit | status::in_transaction));
    EXPECT_TRUE(run("INSERT INTO t VALUES (1)", error(1213))) << "a deadlock ends the transaction";
    EXPECT_EQ(session.hold(), Hold::transaction) << "until it is known";
    session.on_status(status::autocommit);
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, CarriesWhatTheTrackersReport) {
    run("SET time_zone = '+03:00'", recorded::kTimeZone);
    EXPECT_EQ(value_of("time_zone"), "+03:00");
    run("USE p_b", recorded::kUse);
    EXPECT_EQ(session.state()->schema, "p_b");
    run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", recorded::kMariadbIsolation);
    EXPECT_EQ(value_of("tx_isolation"), "READ-COMMITTED");
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.cleaning(), Cleaning::none);
}

TEST_F(SessionTest, AStateChangeThatNoVariableExplainsHolds) {
    run("INSERT INTO t VALUES (1)", recorded::kStateChange);  // a trigger's doing
    EXPECT_TRUE(session.pins().has(Pin::unknown_function));
    EXPECT_EQ(session.hold(), Hold::pinned);
}

TEST_F(SessionTest, MariadbDoesNotReportAnAssignmentToASystemVariable) {
    run("SET @@sql_mode = ''");
    EXPECT_TRUE(session.pins().has(Pin::variable));
}

TEST_F(MysqlSessionTest, ReportsIt) {
    run("SET @@time_zone = '+03:00'", recorded::kTimeZone);
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(value_of("time_zone"), "+03:00");
    run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", recorded::kMysqlIsolation);
    EXPECT_EQ(value_of("transaction_isolation"), "READ-COMMITTED");
    run("BEGIN", recorded::kMysqlBegin);
    EXPECT_EQ(session.hold(), Hold::transaction);
}

TEST_F(SessionTest, AsksForTheCollationThatASetNamesHasNotTold) {
    run("SET NAMES latin1", recorded::kMariadbSetNames);
    EXPECT_EQ(value_of("character_set_client"), "latin1");
    ASSERT_TRUE(session.collation_unknown());
    session.on_collation("latin1_german2_ci");
    EXPECT_FALSE(session.collation_unknown());
    EXPECT_EQ(value_of("collation_connection"), "latin1_german2_ci");
    EXPECT_EQ(session.hold(), Hold::none);
    run("SET time_zone = '+03:00'", recorded::kTimeZone);
    EXPECT_FALSE(session.collation_unknown());
}

TEST_F(MysqlSessionTest, TracksSetNames) {
    run("SET NAMES latin1", recorded::kMysqlSetNames);
    EXPECT_EQ(value_of("character_set_results"), "latin1");
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(SessionTest, ReadsStatementsAsTheSessionHasThemRead) {
    EXPECT_FALSE(session.mode().ansi_quotes);
    session.on_status(status::autocommit | status::no_backslash_escapes);
    EXPECT_TRUE(session.mode().no_backslash_escapes);
    session.start(states.intern({"", {{"character_set_client", "gbk"}, {"sql_mode", "ANSI_QUOTES"}}}), "", false);
    EXPECT_TRUE(session.mode().ansi_quotes);
    EXPECT_TRUE(session.mode().unsafe_multibyte);
    EXPECT_FALSE(session.mode().no_backslash_escapes);
    session.start(states.intern({}), "IGNORE_SPACE", false);
    EXPECT_TRUE(session.mode().ignore_space) << "the server's default";
    EXPECT_FALSE(session.mode().ansi_quotes);
}

TEST_F(SessionTest, MultiStatementsArePartOfTheState) {
    const StatePtr without = session.state();
    session.set_multi_statements(true);
    EXPECT_TRUE(session.mode().multi_statements);
    EXPECT_NE(session.state(), without);
    EXPECT_EQ(session.hold(), Hold::none);
    session.set_multi_statements(false);
    EXPECT_EQ(session.state(), without);
}

TEST_F(SessionTest, SessionModeHoldsFromTheStart) {
    start(true);
    EXPECT_EQ(session.hold(), Hold::session_mode);
    EXPECT_EQ(session.cleaning(), Cleaning::reset);
    start();
    run("/* tidegate: session */ SELECT 1", rows(1));
    EXPECT_EQ(session.hold(), Hold::session_mode);
}

TEST_F(SessionTest, NamesEveryHold) {
    EXPECT_EQ(name_of(Hold::none), "none");
    EXPECT_EQ(name_of(Hold::transaction), "transaction");
    EXPECT_EQ(name_of(Hold::next_statement), "set_transaction");
    EXPECT_EQ(name_of(Hold::pinned), "pinned");
    EXPECT_EQ(name_of(Hold::session_mode), "session_mode");
}

}  // namespace
}  // namespace tidegate::session
