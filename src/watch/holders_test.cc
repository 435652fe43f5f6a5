#include "watch/holders.h"

#include <gtest/gtest.h>

namespace tidegate::watch {
namespace {

Connection sleeper(std::uint64_t id, int pid, Duration time) {
    Connection connection;
    connection.id = id;
    connection.user = "app";
    connection.host = "127.0.0.1";
    connection.command = "Sleep";
    connection.time = time;
    connection.local = Program{.pid = pid, .name = "php worker.php"};
    return connection;
}

TEST(Holders, AreToldAsOneWouldTellAColleague) {
    Snapshot snapshot;
    for (int i = 0; i < 14; ++i)
        snapshot.connections.push_back(sleeper(static_cast<std::uint64_t>(i), 4242 + i, i == 0 ? 8min : 41min));
    const auto groups = group_by(snapshot, 300s, program_of_connection);
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(sentence_of(groups[0]),
              "14 connections: php worker.php (pid 4242 to 4255), sleeping for 8 to 41 minutes");
    EXPECT_EQ(groups[0].idle, 14U);
}

TEST(Holders, TheLargestGroupComesFirst) {
    Snapshot snapshot;
    snapshot.connections = {sleeper(1, 1, 1s), sleeper(2, 2, 1s), sleeper(3, 3, 1s)};
    snapshot.connections[0].user = "cron";
    const auto groups = group_by(snapshot, 300s, account_of);
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].name, "app");
    EXPECT_EQ(groups[0].total, 2U);
}

TEST(Holders, TimesAreInTheLargestUnitThatSaysEnough) {
    EXPECT_EQ(words_of(0s), "0 seconds");
    EXPECT_EQ(words_of(1s), "1 second");
    EXPECT_EQ(words_of(119s), "119 seconds");
    EXPECT_EQ(words_of(120s), "2 minutes");
    EXPECT_EQ(words_of(3h + 5min), "3 hours");
    EXPECT_EQ(words_of(50h), "2 days");
    EXPECT_EQ(words_of(8min, 41min), "8 to 41 minutes");
    EXPECT_EQ(words_of(0s, 41min), "0 to 41 minutes");
    EXPECT_EQ(words_of(5s, 41min), "5 seconds to 41 minutes");
    EXPECT_EQ(words_of(41min, 41min + 20s), "41 minutes");
}

TEST(Holders, PidsAreARangeOrTheFirstFew) {
    EXPECT_EQ(words_of_pids({}), "");
    EXPECT_EQ(words_of_pids({7}), "pid 7");
    EXPECT_EQ(words_of_pids({7, 8, 9}), "pid 7 to 9");
    EXPECT_EQ(words_of_pids({7, 9}), "pid 7, 9");
    EXPECT_EQ(words_of_pids({1, 3, 5, 7, 9, 11}), "pid 1, 3, 5, 7 and 2 more");
}

}  // namespace
}  // namespace tidegate::watch
