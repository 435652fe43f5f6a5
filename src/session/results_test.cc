#include "session/results.h"

#include "session/test_stage.h"

namespace tidegate::session {
namespace {

class ResultsTest : public SessionStage {
protected:
    Results& results = session.results();
};
class MysqlResultsTest : public MysqlSessionStage {
protected:
    Results& results = session.results();
};

TEST_F(ResultsTest, ANewSessionOfMariadbHasFoundOneRow) {
    EXPECT_EQ(results.row_count(), 0);
    EXPECT_EQ(results.found_rows(), 1U);
    EXPECT_EQ(results.warning_count(), 0);
}

TEST_F(MysqlResultsTest, ANewSessionOfMysqlHasFoundNone) {
    EXPECT_EQ(results.found_rows(), 0U);
}

TEST_F(ResultsTest, RowCountIsOfTheLastReply) {
    run("UPDATE t SET a = 1", ok(status::autocommit, 5));
    EXPECT_EQ(results.row_count(), 5);
    run("SELECT 1", rows(1));
    EXPECT_EQ(results.row_count(), -1);
    run("SET time_zone = '+03:00'", recorded::kTimeZone);
    EXPECT_EQ(results.row_count(), 0);
    run("SELEKT", error(1064));
    EXPECT_EQ(results.row_count(), -1);
    results.pinged();
    EXPECT_EQ(results.row_count(), 0);
    results.prepared({});
    EXPECT_EQ(results.row_count(), 0);
    EXPECT_EQ(results.row_count_left(), Left::as_before);
}

TEST_F(ResultsTest, FoundRowsAreOfTheLastSelectOrShow) {
    run("SELECT * FROM t", rows(3));
    EXPECT_EQ(results.found_rows(), 3U);
    run("UPDATE t SET a = 1", ok(status::autocommit, 5));
    EXPECT_EQ(results.found_rows_left(), Left::as_before);
    run("SELECT * FROM missing", error(1146));
    run("SHOW WARNINGS", rows(1));
    EXPECT_EQ(results.found_rows(), 3U);
    run("SHOW TABLES", rows(2));
    EXPECT_EQ(results.found_rows(), 2U);
    run("SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", rows(1));
    EXPECT_EQ(results.found_rows_left(), Left::on_server);
}

TEST_F(ResultsTest, OfSeveralStatementsTheLastResultSetCounts) {
    Bytes reply = rows(3, 0, status::autocommit | status::more_results);
    Bytes end = ok();
    end[3] = std::byte{7};
    session.set_multi_statements(true);
    run("SELECT * FROM t; COMMIT", add(reply, end));
    EXPECT_EQ(results.found_rows(), 3U);
    EXPECT_EQ(results.row_count(), 0);
}

TEST_F(ResultsTest, MariadbKeepsWarningsOverStatementsWithoutATable) {
    run("SELECT CAST('x' AS SIGNED) FROM t", rows(1, 1));
    EXPECT_EQ(results.warnings_left(), Left::on_server);
    EXPECT_EQ(results.warning_count(), 1);
    for (const char* text : {"SELECT 1", "SELECT LAST_INSERT_ID()", "SET time_zone = '+00:00'", "BEGIN", "COMMIT",
                             "USE x", "SHOW WARNINGS", "SHOW ERRORS"}) {
        run(text);
        EXPECT_EQ(results.warnings_left(), Left::as_before) << text;
        EXPECT_EQ(results.warning_count(), 1) << text;
    }
    run("SELECT * FROM t", rows(1));
    EXPECT_EQ(results.warnings_left(), Left::here);
    EXPECT_EQ(results.warning_count(), 0);
}

TEST_F(MysqlResultsTest, MysqlKeepsThemOverQuestionsAboutThemOnly) {
    run("SELECT CAST('x' AS SIGNED) FROM t", rows(1, 1));
    run("SHOW WARNINGS", rows(1));
    EXPECT_EQ(results.warnings_left(), Left::as_before);
    results.prepared({});
    EXPECT_EQ(results.warnings_left(), Left::here);
    run("SELECT CAST('x' AS SIGNED) FROM t", rows(1, 1));
    run("SELECT 1", rows(1));
    EXPECT_EQ(results.warnings_left(), Left::here);
    EXPECT_EQ(results.warning_count(), 0);
}

TEST_F(ResultsTest, AnErrorIsAWarningToAskTheServerFor) {
    run("SELEKT", error(1064));
    EXPECT_EQ(results.warnings_left(), Left::on_server);
    EXPECT_EQ(results.found_rows_left(), Left::as_before);
    protocol::ReplyWalker::Outcome failed;
    failed.error = true;
    results.prepared(failed);
    EXPECT_EQ(results.warnings_left(), Left::on_server);
    EXPECT_EQ(results.row_count(), -1);
}

TEST_F(ResultsTest, WhatTheGateAnswersLeavesWhatTheServerWouldHaveLeft) {
    run("UPDATE t SET a = 1", ok(status::autocommit, 5, 1));
    results.answered(sql::Bare::show_warnings);
    EXPECT_EQ(results.row_count(), -1);
    EXPECT_EQ(results.found_rows_left(), Left::as_before);
    EXPECT_EQ(results.warnings_left(), Left::as_before);
    run("SELECT * FROM t", rows(3));
    results.answered(sql::Bare::row_count);
    EXPECT_EQ(results.found_rows(), 1U);
    EXPECT_EQ(results.warnings_left(), Left::as_before);
}

TEST_F(MysqlResultsTest, OnMysqlAnAnswerClearsTheWarnings) {
    run("UPDATE t SET a = 1", ok(status::autocommit, 5, 1));
    results.answered(sql::Bare::warning_count);
    EXPECT_EQ(results.warnings_left(), Left::here);
    EXPECT_EQ(results.warning_count(), 0);
}

}  // namespace
}  // namespace tidegate::session
