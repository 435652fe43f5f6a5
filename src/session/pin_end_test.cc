// Pins end with the last of their causes, and not before.
#include "session/test_stage.h"

namespace tidegate::session {
namespace {

using sql::Pin;
using Pins = sql::Pins;

class PinEnd : public SessionStage {};

TEST_F(PinEnd, TemporaryTables) {
    run("CREATE TEMPORARY TABLE a (x INT)");
    run("CREATE TEMPORARY TABLE b SELECT 1");
    run("DROP TABLE a");
    EXPECT_EQ(session.pins(), Pins(Pin::temporary_table));
    run("DROP TEMPORARY TABLE IF EXISTS b, c", recorded::kStateChange);  // as both servers report it
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.cleaning(), Cleaning::none);
}

TEST_F(PinEnd, OfATableInAnotherSchemaIsAnother) {
    run("CREATE TEMPORARY TABLE a (x INT)");
    run("DROP TABLE other.a");
    EXPECT_EQ(session.hold(), Hold::pinned);
    run("DROP TABLE app.a");
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(PinEnd, AFailedDropGivesNothingBack) {
    run("CREATE TEMPORARY TABLE a (x INT)");
    run("DROP TABLE a, b", error(1051));
    session.on_status(status::autocommit);
    EXPECT_EQ(session.hold(), Hold::pinned);
}

TEST_F(PinEnd, ADropThatWasRefusedGivesNothingBackLater) {
    run("CREATE TEMPORARY TABLE a (x INT)");
    run("DROP TABLE a", error(1142));
    session.on_status(status::autocommit);
    run("SELECT 1", rows(1));
    EXPECT_EQ(session.hold(), Hold::pinned);
}

TEST_F(PinEnd, ATableThatMayHaveAnotherNameHoldsForGood) {
    for (const auto* renames : {"ALTER TABLE a RENAME c", "RENAME TABLE a TO c", "SELECT 1; ALTER TABLE a RENAME c"}) {
        start();
        session.set_multi_statements(true);
        run("CREATE TEMPORARY TABLE a (x INT)");
        run(renames);
        run("CREATE TEMPORARY TABLE a (x INT)");
        run("DROP TABLE a");
        EXPECT_EQ(session.hold(), Hold::pinned) << renames;
    }
}

TEST_F(PinEnd, OneThatHasNoKnownNameHoldsForGood) {
    run("CREATE TEMPORARY TABLE `a``b` (x INT)");
    run("CREATE TEMPORARY TABLE a (x INT)");
    run("DROP TABLE a");
    EXPECT_EQ(session.hold(), Hold::pinned);
}

TEST_F(PinEnd, TheServerIsAskedForLocks) {
    run("SELECT GET_LOCK('A', 0), GET_LOCK('b', 0)", rows(1));
    EXPECT_EQ(session.locks_question(), "");
    run("SELECT RELEASE_LOCK('a')", rows(1));
    EXPECT_EQ(
        session.locks_question(),
        "SELECT COALESCE(IS_USED_LOCK('a') = CONNECTION_ID(), 0) OR COALESCE(IS_USED_LOCK('b') = CONNECTION_ID(), 0)");
    session.on_locks(true);
    EXPECT_EQ(session.locks_question(), "");
    EXPECT_EQ(session.pins(), Pins(Pin::named_lock));
    run("DO RELEASE_LOCK('b')");
    EXPECT_NE(session.locks_question(), "");
    session.on_locks(false);
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(PinEnd, OfALockWithoutAKnownNameTheServerCannotBeAsked) {
    run("SELECT GET_LOCK(CONCAT('a', 1), 0)", rows(1));
    run("SELECT RELEASE_LOCK('a1')", rows(1));
    EXPECT_EQ(session.locks_question(), "");
    EXPECT_EQ(session.hold(), Hold::pinned);
    run("SELECT RELEASE_ALL_LOCKS()", rows(1));
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(PinEnd, ANameWithQuotesNeverBecomesPartOfTheQuestion) {
    run(R"(SELECT GET_LOCK("a') OR (SELECT 1) OR IS_USED_LOCK('a", 0))", rows(1));
    run("SELECT RELEASE_LOCK('a')", rows(1));
    EXPECT_EQ(session.locks_question(), "");
    EXPECT_EQ(session.hold(), Hold::pinned);
}

TEST_F(PinEnd, AllLocksMayBeTakenAgainInTheSameBreath) {
    run("SELECT GET_LOCK('a', 0)", rows(1));
    run("SELECT RELEASE_ALL_LOCKS(), GET_LOCK('a', 0)", rows(1));
    EXPECT_NE(session.locks_question(), "");
    EXPECT_EQ(session.hold(), Hold::pinned);
}

TEST_F(PinEnd, HandlersAndPreparedTexts) {
    run("HANDLER t OPEN AS x");
    run("HANDLER t CLOSE", error(1109));
    EXPECT_EQ(session.hold(), Hold::pinned);
    run("HANDLER x CLOSE");
    EXPECT_EQ(session.hold(), Hold::none);
    run("PREPARE P FROM 'SELECT 1'");
    EXPECT_EQ(session.hold(), Hold::pinned);
    run("DEALLOCATE PREPARE p", recorded::kStateChange);
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(PinEnd, OtherPinsStay) {
    run("SET sql_log_bin = 0");
    run("CREATE TEMPORARY TABLE a (x INT)");
    run("DROP TABLE a");
    EXPECT_EQ(session.pins(), Pins(Pin::variable));
}

}  // namespace
}  // namespace tidegate::session
