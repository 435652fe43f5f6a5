// One fault at a time: each is found by its check, with its figures; and what is nearly a fault is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/doctor/checks.h"
#include "watch/doctor/doctor_testing.h"
#include "watch/doctor/memory.h"

namespace tidegate::watch::doctor {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::optional<Finding> found(const Looks& looks, std::string_view id) {
    return check_named(id)->look(looks);
}

// "" where nothing is found.
std::string_view severity(const Looks& looks, std::string_view id) {
    const auto finding = found(looks, id);
    return finding ? name_of(finding->severity) : "";
}

std::string statement_for(const Finding& finding, std::string_view what) {
    for (const auto& change : finding.changes) {
        if (change.what == what) return change.statement;
    }
    return "";
}

TEST(Limits, AFullServerIsCriticalAndItsLimitGrowsByHalf) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "limit-too-low"), "");
    count(looks, "Threads_connected", 140, 144);
    count(looks, "Max_used_connections", 144, 144);
    const auto finding = found(looks, "limit-too-low");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::critical);
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("144 of 151 connections are in use now (95.4 %)")));
    EXPECT_EQ(statement_for(*finding, "max_connections"), "SET GLOBAL max_connections = 230;");
    EXPECT_EQ(finding->changes[0].undo, "SET GLOBAL max_connections = 151;");
}

TEST(Limits, APeakOr1040AskForAttentionAnd1040NowIsCritical) {
    auto looks = healthy();
    count(looks, "Max_used_connections", 127, 127);
    EXPECT_EQ(severity(looks, "limit-too-low"), "");
    count(looks, "Max_used_connections", 129, 129);
    EXPECT_EQ(severity(looks, "limit-too-low"), "attention");
    count(looks, "Connection_errors_max_connections", 3, 3);
    EXPECT_EQ(severity(looks, "limit-too-low"), "attention");
    count(looks, "Connection_errors_max_connections", 3, 4);
    EXPECT_EQ(severity(looks, "limit-too-low"), "critical");
}

TEST(Limits, WhatMariaDBDoesNotCountIsSaid) {
    auto looks = healthy();
    count(looks, "Max_used_connections", 152, 152);
    count(looks, "Aborted_connects", 75, 80);
    EXPECT_THAT(found(looks, "limit-too-low")->evidence,
                Contains(HasSubstr("among its 80 Aborted_connects, 5 of them")));
    looks.second.flavour = Flavour::mysql;
    EXPECT_THAT(found(looks, "limit-too-low")->evidence, Not(Contains(HasSubstr("Aborted_connects"))));
}

TEST(Limits, NoHigherLimitThanTheMemoryHasRoomFor) {
    auto looks = healthy();
    count(looks, "Threads_connected", 151, 151);
    const auto need = memory_need(looks);
    looks.machine.memory = need.with(200) * 10 / 9 + 1024;
    ASSERT_EQ(connections_that_fit(looks), 200);
    EXPECT_EQ(statement_for(*found(looks, "limit-too-low"), "max_connections"), "SET GLOBAL max_connections = 200;");
    looks.machine.memory = need.with(151) * 10 / 9;
    const auto finding = found(looks, "limit-too-low");
    EXPECT_TRUE(finding->changes.empty());
    EXPECT_THAT(finding->steps, Contains(HasSubstr("no room for more")));
}

TEST(Limits, AnAccountAtItsOwnLimit) {
    auto looks = healthy();
    looks.second.accounts[0].max_user_connections = 13;
    EXPECT_EQ(severity(looks, "account-limit-too-low"), "");  // 10 of 13
    looks.second.accounts[0].max_user_connections = 12;
    EXPECT_EQ(severity(looks, "account-limit-too-low"), "attention");
    looks.second.accounts[0].max_user_connections = 10;
    const auto finding = found(looks, "account-limit-too-low");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::critical);
    EXPECT_EQ(statement_for(*finding, "'app'@'%'"), "ALTER USER 'app'@'%' WITH MAX_USER_CONNECTIONS 15;");
    EXPECT_EQ(finding->changes[0].undo, "ALTER USER 'app'@'%' WITH MAX_USER_CONNECTIONS 10;");
}

