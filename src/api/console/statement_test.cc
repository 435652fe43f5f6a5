#include "api/console/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::api::console {
namespace {

using testing::HasSubstr;
using What = Statement::What;

Statement parsed(std::string_view text) {
    auto statement = parse(text);
    EXPECT_TRUE(statement) << text << ": " << (statement ? "" : statement.error().message);
    return statement.value_or(Statement{});
}

TEST(Statement, IsAShowWithAName) {
    EXPECT_EQ(parsed("SHOW POOLS").name, "POOLS");
    EXPECT_EQ(parsed("show pools;").name, "POOLS");
    EXPECT_EQ(parsed("  Show\n full /* all */ processlist ; ").name, "PROCESSLIST");
    EXPECT_EQ(parsed("SHOW CHARACTER SET").name, "CHARACTER SET");
    EXPECT_EQ(parsed("SHOW TABLES FROM `tidegate`").name, "TABLES");
    EXPECT_EQ(parsed("help").name, "HELP");
    EXPECT_EQ(parsed("-- a word\nSHOW CLIENTS # more").name, "CLIENTS");
    EXPECT_EQ(parsed("SHOW POOLS").like, std::nullopt);
    EXPECT_EQ(parsed("SHOW STATS LIKE 'wait%'").like, "wait%");
    EXPECT_EQ(parsed("SHOW STATS LIKE \"a\\_b\"").like, "a\\_b");
    EXPECT_EQ(parsed("SHOW STATS LIKE 'it''s'").like, "it's");
}

TEST(Statement, IsAnOrder) {
    EXPECT_EQ(parsed("PAUSE").what, What::pause);
    EXPECT_EQ(parsed("resume;").what, What::resume);
    EXPECT_EQ(parsed("Reload").what, What::reload);
    EXPECT_EQ(parsed("KILL 1073741825").what, What::kill);
    EXPECT_EQ(parsed("KILL 1073741825").id, 1073741825U);
    EXPECT_FALSE(parsed("KILL CONNECTION 7").query_only);
    EXPECT_TRUE(parsed("kill query 7;").query_only);
}

TEST(Statement, IsWhatClientsAskByThemselves) {
    const auto comment = parsed("select @@version_comment limit 1");
    ASSERT_EQ(comment.items.size(), 1U);
    EXPECT_EQ(comment.items[0].name, "version_comment");
    EXPECT_EQ(comment.items[0].column, "@@version_comment");
    const auto status = parsed("select DATABASE(), USER() limit 1");
    ASSERT_EQ(status.items.size(), 2U);
    EXPECT_EQ(status.items[0].kind, Statement::Item::Kind::function);
    EXPECT_EQ(status.items[1].name, "user");
    EXPECT_EQ(status.items[1].column, "USER()");
    const auto driver = parsed(
        "/* connector */SELECT  @@session.auto_increment_increment AS auto_increment_increment, "
        "@@global.`max_allowed_packet` m, 1, 'x' AS \"y z\", NULL, CURRENT_USER FROM DUAL");
    ASSERT_EQ(driver.items.size(), 6U);
    EXPECT_EQ(driver.items[0].name, "auto_increment_increment");
    EXPECT_EQ(driver.items[0].column, "auto_increment_increment");
    EXPECT_EQ(driver.items[1].name, "max_allowed_packet");
    EXPECT_EQ(driver.items[1].column, "m");
    EXPECT_EQ(driver.items[2].name, "1");
    EXPECT_EQ(driver.items[3].column, "y z");
    EXPECT_TRUE(driver.items[4].null);
    EXPECT_EQ(driver.items[5].name, "current_user");
    for (const char* text : {"SET NAMES utf8mb4", "SET autocommit=1, @a := 'x;y'", "/*!40101 SET @x = 1 */", "BEGIN",
                             "START TRANSACTION", "COMMIT", "rollback;"})
        EXPECT_EQ(parsed(text).what, What::settle) << text;
    EXPECT_EQ(parsed("USE `tide``gate`").name, "tide`gate");
}

TEST(Statement, SaysWhatThereIsWhereItIsNone) {
    for (const char* text : {"SELECT * FROM t",
                             "SELECT $$",
                             "SELECT 1 FROM t",
                             "DELETE FROM t",
                             "SHOW",
                             "SHOW POOLS LIKE",
                             "SHOW POOLS; PAUSE",
                             "KILL",
                             "KILL x",
                             "KILL 99999999999",
                             "KILL 1 2",
                             "KILL 1.5",
                             "PAUSE shop",
                             "SELECT",
                             "SELECT sleep(10)",
                             "SELECT 'open",
                             "USE",
                             "START",
                             "(",
                             "SELECT @x",
                             "SELECT 1 AS",
                             "DROP TABLE tidegate.clients"}) {
        const auto statement = parse(text);
        ASSERT_FALSE(statement) << text;
        EXPECT_EQ(statement.error().code, 1064) << text;
        EXPECT_THAT(statement.error().message, HasSubstr("SHOW HELP")) << text;
    }
    EXPECT_EQ(parse("SHOW CLIENTS WHERE id = 1").error().code, 1235);
    for (const char* text : {"", " ", ";", "-- nothing", "/* nothing"})
        EXPECT_EQ(parse(text).error().code, 1065) << text;
}

TEST(Like, FitsAsAServersDoes) {
    EXPECT_TRUE(is_like("wait_seconds_p50", "wait%"));
    EXPECT_TRUE(is_like("Shop", "shop"));
    EXPECT_TRUE(is_like("shop", "s_o%p"));
    EXPECT_TRUE(is_like("", "%"));
    EXPECT_TRUE(is_like("a_b", "a\\_b"));
    EXPECT_TRUE(is_like("aXbXc", "%X%c"));
    EXPECT_FALSE(is_like("axb", "a\\_b"));
    EXPECT_FALSE(is_like("shop", "sho"));
    EXPECT_FALSE(is_like("shop", "hop"));
    EXPECT_FALSE(is_like("", "_"));
    EXPECT_FALSE(is_like("abc", "%b"));
}

}  // namespace
}  // namespace tidegate::api::console
