#include "pool/pool.h"

#include "pool/test_stage.h"

namespace tidegate::pool {
namespace {

class PoolTest : public Stage {
protected:
    PoolTest() : Stage({}, {.max_connections = 3, .opening_at_once = 4}) {}
};

TEST_F(PoolTest, OpensOneForEachWhoWaitsAndNoMore) {
    Request& first = asking();
    EXPECT_EQ(last.what, Acquired::waiting);
    EXPECT_EQ(opens.size(), 1U);
    Request& second = asking();
    EXPECT_EQ(opens.size(), 2U);
    open_all();
    EXPECT_NE(lease_of(first), nullptr);
    EXPECT_NE(lease_of(second), nullptr);
    release(first);
    EXPECT_EQ(ask(first), Acquired::granted);
    EXPECT_TRUE(opens.empty());
}

TEST_F(PoolTest, AConnectionGoesToTheHeadOfTheLineAndNotToItsLastUser) {
    std::vector<Request*> users{&served(), &served(), &served()};
    Request& waits = asking();
    Request& waits_longer = asking();
    EXPECT_TRUE(opens.empty());
    release(*users[0]);
    EXPECT_NE(lease_of(waits), nullptr);
    EXPECT_EQ(ask(*users[0]), Acquired::waiting);
    release(*users[1]);
    EXPECT_NE(lease_of(waits_longer), nullptr);
    EXPECT_EQ(lease_of(*users[0]), nullptr);
    release(*users[2]);
    EXPECT_NE(lease_of(*users[0]), nullptr);
}

TEST_F(PoolTest, WhoGivesUpLeavesTheLine) {
    Request& user = served();
    served();
    served();
    Request& gives_up = asking();
    Request& stays = asking();
    pool.cancel(gives_up, now);
    pool.cancel(gives_up, now);  // once more does no harm
    EXPECT_EQ(pool.waiting(), 1U);
    release(user);
    EXPECT_EQ(lease_of(gives_up), nullptr);
    EXPECT_NE(lease_of(stays), nullptr);
    EXPECT_EQ(pool.stats(now).all.cancelled, 1U);
}

TEST_F(PoolTest, AConnectionOpenedForSomebodyWhoLeftIsKept) {
    Request& impatient = asking();
    pool.cancel(impatient, now);
    open_all();
    EXPECT_EQ(pool.stats(now).all.idle, 1U);
    Request& next = client();
    EXPECT_EQ(ask(next), Acquired::granted);
}

TEST_F(PoolTest, ASessionGetsItsFavouriteBack) {
    Request& mine = served();
    Request& other = served();
    Connection* favourite = lease_of(mine);
    release(mine);
    release(other);  // used more recently
    EXPECT_EQ(mine.favourite(), favourite);
    ask(mine);
    EXPECT_EQ(last.connection, favourite);
}

TEST_F(PoolTest, AFavouriteThatAnotherHadIsNoneAnyMore) {
    Request& mine = served();
    Connection* favourite = lease_of(mine);
    release(mine);
    Request& other = client();
    ask(other);
    EXPECT_EQ(last.connection, favourite);
    EXPECT_EQ(mine.favourite(), nullptr);
    EXPECT_EQ(other.favourite(), favourite);
    EXPECT_EQ(favourite->last_session, other.session);
}

TEST_F(PoolTest, AFavouriteThatIsGoneIsForgotten) {
    Request& mine = served();
    lose(mine);
    EXPECT_EQ(mine.favourite(), nullptr);
    EXPECT_EQ(ask(mine), Acquired::waiting);
}

TEST_F(PoolTest, WithoutAFavouriteOneInTheSameStateThenTheMostRecentlyUsed) {
    const int state = 0;
    std::vector<Request*> users{&served(), &served(), &served()};
    Connection* same_state = lease_of(*users[0]);
    Connection* most_recent = lease_of(*users[2]);
    same_state->session_state = &state;
    for (Request* user : users) release(*user);
    Request& alike = client();
    alike.session_state = &state;
    ask(alike);
    EXPECT_EQ(last.connection, same_state);
    Request& unlike = client();
    const int other_state = 0;
    unlike.session_state = &other_state;
    ask(unlike);
    EXPECT_EQ(last.connection, most_recent);
}

TEST_F(PoolTest, ANewGenerationReplacesConnectionsAsTheyBecomeFree) {
    Request& leased = served();
    Request& idle = served();
    release(idle);
    Request& opening = asking({.account = 1});
    ASSERT_EQ(opens.size(), 1U);
    EXPECT_EQ(pool.new_generation(now), 2U);
    EXPECT_EQ(closing.size(), 1U) << "the idle one";
    goodbyes();
    open_one();
    EXPECT_EQ(lease_of(opening), nullptr) << "it logged in before";
    EXPECT_EQ(closing.size(), 1U);
    goodbyes();
    ASSERT_EQ(opens.size(), 1U);
    EXPECT_EQ(opens[0].generation, 2U);
    open_one();
    EXPECT_NE(lease_of(opening), nullptr);
    release(leased);
    EXPECT_EQ(closing.size(), 1U);
    EXPECT_EQ(closed_by(CloseReason::retired_generation), 3U);
    Request& newcomer = client();
    newcomer.min_generation = pool.generation();
    EXPECT_EQ(ask(newcomer), Acquired::waiting);
}

TEST_F(PoolTest, WhatIsBeingClosedCountsUntilTheServerHasLetGo) {
    std::vector<Request*> users{&served(), &served(), &served()};
    for (Request* user : users) release(*user);
    asking({.account = 1});
    ASSERT_EQ(closing.size(), 1U);
    EXPECT_TRUE(opens.empty());
    EXPECT_EQ(budget.held(), 3U);
    goodbyes();
    EXPECT_EQ(opens.size(), 1U);
    EXPECT_EQ(budget.held(), 3U);
}

TEST_F(PoolTest, WhoseConnectionWasDeadKeepsItsPlace) {
    Request& user = served();
    served();
    served();
    Request& unlucky = asking();
    now += 1s;
    Request& later = asking();
    release(user);
    ASSERT_NE(lease_of(unlucky), nullptr);
    const TimePoint deadline = unlucky.deadline;
    lose(unlucky);
    EXPECT_EQ(opens.size(), 1U);  // for the one that waits
    EXPECT_EQ(pool.acquire_again(unlucky, now).what, Acquired::waiting);
    EXPECT_EQ(unlucky.deadline, deadline);
    open_one();
    EXPECT_NE(lease_of(unlucky), nullptr);
    EXPECT_EQ(lease_of(later), nullptr);
}

TEST_F(PoolTest, APausedPoolServesNobodyAndClosesWhatIsFree) {
    Request& leased = served();
    Request& idle = served();
    release(idle);
    pool.set_mode(Mode::paused, now);
    EXPECT_EQ(closing.size(), 1U);
    goodbyes();
    EXPECT_EQ(ask(idle), Acquired::waiting);
    release(leased);
    goodbyes();
    tick(100ms);
    EXPECT_EQ(budget.held(), 0U);
    EXPECT_TRUE(opens.empty());
    EXPECT_EQ(lease_of(idle), nullptr);
    pool.set_mode(Mode::running, now);
    open_all();
    EXPECT_NE(lease_of(idle), nullptr);
}

TEST_F(PoolTest, ADrainedPoolRefusesAndLetsLeasesEnd) {
    std::vector<Request*> users{&served(), &served(), &served()};
    Request& waits = asking();
    pool.set_mode(Mode::draining, now);
    ASSERT_NE(refusal_of(waits), nullptr);
    EXPECT_EQ(refusal_of(waits)->code, 1053);
    Request& late = client();
    EXPECT_EQ(ask(late), Acquired::refused);
    EXPECT_EQ(last.error.code, 1053);
    for (Request* user : users) release(*user);
    goodbyes();
    EXPECT_EQ(budget.held(), 0U);
    EXPECT_EQ(closed_by(CloseReason::draining), 3U);
}

TEST_F(PoolTest, TheFiguresAddUp) {
    Request& active = served();
    release(served());
    served({.account = 1});
    asking({.account = 1});
    asking({.account = 2});
    const Stats stats = pool.stats(now + 2s);
    EXPECT_EQ(stats.all.active, 2U);
    EXPECT_EQ(stats.all.idle + stats.all.closing, 1U);
    EXPECT_EQ(stats.all.open(), 3U);
    EXPECT_EQ(stats.all.waiting, 2U);
    EXPECT_EQ(stats.all.limit, 3U);
    EXPECT_EQ(stats.all.peak, 3U);
    EXPECT_EQ(stats.opened, 3U);
    EXPECT_EQ(stats.longest_wait, 2s);
    EXPECT_EQ(stats.longest_lease, 2s);
    ASSERT_EQ(stats.accounts.size(), 3U);
    EXPECT_EQ(stats.accounts[0].name, "web");
    EXPECT_EQ(stats.accounts[1].waiting, 1U);
    EXPECT_EQ(stats.all.waits.count(), 3U);
    EXPECT_NE(lease_of(active), nullptr);
}

}  // namespace
}  // namespace tidegate::pool