TEST(Limits, TheServersLimitForEachAccount) {
    auto looks = healthy();
    set(looks, "max_user_connections", "10");
    const auto finding = found(looks, "account-limit-too-low");
    ASSERT_TRUE(finding);
    EXPECT_EQ(statement_for(*finding, "max_user_connections"), "SET GLOBAL max_user_connections = 15;");
}

TEST(Limits, AGateMayUseItsAccountUp) {
    auto looks = healthy();
    looks.second.accounts[0].max_user_connections = 10;
    for (auto& connection : looks.second.connections) connection.kind = Kind::gate;
    EXPECT_EQ(severity(looks, "account-limit-too-low"), "info");
}

TEST(Limits, AnAccountsHostIsChosenAsTheServerChooses) {
    auto looks = healthy();
    looks.second.accounts.push_back({.user = "app", .host = "10.0.0.7", .max_user_connections = 10});
    looks.second.accounts[0].max_user_connections = 100;
    EXPECT_EQ(account_behind(looks.second, looks.second.connections[0])->host, "10.0.0.7");
    looks.second.accounts.back().host = "10.0.0.%";
    EXPECT_EQ(account_behind(looks.second, looks.second.connections[0])->host, "10.0.0.%");
    looks.second.accounts.back().host = "10.0.1.%";
    EXPECT_EQ(account_behind(looks.second, looks.second.connections[0])->host, "%");
}

TEST(Limits, AnAccountsNameCannotEndItsQuotes) {
    auto looks = healthy();
    for (auto& connection : looks.second.connections) connection.user = "o'neil";
    looks.second.accounts[0] = {.user = "o'neil", .host = "%", .max_user_connections = 11};
    EXPECT_THAT(found(looks, "account-limit-too-low")->changes[0].statement,
                HasSubstr("ALTER USER 'o''neil'@'%' WITH"));
}

TEST(Limits, LoginsPerHour) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "logins-per-hour"), "");
    looks.second.accounts[0].max_connections_per_hour = 100;
    EXPECT_EQ(severity(looks, "logins-per-hour"), "info");
    // 7 in 5 s are 5040 in an hour, but they may be the other account's.
    std::erase_if(looks.second.connections, [](const Connection& connection) { return connection.user == "shop"; });
    EXPECT_EQ(severity(looks, "logins-per-hour"), "attention");
}

TEST(Idle, ManySleepersAreNamedWithTheirProgram) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "idle-holders"), "info");
    for (std::uint64_t id = 100; id < 140; ++id) {
        auto connection = sleeper(id, 600s);
        connection.local = program(static_cast<int>(4000 + id), "php worker.php");
        looks.first.connections.push_back(connection);
        looks.second.connections.push_back(connection);
    }
    const auto finding = found(looks, "idle-holders");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("40 connections: php worker.php (pid 4100 to 4139)")));
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("level at 40")));
    for (std::uint64_t id = 140; id < 190; ++id) looks.second.connections.push_back(sleeper(id, 600s));
    count(looks, "Threads_connected", 150, 150);
    EXPECT_EQ(severity(looks, "idle-holders"), "critical");
}

TEST(Idle, AGatesPoolIsNoHolder) {
    auto looks = healthy();
    for (std::uint64_t id = 100; id < 190; ++id) {
        looks.second.connections.push_back(sleeper(id, 600s));
        looks.second.connections.back().kind = Kind::gate;
    }
    EXPECT_EQ(severity(looks, "idle-holders"), "info");
    EXPECT_EQ(looks.idle(), 1U);
}

// Twelve that slept all the time, and `opened` new ones that sleep already.
Looks leaking(std::size_t opened) {
    auto looks = healthy();
    for (std::uint64_t id = 100; id < 112; ++id) {
        looks.first.connections.push_back(sleeper(id, 100s, "shop"));
        looks.second.connections.push_back(sleeper(id, 105s, "shop"));
    }
    for (std::uint64_t id = 200; id < 200 + opened; ++id) looks.second.connections.push_back(sleeper(id, 1s, "shop"));
    return looks;
}

TEST(Idle, NewConnectionsWhileTheOldOnesSleepAreALeak) {
    EXPECT_EQ(severity(leaking(2), "connection-leak"), "");
    const auto finding = found(leaking(5), "connection-leak");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("3600 more in an hour")));
}

