#include "config/values.h"
#include "config/line_pattern.h"

#include <gtest/gtest.h>

#include <array>

#include "config/network.h"

namespace tidegate::config {
namespace {

TEST(Duration, TakesUnitsAndBareSeconds) {
    EXPECT_EQ(parse_duration("30s"), Duration(30s));
    EXPECT_EQ(parse_duration("500ms"), Duration(500ms));
    EXPECT_EQ(parse_duration("2m"), Duration(2min));
    EXPECT_EQ(parse_duration("1h"), Duration(1h));
    EXPECT_EQ(parse_duration("1d"), Duration(24h));
    EXPECT_EQ(parse_duration("45"), Duration(45s));
    EXPECT_EQ(parse_duration("1.5s"), Duration(1500ms));
    EXPECT_EQ(parse_duration("10 s"), Duration(10s));
}

TEST(Duration, RefusesWhatIsNone) {
    for (const auto* text : {"", "s", "-1s", "5x", "5 seconds", "nan", "inf", "1e3", "99999999999d", "1,5s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Duration, IsWrittenInItsLargestUnit) {
    EXPECT_EQ(text_of(Duration(90s)), "90s");
    EXPECT_EQ(text_of(Duration(120s)), "2m");
    EXPECT_EQ(text_of(Duration(3600s)), "1h");
    EXPECT_EQ(text_of(Duration(250ms)), "250ms");
    EXPECT_EQ(text_of(Duration(0s)), "0s");
}

TEST(EndpointText, ParsesAndPrints) {
    EXPECT_EQ(parse_endpoint("127.0.0.1:6306"), (Endpoint{"127.0.0.1", 6306}));
    EXPECT_EQ(parse_endpoint("[::1]:0"), (Endpoint{"::1", 0}));
    EXPECT_EQ((Endpoint{"::1", 6306}.text()), "[::1]:6306");
    for (const auto* text : {"", "127.0.0.1", ":6306", "::1:6306", "host:", "host:70000", "host:-1", "a b:1"}) {
        EXPECT_FALSE(parse_endpoint(text)) << text;
    }
}

TEST(EndpointText, KnowsLoopback) {
    EXPECT_TRUE(is_loopback("127.0.0.1"));
    EXPECT_TRUE(is_loopback("127.8.9.1"));
    EXPECT_TRUE(is_loopback("::1"));
    EXPECT_TRUE(is_loopback("localhost"));
    EXPECT_FALSE(is_loopback("0.0.0.0"));
    EXPECT_FALSE(is_loopback("::"));
    EXPECT_FALSE(is_loopback("127.example.com"));
}

TEST(Nearest, FindsSlipsAndNothingElse) {
    constexpr std::array<std::string_view, 3> kWords{"wait_timeout", "max_waiting", "mode"};
    EXPECT_EQ(edit_distance("mdoe", "mode"), 1U);
    EXPECT_EQ(edit_distance("", "mode"), 4U);
    EXPECT_EQ(nearest("wait_timout", kWords), "wait_timeout");
    EXPECT_EQ(nearest("mdoe", kWords), "mode");
    EXPECT_EQ(nearest("colour", kWords), "");
    EXPECT_EQ(nearest(std::string(10'000, 'm'), kWords), "");
}

TEST(Patterns, AreThoseOfGrep) {
    const auto pattern = LinePattern::make("^job [0-9]+ (done|failed)$");
    ASSERT_TRUE(pattern);
    EXPECT_TRUE(pattern->matches("job 17 done"));
    EXPECT_FALSE(pattern->matches("a job 17 done"));
    EXPECT_FALSE(pattern->matches(std::string_view("job 17 done, or not").substr(0, 8)));
    EXPECT_FALSE(LinePattern::make("(").has_value());
}

TEST(RestartWords, ThereAndBack) {
    for (const auto restart : {Restart::always, Restart::on_failure, Restart::never}) {
        EXPECT_EQ(parse_restart(text_of(restart)), restart);
    }
    EXPECT_FALSE(parse_restart("sometimes"));
}

TEST(Sizes, AreWrittenWithAUnit) {
    EXPECT_EQ(parse_size("512K"), 512U << 10U);
    EXPECT_EQ(parse_size("256M"), 256U << 20U);
    EXPECT_EQ(parse_size("1048576"), 1U << 20U);
    for (const std::string_view text : {"", "0", "M", "1T", "-1M", "1.5G", "99999999999G"})
        EXPECT_FALSE(parse_size(text)) << text;
}

TEST(PlainNames, AreForPathsAndUrls) {
    for (const std::string_view name : {"a", "mail-2", "A.b_c"}) EXPECT_TRUE(is_plain_name(name)) << name;
    for (const std::string_view name : {"", ".a", "-a", "a b", "a/b", "\xc3\xa9"})
        EXPECT_FALSE(is_plain_name(name)) << name;
    EXPECT_FALSE(is_plain_name(std::string(65, 'a')));
}

TEST(Network, HoldsItsAddresses) {
    const auto ten = Network::parse("10.0.0.0/8");
    ASSERT_TRUE(ten);
    EXPECT_TRUE(ten->contains("10.255.0.1"));
    EXPECT_TRUE(ten->contains("::ffff:10.1.2.3"));
    EXPECT_FALSE(ten->contains("11.0.0.1"));
    EXPECT_FALSE(ten->contains("localhost"));
    const auto odd = Network::parse("192.168.4.0/22");
    ASSERT_TRUE(odd);
    EXPECT_TRUE(odd->contains("192.168.7.255"));
    EXPECT_FALSE(odd->contains("192.168.8.0"));
    const auto six = Network::parse("2001:db8::/32");
    ASSERT_TRUE(six);
    EXPECT_TRUE(six->contains("2001:db8:1::1"));
    EXPECT_FALSE(six->contains("2001:db9::1"));
    EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains("8.8.8.8"));
    for (const auto* text : {"", "10.0.0.0/33", "10.0.0/8", "::1/129", "10.0.0.0/", "example.com"}) {
        EXPECT_FALSE(Network::parse(text)) << text;
    }
}

}  // namespace
}  // namespace tidegate::config
