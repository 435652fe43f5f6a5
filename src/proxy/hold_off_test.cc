#include "proxy/hold_off.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate::proxy {
namespace {

constexpr TimePoint start{1h};

void fail_times(HoldOff& hold_off, std::string_view host, int times, TimePoint now) {
    for (int i = 0; i < times; ++i) hold_off.failed(host, now);
}

TEST(HoldOff, HoldsOffAfterSoManyFailures) {
    HoldOff hold_off;
    fail_times(hold_off, "10.0.0.1", 9, start);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start), Duration::zero());
    hold_off.failed("10.0.0.1", start);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start), 30s);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start + 20s), 10s);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start + 30s), Duration::zero());
    EXPECT_EQ(hold_off.wait("10.0.0.2", start), Duration::zero());
}

TEST(HoldOff, SlowFailuresDoNotCount) {
    HoldOff hold_off;
    for (int i = 0; i < 100; ++i) hold_off.failed("10.0.0.1", start + i * 10s);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start + 1000s), Duration::zero());
}

TEST(HoldOff, DoublesUpToACapAndCalmsDown) {
    HoldOff hold_off;
    TimePoint now = start;
    std::vector<Duration> waits;
    for (int i = 0; i < 7; ++i) {
        fail_times(hold_off, "10.0.0.1", 10, now);
        waits.push_back(hold_off.wait("10.0.0.1", now));
        now += waits.back();
    }
    EXPECT_EQ(waits, (std::vector<Duration>{30s, 60s, 120s, 240s, 480s, 600s, 600s}));
    now += 12min;
    fail_times(hold_off, "10.0.0.1", 10, now);
    EXPECT_EQ(hold_off.wait("10.0.0.1", now), 30s);
}

TEST(HoldOff, ASuccessClears) {
    HoldOff hold_off;
    fail_times(hold_off, "10.0.0.1", 9, start);
    hold_off.succeeded("10.0.0.1");
    hold_off.failed("10.0.0.1", start);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start), Duration::zero());
}

TEST(HoldOff, LocalPeersAreNeverHeldOff) {
    HoldOff hold_off;
    for (const char* host : {"127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1", "localhost", ""}) {
        fail_times(hold_off, host, 100, start);
        EXPECT_EQ(hold_off.wait(host, start), Duration::zero()) << host;
    }
    EXPECT_EQ(hold_off.size(), 0u);
}

TEST(HoldOff, CountsAnIpv6NetworkAsOne) {
    HoldOff hold_off;
    for (int i = 0; i < 10; ++i) hold_off.failed("2001:db8:1:2::" + std::to_string(i), start);
    EXPECT_GT(hold_off.wait("2001:db8:1:2:ffff::9", start), Duration::zero());
    EXPECT_EQ(hold_off.wait("2001:db8:1:3::1", start), Duration::zero());
    // An IPv4 client on an IPv6 socket is the same client.
    fail_times(hold_off, "10.0.0.1", 5, start);
    fail_times(hold_off, "::ffff:10.0.0.1", 5, start);
    EXPECT_GT(hold_off.wait("10.0.0.1", start), Duration::zero());
}

TEST(HoldOff, MemoryIsBoundedOldestOut) {
    HoldOff hold_off({.addresses = 100});
    fail_times(hold_off, "10.0.0.1", 10, start);
    fail_times(hold_off, "10.0.0.2", 10, start);
    for (int i = 0; i < 98; ++i) hold_off.failed("10.1.0." + std::to_string(i), start);
    hold_off.failed("10.0.0.1", start);
    hold_off.failed("10.2.0.1", start);
    EXPECT_EQ(hold_off.size(), 100u);
    EXPECT_GT(hold_off.wait("10.0.0.1", start), Duration::zero());  // failed again lately
    EXPECT_EQ(hold_off.wait("10.0.0.2", start), Duration::zero());  // the oldest
}

TEST(HoldOff, CanBeOff) {
    HoldOff hold_off({.failures = 0});
    fail_times(hold_off, "10.0.0.1", 100, start);
    EXPECT_EQ(hold_off.wait("10.0.0.1", start), Duration::zero());
}

TEST(HoldOff, BoundsProvingInAllAndPerAddress) {
    HoldOff hold_off({.proving_at_once = 5, .proving_per_address = 2});
    {
        const auto a = hold_off.begin_proving("10.0.0.1");
        const auto b = hold_off.begin_proving("10.0.0.1");
        EXPECT_TRUE(a && b);
        EXPECT_FALSE(hold_off.begin_proving("10.0.0.1"));
        const auto c = hold_off.begin_proving("10.0.0.2");
        const auto d = hold_off.begin_proving("127.0.0.1");  // local peers share only the total
        const auto e = hold_off.begin_proving("127.0.0.1");
        EXPECT_TRUE(c && d && e);
        EXPECT_FALSE(hold_off.begin_proving("10.0.0.3"));
        EXPECT_EQ(hold_off.proving(), 5u);
    }
    EXPECT_EQ(hold_off.proving(), 0u);
    EXPECT_TRUE(hold_off.begin_proving("10.0.0.1"));
}

TEST(HoldOff, AMovedPermitCountsOnce) {
    HoldOff hold_off;
    auto first = hold_off.begin_proving("10.0.0.1");
    ASSERT_TRUE(first);
    {
        const HoldOff::Proving moved = std::move(*first);
        EXPECT_EQ(hold_off.proving(), 1u);
    }
    EXPECT_EQ(hold_off.proving(), 0u);
    first.reset();
    EXPECT_EQ(hold_off.proving(), 0u);
}

}  // namespace
}  // namespace tidegate::proxy