TEST(Idle, APoolThatFillsWhileItWorksIsNone) {
    auto looks = leaking(5);
    for (auto& connection : looks.second.connections) {
        if (connection.id >= 100 && connection.id < 112) connection.time = 200ms;  // all were used meanwhile
    }
    EXPECT_EQ(severity(looks, "connection-leak"), "");
}

TEST(Idle, WebWorkersThatKeepTheirConnections) {
    auto looks = healthy();
    for (std::uint64_t id = 100; id < 120; ++id) {
        auto connection = sleeper(id, id < 104 ? 100s : 5s);
        connection.local = program(static_cast<int>(4000 + id), "php-fpm: pool www");
        looks.second.connections.push_back(connection);
    }
    EXPECT_EQ(severity(looks, "persistent-connections"), "info");  // 4 of them
    for (auto& connection : looks.second.connections) {
        if (connection.local) connection.time = 100s;
    }
    EXPECT_EQ(severity(looks, "persistent-connections"), "attention");
    for (auto& connection : looks.second.connections) {
        if (connection.local) connection.local = program(4000, "php worker.php");
    }
    EXPECT_EQ(severity(looks, "persistent-connections"), "");
}

TEST(Timeouts, TheDefaultIsAFaultOnlyWithSleepers) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "idle-timeout-too-long"), "info");
    for (std::uint64_t id = 100; id < 120; ++id) looks.second.connections.push_back(sleeper(id, 600s));
    const auto finding = found(looks, "idle-timeout-too-long");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_EQ(statement_for(*finding, "wait_timeout"), "SET GLOBAL wait_timeout = 600;");
    EXPECT_EQ(finding->changes[0].undo, "SET GLOBAL wait_timeout = 28800;");
    set(looks, "wait_timeout", "600");
    set(looks, "interactive_timeout", "600");
    EXPECT_EQ(severity(looks, "idle-timeout-too-long"), "");
}

TEST(Timeouts, AShortOneIsAFaultWhenItCutsProgramsOff) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "idle-timeout-too-short"), "");
    set(looks, "wait_timeout", "10");
    EXPECT_EQ(severity(looks, "idle-timeout-too-short"), "info");
    count(looks, "Aborted_clients", 90000, 90000);
    EXPECT_EQ(severity(looks, "idle-timeout-too-short"), "attention");
}

TEST(Caches, ThreadsThatAreMadeAgainAndAgain) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "thread-cache-too-small"), "");
    set(looks, "thread_cache_size", "0");
    EXPECT_EQ(severity(looks, "thread-cache-too-small"), "info");  // hardly anybody logs in
    count(looks, "Threads_created", 890000, 890007);
    const auto finding = found(looks, "thread-cache-too-small");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_EQ(statement_for(*finding, "thread_cache_size"), "SET GLOBAL thread_cache_size = 48;");
    set(looks, "thread_handling", "pool-of-threads");
    EXPECT_EQ(severity(looks, "thread-cache-too-small"), "");
}

// MariaDB ends cached threads after five quiet minutes: a quiet server makes a thread for each of its few logins.
TEST(Caches, AQuietServersThreadsAreNoFault) {
    auto looks = healthy();
    count(looks, "Connections", 2000, 2000);
    count(looks, "Threads_created", 1900, 1900);
    EXPECT_EQ(severity(looks, "thread-cache-too-small"), "");
}

TEST(Caches, AShortQueue) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "back-log-too-small"), "");
    set(looks, "back_log", "5");
    const auto finding = found(looks, "back-log-too-small");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_EQ(finding->changes[0].option, "back_log = 80");
    EXPECT_EQ(finding->changes[0].statement, "");  // it takes a restart
    set(looks, "back_log", "80");
    looks.machine.somaxconn = 16;
    EXPECT_EQ(severity(looks, "back-log-too-small"), "attention");
}

TEST(Caches, FewFiles) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "open-files-too-few"), "");
    set(looks, "open_files_limit", "200");
    EXPECT_EQ(severity(looks, "open-files-too-few"), "attention");
    set(looks, "open_files_limit", "1024");
    EXPECT_EQ(severity(looks, "open-files-too-few"), "");
    count(looks, "Open_files", 900, 900);
    EXPECT_EQ(severity(looks, "open-files-too-few"), "attention");
}

