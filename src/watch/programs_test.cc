// Who of this host is ended, who is not, and how: real processes that hold real connections.
#include "watch/programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "watch/processes.h"
#include "watch/test_programs.h"

namespace tidegate::watch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kPython = "/usr/bin/python3";

LocalHolder holder(int pid, const std::string& name, std::optional<Duration> quiet, std::size_t ends = 1) {
    LocalHolder one;
    one.program.pid = pid;
    one.program.name = name;
    one.program.command = "/usr/bin/" + name + " --queue=mails";
    one.program.script = "/srv/app/" + name.substr(name.find(' ') + 1);
    one.program.account = "www-data";
    LocalEnd end;
    end.port = 40000;
    end.quiet = quiet;
    one.ends.assign(ends, end);
    return one;
}

std::vector<int> pids_of(const ProgramPlan& plan) {
    std::vector<int> pids;
    for (const auto& target : plan.targets) pids.push_back(target.program.pid);
    return pids;
}

std::map<int, std::string> spared_by(const ProgramPlan& plan) {
    std::map<int, std::string> why;
    for (const auto& spared : plan.spared) why.emplace(spared.program.pid, spared.why);
    return why;
}

TEST(PlanOfPrograms, JoinsFiltersByAnd) {
    LocalView view;
    view.holders = {holder(11, "php worker.php", 400s), holder(12, "node import.js", 400s),
                    holder(13, "php worker.php", 20s), holder(14, "php cron.php", 400s, 3)};
    view.holders[3].program.account = "root";
    const auto chosen = [&](const ProgramFilter& filter) { return pids_of(plan(view, filter, {})); };
    EXPECT_THAT(chosen({.programs = {"worker"}}), ElementsAre(11, 13));
    EXPECT_THAT(chosen({.programs = {"PHP*"}}), ElementsAre(11, 13, 14));
    EXPECT_THAT(chosen({.programs = {"/srv/app/*.js"}}), ElementsAre(12));
    EXPECT_THAT(chosen({.programs = {"*--queue=mails"}}), SizeIs(4));
    EXPECT_THAT(chosen({.programs = {"queue"}}), IsEmpty());  // without a star: of the name
    EXPECT_THAT(chosen({.programs = {"worker", "import"}, .quiet = 300s}), ElementsAre(11, 12));
    EXPECT_THAT(chosen({.programs = {"php*"}, .accounts = {"root"}}), ElementsAre(14));
    EXPECT_THAT(chosen({.pids = {12, 99}}), ElementsAre(12));
    EXPECT_THAT(chosen({.quiet = 400s}), ElementsAre(11, 12, 14));
    EXPECT_EQ(plan(view, {.pids = {14}}, {}).targets[0].connections, 3U);
}

TEST(PlanOfPrograms, LeavesAloneWhatIsNeverEnded) {
    LocalView view;
    view.server = holder(20, "docker-proxy", 0s).program;
    view.holders = {holder(1, "systemd", 900s),          holder(10, "bash", 900s),
                    holder(20, "docker-proxy", 900s),    holder(21, "mariadbd", 900s),
                    holder(22, "mysqlbinlog", 900s),     holder(23, "tidegate serve", 900s),
                    holder(24, "tidegate status", 900s), holder(25, "mysql", 900s),
                    holder(26, "mysqldump", 900s),       holder(27, "tidegate run", 900s)};
    const std::vector<int> own{24, 10, 1};
    const auto planned = plan(view, {.programs = {"*"}}, own);
    EXPECT_THAT(pids_of(planned), ElementsAre(25, 26, 27));
    EXPECT_THAT(planned.spared, SizeIs(7));
    for (const auto& spared : planned.spared) EXPECT_THAT(spared.why, Not(IsEmpty()));
    EXPECT_THAT(pids_of(plan(view, {.pids = {1, 10, 20, 21, 22, 23, 24}}, own)), IsEmpty());  // named or not
}

