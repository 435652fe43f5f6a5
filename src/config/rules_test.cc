// [[rule]]: whose session, which statement.
#include "config/rules.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate::config {
namespace {

TEST(FoldedStatement, IsTheBeginningWithoutSpacesAndComments) {
    EXPECT_EQ(FoldedStatement("  CALL\t Nightly_Report ( 1 )\n").text(), "call nightly_report ( 1 )");
    EXPECT_EQ(FoldedStatement("/* app */ -- and\n # more\n/**/SELECT  1").text(), "select 1");
    EXPECT_EQ(FoldedStatement("/*!50000 SELECT 1 */").text(), "/*!50000 select 1 */");
    EXPECT_EQ(FoldedStatement("").text(), "");
    EXPECT_EQ(FoldedStatement("/* without an end").text(), "");
    EXPECT_EQ(FoldedStatement("--1").text(), "--1");
    EXPECT_EQ(FoldedStatement(std::string(1000, 'x')).text().size(), FoldedStatement::kMost);
}

Rule rule(ClassMatch who, std::string statement) {
    return {.who = std::move(who), .statement = std::move(statement)};
}

TEST(Rules, AreFoundBySession) {
    Config config;
    config.rules.push_back(rule({.user = "report*", .address = {}, .program = {}}, ""));
    config.rules.back().mode = PoolMode::session;
    config.rules.push_back(rule({.user = {}, .address = {}, .program = "backup"}, ""));
    config.rules.back().mode = PoolMode::transaction;
    config.rules.back().trust_calls = true;
    config.rules.push_back(rule({.user = {}, .address = "10.0.0.0/8", .program = {}}, "call a*"));
    config.rules.back().pin = true;

    EXPECT_FALSE(rules_of(config, "shop", "127.0.0.1", "php").any());
    EXPECT_EQ(rules_of(config, "report_1", "127.0.0.1", "php").mode, PoolMode::session);
    const SessionRules both = rules_of(config, "report_1", "127.0.0.1", "backup");
    EXPECT_EQ(both.mode, PoolMode::session) << "the first that has one";
    EXPECT_TRUE(both.trust_calls);
    EXPECT_TRUE(both.wish_for("SELECT 1").trust_calls);
    EXPECT_EQ(rules_of(config, "shop", "10.1.2.3", "").statements.size(), 1U);
}

TEST(Rules, AreFoundByStatement) {
    SessionRules rules;
    rules.statements.push_back(rule({}, "call nightly_*"));
    rules.statements.back().trust_calls = true;
    rules.statements.push_back(rule({}, "call nightly_lock"));
    rules.statements.back().pin = true;
    EXPECT_TRUE(rules.wish_for("CALL Nightly_report(1)").trust_calls);
    EXPECT_FALSE(rules.wish_for("CALL nightly_report(1)").pin);
    EXPECT_TRUE(rules.wish_for("/* x */call\n  nightly_lock(1)").pin) << "a beginning";
    EXPECT_TRUE(rules.wish_for("call nightly_lock").trust_calls) << "all that fit";
    EXPECT_FALSE(rules.wish_for("CALL nightly").trust_calls);
    EXPECT_FALSE(rules.wish_for("SELECT 'call nightly_lock'").pin);
    EXPECT_TRUE(rules.wish_for("CALL nightly_lock(" + std::string(5000, '1') + ")").pin);
}

}  // namespace
}  // namespace tidegate::config
