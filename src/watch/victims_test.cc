#include "watch/victims.h"

#include <gtest/gtest.h>

namespace tidegate::watch {
namespace {

Connection sleeper(std::uint64_t id, Duration time, const std::string& user = "app") {
    Connection connection;
    connection.id = id;
    connection.user = user;
    connection.host = "10.0.0.7";
    connection.port = 4000;
    connection.schema = "shop";
    connection.command = "Sleep";
    connection.time = time;
    return connection;
}

std::vector<std::uint64_t> ids(const Choice& choice) {
    std::vector<std::uint64_t> found;
    for (const auto& victim : choice.victims) found.push_back(victim.id);
    return found;
}

TEST(Victims, PatternsAreThoseOfFileNames) {
    EXPECT_TRUE(fits("php worker.php", "php*"));
    EXPECT_TRUE(fits("PHP", "p?p"));
    EXPECT_TRUE(fits("aXbXc", "a*X?"));
    EXPECT_TRUE(fits("", "*"));
    EXPECT_TRUE(fits("", ""));
    EXPECT_FALSE(fits("php worker.php", "worker"));
    EXPECT_FALSE(fits("php", "php?"));
    EXPECT_FALSE(fits("ab", "*a"));
    EXPECT_TRUE(fits(std::string(2000, 'a') + "b", "*a*a*a*b"));
}

TEST(Victims, TheLongestSleeperComesFirstAndTheLimitCounts) {
    Snapshot snapshot;
    snapshot.connections = {sleeper(1, 10s), sleeper(2, 30s), sleeper(3, 20s), sleeper(4, 5s)};
    const Filter idle{.idle = 10s};
    EXPECT_EQ(ids(choose(snapshot, idle, Victims::all, 0)), (std::vector<std::uint64_t>{2, 3, 1}));
    EXPECT_EQ(ids(choose(snapshot, idle, Victims::all, 2)), (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(choose(snapshot, idle, Victims::all, 2).beyond_limit, 1U);
    EXPECT_EQ(ids(choose(snapshot, idle, Victims::oldest, 0)), (std::vector<std::uint64_t>{2}));
}

TEST(Victims, OnlyClientsAreEverChosen) {
    Snapshot snapshot;
    for (const Kind kind :
         {Kind::own, Kind::gate, Kind::replica, Kind::binlog_dump, Kind::event_scheduler, Kind::system}) {
        snapshot.connections.push_back(sleeper(snapshot.connections.size(), 1h));
        snapshot.connections.back().kind = kind;
    }
    const auto choice = choose(snapshot, {.idle = 0s}, Victims::all, 0);
    EXPECT_TRUE(choice.victims.empty());
    EXPECT_EQ(choice.spared.size(), 6U);
}

TEST(Victims, FiltersAreJoinedByAndTheirValuesByOr) {
    Snapshot snapshot;
    snapshot.connections = {sleeper(1, 10s, "app"), sleeper(2, 10s, "cron"), sleeper(3, 10s, "root")};
    snapshot.connections[1].schema = "other";
    snapshot.connections[2].in_transaction = 60s;
    EXPECT_EQ(ids(choose(snapshot, {.users = {"app", "cron"}}, Victims::all, 0)).size(), 2U);
    EXPECT_EQ(ids(choose(snapshot, {.users = {"app", "cron"}, .schemas = {"shop"}}, Victims::all, 0)),
              (std::vector<std::uint64_t>{1}));
    EXPECT_EQ(ids(choose(snapshot, {.in_transaction = 30s}, Victims::all, 0)), (std::vector<std::uint64_t>{3}));
    EXPECT_TRUE(choose(snapshot, {.in_transaction = 90s}, Victims::all, 0).victims.empty());
    EXPECT_TRUE(choose(snapshot, {.busy = 1s}, Victims::all, 0).victims.empty());  // they sleep
    EXPECT_TRUE(Filter{}.empty());
    EXPECT_EQ((Filter{.users = {"a", "b"}, .idle = 180s}.text()), "idle for 180 s or more, account a or b");
}

TEST(Victims, AProgramIsFoundByItsNameItsCommandLineOrItsAttribute) {
    auto connection = sleeper(1, 10s);
    connection.program_name = "importer";
    EXPECT_TRUE((Filter{.programs = {"import*"}}.matches(connection)));
    connection.local =
        Program{.pid = 7, .name = "php worker.php", .command = "/usr/bin/php -d a=b worker.php --queue=mail"};
    EXPECT_TRUE((Filter{.programs = {"php worker.php"}}.matches(connection)));
    EXPECT_TRUE((Filter{.programs = {"*--queue=mail"}}.matches(connection)));
    EXPECT_FALSE((Filter{.programs = {"node*"}}.matches(connection)));
}

TEST(Victims, WhoeverHasWokenOrIsAnotherIsNoLongerTheOneThatWasChosen) {
    const auto chosen = sleeper(1, 10s);
    EXPECT_TRUE(is_unchanged(chosen, sleeper(1, 10s)));
    EXPECT_TRUE(is_unchanged(chosen, sleeper(1, 11s)));
    EXPECT_FALSE(is_unchanged(chosen, sleeper(1, 0s)));  // it has worked, and sleeps again
    EXPECT_FALSE(is_unchanged(chosen, sleeper(1, 11s, "root")));
    auto other = sleeper(1, 11s);
    other.port = 4001;
    EXPECT_FALSE(is_unchanged(chosen, other));
    auto at_work = sleeper(1, 11s);
    at_work.command = "Query";
    at_work.statement = "SELECT 1";
    EXPECT_FALSE(is_unchanged(chosen, at_work));
}

}  // namespace
}  // namespace tidegate::watch