TEST(PlanOfPrograms, SparesWhoseStatementMayRun) {
    LocalView view;
    view.holders = {holder(11, "php a.php", 400s, 2), holder(12, "php b.php", std::nullopt),
                    holder(13, "php c.php", 400s)};
    view.holders[0].ends[1].spoke_last = true;
    const auto by_time = plan(view, {.quiet = 300s}, {});
    EXPECT_THAT(pids_of(by_time), ElementsAre(13));
    EXPECT_THAT(spared_by(by_time)[11], HasSubstr("--pid 11"));
    EXPECT_THAT(spared_by(by_time)[12], HasSubstr("Unix socket"));
    EXPECT_THAT(pids_of(plan(view, {.pids = {11, 12}}, {})), ElementsAre(11, 12));
}

TEST(PlanOfPrograms, OneBusyConnectionKeepsTheProgram) {
    LocalView view;
    view.holders = {holder(11, "node a.js", 400s, 3)};
    view.holders[0].ends[2].quiet = 1s;
    EXPECT_THAT(pids_of(plan(view, {.quiet = 300s}, {})), IsEmpty());
}

TEST(PlanOfPrograms, EndsTheHeirsOfAConnectionToo) {
    LocalView view;
    view.holders = {holder(11, "php a.php", 400s), holder(13, "php own.php", 1s)};
    view.holders[0].ends[0].also = {12, 13};
    view.heirs = {holder(12, "sleep", 0s).program, view.holders[1].program};
    const auto planned = plan(view, {.programs = {"a.php"}, .quiet = 300s}, {});
    EXPECT_THAT(pids_of(planned), ElementsAre(11, 12));
    EXPECT_EQ(planned.targets[1].inherited_from, 11);
    EXPECT_THAT(spared_by(planned)[13], HasSubstr("others"));  // it works on a connection of its own
    const std::vector<int> own{12};
    EXPECT_THAT(pids_of(plan(view, {.programs = {"a.php"}}, own)), ElementsAre(11));
}

TEST(PlanOfPrograms, IsToldInWords) {
    EXPECT_EQ((ProgramFilter{.programs = {"node*"}, .accounts = {"a", "b"}, .quiet = 5min}.text()),
              "program node*, of a or b, quiet for 300 s or more");
    EXPECT_TRUE(ProgramFilter{}.empty());
    LocalView view;
    view.holders = {holder(11, "php a.php", 41min, 2)};
    EXPECT_EQ(sentence_of(plan(view, {.pids = {11}}, {}).targets[0]),
              "php a.php (pid 11, www-data), 2 connections, quiet for 41 minutes");
}

class EndOfPrograms : public testing::Test {
protected:
    TestProgram hold(const std::string& name, const std::string& preamble = "") {
        const auto script = folder.write(name, preamble + kHolderScript);
        return TestProgram({kPython, script, "1", "127.0.0.1", std::to_string(server.port)});
    }
    [[nodiscard]] LocalView look() const { return look_locally({"127.0.0.1", server.port, ""}).value(); }
    TestFolder folder;
    TestServer server{"127.0.0.1"};
};

std::map<int, ProgramEnd> ends_of(const std::vector<EndedProgram>& ended) {
    std::map<int, ProgramEnd> ends;
    for (const auto& one : ended) ends.emplace(one.target.program.pid, one.end);
    return ends;
}

TEST_F(EndOfPrograms, IsByTermAndLeavesTheOthers) {
    auto meek = hold("meek.py");
    auto bystander = hold("other.py");
    const std::array accepted{server.accept_one(), server.accept_one()};
    std::vector<int> told;
    const auto ended = end(plan(look(), {.programs = {"meek"}}, own_line()).targets, 30s,
                           [&](const EndedProgram& one) { told.push_back(one.target.program.pid); });
    EXPECT_THAT(ends_of(ended), ElementsAre(std::pair(meek.pid, ProgramEnd::ended)));
    EXPECT_THAT(told, ElementsAre(meek.pid));
    EXPECT_EQ(meek.wait(), SIGTERM);
    EXPECT_NE(start_tick_of(bystander.pid), 0U);
    const auto after = look();
    ASSERT_THAT(after.holders, SizeIs(1));
    EXPECT_EQ(after.holders[0].program.pid, bystander.pid);
}