TEST(Caches, TablesOpenedAnew) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "table-cache-too-small"), "");
    set(looks, "table_open_cache", "10");
    count(looks, "Table_open_cache_misses", 900000, 901000);
    EXPECT_EQ(severity(looks, "table-cache-too-small"), "");  // nothing was closed for want of room
    count(looks, "Table_open_cache_overflows", 1000, 2000);
    const auto finding = found(looks, "table-cache-too-small");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_EQ(statement_for(*finding, "table_open_cache"), "SET GLOBAL table_open_cache = 2000;");
}

TEST(Memory, TheSumIsShownAndTheLargeBufferNamed) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "memory-beyond-machine"), "");
    set(looks, "sort_buffer_size", "67108864");
    const auto finding = found(looks, "memory-beyond-machine");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("sort_buffer_size 64.0 MB")));
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("+ 151 connections x")));
    EXPECT_EQ(statement_for(*finding, "sort_buffer_size"), "SET GLOBAL sort_buffer_size = 2097152;");
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("net_buffer_length 16 KB")));
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("of the machine's 8.0 GB")));
    looks.machine.memory.reset();
    EXPECT_EQ(severity(looks, "memory-beyond-machine"), "");
}

TEST(Errors, LoginsThatFail) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "aborted-connects"), "");
    count(looks, "Aborted_connects", 28000, 28000);
    EXPECT_EQ(severity(looks, "aborted-connects"), "attention");
    count(looks, "Aborted_connects", 9, 9);
    count(looks, "Connections", 20, 20);
    EXPECT_EQ(severity(looks, "aborted-connects"), "");
}

TEST(Errors, ClientsThatGoWithoutAWord) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "aborted-clients"), "");
    count(looks, "Aborted_clients", 100000, 100000);
    EXPECT_EQ(severity(looks, "aborted-clients"), "attention");
    count(looks, "Aborted_clients", 100, 112);
    count(looks, "Connections", 900000, 900012);
    EXPECT_EQ(severity(looks, "aborted-clients"), "attention");
}

TEST(Errors, InsideTheServer) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "connection-errors"), "");
    count(looks, "Connection_errors_internal", 1, 1);
    EXPECT_EQ(severity(looks, "connection-errors"), "info");
    count(looks, "Connection_errors_internal", 1, 2);
    EXPECT_EQ(severity(looks, "connection-errors"), "attention");
}

TEST(Errors, AHostThatIsBlocked) {
    auto looks = healthy();
    looks.second.host_errors = {{.ip = "10.0.0.9", .host = "", .counts = {{"sum_connect_errors", 99}}}};
    EXPECT_EQ(severity(looks, "host-blocked"), "");
    looks.second.host_errors[0].counts["sum_connect_errors"] = 100;
    const auto finding = found(looks, "host-blocked");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::critical);
    EXPECT_EQ(finding->changes[0].statement, "FLUSH HOSTS;");
    looks.second.flavour = Flavour::mysql;
    EXPECT_EQ(found(looks, "host-blocked")->changes[0].statement, "TRUNCATE TABLE performance_schema.host_cache;");
}

// Connection 18 sleeps in a transaction; `waited_before`: 19 waited for it at the first look already.
Looks in_the_way(Duration asleep, bool waited_before) {
    auto looks = healthy();
    for (auto* snapshot : {&looks.first, &looks.second}) {
        auto& holder = *std::ranges::find(snapshot->connections, 18U, &Connection::id);
        holder.time = asleep;
        holder.in_transaction = asleep + 1s;
        holder.rows_locked = 3;
    }
    const LockWait wait{
        .waiting = 19, .blocking = 18, .waited = 2s, .table = "shop.stock", .statement = "UPDATE stock SET n = 1"};
    if (waited_before) looks.first.lock_waits = {wait};
    looks.second.lock_waits = {wait};
    return looks;
}

TEST(Transactions, OneThatSleepsInTheWayOfOthersIsCritical) {
    EXPECT_EQ(severity(healthy(), "idle-transaction"), "");
    EXPECT_EQ(severity(in_the_way(10s, false), "idle-transaction"), "");
    EXPECT_EQ(severity(in_the_way(10s, false), "lock-wait"), "");
    EXPECT_EQ(severity(in_the_way(90s, false), "idle-transaction"), "attention");
    const auto finding = found(in_the_way(10s, true), "idle-transaction");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::critical);
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("1 connection waits for its locks")));
    EXPECT_THAT(finding->steps, Contains(HasSubstr("KILL 18;")));
    const auto waits = found(in_the_way(10s, true), "lock-wait");
    ASSERT_TRUE(waits);
    EXPECT_THAT(waits->steps, Contains(HasSubstr("KILL 18;")));
}

