// What this host's kernel says, asked of the kernel itself.
#include "watch/doctor/machine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "watch/local.h"
#include "watch/test_programs.h"

namespace tidegate::watch::doctor {
namespace {

TEST(Machine, HasMemoryAndALimitOfItsQueues) {
    const auto machine = look_at_machine();
    ASSERT_TRUE(machine.memory);
    EXPECT_GT(*machine.memory, 64ULL << 20);
    ASSERT_TRUE(machine.somaxconn);
    EXPECT_GT(*machine.somaxconn, 0U);
    EXPECT_EQ(machine.listen_overflows, machine.listen_overflows_before);
}

TEST(Machine, CountsConnectionsThatFoundAFullQueue) {
    const auto before = look_at_machine().listen_overflows;
    const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&at);
    socklen_t size = sizeof at;
    ASSERT_EQ(bind(listener.number, address, size), 0);
    ASSERT_EQ(listen(listener.number, 0), 0);  // one place
    ASSERT_EQ(getsockname(listener.number, address, &size), 0);
    std::vector<Fd> clients;
    for (int i = 0; i < 5; ++i) {
        clients.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)connect(clients.back().number, address, size);
    }
    EXPECT_GT(look_at_machine().listen_overflows, before);
}

// A shell under the name of cron runs a job, as cron does: through another shell.
TEST(Machine, KnowsWhatCronHasStarted) {
    const TestFolder folder;
    const auto cron = folder.path + "/cron";
    ASSERT_EQ(symlink("/bin/sh", cron.c_str()), 0);
    const auto script =
        folder.write("crontab", "/bin/sh -c 'echo $$ > " + folder.path + "/pid.new; mv " + folder.path + "/pid.new " +
                                    folder.path + "/pid; read line < " + folder.path + "/wait; :'\n:\n");
    ASSERT_EQ(mkfifo((folder.path + "/wait").c_str(), 0600), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        execl(cron.c_str(), cron.c_str(), script.c_str(), nullptr);
        _exit(127);
    }
    int job = 0;
    for (int tries = 0; job == 0 && tries < 1000; ++tries) {
        std::ifstream(folder.path + "/pid") >> job;
        if (job == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const auto program = program_of(job);
    const auto ourselves = program_of(getpid());
    const bool by_cron = program && started_by_cron(*program);  // as long as its parent lives
    std::ofstream(folder.path + "/wait") << "go on\n";
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(program && ourselves);
    EXPECT_EQ(program->parent, child);
    EXPECT_TRUE(by_cron);
    EXPECT_FALSE(started_by_cron(*ourselves));
}

}  // namespace
}  // namespace tidegate::watch::doctor
