#include "session/known_sets.h"

#include <gtest/gtest.h>

#include "session/test_stage.h"

namespace tidegate::session {
namespace {

TEST(KnownSets, AreFoundByUserStateAndText) {
    States states;
    const StatePtr plain = states.intern({"app", {}});
    const StatePtr ansi = states.intern({"app", {{"sql_mode", "ANSI"}}});
    KnownSets known;
    known.learn({.user = "shop", .before = plain, .text = "SET sql_mode = ANSI", .after = ansi, .status = 2});
    ASSERT_NE(known.find("shop", plain, "SET sql_mode = ANSI"), nullptr);
    EXPECT_EQ(known.find("shop", plain, "SET sql_mode = ANSI")->after, ansi);
    EXPECT_EQ(known.find("other", plain, "SET sql_mode = ANSI"), nullptr) << "it may lack a privilege";
    EXPECT_EQ(known.find("shop", ansi, "SET sql_mode = ANSI"), nullptr);
    EXPECT_EQ(known.find("shop", plain, "SET sql_mode = ANSI "), nullptr);
    known.clear();
    EXPECT_EQ(known.find("shop", plain, "SET sql_mode = ANSI"), nullptr);
}

TEST(KnownSets, AreBounded) {
    States states;
    const StatePtr state = states.intern({"app", {}});
    KnownSets known;
    for (std::size_t i = 0; i < 3 * KnownSets::kMost; ++i) {
        known.learn(
            {.user = "shop", .before = state, .text = "SET wait_timeout = " + std::to_string(i), .after = state});
        known.learn(
            {.user = "shop", .before = state, .text = "SET wait_timeout = " + std::to_string(i), .after = state});
        ASSERT_LE(known.size(), KnownSets::kMost);
    }
}

class KnownSetsTest : public SessionStage {};

TEST_F(KnownSetsTest, WhatOneSessionLearntMakesAnotherTheSame) {
    const StatePtr before = session.state();
    run("SET NAMES latin1", recorded::kMariadbSetNames);
    const StatePtr after = session.state();
    ASSERT_EQ(session.shown().size(), 3U);
    const KnownSet known{
        .user = "shop", .before = before, .text = "", .after = after, .status = 2, .shown = session.shown()};
    start();
    ASSERT_EQ(session.state(), before);
    session.apply(known, sql::scan("SET NAMES latin1", session.mode()));
    EXPECT_EQ(session.state(), after);
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.results().row_count(), 0);
    run("SELECT 1", rows(1));
    EXPECT_TRUE(session.shown().empty());
}

TEST_F(KnownSetsTest, TheModeOfReadingFollows) {
    const StatePtr ansi = states.with_variables(session.state(), std::vector<Variable>{{"sql_mode", "ANSI_QUOTES"}});
    session.apply({.user = "shop", .before = session.state(), .text = "", .after = ansi, .status = 0x0202},
                  sql::scan("SET sql_mode = ANSI_QUOTES", session.mode()));
    EXPECT_TRUE(session.mode().ansi_quotes);
    EXPECT_TRUE(session.mode().no_backslash_escapes) << "of the status";
}

}  // namespace
}  // namespace tidegate::session
