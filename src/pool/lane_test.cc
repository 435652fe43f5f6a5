#include "pool/lane.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "pool/account.h"
#include "pool/deadlines.h"

namespace tidegate::pool {
namespace {

class LaneTest : public testing::Test {
protected:
    Request& waits(std::uint64_t arrival, std::uint32_t rank = 0) {
        Request& request = requests.emplace_back();
        request.arrival = arrival;
        request.rank = rank;
        lane.add(request);
        return request;
    }
    std::vector<std::uint64_t> order(std::size_t beyond = 0) {
        std::vector<std::uint64_t> arrivals;
        lane.for_each_beyond(beyond, [&](const Request& request) {
            arrivals.push_back(request.arrival);
            return true;
        });
        return arrivals;
    }
    Account account;
    std::deque<Request> requests;
    Lane lane{Key{}, account};
};

TEST_F(LaneTest, IsInTheOrderOfRankThenArrival) {
    EXPECT_EQ(lane.head(), nullptr);
    waits(1, 2);
    waits(2, 0);
    waits(3, 1);
    waits(4, 0);
    waits(5, 99);  // all beyond the last rank are of the last rank
    EXPECT_EQ(order(), (std::vector<std::uint64_t>{2, 4, 3, 1, 5}));
    EXPECT_EQ(order(2), (std::vector<std::uint64_t>{3, 1, 5}));
    EXPECT_EQ(order(9), (std::vector<std::uint64_t>{}));
    EXPECT_EQ(lane.first_beyond(3)->arrival, 1U);
    EXPECT_EQ(lane.first_beyond(5), nullptr);
}

TEST_F(LaneTest, WhoComesBackGetsItsOldPlace) {
    waits(10);
    waits(20);
    waits(30);
    waits(25);
    waits(5);
    waits(40);
    EXPECT_EQ(order(), (std::vector<std::uint64_t>{5, 10, 20, 25, 30, 40}));
}

TEST_F(LaneTest, KnowsWhoWouldBeOvertaken) {
    EXPECT_FALSE(lane.anybody_before(kRanks - 1));
    Request& low = waits(1, 3);
    EXPECT_FALSE(lane.anybody_before(2));
    EXPECT_TRUE(lane.anybody_before(3));
    EXPECT_TRUE(lane.anybody_before(kRanks - 1));
    lane.remove(low);
    EXPECT_FALSE(lane.anybody_before(kRanks - 1));
    EXPECT_EQ(lane.waiting(), 0U);
}

TEST(Deadlines, GivesEachOnceInAnyOrderOfDeadlines) {
    Deadlines deadlines;
    std::deque<Request> requests(1000);
    const TimePoint start = TimePoint{} + 1h;
    deadlines.expire(start, [](Request&) { FAIL(); });
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].deadline = start + std::chrono::milliseconds((i * 7919) % 200000);
        deadlines.add(requests[i]);
    }
    for (std::size_t i = 0; i < requests.size(); i += 3) Deadlines::remove(requests[i]);
    std::size_t expired = 0;
    for (TimePoint now = start; now <= start + 201s; now += 30ms) {
        deadlines.expire(now, [&](Request& request) {
            ++expired;
            EXPECT_LE(request.deadline, now);
            EXPECT_GT(request.deadline, now - 31ms);
        });
    }
    EXPECT_EQ(expired, 666U);
}

TEST(Deadlines, OneThatHasPassedAlreadyComesWithTheNextTick) {
    Deadlines deadlines;
    Request request;
    const TimePoint start = TimePoint{} + 1h;
    deadlines.expire(start, [](Request&) {});
    request.deadline = start - 10s;
    deadlines.add(request);
    int expired = 0;
    deadlines.expire(start + 1ms, [&](Request&) { ++expired; });
    EXPECT_EQ(expired, 1);
}

TEST(Pace, KnowsNothingUntilItHasMeasuredFiveBusySeconds) {
    Pace pace;
    TimePoint now = TimePoint{} + 1h;
    const auto run = [&](int ticks) {
        for (int i = 0; i < ticks; ++i) {
            pace.tick(now, true);
            now += 100ms;
            for (int grants = 0; grants < 10; ++grants) pace.granted();
        }
    };
    run(50);
    EXPECT_EQ(pace.per_second(), std::nullopt);
    run(2);
    ASSERT_TRUE(pace.per_second());
    EXPECT_NEAR(*pace.per_second(), 100, 2);
    pace.interrupt();
    EXPECT_EQ(pace.per_second(), std::nullopt);
    run(20);
    pace.tick(now, false);
    run(40);
    EXPECT_EQ(pace.per_second(), std::nullopt) << "the line was empty in between";
}

TEST(Pace, AFewGrantsProveNothing) {
    Pace pace;
    TimePoint now = TimePoint{} + 1h;
    for (int i = 0; i < 100; ++i, now += 100ms) {
        pace.tick(now, true);
        if (i % 10 == 0) pace.granted();
    }
    EXPECT_EQ(pace.per_second(), std::nullopt);
}

}  // namespace
}  // namespace tidegate::pool
