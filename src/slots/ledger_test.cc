// The ledger, rule by rule, and under random events against an account that the test keeps for itself.
#include "slots/ledger.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace tidegate::slots {
namespace {

const TimePoint kStart{1000s};

Waiter someone(int priority = 0, TimePoint since = kStart, Duration patience = 30s) {
    Waiter waiter{.order = {.priority = priority}, .since = since, .deadline = since + patience};
    waiter.who.pid = 100 + priority;
    return waiter;
}

// Takes all that may be taken; the slots, in the order of the line.
std::vector<SlotNumber> serve(Ledger& ledger, TimePoint now = kStart) {
    std::vector<SlotNumber> slots;
    while (const auto next = ledger.next()) {
        ledger.take(*next, HeldBy::lock, now);
        slots.push_back(next->slot);
    }
    return slots;
}

TEST(Ledger, ServesAtOnceWhileThereAreSlots) {
    Ledger ledger(2);
    EXPECT_FALSE(ledger.next());
    EXPECT_EQ(ledger.room(), 2U);
    ledger.join(someone(), kStart);
    ledger.join(someone(), kStart);
    ledger.join(someone(), kStart);
    EXPECT_EQ(ledger.servable(), 2U);
    EXPECT_EQ(serve(ledger), (std::vector<SlotNumber>{0, 1}));
    EXPECT_EQ(ledger.active(), 2U);
    EXPECT_EQ(ledger.waiting(), 1U);
    EXPECT_EQ(ledger.room(), 0U);
    EXPECT_EQ(ledger.servable(), 0U);
    EXPECT_FALSE(ledger.next());
}

TEST(Ledger, GivesTheLowestFreeSlot) {
    Ledger ledger(3);
    for (int i = 0; i < 3; ++i) ledger.join(someone(), kStart);
    serve(ledger);
    ledger.release(2, Return::given_back, kStart);
    ledger.release(0, Return::given_back, kStart);
    ledger.join(someone(), kStart);
    EXPECT_EQ(serve(ledger), std::vector<SlotNumber>{0});
    EXPECT_EQ(ledger.holder(2), nullptr);
    EXPECT_NE(ledger.holder(1), nullptr);
    EXPECT_EQ(ledger.holder(99), nullptr);
}

TEST(Ledger, TheLineIsByPriorityAndThenByArrival) {
    Ledger ledger(1);
    ledger.join(someone(), kStart);
    serve(ledger);
    const Order low = ledger.join(someone(-5), kStart);
    const Order first = ledger.join(someone(0), kStart);
    const Order second = ledger.join(someone(0), kStart);
    const Order urgent = ledger.join(someone(7), kStart);
    EXPECT_EQ(ledger.ahead_of(urgent), 0U);
    EXPECT_EQ(ledger.ahead_of(low), 3U);
    for (const Order& order : {urgent, first, second, low}) {
        ledger.release(0, Return::given_back, kStart);
        const auto next = ledger.next();
        ASSERT_TRUE(next);
        EXPECT_EQ(next->waiter, order);
        ledger.take(*next, HeldBy::lock, kStart);
    }
}

TEST(Ledger, WhoBeganToWaitEarlierStandsBeforeOthers) {
    Ledger ledger(1);
    ledger.join(someone(), kStart);
    const Order second = ledger.join(someone(), kStart);
    serve(ledger);
    const Order before = ledger.join(someone(0, kStart - 10s), kStart);
    EXPECT_EQ(ledger.ahead_of(before), 0U);
    EXPECT_EQ(ledger.ahead_of(second), 1U);
}

TEST(Ledger, DeadlinesAreAbsoluteAndOfTheirOwn) {
    Ledger ledger(1);
    ledger.join(someone(), kStart);
    serve(ledger);
    ledger.join(someone(0, kStart, 30s), kStart);
    const Order hasty = ledger.join(someone(0, kStart, 2s), kStart);
    const Order later = ledger.join(someone(0, kStart + 1s, 1s), kStart + 1s);
    EXPECT_EQ(ledger.next_deadline(), kStart + 2s);
    EXPECT_TRUE(ledger.expire(kStart + 1999ms).empty());
    const auto late = ledger.expire(kStart + 2s);
    ASSERT_EQ(late.size(), 2U);
    EXPECT_EQ(late[0].order, hasty);
    EXPECT_EQ(late[1].order, later);
    EXPECT_EQ(ledger.waiting(), 1U);
    EXPECT_EQ(ledger.totals().timed_out, 2U);
    EXPECT_EQ(ledger.next_deadline(), kStart + 30s);
}

TEST(Ledger, WhoLeavesIsPassedOver) {
    Ledger ledger(1);
    ledger.join(someone(), kStart);
    serve(ledger);
    const Order first = ledger.join(someone(), kStart);
    const Order second = ledger.join(someone(), kStart);
    EXPECT_TRUE(ledger.leave(first, Leave::gone, kStart));
    EXPECT_FALSE(ledger.leave(first, Leave::gone, kStart));
    EXPECT_EQ(ledger.waiter(first), nullptr);
    ASSERT_NE(ledger.waiter(second), nullptr);
    ledger.release(0, Return::holder_died, kStart);
    EXPECT_EQ(ledger.next()->waiter, second);
    EXPECT_EQ(ledger.totals().left, 1U);
    EXPECT_EQ(ledger.totals().recovered, 1U);
}

TEST(Ledger, FewerSlotsPutNobodyOutAndLetNobodyIn) {
    Ledger ledger(4);
    for (int i = 0; i < 4; ++i) ledger.join(someone(), kStart);
    serve(ledger);
    ledger.resize(2, kStart);
    ledger.join(someone(), kStart);
    ledger.release(0, Return::given_back, kStart);
    ledger.release(1, Return::given_back, kStart);
    EXPECT_EQ(ledger.active(), 2U);
    EXPECT_FALSE(ledger.next());
    ledger.release(3, Return::given_back, kStart);
    EXPECT_EQ(serve(ledger), std::vector<SlotNumber>{0});
    ledger.resize(0, kStart);
    EXPECT_EQ(ledger.size(), 1U);
}

TEST(Ledger, MoreSlotsServeThoseWhoWait) {
    Ledger ledger(1);
    for (int i = 0; i < 3; ++i) ledger.join(someone(), kStart);
    serve(ledger);
    ledger.resize(3, kStart);
    EXPECT_EQ(ledger.servable(), 2U);
    EXPECT_EQ(serve(ledger), (std::vector<SlotNumber>{1, 2}));
}

TEST(Ledger, CountsWhatHappened) {
    Ledger ledger(1);
    ledger.join(someone(), kStart);
    serve(ledger, kStart);
    ledger.join(someone(), kStart);
    ledger.release(0, Return::given_back, kStart + 3s);
    serve(ledger, kStart + 3s);
    const Totals& totals = ledger.totals();
    EXPECT_EQ(totals.arrivals, 2U);
    EXPECT_EQ(totals.granted, 2U);
    EXPECT_EQ(totals.waited, 1U);
    EXPECT_EQ(totals.peak, 1U);
    EXPECT_EQ(totals.most_waiting, 1U);
    EXPECT_EQ(totals.last_update, kStart + 3s);
    EXPECT_EQ(totals.waits.count(), 2U);
    EXPECT_EQ(totals.waits.max(), 3s);
    EXPECT_EQ(ledger.holder(0)->waited, 3s);
    EXPECT_EQ(ledger.holder(0)->since, kStart + 3s);
}

TEST(Ledger, ComesBackAsItWasWrittenDown) {
    Ledger ledger(3);
    for (int i = 0; i < 5; ++i) ledger.join(someone(i), kStart);
    serve(ledger);
    const Ledger again(ledger.size(), {ledger.holders().begin(), ledger.holders().end()}, ledger.line(),
                       ledger.totals());
    EXPECT_EQ(again.active(), 3U);
    EXPECT_EQ(again.waiting(), 2U);
    EXPECT_EQ(again.totals().arrivals, 5U);
    EXPECT_EQ(again.holder(1)->who.pid, 103);
    EXPECT_EQ(again.line().front().who.pid, 101);
}

TEST(Ledger, ASlotFoundTakenCounts) {
    Ledger ledger(2);
    ledger.found_taken(0, {.by = HeldBy::lock}, kStart);
    ledger.join(someone(), kStart);
    ledger.join(someone(), kStart);
    EXPECT_EQ(serve(ledger), std::vector<SlotNumber>{1});
    EXPECT_EQ(ledger.active(), 2U);
}

TEST(Process, CutsLongCommands) {
    Process process;
    process.set_command(std::string(500, 'x'));
    EXPECT_EQ(process.command(), std::string(127, 'x'));
    process.set_command("php\na.php");
    EXPECT_EQ(process.command(), "php a.php");
}

// A random life of a pool. After every event: never more holders than slots (but for those that a smaller size found
// there), nobody waits while a slot is free, nobody overtakes, nobody stays past his deadline, nothing is lost.
class Life {
public:
    explicit Life(std::uint32_t seed) : random_(seed), ledger_(size_) {}

