// Who is next: ranks, accounts, flags, shares and guarantees.
#include "pool/test_stage.h"

namespace tidegate::pool {
namespace {

constexpr Key kWeb{.account = 0};
constexpr Key kCron{.account = 1};
constexpr Key kShop{.account = 2};

class ServeTest : public Stage {
protected:
    ServeTest() : Stage({}, {.max_connections = 2, .opening_at_once = 4}) {}
};

TEST_F(ServeTest, TheBetterRankGoesFirstAndWithinARankTheFirstToCome) {
    Request& user = served();
    served();
    Request& third = asking(kWeb, 1);
    Request& first = asking(kWeb, 0);
    Request& second = asking(kWeb, 0);
    std::vector<Request*> order;
    Request* with = &user;
    for (Request* next : {&first, &second}) {
        release(*with);
        EXPECT_NE(lease_of(*next), nullptr);
        with = next;
    }
    EXPECT_EQ(lease_of(third), nullptr);
}

TEST_F(ServeTest, AnIdleConnectionOfAnotherAccountMakesRoom) {
    Request& long_idle = served(kWeb);
    Request& short_idle = served(kShop);
    Connection* oldest = lease_of(long_idle);
    release(long_idle);
    now += 1s;
    release(short_idle);
    Request& cron = asking(kCron);
    ASSERT_EQ(closing.size(), 1U);
    EXPECT_EQ(closing[0], oldest);
    EXPECT_EQ(oldest->reason, CloseReason::made_room);
    goodbyes();
    open_all();
    EXPECT_NE(lease_of(cron), nullptr);
}

TEST_F(ServeTest, OnlyAsManyMakeRoomAsAreNeeded) {
    Request& one = served(kWeb);
    Request& two = served(kWeb);
    release(one);
    release(two);
    asking(kCron);
    EXPECT_EQ(closing.size(), 1U);
    tick(100ms);
    EXPECT_EQ(closing.size(), 1U) << "the room that is coming is for the one who waits";
    asking(kCron);
    EXPECT_EQ(closing.size(), 2U);
}

TEST_F(ServeTest, OtherFlagsOfTheSameAccountMakeRoomAtTheAccountsLimit) {
    budget.set_account(0, {.name = "web", .max_connections = 1});
    Request& plain = served(kWeb);
    release(plain);
    Request& with_flags = asking({.account = 0, .flags = 2});
    EXPECT_EQ(closing.size(), 1U);
    goodbyes();
    open_all();
    EXPECT_NE(lease_of(with_flags), nullptr);
}

TEST_F(ServeTest, AReleasedConnectionChangesItsAccountOnlyForOneThatCameClearlyEarlier) {
    Request& user = served(kWeb);
    Request& other = served(kWeb);
    Request& cron = asking(kCron);
    now += 49ms;
    Request& soon_after = asking(kWeb);
    now += 10ms;
    Request& long_after = asking(kWeb);
    release(user);
    EXPECT_NE(lease_of(soon_after), nullptr) << "49 ms are not worth a login";
    release(other);
    EXPECT_EQ(lease_of(long_after), nullptr);
    EXPECT_EQ(closed_by(CloseReason::made_room), 1U);
    release(soon_after);
    EXPECT_NE(lease_of(long_after), nullptr) << "the room for cron is coming already";
    goodbyes();
    open_all();
    EXPECT_NE(lease_of(cron), nullptr);
}

TEST_F(ServeTest, ABetterRankOfAnotherAccountGetsTheNextConnection) {
    Request& user = served(kCron, 1);
    served(kCron, 1);
    Request& more_cron = asking(kCron, 1);
    Request& web = asking(kWeb, 0);
    release(user);
    EXPECT_EQ(lease_of(more_cron), nullptr);
    goodbyes();
    open_all();
    EXPECT_NE(lease_of(web), nullptr);
}

TEST_F(ServeTest, AnAccountAtItsLimitIsPassedOverByOthersOnly) {
    budget.set_account(1, {.name = "cron", .max_connections = 1});
    Request& cron = served(kCron);
    Request& cron_waits = asking(kCron);
    Request& cron_waits_longer = asking(kCron);
    Request& web = asking(kWeb);
    open_all();
    EXPECT_NE(lease_of(web), nullptr);
    EXPECT_EQ(lease_of(cron_waits), nullptr);
    release(cron);
    EXPECT_NE(lease_of(cron_waits), nullptr);
    EXPECT_EQ(lease_of(cron_waits_longer), nullptr);
}

TEST_F(ServeTest, ALearntLimitOfAnAccountHoldsToo) {
    budget.learn(1, {.max_user_connections = 1});
    served(kCron);
    asking(kCron);
    EXPECT_TRUE(opens.empty());
}

class ShareTest : public Stage {
protected:
    ShareTest() : Stage({}, {.max_connections = 10, .opening_at_once = 16}) {}
};

TEST_F(ShareTest, WithOneRankThereIsNoShare) {
    for (int i = 0; i < 10; ++i) served(kCron, 3);
    EXPECT_EQ(pool.active(), 10U);
}

TEST_F(ShareTest, LowerRanksLeaveAFifthToTheBest) {
    release(served(kWeb, 0));
    std::vector<Request*> cron;
    for (int i = 0; i < 12; ++i) cron.push_back(&asking(kCron, 1));
    open_all();
    EXPECT_EQ(pool.active(), 8U);
    for (int i = 0; i < 2; ++i) {
        Request& web = asking(kWeb, 0);
        open_all();
        EXPECT_NE(lease_of(web), nullptr);
    }
    EXPECT_EQ(pool.active(), 10U);
    release(*cron[0]);
    release(*cron[1]);
    EXPECT_EQ(pool.active(), 8U);
    EXPECT_EQ(lease_of(*cron[8]), nullptr);
    release(*cron[2]);
    EXPECT_NE(lease_of(*cron[8]), nullptr) << "below 80 % it is its turn";
}

TEST_F(ShareTest, AnOperatorIsToldOnceWithHysteresis) {
    release(served(kWeb, 0));
    std::vector<Request*> cron;
    for (int i = 0; i < 8; ++i) cron.push_back(&served(kCron, 1));
    tick(100ms);
    tick(100ms);
    EXPECT_EQ(std::count_if(logs.begin(), logs.end(), [](const auto& line) { return line.contains("80 %"); }), 1);
    release(*cron[0]);
    tick(100ms);
    EXPECT_FALSE(logged("less than 70 %"));
    release(*cron[1]);
    tick(100ms);
    EXPECT_TRUE(logged("less than 70 %"));
}

class GuaranteeTest : public Stage {
protected:
    GuaranteeTest() : Stage({}, {.max_connections = 4, .opening_at_once = 4}) {
        budget.set_account(2, {.name = "shop", .guaranteed = 2});
    }
};

TEST_F(GuaranteeTest, IdleConnectionsAreNotTakenBelowIt) {
    std::vector<Request*> shop{&served(kShop), &served(kShop), &served(kShop)};
    Request& web = served(kWeb);
    for (Request* user : shop) release(*user);
    asking(kWeb);
    goodbyes();
    open_all();
    Request& one_too_many = asking(kWeb);
    EXPECT_TRUE(closing.empty());
    EXPECT_EQ(pool.stats(now).accounts[2].idle, 2U);
    release(web);
    EXPECT_NE(lease_of(one_too_many), nullptr);
}

TEST_F(GuaranteeTest, ItComesBeforeABetterRank) {
    std::vector<Request*> web;
    for (int i = 0; i < 4; ++i) web.push_back(&served(kWeb, 0));
    Request& more_web = asking(kWeb, 0);
    Request& shop = asking(kShop, 1);
    release(*web[0]);
    EXPECT_EQ(lease_of(more_web), nullptr);
    goodbyes();
    open_all();
    EXPECT_NE(lease_of(shop), nullptr);
}

TEST_F(GuaranteeTest, TheShareOfTheBestRankDoesNotTouchIt) {
    for (int i = 0; i < 3; ++i) served(kWeb, 0);
    Request& shop = asking(kShop, 1);
    open_all();
    EXPECT_NE(lease_of(shop), nullptr);
}

}  // namespace
}  // namespace tidegate::pool