TEST(Transactions, OneThatHasWokenBetweenTheLooksIsInNobodysWay) {
    auto looks = in_the_way(10s, true);
    std::ranges::find(looks.second.connections, 18U, &Connection::id)->time = 1s;
    EXPECT_EQ(severity(looks, "idle-transaction"), "");
}

TEST(Transactions, StatementsBehindATablesDefinition) {
    auto looks = healthy();
    for (auto* snapshot : {&looks.first, &looks.second}) snapshot->connections.push_back(worker(30, 8s));
    EXPECT_EQ(severity(looks, "lock-wait"), "");
    for (auto* snapshot : {&looks.first, &looks.second})
        snapshot->connections.back().state = "Waiting for table metadata lock";
    EXPECT_EQ(severity(looks, "lock-wait"), "attention");
}

TEST(Transactions, ALongStatementIsOnlyShown) {
    auto looks = healthy();
    looks.second.connections.push_back(worker(30, 90s));
    EXPECT_EQ(severity(looks, "long-statement"), "info");
}

TEST(Accounts, OneThatHoldsMostOfTheServer) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "account-without-limit"), "info");
    for (std::uint64_t id = 100; id < 170; ++id) looks.second.connections.push_back(sleeper(id, 1s));
    const auto finding = found(looks, "account-without-limit");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_EQ(statement_for(*finding, "'app'@'%'"), "ALTER USER 'app'@'%' WITH MAX_USER_CONNECTIONS 113;");
    set(looks, "max_user_connections", "100");
    EXPECT_EQ(severity(looks, "account-without-limit"), "");
    set(looks, "max_user_connections", "0");
    std::erase_if(looks.second.connections, [](const Connection& connection) { return connection.user == "shop"; });
    EXPECT_EQ(severity(looks, "account-without-limit"), "");  // it is the only one here
}

TEST(Accounts, ProgramsThatWorkAsRoot) {
    auto looks = healthy();
    for (std::uint64_t id = 100; id < 103; ++id) {
        looks.second.connections.push_back(sleeper(id, 1s, "root"));
        looks.second.connections.back().host = "localhost";
    }
    EXPECT_EQ(severity(looks, "privileged-program"), "info");
    count(looks, "Threads_connected", 130, 130);
    EXPECT_EQ(severity(looks, "privileged-program"), "attention");
}

TEST(Naming, LookupsThatFailAskForAttention) {
    auto looks = healthy();
    EXPECT_EQ(severity(looks, "name-resolution"), "info");
    looks.second.host_errors = {{.ip = "10.0.0.9", .host = "", .counts = {{"count_nameinfo_permanent_errors", 900}}}};
    EXPECT_EQ(severity(looks, "name-resolution"), "info");  // hosts without a name are usual
    looks.second.host_errors[0].counts = {{"count_nameinfo_transient_errors", 3}};
    EXPECT_EQ(severity(looks, "name-resolution"), "attention");
    looks.second.accounts_by_host_name = 2;
    EXPECT_TRUE(found(looks, "name-resolution")->changes.empty());  // they could not log in any more
    set(looks, "skip_name_resolve", "ON");
    EXPECT_EQ(severity(looks, "name-resolution"), "");
}

TEST(Sizing, LittlesLawWithItsSum) {
    auto looks = healthy();
    looks.running = {9, 8, 10, 9, 9};
    count(looks, "Questions", 1000, 6600);
    looks.own_statements = 100;
    const auto finding = found(looks, "pool-size");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::info);
    // 5500 statements in 5 s, 9 at once: 8.18 ms each; 9 + 2 * 3 + 1.
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("9.00 / 1100.0 = 8.18 ms")));
    EXPECT_THAT(finding->evidence, Contains(HasSubstr(": 16")));
    EXPECT_THAT(finding->title, HasSubstr("16 connections"));
    count(looks, "Questions", 1000, 1110);
    EXPECT_FALSE(found(looks, "pool-size"));  // ten statements tell nothing
}

Looks running(std::vector<Program> programs) {
    auto looks = healthy();
    looks.programs = std::move(programs);
    return looks;
}