    void step() {
        now_ += std::chrono::milliseconds(roll(40));
        switch (roll(10)) {
            case 0:
            case 1:
            case 2:
            case 3:
                come();
                break;
            case 4:
            case 5:
            case 6:
                give_back();
                break;
            case 7:
                leave();
                break;
            case 8:
                if (roll(20) == 0) resize();
                break;
            default:
                break;
        }
        expire();
        settle();
        check();
    }

    void drain() {
        while (!held_.empty()) {
            give_back();
            settle();
            check();
        }
        EXPECT_EQ(ledger_.waiting(), 0U);
        EXPECT_EQ(ledger_.active(), 0U);
        const Totals& totals = ledger_.totals();
        EXPECT_EQ(totals.arrivals, totals.granted + totals.left + totals.timed_out);
        EXPECT_EQ(totals.waits.count(), totals.granted);
    }

private:
    unsigned roll(unsigned sides) { return std::uniform_int_distribution<unsigned>(0, sides - 1)(random_); }

    void come() {
        Waiter waiter = someone(static_cast<int>(roll(4)), now_, std::chrono::milliseconds(1 + roll(3000)));
        const Order order = ledger_.join(waiter, now_);
        line_[{-order.priority, order.arrival}] = waiter.deadline;
    }
    void give_back() {
        if (held_.empty()) return;
        auto which = held_.begin();
        std::advance(which, roll(static_cast<unsigned>(held_.size())));
        ledger_.release(*which, roll(2) == 0 ? Return::given_back : Return::holder_died, now_);
        held_.erase(which);
    }
    void leave() {
        if (line_.empty()) return;
        auto which = line_.begin();
        std::advance(which, roll(static_cast<unsigned>(line_.size())));
        EXPECT_TRUE(ledger_.leave({-which->first.first, which->first.second}, Leave::gone, now_));
        line_.erase(which);
    }
    void resize() {
        size_ = 1 + roll(12);
        ledger_.resize(size_, now_);
    }
    void expire() {
        for (const Waiter& late : ledger_.expire(now_)) {
            EXPECT_LE(late.deadline, now_);
            EXPECT_EQ(line_.erase({-late.order.priority, late.order.arrival}), 1U);
        }
    }
    void settle() {
        while (const auto next = ledger_.next()) {
            EXPECT_LT(held_.size(), size_);
            ASSERT_FALSE(line_.empty());
            EXPECT_EQ(line_.begin()->first, std::pair(-next->waiter.priority, next->waiter.arrival)) << "overtaken";
            line_.erase(line_.begin());
            EXPECT_LT(next->slot, size_);
            EXPECT_TRUE(held_.insert(next->slot).second) << "one slot, two holders";
            ledger_.take(*next, HeldBy::lock, now_);
        }
    }
    void check() {
        ASSERT_EQ(ledger_.active(), held_.size());
        ASSERT_EQ(ledger_.waiting(), line_.size());
        EXPECT_TRUE(line_.empty() || held_.size() >= size_) << "somebody waits while a slot is free";
        for (const auto& [place, deadline] : line_) EXPECT_GT(deadline, now_);
        for (const SlotNumber slot : held_) EXPECT_NE(ledger_.holder(slot), nullptr);
    }

    std::mt19937 random_;
    unsigned size_ = 5;
    TimePoint now_ = kStart;
    Ledger ledger_;
    std::set<SlotNumber> held_;
    std::map<std::pair<int, std::uint64_t>, TimePoint> line_;
};

TEST(Ledger, HoldsThroughRandomLives) {
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life(seed);
        for (int i = 0; i < 5000; ++i) life.step();
        life.drain();
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace tidegate::slots
