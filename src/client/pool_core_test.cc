// The pool's decisions, event by event, with a clock that ticks when told to.
#include "client/pool_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <random>
#include <vector>

namespace tidegate::client {
namespace {

using testing::HasSubstr;

const Error kFull{1040, "08004", "Too many connections"};
const Error kDenied{1045, "28000", "Access denied for user 'app'@'%'"};

class PoolCoreTest : public testing::Test {
protected:
    void make(CoreOptions options) {
        options.server = "db:3306";
        core.emplace(std::move(options));
    }
    void pass(Duration d) { now += d; }

    // The next task must be this one; its seat.
    unsigned expect_task(Task::Kind kind) {
        const auto task = core->next_task();
        EXPECT_TRUE(task.has_value());
        if (!task) return 0;
        EXPECT_EQ(static_cast<int>(task->kind), static_cast<int>(kind));
        return task->seat;
    }
    void expect_no_task() { EXPECT_FALSE(core->has_tasks()); }

    void enter(Ticket& ticket) { core->enter(ticket, now, where); }
    // A lease, over a connection that is opened for it.
    unsigned open_and_lend() {
        Ticket ticket;
        enter(ticket);
        core->opened(expect_task(Task::Kind::open), now);
        EXPECT_EQ(ticket.state, Ticket::State::served);
        core->clear_news();
        return ticket.seat;
    }