TEST(Duplicates, AnImportThatRunsTwice) {
    const auto finding = found(running({program(50, "php import.php"), program(90, "php import.php")}), "runs-twice");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::attention);
    EXPECT_THAT(finding->evidence, Contains(HasSubstr("php import.php runs 2 times in /srv/shop")));
    EXPECT_THAT(finding->steps, Contains("end the younger one: kill 90"));
}

TEST(Duplicates, WhatIsMeantToBeManyIsNone) {
    const auto severity_of = [](std::vector<Program> programs) {
        return severity(running(std::move(programs)), "runs-twice");
    };
    EXPECT_EQ(severity_of({program(50, "php import.php")}), "");
    EXPECT_EQ(severity_of({program(50, "php worker.php"), program(90, "php worker.php")}), "");
    EXPECT_EQ(severity_of({program(50, "php import-worker.php"), program(90, "php import-worker.php")}), "");
    EXPECT_EQ(severity_of({program(50, "php import.php", "/srv/a"), program(90, "php import.php", "/srv/b")}), "");
    EXPECT_EQ(severity_of({program(50, "php import.php"), program(90, "php import.php", "/srv/shop", 50)}),
              "");  // its child
    EXPECT_EQ(severity_of({program(50, "node sync.js", "/srv", 40), program(90, "node sync.js", "/srv", 40)}),
              "");  // a pool
    EXPECT_EQ(severity_of({program(1, "php sync.php"), program(2, "php sync.php"), program(3, "php sync.php"),
                           program(4, "php sync.php")}),
              "");
}

TEST(Duplicates, WhatCronStartsIsSingleWhateverItsName) {
    auto looks = running({program(50, "php mails.php", "/srv", 45), program(90, "php mails.php", "/srv", 85)});
    EXPECT_EQ(severity(looks, "runs-twice"), "");
    looks.by_cron = {50, 90};
    EXPECT_EQ(severity(looks, "runs-twice"), "attention");
}

Looks with_gate() {
    auto looks = healthy();
    looks.gate = GateSays{.version = "1",
                          .limit = 100,
                          .configured = std::nullopt,
                          .reserve = 3,
                          .peak = 40,
                          .granted = 100000,
                          .wait_timeout = 30s,
                          .idle_timeout = 60s};
    for (auto& connection : looks.second.connections) connection.kind = Kind::gate;
    return looks;
}

TEST(Gate, AGateThatIsWellIsLeftInPeace) {
    for (const auto& finding : diagnose(with_gate())) EXPECT_EQ(finding.severity, Severity::info) << finding.id;
}

TEST(Gate, ItsSettings) {
    auto looks = with_gate();
    looks.gate->configured = 400;
    EXPECT_EQ(severity(looks, "gate-limit"), "info");
    looks.gate->refused_by_server = 5;
    EXPECT_EQ(severity(looks, "gate-limit"), "attention");

    looks.gate->reserve = 0;
    EXPECT_EQ(severity(looks, "gate-without-reserve"), "");  // 51 are left to others
    looks.gate->limit = 151;
    EXPECT_EQ(severity(looks, "gate-without-reserve"), "attention");

    looks.gate->refused_clients = 5;
    EXPECT_EQ(severity(looks, "gate-refuses"), "info");
    looks.gate->refused_clients = 5000;
    EXPECT_EQ(severity(looks, "gate-refuses"), "attention");

    looks.gate->waited = 1000;
    looks.gate->wait_p99 = 5;
    EXPECT_EQ(severity(looks, "gate-wait-too-short"), "");
    looks.gate->wait_p99 = 20;
    EXPECT_EQ(severity(looks, "gate-wait-too-short"), "attention");

    set(looks, "wait_timeout", "30");
    EXPECT_EQ(severity(looks, "gate-idle-timeout"), "info");
}

TEST(Gate, ProgramsPastIt) {
    auto looks = with_gate();
    EXPECT_EQ(severity(looks, "gate-bypassed"), "");
    for (std::uint64_t id = 100; id < 150; ++id) looks.second.connections.push_back(sleeper(id, 1s));
    EXPECT_EQ(severity(looks, "gate-bypassed"), "info");
    looks.gate->waiting = 3;
    EXPECT_EQ(severity(looks, "gate-bypassed"), "attention");
}

}  // namespace
}  // namespace tidegate::watch::doctor
