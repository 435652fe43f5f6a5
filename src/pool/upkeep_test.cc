// What time and changed figures do: deadlines, retirement, limits that go down, the log.
#include <set>

#include "pool/test_stage.h"

namespace tidegate::pool {
namespace {

class UpkeepTest : public Stage {
protected:
    UpkeepTest()
        : Stage({.wait_timeout = 30s, .idle_timeout = 60s, .max_age = 1h},
                {.max_connections = 20, .opening_at_once = 20}) {}

    std::vector<Request*> serve_many(int count, Key key = {}) {
        std::vector<Request*> users;
        for (int i = 0; i < count; ++i) users.push_back(&served(key));
        return users;
    }
};

TEST_F(UpkeepTest, EverybodyIsRefusedAtHisOwnDeadline) {
    serve_many(20);
    Request& standard = asking();
    Request& impatient = client();
    impatient.wait_timeout = 5s;
    ask(impatient);
    Request& patient = client();
    patient.wait_timeout = 10min;
    ask(patient);
    for (Duration passed = 0s; passed < 5s - 100ms; passed += 100ms) tick(100ms);
    EXPECT_EQ(refusal_of(impatient), nullptr);
    tick(100ms);
    EXPECT_NE(refusal_of(impatient), nullptr);
    for (Duration passed = 5s; passed < 30s - 100ms; passed += 100ms) tick(100ms);
    EXPECT_EQ(refusal_of(standard), nullptr);
    tick(100ms);
    EXPECT_NE(refusal_of(standard), nullptr);
    for (Duration passed = 30s; passed < 10min - 100ms; passed += 100ms) tick(100ms);
    EXPECT_EQ(refusal_of(patient), nullptr);
    tick(200ms);
    EXPECT_NE(refusal_of(patient), nullptr);
    EXPECT_EQ(pool.waiting(), 0U);
    EXPECT_EQ(refusals.size(), 3U);
}

TEST_F(UpkeepTest, ALateTickStillRefusesEverybody) {
    serve_many(20);
    for (int i = 0; i < 100; ++i) asking();
    tick(2h);
    EXPECT_EQ(refusals.size(), 100U);
}

TEST_F(UpkeepTest, WhatIsIdleTooLongIsClosedTheLeastUsedFirst) {
    const auto users = serve_many(3);
    Connection* old = lease_of(*users[0]);
    release(*users[0]);
    tick(30s);
    release(*users[1]);
    tick(29900ms);
    EXPECT_TRUE(closing.empty());
    tick(100ms);
    ASSERT_EQ(closing.size(), 1U);
    EXPECT_EQ(closing[0], old);
    EXPECT_EQ(old->reason, CloseReason::retired_idle);
    goodbyes();
    EXPECT_EQ(budget.held(), 2U);
}

TEST_F(UpkeepTest, AgeRetiresConnectionsOneByOneWithinTenPercent) {
    const auto users = serve_many(20);
    std::set<TimePoint> ends;
    for (const Connection& connection : connections) {
        EXPECT_GE(connection.retire_at - connection.opened_at, 54min);
        EXPECT_LE(connection.retire_at - connection.opened_at, 66min);
        ends.insert(connection.retire_at);
    }
    EXPECT_GT(ends.size(), 15U);
    now += 2h;  // all of them are due
    for (Request* user : users) release(*user);
    EXPECT_EQ(closing.size(), 1U) << "never all at once";
    pool.set_options({.idle_timeout = 0s}, now);
    for (int i = 0; i < 30; ++i) {
        const std::size_t before = closing.size();
        tick(100ms);
        EXPECT_LE(closing.size(), before + 1);
    }
    EXPECT_EQ(closing.size(), 20U);
    EXPECT_EQ(closed_by(CloseReason::retired_age), 20U);
}

TEST_F(UpkeepTest, ALoweredLimitClosesIdleConnectionsAtOnceAndOthersWhenTheyAreReleased) {
    const auto users = serve_many(20);
    for (int i = 0; i < 5; ++i) release(*users[static_cast<std::size_t>(i)]);
    budget.learn(budget::Learnt{.max_connections = 13});
    pool.budget_changed(now);
    EXPECT_EQ(budget.limit(), 10U);
    EXPECT_EQ(closing.size(), 5U);
    goodbyes();
    for (int i = 5; i < 12; ++i) release(*users[static_cast<std::size_t>(i)]);
    EXPECT_EQ(closing.size(), 5U) << "then there are ten";
    goodbyes();
    EXPECT_EQ(budget.held(), 10U);
    EXPECT_EQ(closed_by(CloseReason::over_limit), 10U);
    EXPECT_TRUE(logged("went from 20 to 10"));
}

TEST_F(UpkeepTest, ALoweredLimitHoldsForAllAccountsTogether) {
    const auto web = serve_many(10);
    const auto cron = serve_many(10, {.account = 1});
    budget.learn(budget::Learnt{.max_connections = 18});
    pool.budget_changed(now);
    EXPECT_TRUE(closing.empty());
    for (int i = 0; i < 4; ++i) release(*web[static_cast<std::size_t>(i)]);
    for (int i = 0; i < 4; ++i) release(*cron[static_cast<std::size_t>(i)]);
    EXPECT_EQ(closing.size(), 5U);
}

TEST_F(UpkeepTest, AShellThatForgetsToSaySoIsPutRightByTheNextTick) {
    for (Request* user : serve_many(20)) release(*user);
    budget.learn(budget::Learnt{.max_connections = 13});
    tick(100ms);
    EXPECT_EQ(closing.size(), 10U);
}

TEST_F(UpkeepTest, SmallChangesOfTheLimitAreNotLogged) {
    for (unsigned others = 0; others < 2; ++others) {
        budget.learn(budget::Learnt{.max_connections = 23, .others = others});
        pool.budget_changed(now);
        tick(2s);
    }
    EXPECT_TRUE(logs.empty());
    budget.learn(budget::Learnt{.others = 2});
    tick(2s);
    EXPECT_TRUE(logged("went from 20 to 18"));
}

TEST_F(UpkeepTest, AnAccountsLoweredLimitConcernsItAlone) {
    const auto web = serve_many(6);
    const auto cron = serve_many(6, {.account = 1});
    for (Request* user : web) release(*user);
    for (Request* user : cron) release(*user);
    budget.learn(1, {.max_user_connections = 2});
    pool.budget_changed(now);
    EXPECT_EQ(closing.size(), 4U);
    for (const Connection* connection : closing) EXPECT_EQ(connection->key.account, 1U);
}

TEST_F(UpkeepTest, ARaisedLimitServesThoseWhoWaitAtOnce) {
    serve_many(20);
    Request& waits = asking();
    EXPECT_TRUE(opens.empty());
    budget.set_options({.max_connections = 21});
    pool.budget_changed(now);
    open_all();
    EXPECT_NE(lease_of(waits), nullptr);
}

class RefusedTest : public Stage {
protected:
    RefusedTest() : Stage({}, {.max_connections = 10, .opening_at_once = 4}) {}
};

TEST_F(RefusedTest, WhomTheServerRefusesKeepsItsPlaceAndIsNotTold) {
    Request& user = served();
    Request& waits = asking();
    now += 1ms;
    Request& later = asking();
    const TimePoint deadline = waits.deadline;
    fail_one(OpenFailure::too_many, {.code = 1040, .message = "Too many connections"});
    fail_one(OpenFailure::too_many, {.code = 1040, .message = "Too many connections"});
    EXPECT_TRUE(refusals.empty());
    EXPECT_TRUE(opens.empty()) << "the limit is what is open";
    EXPECT_EQ(waits.deadline, deadline);
    release(user);
    EXPECT_NE(lease_of(waits), nullptr);
    tick(500ms);
    EXPECT_TRUE(opens.empty());
    tick(500ms);
    EXPECT_EQ(opens.size(), 1U) << "a probe";
    tick(10s);
    EXPECT_EQ(opens.size(), 1U) << "one at a time";
    open_all();
    EXPECT_NE(lease_of(later), nullptr);
    EXPECT_TRUE(logged("refused a login"));
}

TEST_F(RefusedTest, NobodyProbesForNobody) {
    Request& user = served();
    asking();
    fail_one(OpenFailure::too_many);
    release(user);  // the one that waited has it now
    tick(10s);
    EXPECT_TRUE(opens.empty());
}

TEST_F(RefusedTest, OneAccountsLimitLeavesTheOthersAlone) {
    served({.account = 1});
    Request& cron = asking({.account = 1});
    fail_one(OpenFailure::account_limit);
    Request& web = asking({.account = 0});
    open_all();
    EXPECT_NE(lease_of(web), nullptr);
    EXPECT_EQ(lease_of(cron), nullptr);
    EXPECT_EQ(budget.limit_of(1), 1U);
    EXPECT_TRUE(logged("account 'cron'"));
}

TEST_F(RefusedTest, AServerThatIsAwayIsTriedBySingleProbesThenServesAll) {
    for (int i = 0; i < 8; ++i) asking();
    EXPECT_EQ(opens.size(), 4U);
    while (!opens.empty()) fail_one(OpenFailure::unreachable, {.code = 2002, .message = "connection refused"});
    std::size_t probes = 0;
    for (int i = 0; i < 50; ++i) {  // five seconds
        tick(100ms);
        EXPECT_LE(opens.size(), 1U);
        probes += opens.size();
        while (!opens.empty()) fail_one(OpenFailure::unreachable, {.code = 2002, .message = "connection refused"});
    }
    EXPECT_GE(probes, 8U);
    EXPECT_LE(probes, 20U);
    EXPECT_TRUE(refusals.empty());
    tick(600ms);
    open_all();
    open_all();
    EXPECT_EQ(pool.active(), 8U);
    tick(100ms);
    EXPECT_TRUE(logged("cannot be reached"));
    EXPECT_TRUE(logged("can be reached again"));
}

TEST_F(RefusedTest, ABlockedHostIsAnAlarm) {
    Request& waits = asking();
    fail_one(OpenFailure::host_blocked, {.code = 1129, .message = "Host is blocked"});
    EXPECT_TRUE(logged("ALARM"));
    EXPECT_TRUE(logged("mysqladmin flush-hosts"));
    for (int i = 0; i < 299; ++i) tick(100ms);
    EXPECT_TRUE(opens.empty());
    tick(100ms);
    ASSERT_NE(refusal_of(waits), nullptr);
    EXPECT_TRUE(refusal_of(waits)->message.contains("flush-hosts"));
    asking();
    for (int i = 0; i < 301; ++i) tick(100ms);
    EXPECT_EQ(opens.size(), 0U);
    asking();
    EXPECT_EQ(opens.size(), 1U);
}

TEST_F(RefusedTest, ADeniedAccountIsToldTheServersWordsAtOnce) {
    Request& one = asking({.account = 1});
    Request& two = asking({.account = 1, .flags = 2});
    Request& web = asking({.account = 0});
    const Error denied{.code = 1045, .sqlstate = "28000", .message = "Access denied for user 'cron'"};
    fail_one(OpenFailure::denied, denied);
    ASSERT_NE(refusal_of(one), nullptr);
    ASSERT_NE(refusal_of(two), nullptr);
    EXPECT_EQ(*refusal_of(one), denied);
    EXPECT_EQ(refusal_of(web), nullptr);
    fail_one(OpenFailure::denied, denied);  // the second of that account
    open_all();
    EXPECT_NE(lease_of(web), nullptr);
}

}  // namespace
}  // namespace tidegate::pool
