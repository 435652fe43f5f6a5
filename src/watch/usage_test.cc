#include "watch/usage.h"

#include <gtest/gtest.h>

namespace tidegate::watch {
namespace {

// So many clients of an account, each asleep for `time`.
void add(Snapshot& snapshot, const std::string& user, std::size_t count, Duration time) {
    for (std::size_t i = 0; i < count; ++i) {
        Connection connection;
        connection.id = snapshot.connections.size() + 1;
        connection.user = user;
        connection.command = "Sleep";
        connection.time = time;
        snapshot.connections.push_back(std::move(connection));
    }
    snapshot.status["Threads_connected"] = std::to_string(snapshot.connections.size());
}

Snapshot server(std::uint64_t limit) {
    Snapshot snapshot;
    snapshot.own_account = "app@%";
    snapshot.variables["max_connections"] = std::to_string(limit);
    snapshot.variables["max_user_connections"] = "0";
    return snapshot;
}

TEST(Usage, IsSaidAsTheIncidentsMonitorDid) {
    EXPECT_EQ((Usage{.used = 3, .limit = 50}.text()), "3 / 50 (6.0%)");
    EXPECT_EQ((Usage{.used = 3, .limit = 0}.text()), "3, no limit known");
}

TEST(Usage, AttentionFromEightyPercentCriticalFromNinetyFive) {
    EXPECT_EQ((Usage{.used = 79, .limit = 100}.level()), Level::well);
    EXPECT_EQ((Usage{.used = 80, .limit = 100}.level()), Level::attention);
    EXPECT_EQ((Usage{.used = 94, .limit = 100}.level()), Level::attention);
    EXPECT_EQ((Usage{.used = 95, .limit = 100}.level()), Level::critical);
    EXPECT_EQ((Usage{.used = 5, .limit = 0}.level()), Level::well);
}

TEST(Usage, AnAccountsOwnLimitGoesBeforeTheOneForAll) {
    auto snapshot = server(100);
    snapshot.variables["max_user_connections"] = "50";
    snapshot.accounts = {{.user = "app", .host = "%", .max_user_connections = 10},
                         {.user = "app", .host = "localhost", .max_user_connections = 5},
                         {.user = "cron", .host = "%"}};
    add(snapshot, "app", 4, 1s);
    add(snapshot, "cron", 4, 1s);
    const auto all = usages(snapshot);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].of, "server");
    EXPECT_EQ(all[1].text(), "4 / 5 (80.0%)");  // the smaller of the two that bear the name
    EXPECT_EQ(all[1].limit_name, "MAX_USER_CONNECTIONS of 'app'@'localhost'");
    EXPECT_EQ(all[2].text(), "4 / 50 (8.0%)");
    EXPECT_EQ(tightest(all).of, "account app");
}

TEST(Usage, TheServersOwnThreadsHoldNothing) {
    auto snapshot = server(10);
    add(snapshot, "app", 2, 1s);
    snapshot.connections[0].kind = Kind::system;
    EXPECT_EQ(counts(snapshot, 0s).total, 1U);
    EXPECT_EQ(snapshot.held(), 1U);
}

TEST(Verdict, AFullServerIsCriticalAndNamesWhoIsIdle) {
    auto snapshot = server(10);
    add(snapshot, "app", 10, 10min);
    for (auto& connection : snapshot.connections) connection.local = Program{.pid = 7, .name = "php worker.php"};
    const auto said = verdict(snapshot, 300s, 60s);
    EXPECT_EQ(said.level, Level::critical);
    EXPECT_NE(said.sentence.find("10 / 10 (100.0%)"), std::string::npos);
    EXPECT_NE(said.sentence.find("no room is left"), std::string::npos);
    ASSERT_FALSE(said.advice.empty());
    EXPECT_NE(said.advice.front().find("10 by php worker.php"), std::string::npos);
    EXPECT_NE(said.advice.front().find("tidegate status --kill-idle --max-idle 300"), std::string::npos);
}

TEST(Verdict, ABusyFullServerIsNotToldToEndAnybody) {
    auto snapshot = server(10);
    add(snapshot, "app", 10, 1s);
    for (auto& connection : snapshot.connections) connection.command = "Query";
    const auto said = verdict(snapshot, 300s, 60s);
    EXPECT_EQ(said.level, Level::critical);
    for (const auto& advice : said.advice) EXPECT_EQ(advice.find("--kill-idle"), std::string::npos) << advice;
    EXPECT_NE(said.advice.front().find("tidegate serve"), std::string::npos);
}

TEST(Verdict, AWellServerHasNoAdvice) {
    auto snapshot = server(100);
    add(snapshot, "app", 3, 1s);
    const auto said = verdict(snapshot, 300s, 60s);
    EXPECT_EQ(said.level, Level::well);
    EXPECT_TRUE(said.advice.empty());
}

}  // namespace
}  // namespace tidegate::watch