    TimePoint now{1000h};
    std::source_location where = std::source_location::current();
    std::optional<PoolCore> core{CoreOptions{.server = "db:3306", .max = 2}};
};

TEST_F(PoolCoreTest, OpensNothingUntilSomebodyAsks) {
    core->tick(now);
    expect_no_task();
    EXPECT_EQ(core->wake_at(now), std::nullopt);
    EXPECT_EQ(core->acquire(now, where), std::nullopt);
}

TEST_F(PoolCoreTest, AConnectionThatComesFreshGoesOutAtOnce) {
    const auto seat = open_and_lend();
    core->release(seat, true, now);
    EXPECT_EQ(core->acquire(now + 1s, where), seat);
    EXPECT_EQ(core->stats().lent, 1U);
    EXPECT_EQ(core->stats().acquired, 2U);
}

TEST_F(PoolCoreTest, OneThatHasRestedIsCheckedFirst) {
    const auto seat = open_and_lend();
    core->release(seat, true, now);
    pass(2s);
    EXPECT_EQ(core->acquire(now, where), std::nullopt);
    Ticket ticket;
    enter(ticket);
    EXPECT_EQ(expect_task(Task::Kind::check), seat);
    expect_no_task();
    core->checked(seat, true, now);
    EXPECT_EQ(ticket.state, Ticket::State::served);
    EXPECT_EQ(ticket.seat, seat);
}

TEST_F(PoolCoreTest, ADeadOneIsReplacedAndTheCallerKeepsItsPlace) {
    const auto seat = open_and_lend();
    core->release(seat, true, now);
    pass(2s);
    Ticket first;
    Ticket second;
    enter(first);
    enter(second);
    EXPECT_EQ(expect_task(Task::Kind::check), seat);
    const auto other = expect_task(Task::Kind::open);
    core->checked(seat, false, now);
    EXPECT_EQ(expect_task(Task::Kind::close), seat);
    core->closed(seat, now);
    core->opened(other, now);
    EXPECT_EQ(first.state, Ticket::State::served);
    EXPECT_EQ(second.state, Ticket::State::waiting);
    core->opened(expect_task(Task::Kind::open), now);
    EXPECT_EQ(second.state, Ticket::State::served);
    EXPECT_EQ(core->stats().lost, 1U);
}

TEST_F(PoolCoreTest, TheLineIsServedInOrderAndNobodyOvertakes) {
    const auto one = open_and_lend();
    const auto two = open_and_lend();
    Ticket first;
    Ticket second;
    enter(first);
    enter(second);
    expect_no_task();  // both seats are taken
    core->release(two, true, now);
    EXPECT_EQ(first.state, Ticket::State::served);
    EXPECT_EQ(second.state, Ticket::State::waiting);
    EXPECT_EQ(core->acquire(now, where), std::nullopt);
    core->release(one, true, now);
    EXPECT_EQ(second.state, Ticket::State::served);
    EXPECT_EQ(core->stats().waited, 4U);
}

TEST_F(PoolCoreTest, WhoGivesUpLearnsWhoHoldsTheConnections) {
    open_and_lend();
    pass(3s);
    open_and_lend();
    Ticket ticket;
    Ticket other;
    enter(ticket);
    enter(other);
    pass(5s);
    const auto error = core->leave(ticket, now);
    EXPECT_EQ(error.code, 1040);
    EXPECT_EQ(error.sqlstate, "08004");
    EXPECT_THAT(error.message, HasSubstr("no connection to db:3306 within 5.0 s: 2 leases are out, the oldest taken at "
                                         "pool_core_test.cc:"));
    EXPECT_THAT(error.message, HasSubstr(" 8.0 s ago (max_connections is 2); 1 more wait"));
    EXPECT_EQ(core->stats().timed_out, 1U);
    EXPECT_EQ(core->stats().waiting, 1U);
}

TEST_F(PoolCoreTest, ARefusalIsTriedAgainWithGrowingPauses) {
    Ticket ticket;
    enter(ticket);
    Duration before{};
    for (const Duration expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        core->open_failed(expect_task(Task::Kind::open), kFull, now);
        EXPECT_EQ(ticket.state, Ticket::State::waiting);
        expect_no_task();
        const auto wake = core->wake_at(now);
        ASSERT_TRUE(wake.has_value());
        EXPECT_GE(*wake - now, expected * 8 / 10);
        EXPECT_LE(*wake - now, expected * 12 / 10);
        core->tick(*wake - 1ms);
        expect_no_task();
        now = *wake;
        core->tick(now);
        before = expected;
    }
    EXPECT_EQ(before, 1s);
    EXPECT_EQ(core->stats().refused, 6U);
    EXPECT_EQ(core->stats().last_error, "Too many connections");
    core->opened(expect_task(Task::Kind::open), now);
    EXPECT_EQ(ticket.state, Ticket::State::served);
    EXPECT_EQ(core->stats().last_error, "");
}

TEST_F(PoolCoreTest, WhileOpeningFailsThereIsOneProbeAtATime) {
    make({.max = 10});
    std::vector<Ticket> tickets(10);
    for (auto& ticket : tickets) enter(ticket);
    for (int i = 0; i < 4; ++i) core->open_failed(expect_task(Task::Kind::open), kFull, now);
    expect_no_task();
    pass(2s);
    core->tick(now);
    expect_task(Task::Kind::open);
    expect_no_task();
    EXPECT_EQ(core->take_notices().size(), 1U);
}

TEST_F(PoolCoreTest, ACallerThatGivesUpMeanwhileHearsTheLastError) {
    Ticket ticket;
    enter(ticket);
    core->open_failed(expect_task(Task::Kind::open), kFull, now);
    pass(1s);
    EXPECT_THAT(core->leave(ticket, now).message,
                HasSubstr("within 1.0 s: the last attempt to open one failed with 1040: Too many connections"));
}

TEST_F(PoolCoreTest, AnErrorThatNoWaitingMendsIsToldAtOnce) {
    Ticket first;
    Ticket second;
    enter(first);
    enter(second);
    const auto seat = expect_task(Task::Kind::open);
    expect_task(Task::Kind::open);
    core->open_failed(seat, kDenied, now);
    EXPECT_EQ(first.state, Ticket::State::refused);
    EXPECT_EQ(second.state, Ticket::State::refused);
    EXPECT_EQ(first.error, kDenied);
    EXPECT_EQ(core->news().size(), 2U);
}

TEST_F(PoolCoreTest, ButNotWhileAConnectionIsOutThatWillComeBack) {
    const auto seat = open_and_lend();
    Ticket ticket;
    enter(ticket);
    core->open_failed(expect_task(Task::Kind::open), kDenied, now);
    EXPECT_EQ(ticket.state, Ticket::State::waiting);
    core->release(seat, true, now);
    EXPECT_EQ(ticket.state, Ticket::State::served);
}

TEST_F(PoolCoreTest, WhatOpenedForACallerThatLeftRests) {
    Ticket ticket;
    enter(ticket);
    const auto seat = expect_task(Task::Kind::open);
    (void)core->leave(ticket, now);
    core->opened(seat, now);
    EXPECT_EQ(core->stats().idle, 1U);
    EXPECT_EQ(core->acquire(now, where), seat);
}

TEST_F(PoolCoreTest, IdleOnesAreClosedDownToMinIdle) {
    make({.max = 3, .min_idle = 1, .keep_alive = 0s, .idle_timeout = 60s});
    core->tick(now);
    core->opened(expect_task(Task::Kind::open), now);  // min_idle
    const auto one = core->acquire(now, where);
    const auto two = open_and_lend();
    core->release(*one, true, now);
    core->release(two, true, now);
    while (core->next_task()) {
    }
    core->tick(now + 50s);
    expect_no_task();
    core->tick(now + 67s);
    core->closed(expect_task(Task::Kind::close), now + 67s);
    core->tick(now + 200s);
    expect_no_task();
    EXPECT_EQ(core->stats().idle, 1U);
}

TEST_F(PoolCoreTest, AgesVaryAndAnOldOneIsReplacedWhenItComesBack) {
    make({.max = 50, .idle_timeout = 0s, .max_age = 100s});
    std::vector<unsigned> seats;
    for (int i = 0; i < 50; ++i) seats.push_back(open_and_lend());
    const auto born = now;
    for (const auto seat : seats) core->release(seat, true, now);
    core->tick(born + 89s);
    while (const auto task = core->next_task())
        EXPECT_NE(static_cast<int>(task->kind), static_cast<int>(Task::Kind::close));
    make({.max = 50, .keep_alive = 0s, .idle_timeout = 0s, .max_age = 100s});
    for (int i = 0; i < 50; ++i) seats[static_cast<std::size_t>(i)] = open_and_lend();
    for (const auto seat : seats) core->release(seat, true, born + 100s);
    const auto closing = core->closing();
    EXPECT_GT(closing, 5U);   // about half have reached their age,
    EXPECT_LT(closing, 45U);  // and not all at once
    core->tick(born + 111s);
    EXPECT_EQ(core->closing(), 50U);
}

TEST_F(PoolCoreTest, ALoneConnectionIsKeptAlive) {
    make({.max = 1, .min_idle = 1, .keep_alive = 30s});
    core->tick(now);
    core->opened(expect_task(Task::Kind::open), now);
    core->tick(now + 29s);
    expect_no_task();
    const auto seat = [&] {
        core->tick(now + 30s);
        return expect_task(Task::Kind::check);
    }();
    core->checked(seat, true, now + 30s);
    EXPECT_EQ(core->acquire(now + 31s, where), seat);
}

TEST_F(PoolCoreTest, TheOneUsedLastIsTakenFirst) {
    const auto one = open_and_lend();
    const auto two = open_and_lend();
    core->release(two, true, now);
    core->release(one, true, now + 10ms);
    EXPECT_EQ(core->acquire(now + 20ms, where), one);
    core->release(one, true, now + 30ms);
    EXPECT_EQ(core->acquire(now + 40ms, where), one);
}

TEST_F(PoolCoreTest, ALeaseHeldTooLongIsReportedOnceWithItsPlace) {
    make({.max = 1, .lease_warning = 10s});
    const auto seat = open_and_lend();
    core->tick(now + 9s);
    EXPECT_FALSE(core->has_notices());
    core->tick(now + 10s);
    core->tick(now + 20s);
    const auto notices = core->take_notices();
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_EQ(notices[0].kind, Notice::Kind::lease_held);
    EXPECT_EQ(notices[0].where.line(), where.line());
    EXPECT_THAT(notices[0].message,
                HasSubstr("lent for 10.0 s and not given back; it was taken at pool_core_test.cc:"));
    core->release(seat, true, now + 21s);
    EXPECT_EQ(core->acquire(now + 21s, where), seat);
    core->tick(now + 40s);
    EXPECT_EQ(core->take_notices().size(), 1U);  // the next lease has its own
}

TEST_F(PoolCoreTest, AnUnfitConnectionIsClosedAndItsSeatUsedAgain) {
    make({.max = 1});
    const auto seat = open_and_lend();
    Ticket ticket;
    enter(ticket);
    core->release(seat, false, now);
    EXPECT_EQ(expect_task(Task::Kind::close), seat);
    expect_no_task();  // the server still counts it
    core->closed(seat, now);
    core->opened(expect_task(Task::Kind::open), now);
    EXPECT_EQ(ticket.state, Ticket::State::served);
}

TEST_F(PoolCoreTest, ClosingRefusesTheLineAndWaitsForLeases) {
    const auto one = open_and_lend();
    const auto two = open_and_lend();
    core->release(one, true, now);
    Ticket waiting;
    pass(2s);
    enter(waiting);
    EXPECT_EQ(expect_task(Task::Kind::check), one);
    core->close(now);
    EXPECT_EQ(waiting.state, Ticket::State::refused);
    EXPECT_EQ(waiting.error.code, 1053);
    core->checked(one, true, now);
    EXPECT_EQ(expect_task(Task::Kind::close), one);
    core->closed(one, now);
    EXPECT_EQ(core->lent(), 1U);
    core->release(two, true, now);
    EXPECT_EQ(expect_task(Task::Kind::close), two);
    core->closed(two, now);
    EXPECT_EQ(core->stats().open, 0U);
    EXPECT_EQ(core->wake_at(now), std::nullopt);
    Ticket late;
    enter(late);
    EXPECT_EQ(late.state, Ticket::State::refused);
}

// Random events against what must hold at every moment (pool_core.h).
TEST_F(PoolCoreTest, NothingGetsLostUnderRandomEvents) {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        std::mt19937 random(seed);
        const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
        const unsigned max = 1 + seed % 5;
        make({.max = max, .min_idle = seed % 2, .idle_timeout = 5s, .max_age = 20s, .seed = seed});
        std::list<Ticket> line;
        std::vector<unsigned> lent;
        std::vector<Task> tasks;
        for (int step = 0; step < 4000; ++step) {
            pass(std::chrono::milliseconds(random() % 200));
            switch (random() % 6) {
                case 0: {
                    if (const auto seat = core->acquire(now, where)) {
                        EXPECT_TRUE(line.empty());
                        lent.push_back(*seat);
                    } else {
                        enter(line.emplace_back());
                    }
                    break;
                }
                case 1:
                    if (!lent.empty()) {
                        std::swap(lent[random() % lent.size()], lent.back());
                        core->release(lent.back(), chance(90), now);
                        lent.pop_back();
                    }
                    break;
                case 2:
                    if (!line.empty() && chance(20)) {
                        auto ticket = std::next(line.begin(), static_cast<long>(random() % line.size()));
                        (void)core->leave(*ticket, now);
                        line.erase(ticket);
                    }
                    break;
                case 3:
                    core->tick(now);
                    break;
                default:
                    if (!tasks.empty()) {
                        std::swap(tasks[random() % tasks.size()], tasks.back());
                        const auto task = tasks.back();
                        tasks.pop_back();
                        if (task.kind == Task::Kind::close) core->closed(task.seat, now);
                        if (task.kind == Task::Kind::check) core->checked(task.seat, chance(80), now);
                        if (task.kind == Task::Kind::open && chance(70)) {
                            core->opened(task.seat, now);
                        } else if (task.kind == Task::Kind::open) {
                            core->open_failed(task.seat, kFull, now);
                        }
                    }
            }
            core->clear_news();
            while (!line.empty() && line.front().state == Ticket::State::served) {
                lent.push_back(line.front().seat);
                line.pop_front();
            }
            for (const auto& ticket : line) ASSERT_EQ(ticket.state, Ticket::State::waiting) << "served out of turn";
            while (const auto task = core->next_task()) tasks.push_back(*task);
            const auto stats = core->stats();
            ASSERT_EQ(stats.lent, lent.size());
            ASSERT_EQ(stats.waiting, line.size());
            ASSERT_LE(stats.open + stats.opening, max);
            if (stats.idle > 0) ASSERT_GE(stats.checking, line.size());
            // Whoever waits has something to hope for: a lease, a task under way, or the time of the next attempt.
            if (!line.empty()) ASSERT_TRUE(!lent.empty() || !tasks.empty() || core->wake_at(now).has_value());
        }
    }
}

}  // namespace
}  // namespace tidegate::client