TEST_F(EndOfPrograms, IsByKillForOneThatDoesNotHear) {
    auto stubborn = hold("stubborn.py", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n");
    const auto accepted = server.accept_one();
    const auto ended = end(plan(look(), {.programs = {"stubborn"}}, own_line()).targets, 100ms);
    EXPECT_THAT(ends_of(ended), ElementsAre(std::pair(stubborn.pid, ProgramEnd::killed)));
    EXPECT_EQ(stubborn.wait(), SIGKILL);
}

TEST_F(EndOfPrograms, ReachesOneThatWasStopped) {
    auto program = hold("stopped.py");
    const auto accepted = server.accept_one();
    kill(program.pid, SIGSTOP);
    const auto ended = end(plan(look(), {.programs = {"stopped"}}, own_line()).targets, 30s);
    EXPECT_THAT(ends_of(ended), ElementsAre(std::pair(program.pid, ProgramEnd::ended)));
    EXPECT_EQ(program.wait(), SIGTERM);
}

TEST_F(EndOfPrograms, NeverHitsALaterProcessWithThePid) {
    auto program = hold("job.py");
    const auto accepted = server.accept_one();
    auto planned = plan(look(), {.programs = {"job.py"}}, own_line());
    ASSERT_THAT(planned.targets, SizeIs(1));
    planned.targets[0].program.start_tick -= 1;  // as if it were of one that had that pid before
    EXPECT_THAT(ends_of(end(planned.targets, 1s)), ElementsAre(std::pair(program.pid, ProgramEnd::gone)));
    EXPECT_NE(start_tick_of(program.pid), 0U);
}

TEST_F(EndOfPrograms, OneThatHasGoneIsGone) {
    auto program = hold("job.py");
    const auto accepted = server.accept_one();
    const auto planned = plan(look(), {.programs = {"job.py"}}, own_line());
    kill(program.pid, SIGKILL);
    program.wait();
    const auto ended = end(planned.targets, 1s);
    ASSERT_THAT(ended, SizeIs(1));
    EXPECT_EQ(ended[0].end, ProgramEnd::gone);
}

TEST_F(EndOfPrograms, FreesAConnectionThatAChildInherited) {
    const auto script = folder.write("parent.sh", "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(server.port) +
                                                      "\nsleep 3600 & echo ready >&3\nwait\n");
    TestProgram parent({"bash", script});
    const auto accepted = server.accept_one();
    std::array<char, 16> said{};
    ASSERT_EQ(read(accepted.number, said.data(), said.size()), 6);
    const auto planned = plan(look(), {.programs = {"parent.sh"}}, own_line());
    ASSERT_THAT(planned.targets, SizeIs(2));
    EXPECT_THAT(end(planned.targets, 30s), SizeIs(2));
    EXPECT_EQ(read(accepted.number, said.data(), said.size()), 0);  // the server sees the end
}

// As another user: what is not its own stays, and that is said.
TEST_F(EndOfPrograms, IsRefusedForOthersPrograms) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    auto program = hold("job.py");
    const auto accepted = server.accept_one();
    const auto planned = plan(look(), {.programs = {"job.py"}}, own_line());
    const pid_t other = fork();
    if (other == 0) {
        if (setuid(65534) != 0) _exit(3);
        const auto ended = end(planned.targets, 1s);
        const bool refused = ended.size() == 1 && ended[0].end == ProgramEnd::refused && ended[0].why.contains("root");
        _exit(refused ? 0 : 4);
    }
    int status = 0;
    waitpid(other, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_NE(start_tick_of(program.pid), 0U);
}

}  // namespace
}  // namespace tidegate::watch
