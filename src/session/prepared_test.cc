#include "session/prepared.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/execute.h"
#include "sql/scanner.h"

namespace tidegate::session {
namespace {

class PreparedTest : public testing::Test {
protected:
    StatePtr state(std::string schema, std::vector<Variable> variables = {}) {
        return states.intern({std::move(schema), std::move(variables)});
    }
    PreparedTextPtr text(std::string_view sql, const StatePtr& in) {
        return texts.intern(sql, states.for_prepare(in), sql::scan(sql, {}));
    }
    PreparedTextPtr text(std::string_view sql) { return text(sql, state("app")); }

    States states;
    PreparedTexts texts;
};

TEST_F(PreparedTest, SharedBetweenThoseWhoMeanTheSame) {
    const auto one = text("SELECT ?");
    EXPECT_EQ(one, text("SELECT ?"));
    EXPECT_NE(one, text("SELECT  ?"));
    EXPECT_NE(one, text("SELECT ?", state("other"))) << "Trap 6: another schema is another table";
    EXPECT_NE(one, text("SELECT ?", state("app", {{"sql_mode", "ANSI_QUOTES"}})));
    EXPECT_NE(one, text("SELECT ?", state("app", {{"character_set_client", "latin1"}})));
    EXPECT_NE(one, text("SELECT ?", state("app", {{"collation_connection", "utf8mb4_bin"}})));
    EXPECT_EQ(one, text("SELECT ?", state("app", {{"autocommit", "OFF"}, {"wait_timeout", "9"}})));
    EXPECT_EQ(one->facts.kind, sql::Kind::select);
    EXPECT_TRUE(one->shared);
}

TEST_F(PreparedTest, TextsThatNobodyHasAreForgotten) {
    for (int i = 0; i < 1000; ++i) (void)text("SELECT " + std::to_string(i));
    EXPECT_LT(texts.size(), 200U);
}

TEST_F(PreparedTest, QuestionsAboutTheStatementBeforeAreNotShared) {
    EXPECT_FALSE(text("SELECT ROW_COUNT()")->shared);
    EXPECT_FALSE(text("SHOW WARNINGS")->shared);
    EXPECT_FALSE(text("SELECT FOUND_ROWS() + ?")->shared);
    EXPECT_NE(text("SHOW WARNINGS"), text("SHOW WARNINGS"));
    EXPECT_TRUE(text("SELECT LAST_INSERT_ID()")->shared) << "that is carried over";
}

TEST_F(PreparedTest, DatabaseWithoutASchemaIsNotShared) {
    const auto none = state("");
    EXPECT_FALSE(text("SELECT DATABASE()", none)->shared);
    EXPECT_FALSE(text("SELECT a.b, schema /* */ () FROM a.t", none)->shared);
    EXPECT_FALSE(text("SELECT database\n-- yes\n()", none)->shared);
    EXPECT_TRUE(text("SELECT * FROM information_schema.TABLES WHERE table_schema = ?", none)->shared);
    EXPECT_TRUE(text("SELECT 'in the database'", none)->shared);
    EXPECT_TRUE(text("SELECT DATABASE()", state("app"))->shared);
}

TEST_F(PreparedTest, AStateForPreparingTouchesNoTransaction) {
    const auto then = state("app", {{"autocommit", "ON"}, {"sql_mode", "ANSI"}});
    const auto prepared = states.for_prepare(then);
    EXPECT_EQ(states.preparing(then, prepared), then) << "nothing has changed";
    const auto now = state("other", {{"autocommit", "OFF"}, {"time_zone", "+01:00"}});
    const auto there = states.preparing(now, prepared);
    EXPECT_EQ(there->schema, "app");
    EXPECT_EQ(restoring_statement(*now, *there), "SET @@session.sql_mode='ANSI',@@session.time_zone=DEFAULT");
    EXPECT_EQ(restoring_statement(*there, *now), "SET @@session.sql_mode=DEFAULT,@@session.time_zone='+01:00'");
    EXPECT_EQ(states.preparing(now, states.for_prepare(state("")))->schema, "other") << "any schema will do";
}

TEST_F(PreparedTest, NumbersAreTheClientsOwn) {
    Statements all;
    EXPECT_EQ(all.find(1, true), nullptr);
    EXPECT_EQ(all.find(protocol::kLastPrepared, true), nullptr);
    EXPECT_EQ(all.next_id(), 1U);
    EXPECT_EQ(all.add(text("SELECT 1"), 0).id, 1U);
    EXPECT_EQ(all.add(text("SELECT ?"), 1).id, 2U);
    EXPECT_EQ(all.find(1, false)->text, text("SELECT 1"));
    EXPECT_EQ(all.find(protocol::kLastPrepared, true)->id, 2U);
    EXPECT_EQ(all.find(protocol::kLastPrepared, false), nullptr) << "MySQL has no such number";
    all.close(*all.find(1, false));
    EXPECT_EQ(all.find(1, false), nullptr);
    EXPECT_EQ(all.find(2, false)->parameters, 1U);
    all.failed();
    EXPECT_EQ(all.find(protocol::kLastPrepared, true), nullptr);
    all.clear();
    EXPECT_EQ(all.find(2, false), nullptr);
    EXPECT_EQ(all.next_id(), 3U) << "an old number never means a new statement";
}

TEST_F(PreparedTest, PinsAreThoseOfTheStatements) {
    Statements all;
    Statement& one = all.add(text("SELECT ?"), Statement::kMostParameters);
    EXPECT_TRUE(all.pins().none());
    one.cursor = true;
    EXPECT_EQ(all.pins(), sql::Pins(sql::Pin::cursor));
    one.cursor = false;
    one.long_data = true;
    EXPECT_EQ(all.pins(), sql::Pins(sql::Pin::long_data));
    one.long_data = false;
    all.add(text("SELECT ?, .."), Statement::kMostParameters + 1);
    EXPECT_EQ(all.pins(), sql::Pins(sql::Pin::prepared));
    all.close(*all.find(2, false));
    EXPECT_TRUE(all.pins().none());
}

}  // namespace
}  // namespace tidegate::session
