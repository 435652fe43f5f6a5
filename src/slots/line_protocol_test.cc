#include "slots/line_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::slots {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const TimePoint kNow{5000s};

TEST(LineProtocol, ReadsWhatPeopleWrite) {
    const auto line = parse_line("ACQUIRE jobs wait=30s priority=5");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->verb, Verb::acquire);
    EXPECT_EQ(line->pool, "jobs");
    EXPECT_EQ(line->wait, 30s);
    EXPECT_EQ(line->priority, 5);
    EXPECT_FALSE(line->lock);
    EXPECT_EQ(parse_line("ACQUIRE")->pool, "default");
    EXPECT_FALSE(parse_line("ACQUIRE")->wait);
    EXPECT_EQ(parse_line("ACQUIRE wait=2 a priority=-3")->pool, "a");
    EXPECT_EQ(parse_line("ACQUIRE wait=2 a priority=-3")->wait, 2s);
    EXPECT_EQ(parse_line("RELEASE")->verb, Verb::release);
    EXPECT_EQ(parse_line("STATS a")->pool, "a");
    EXPECT_EQ(parse_line("LIST")->verb, Verb::list);
}

TEST(LineProtocol, ACommandGoesToTheEndOfTheLine) {
    const auto line = parse_line("ACQUIRE a lock=1 resume=7 slots=5 waited=1.5s command=php x.php wait=3 --b");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->command, "php x.php wait=3 --b");
    EXPECT_TRUE(line->lock);
    EXPECT_EQ(line->resume, 7U);
    EXPECT_EQ(line->slots, 5U);
    EXPECT_EQ(line->waited, 1500ms);
    const auto again = parse_line(std::string_view(acquire_line(*line)).substr(0, acquire_line(*line).size() - 1));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->command, line->command);
    EXPECT_EQ(again->waited, line->waited);
    EXPECT_EQ(again->resume, line->resume);
}

TEST(LineProtocol, SaysWhatIsWrong) {
    for (const auto* bad : {"", "HELLO", "acquire a", "ACQUIRE ../a", "ACQUIRE a b", "ACQUIRE a wait=soon",
                            "ACQUIRE a wait=-1", "ACQUIRE a priority=high", "ACQUIRE a priority=1001",
                            "ACQUIRE a colour=red", "ACQUIRE a resume=x", "ACQUIRE a slots=0", "ACQUIRE a wait=25h"}) {
        const auto line = parse_line(bad);
        ASSERT_FALSE(line) << bad;
        EXPECT_THAT(line.error().message, StartsWith("usage "));
    }
    EXPECT_FALSE(parse_line(std::string(2000, 'x')));
}

TEST(LineProtocol, AnswersAsTheDocumentationHasIt) {
    Ledger ledger(1);
    ledger.join({.since = kNow, .deadline = kNow + 30s}, kNow);
    ledger.take(*ledger.next(), HeldBy::lock, kNow);
    EXPECT_EQ(ok_line(17, 200ms), "OK slot=17 waited=0.200s\n");
    EXPECT_EQ(timeout_line(30s, ledger), "ERR timeout waited=30.0s active=1 waiting=0\n");
    EXPECT_THAT(stats_line("jobs", ledger, kNow + 2s),
                StartsWith("OK name=jobs active=1 waiting=0 peak=1 max=1 room=0 "));
    const auto ok = parse_reply("OK slot=17 waited=0.200s");
    ASSERT_TRUE(ok && ok->ok);
    EXPECT_EQ(ok->slot, 17U);
    EXPECT_EQ(ok->waited, 200ms);
    const auto late = parse_reply("ERR timeout waited=30.0s active=150 waiting=37");
    ASSERT_TRUE(late && !late->ok && late->timed_out);
    EXPECT_EQ(late->active, 150U);
    EXPECT_EQ(late->waiting, 37U);
    EXPECT_FALSE(parse_reply("HTTP/1.1 400 Bad Request"));
}

TEST(LineProtocol, AListComesBackAsItWas) {
    Ledger ledger(2);
    Waiter one{.order = {.priority = 4}, .since = kNow - 3s, .deadline = kNow + 30s};
    one.who.pid = 4711;
    one.who.set_command("php a b=c");
    for (int i = 0; i < 3; ++i) ledger.join(one, kNow);
    while (const auto next = ledger.next()) ledger.take(*next, HeldBy::lock, kNow);
    ledger.release(0, Return::given_back, kNow);
    const auto listed = parse_list(list_lines("jobs", ledger, kNow) + list_lines("x", Ledger(9), kNow) + "END\n", kNow);
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 2U);
    const Ledger& again = (*listed)[0].ledger;
    EXPECT_EQ((*listed)[0].name, "jobs");
    EXPECT_EQ(again.size(), 2U);
    EXPECT_EQ(again.active(), 1U);
    EXPECT_EQ(again.waiting(), 1U);
    EXPECT_EQ(again.holder(1)->who.command(), "php a b=c");
    EXPECT_EQ(again.holder(1)->waited, 3s);
    EXPECT_EQ(again.line()[0].who.pid, 4711);
    EXPECT_EQ(again.line()[0].order.priority, 4);
    EXPECT_EQ(again.totals().granted, 2U);
    EXPECT_EQ((*listed)[1].ledger.size(), 9U);
    for (const auto* bad :
         {"", "POOL name=a", "HOLDER slot=1\nEND\n", "POOL name=a\nHOLDER slot=99999\nEND\n", "x\nEND\n"}) {
        EXPECT_FALSE(parse_list(bad, kNow)) << bad;
    }
}

}  // namespace
}  // namespace tidegate::slots
