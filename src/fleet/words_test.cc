// What workers say and print, taken apart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "fleet/line_cutter.h"
#include "fleet/notice.h"
#include "fleet/policy.h"

namespace tidegate::fleet {
namespace {

using ::testing::ElementsAre;

TEST(Notices, AreSystemds) {
    const auto notice = parse_notice("READY=1\nSTATUS=at order 7\nJOB=1\nJOB=1\nJOB=0\nMAINPID=4\n");
    EXPECT_TRUE(notice.ready);
    EXPECT_EQ(notice.jobs_done, 2U);
    EXPECT_EQ(notice.jobs_failed, 1U);
    EXPECT_EQ(notice.status, "at order 7");
}

TEST(Notices, ThatSayNothing) {
    for (const std::string_view text : {"", "\n\n", "READY=0", "READY=11", "JOB=", "JOB=17", "WATCHDOG=1", "ready=1"}) {
        const auto notice = parse_notice(text);
        EXPECT_FALSE(notice.ready || notice.has_status) << text;
        EXPECT_EQ(notice.jobs_done + notice.jobs_failed, 0U) << text;
    }
}

TEST(Notices, HaveNoControlCharactersAndAnEnd) {
    EXPECT_EQ(parse_notice("STATUS=a\x1b[31m\tb").status, "a [31m b");
    EXPECT_EQ(parse_notice("STATUS=" + std::string(5000, 'x')).status.size(), 200U);
    EXPECT_TRUE(parse_notice("STATUS=").has_status);
}

std::vector<std::string> cut(const std::vector<std::string>& pieces) {
    LineCutter cutter;
    std::vector<std::string> lines;
    const auto take = [&](std::string_view line) { lines.emplace_back(line); };
    for (const auto& piece : pieces) cutter.add(piece, take);
    cutter.end(take);
    return lines;
}

TEST(Lines, AreCutWhereverThePiecesEnd) {
    EXPECT_THAT(cut({"a\nb\n"}), ElementsAre("a", "b"));
    EXPECT_THAT(cut({"a", "b", "\n", "\n", "c"}), ElementsAre("ab", "", "c"));
    EXPECT_THAT(cut({"a\nb", "c\nd\n"}), ElementsAre("a", "bc", "d"));
    EXPECT_THAT(cut({}), ElementsAre());
    EXPECT_THAT(cut({"\n"}), ElementsAre(""));
}

TEST(Lines, ThatAreTooLongComeInPieces) {
    const auto lines = cut({std::string(LineCutter::kLongest - 1, 'x'), "yz", "\nshort\n"});
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].size(), LineCutter::kLongest + 1);
    EXPECT_EQ(lines[1], "");
    EXPECT_EQ(lines[2], "short");
}

TEST(Defaults, DependOnRestart) {
    const Policy plain = policy_of({});
    EXPECT_EQ(plain.max_jobs, 0U);
    EXPECT_EQ(plain.max_time, 0s);
    EXPECT_EQ(plain.batch, 150U);
    const Policy always = policy_of({.restart = Restart::always});
    EXPECT_EQ(always.max_jobs, 100U);
    EXPECT_EQ(always.max_time, 1h);
    const Policy off =
        policy_of({.batch = std::nullopt, .restart = Restart::always, .max_jobs = 0, .max_time = Duration::zero()});
    EXPECT_EQ(off.max_jobs, 0U);
    EXPECT_EQ(off.max_time, 0s);
    EXPECT_EQ(off.batch, 0U);
    EXPECT_EQ(policy_of({.max_jobs = 7}).max_jobs, 7U);
}

}  // namespace
}  // namespace tidegate::fleet
