#include "budget/budget.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace tidegate::budget {
namespace {

constexpr TimePoint kStart = TimePoint{} + 1h;

struct LimitCase {
    const char* name;
    std::optional<unsigned> configured;
    unsigned reserve;
    std::optional<unsigned> max_connections;
    std::optional<unsigned> others;
    unsigned limit;
};

class Limits : public testing::TestWithParam<LimitCase> {};

TEST_P(Limits, FollowTheFigures) {
    const LimitCase& it = GetParam();
    Budget budget({.max_connections = it.configured, .reserve = it.reserve});
    budget.learn(Learnt{.max_connections = it.max_connections, .others = it.others});
    EXPECT_EQ(budget.limit(), it.limit);
}

INSTANTIATE_TEST_SUITE_P(Table, Limits,
                         testing::Values(LimitCase{"nothing_is_known", {}, 3, {}, {}, 100},
                                         LimitCase{"configured", 40, 3, {}, {}, 40},
                                         LimitCase{"the_server_leaves_less", 200, 3, 151, {}, 148},
                                         LimitCase{"the_server_leaves_more", 100, 3, 151, 20, 100},
                                         LimitCase{"others_take_theirs", {}, 3, 151, 50, 98},
                                         LimitCase{"others_push_ours_down", 120, 3, 151, 50, 98},
                                         LimitCase{"a_small_server", {}, 3, 10, 2, 5},
                                         LimitCase{"never_below_one", {}, 3, 10, 40, 1},
                                         LimitCase{"never_configured_away", 0, 0, {}, {}, 1}),
                         [](const auto& it) { return std::string(it.param.name); });

struct AccountCase {
    const char* name;
    std::optional<unsigned> configured;
    std::optional<unsigned> max_per_user;
    std::optional<unsigned> server;
    std::optional<unsigned> own;
    std::optional<unsigned> others;
    unsigned limit;
};

class AccountLimits : public testing::TestWithParam<AccountCase> {};

TEST_P(AccountLimits, FollowTheFigures) {
    const AccountCase& it = GetParam();
    Budget budget({.max_connections = 100, .max_per_user = it.max_per_user});
    budget.set_account(0, {.max_connections = it.configured});
    budget.learn(Learnt{.max_user_connections = it.server});
    budget.learn(0, LearntAccount{.max_user_connections = it.own, .others = it.others});
    EXPECT_EQ(budget.limit_of(0), it.limit);
    EXPECT_EQ(budget.limit(), 100U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AccountLimits,
    testing::Values(AccountCase{"none", {}, {}, {}, {}, {}, 100}, AccountCase{"zero_is_none", {}, {}, 0, 0, {}, 100},
                    AccountCase{"configured", 7, {}, {}, {}, {}, 7}, AccountCase{"per_user", {}, 9, {}, {}, {}, 9},
                    AccountCase{"the_servers", {}, {}, 50, 0, {}, 50},
                    AccountCase{"its_own_replaces_the_servers", {}, {}, 50, 60, {}, 60},
                    AccountCase{"the_monitor_uses_it_too", {}, {}, 50, {}, 1, 49},
                    AccountCase{"others_fill_it", {}, {}, 5, {}, 9, 1}, AccountCase{"the_least", 8, 9, 7, {}, {}, 7}),
    [](const auto& it) { return std::string(it.param.name); });

class BudgetTest : public testing::Test {
protected:
    void open(unsigned count, AccountId account = 0) {
        for (unsigned i = 0; i < count; ++i) {
            budget.start(account);
            budget.opened(account, now);
        }
    }
    void fail(OpenFailure failure, AccountId account = 0) {
        budget.start(account);
        budget.failed(account, failure, now);
    }
    Budget budget{{.max_connections = 20, .opening_at_once = 4}};
    TimePoint now = kStart;
};

TEST_F(BudgetTest, CountsWhatIsInTheMakingAsHeld) {
    open(17);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(budget.room(0, now), Room::yes);
        budget.start(0);
    }
    EXPECT_EQ(budget.held(), 20U);
    EXPECT_EQ(budget.room(0, now), Room::full);
    budget.failed(0, OpenFailure::other, now);
    budget.gone(0);
    EXPECT_EQ(budget.held(), 18U);
}

TEST_F(BudgetTest, PacesWhatIsInTheMaking) {
    for (int i = 0; i < 4; ++i) budget.start(0);
    EXPECT_EQ(budget.room(0, now), Room::paced);
    budget.opened(0, now);
    EXPECT_EQ(budget.room(0, now), Room::yes);
}

TEST_F(BudgetTest, A1040ClosesTheLimitToWhatIsOpenForEverybody) {
    open(8);
    open(4, 1);
    fail(OpenFailure::too_many, 1);
    EXPECT_EQ(budget.limit(), 12U);
    EXPECT_TRUE(budget.closed_by_refusals());
    EXPECT_EQ(budget.room(0, now), Room::full);
    EXPECT_EQ(budget.room(1, now), Room::full);
    budget.gone(0);
    EXPECT_EQ(budget.room(1, now), Room::yes) << "up to the level without a probe";
    EXPECT_EQ(budget.failures(OpenFailure::too_many), 1U);
}

TEST_F(BudgetTest, A1226ClosesOneAccountsLimit) {
    open(5);
    open(3, 1);
    fail(OpenFailure::account_limit, 1);
    EXPECT_EQ(budget.limit(), 20U);
    EXPECT_EQ(budget.limit_of(1), 3U);
    EXPECT_EQ(budget.room(1, now), Room::account_full);
    EXPECT_EQ(budget.room(0, now), Room::yes);
}

TEST_F(BudgetTest, AnAccountsLimitIsProbedToo) {
    open(3, 1);
    fail(OpenFailure::account_limit, 1);
    EXPECT_EQ(budget.room(1, now + 900ms), Room::account_full);
    now += 1s;
    EXPECT_EQ(budget.room(1, now), Room::yes);
    budget.start(1);
    EXPECT_EQ(budget.room(1, now), Room::account_full) << "the probe is under way";
    budget.failed(1, OpenFailure::account_limit, now);
    EXPECT_EQ(budget.room(1, now + 1s), Room::account_full) << "refused: the next one comes later";
    now += 2s;
    EXPECT_EQ(budget.room(1, now), Room::yes);
    open(1, 1);
    EXPECT_EQ(budget.limit_of(1), 4U);
}

TEST_F(BudgetTest, OneProbeAtATimeThenFullPaceWhenTheLimitIsReached) {
    open(5);
    fail(OpenFailure::too_many);
    now += 1s;
    EXPECT_EQ(budget.room(0, now), Room::yes);
    budget.start(0);
    EXPECT_EQ(budget.room(0, now), Room::full) << "the probe is under way";
    budget.opened(0, now);
    EXPECT_EQ(budget.limit(), 6U);
    for (int i = 0; i < 1000 && budget.closed_by_refusals(); ++i) {
        now += 10ms;
        if (budget.room(0, now) == Room::yes) open(1);
    }
    EXPECT_FALSE(budget.closed_by_refusals());
    EXPECT_EQ(budget.limit(), 20U);
}

TEST_F(BudgetTest, WithNothingOpenTheLimitIsOneAndIsTried) {
    fail(OpenFailure::too_many);
    EXPECT_EQ(budget.limit(), 1U);
    EXPECT_EQ(budget.room(0, now), Room::full);
    EXPECT_EQ(budget.room(0, now + 100ms), Room::yes);
}

TEST_F(BudgetTest, NewFiguresOpenTheLimitAtOnceTheSameFiguresDoNot) {
    budget.learn(Learnt{.max_connections = 100, .others = 10});
    open(5);
    fail(OpenFailure::too_many);
    budget.learn(Learnt{.max_connections = 100, .others = 10});
    EXPECT_EQ(budget.limit(), 5U);
    budget.learn(Learnt{.others = 12});
    EXPECT_EQ(budget.limit(), 5U) << "more others are no reason for more of ours";
    budget.learn(Learnt{.others = 9});
    EXPECT_EQ(budget.limit(), 20U);

    fail(OpenFailure::account_limit);
    budget.learn(0, LearntAccount{.max_user_connections = 0});
    EXPECT_EQ(budget.limit_of(0), 20U) << "the account's limit was not known before";
    fail(OpenFailure::account_limit);
    budget.learn(0, LearntAccount{.max_user_connections = 0});
    EXPECT_EQ(budget.limit_of(0), 5U);
}

TEST_F(BudgetTest, AServerThatIsAwayIsTriedByOneAtATime) {
    open(2);
    for (int i = 0; i < 4; ++i) budget.start(0);
    for (int i = 0; i < 4; ++i) budget.failed(0, OpenFailure::unreachable, now);
    EXPECT_TRUE(budget.unreachable());
    EXPECT_EQ(budget.room(0, now + 30ms), Room::backing_off);
    now += 60ms;
    EXPECT_EQ(budget.room(0, now), Room::yes);
    budget.start(0);
    EXPECT_EQ(budget.room(0, now), Room::backing_off);
    budget.opened(0, now);
    EXPECT_FALSE(budget.unreachable());
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(budget.room(0, now), Room::yes) << "full pace again";
        budget.start(0);
    }
}

TEST_F(BudgetTest, ABlockedHostOpensNothingForAMinute) {
    open(1);
    fail(OpenFailure::host_blocked);
    EXPECT_EQ(budget.room(1, now + 59s), Room::blocked);
    EXPECT_EQ(budget.room(1, now + 60s), Room::yes);
}

TEST_F(BudgetTest, AnAccountThatCannotLogInHoldsUpNobodyElse) {
    fail(OpenFailure::other, 1);
    EXPECT_EQ(budget.room(1, now), Room::backing_off);
    EXPECT_EQ(budget.room(0, now), Room::yes);
    fail(OpenFailure::denied, 0);
    EXPECT_EQ(budget.room(0, now), Room::yes) << "who asks again gets the server's answer again";
}

TEST_F(BudgetTest, SaysWhatTheServerLeaves) {
    EXPECT_EQ(budget.learnt(), std::nullopt);
    budget.learn(Learnt{.max_connections = 151, .others = 8});
    EXPECT_EQ(budget.learnt(), 140U);
    open(3);
    fail(OpenFailure::too_many);
    EXPECT_EQ(budget.learnt(), 3U);
}

}  // namespace
}  // namespace tidegate::budget
