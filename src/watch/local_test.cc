// Who is behind a server's connections, looked at with real sockets and real programs; this process is the server.
#include "watch/local.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <fstream>

#include "watch/processes.h"
#include "watch/test_programs.h"

namespace tidegate::watch {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kPython = "/usr/bin/python3";

const LocalHolder* holder_of(const LocalView& view, int pid) {
    const auto at =
        std::ranges::find_if(view.holders, [&](const LocalHolder& holder) { return holder.program.pid == pid; });
    return at == view.holders.end() ? nullptr : &*at;
}

// From here on this process gets no netlink socket.
void deny_netlink() {
    std::array<sock_filter, 6> steps{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{static_cast<unsigned short>(steps.size()), steps.data()};
    const bool done =
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    if (!done || socket(AF_NETLINK, SOCK_RAW, 0) >= 0) _exit(3);
}

class Local : public testing::Test {
protected:
    TestProgram hold(int connections, const std::string& where, std::uint16_t port) {
        const auto script = folder.write("job.py", kHolderScript);
        return TestProgram({kPython, "-u", script, std::to_string(connections), where, std::to_string(port)},
                           folder.path);
    }
    TestFolder folder;
};

TEST_F(Local, NamesTheProgramThatHoldsSeveralConnections) {
    const TestServer server("127.0.0.1");
    const auto program = hold(3, "127.0.0.1", server.port);
    const std::array accepted{server.accept_one(), server.accept_one(), server.accept_one()};
    const auto view = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(view) << view.error().message;
    const auto* const holder = holder_of(*view, program.pid);
    ASSERT_NE(holder, nullptr);
    EXPECT_THAT(holder->ends, SizeIs(3));
    EXPECT_EQ(holder->program.name, "python3 job.py");
    EXPECT_EQ(holder->program.script, folder.path + "/job.py");
    EXPECT_EQ(holder->program.folder, std::filesystem::canonical(folder.path));
    EXPECT_EQ(holder->program.parent, getpid());
    EXPECT_EQ(holder->program.uid, geteuid());
    EXPECT_EQ(holder->program.start_tick, start_tick_of(program.pid));
    EXPECT_TRUE(holder->program.started.has_value());
    EXPECT_THAT(view->holders, SizeIs(1));
    EXPECT_THAT(view->of_unknown, IsEmpty());
}

TEST_F(Local, TellsThePortThatTheServerSees) {
    const TestServer server("127.0.0.1");
    const auto program = hold(1, "127.0.0.1", server.port);
    const auto accepted = server.accept_one();
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    ASSERT_EQ(getpeername(accepted.number, reinterpret_cast<sockaddr*>(&peer), &size), 0);
    const auto view = look_locally({"localhost", server.port, ""});
    ASSERT_TRUE(view);
    ASSERT_THAT(view->holders, SizeIs(1));
    EXPECT_EQ(view->holders[0].ends[0].port, ntohs(peer.sin_port));
    EXPECT_EQ(view->holders[0].ends[0].address, "127.0.0.1");
    EXPECT_TRUE(view->holders[0].ends[0].quiet.has_value());
}

TEST_F(Local, SeesWhoSpokeLast) {
    const TestServer server("127.0.0.1");
    const auto script = folder.write("speak.py", R"(import socket, sys, time
one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
one.recv(5)
time.sleep(0.05)  # the kernel's clock for this ticks every 1 to 10 ms
one.send(b"SELECT")
time.sleep(3600)
)");
    const TestProgram program({kPython, script, std::to_string(server.port)});
    const auto accepted = server.accept_one();
    ASSERT_EQ(write(accepted.number, "hello", 5), 5);
    std::array<char, 16> said{};
    ASSERT_EQ(read(accepted.number, said.data(), said.size()), 6);
    const auto asked = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(asked && asked->holders.size() == 1);
    EXPECT_TRUE(asked->holders[0].ends[0].spoke_last);
    usleep(50'000);
    ASSERT_EQ(write(accepted.number, "reply", 5), 5);
    const auto answered = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(answered && answered->holders.size() == 1);
    EXPECT_FALSE(answered->holders[0].ends[0].spoke_last);
}

TEST_F(Local, FindsTheServerItself) {
    const TestServer server("127.0.0.1");
    const TestServer extra("127.0.0.1");
    const auto path = folder.path + "/mysqld.sock";
    const TestServer over_socket(path, 0);
    ASSERT_TRUE(over_socket.ok);
    const auto view = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->server_is_here);
    ASSERT_TRUE(view->server.has_value());
    EXPECT_EQ(view->server->pid, getpid());
    EXPECT_THAT(view->ports, AllOf(Contains(server.port), Contains(extra.port)));
    EXPECT_THAT(view->sockets, Contains(path));
    EXPECT_EQ(view->self, getpid());
}

TEST_F(Local, CountsClientsOfTheOtherPortAndOfTheSocketThatItFound) {
    const TestServer server("127.0.0.1");
    const TestServer extra("127.0.0.1");
    const auto path = folder.path + "/mysqld.sock";
    const TestServer over_socket(path, 0);
    const auto by_port = hold(1, "127.0.0.1", extra.port);
    const auto by_path = hold(2, path, 0);
    const std::array accepted{extra.accept_one(), over_socket.accept_one(), over_socket.accept_one()};
    const auto view = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(view);
    ASSERT_NE(holder_of(*view, by_port.pid), nullptr);
    const auto* const holder = holder_of(*view, by_path.pid);
    ASSERT_NE(holder, nullptr);
    ASSERT_THAT(holder->ends, SizeIs(2));
    EXPECT_EQ(holder->ends[0].port, 0);
    EXPECT_EQ(holder->ends[0].uid, geteuid());
    EXPECT_FALSE(holder->ends[0].quiet.has_value());
}

TEST_F(Local, KnowsASocketByALinkToIt) {
    const auto path = folder.path + "/real.sock";
    const auto link = folder.path + "/linked";
    std::filesystem::create_directory_symlink(folder.path, link);
    const TestServer server(path, 0);
    const auto program = hold(1, path, 0);
    const auto accepted = server.accept_one();
    const auto view = look_locally({"", 3306, link + "/real.sock"});
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->server_is_here);
    EXPECT_NE(holder_of(*view, program.pid), nullptr);
}

TEST_F(Local, TakesMappedAndPlainAddressesForTheSame) {
    const TestServer server("::");  // takes IPv4 too, as a server does with bind_address=*
    if (!server.ok) GTEST_SKIP() << "this machine has no IPv6";
    const auto four = hold(1, "127.0.0.1", server.port);
    const auto six = hold(1, "::1", server.port);
    const std::array accepted{server.accept_one(), server.accept_one()};
    const auto view = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(view);
    const auto* const over_four = holder_of(*view, four.pid);
    const auto* const over_six = holder_of(*view, six.pid);
    ASSERT_TRUE(over_four != nullptr && over_six != nullptr);
    EXPECT_EQ(over_four->ends[0].address, "127.0.0.1");
    EXPECT_EQ(over_six->ends[0].address, "::1");
}

TEST_F(Local, NamesTheEldestOfThoseThatShareAConnection) {
    const TestServer server("127.0.0.1");
    const auto script = folder.write("parent.sh", "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(server.port) +
                                                      "\nsleep 3600 & echo $! >&3\nwait\n");
    TestProgram program({"bash", script});
    const auto accepted = server.accept_one();
    std::array<char, 32> said{};
    ASSERT_GT(read(accepted.number, said.data(), said.size() - 1), 0);
    const int child = std::atoi(said.data());
    const auto view = look_locally({"127.0.0.1", server.port, ""});
    ASSERT_TRUE(view);
    const auto* const holder = holder_of(*view, program.pid);
    ASSERT_NE(holder, nullptr);
    EXPECT_EQ(holder->program.name, "bash parent.sh");
    EXPECT_THAT(holder->ends[0].also, ElementsAre(child));
    // When the parent is gone, its child is who holds it.
    kill(program.pid, SIGKILL);
    program.wait();
    const auto after = look_locally({"127.0.0.1", server.port, ""});
    kill(child, SIGKILL);
    ASSERT_TRUE(after);
    ASSERT_NE(holder_of(*after, child), nullptr);
    EXPECT_EQ(holder_of(*after, child)->program.name, "sleep");
}

TEST_F(Local, SaysThatAServerElsewhereIsNotHere) {
    const auto view = look_locally({"192.0.2.1", 3306, ""});  // TEST-NET-1: nobody's address
    ASSERT_TRUE(view);
    EXPECT_FALSE(view->server_is_here);
    EXPECT_THAT(view->holders, IsEmpty());
}

TEST_F(Local, DoesNotTakeAForwarderForTheServer) {
    const TestServer place("127.0.0.1");  // of a port that is free once it is gone
    const auto script = folder.write("socat", R"(import socket, sys, time
at = socket.create_server(("127.0.0.1", 0))
back = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
back.sendall(b"%d " % at.getsockname()[1])
time.sleep(3600)
)");
    std::ofstream(folder.path + "/start.sh") << "exec -a socat " << kPython << " " << script << " " << place.port;
    const TestProgram program({"bash", folder.path + "/start.sh"});
    const auto accepted = place.accept_one();
    std::array<char, 16> said{};
    ASSERT_GT(read(accepted.number, said.data(), said.size() - 1), 0);
    const auto port = static_cast<std::uint16_t>(std::atoi(said.data()));
    const auto view = look_locally({"127.0.0.1", port, ""});
    ASSERT_TRUE(view);
    EXPECT_FALSE(view->server_is_here);
    ASSERT_TRUE(view->server.has_value());
    EXPECT_EQ(view->server->pid, program.pid);
    EXPECT_THAT(view->ports, ElementsAre(port));
}

TEST_F(Local, SaysWhichNameCannotBeLookedUp) {
    const auto view = look_locally({"no-such-host.invalid", 3306, ""});
    ASSERT_FALSE(view);
    EXPECT_THAT(view.error().message, testing::HasSubstr("no-such-host.invalid"));
}

TEST_F(Local, AProgramThatHasGoneIsNothing) {
    TestProgram program({"true"});
    const int pid = program.pid;
    siginfo_t ended{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT), 0);
    EXPECT_FALSE(program_of(pid).has_value());  // a zombie, which holds nothing
    program.wait();
    EXPECT_FALSE(program_of(pid).has_value());
    EXPECT_EQ(start_tick_of(pid), 0U);
}

TEST_F(Local, APasswordOfACommandLineIsNotShown) {
    const TestProgram program({kPython, "-c", "import time; time.sleep(3600)", "--password=geheim-17"});
    const TestProgram other({kPython, "-c", "import time; secret='geheim-17'; time.sleep(3600)"});
    for (const int pid : {program.pid, other.pid}) {
        while (program_of(pid)->command.find("watch_test") != std::string::npos) usleep(1000);  // not yet executed
        EXPECT_THAT(program_of(pid)->command, testing::Not(testing::HasSubstr("geheim")));
    }
}

// A sandbox that keeps netlink from us: /proc/net/tcp has the connections too, though not how long they are quiet.
TEST_F(Local, DoesWithoutNetlink) {
    const TestServer server("127.0.0.1");
    const TestServer six("::1");
    const auto program = hold(2, "127.0.0.1", server.port);
    const auto other = hold(1, "::1", six.port);
    const std::array accepted{server.accept_one(), server.accept_one(), six.accept_one()};
    const pid_t boxed = fork();
    if (boxed == 0) {
        deny_netlink();
        const auto view = look_locally({"127.0.0.1", server.port, ""});
        if (!view || !view->server_is_here || holder_of(*view, program.pid) == nullptr) _exit(4);
        const auto& ends = holder_of(*view, program.pid)->ends;
        if (ends.size() != 2 || ends[0].address != "127.0.0.1" || ends[0].port == 0 || ends[0].quiet) _exit(5);
        const auto view_of_six = look_locally({"::1", six.port, ""});
        _exit(view_of_six && (!six.ok || holder_of(*view_of_six, other.pid) != nullptr) ? 0 : 6);
    }
    int status = 0;
    waitpid(boxed, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

// As another user than root: whose connections it is cannot be seen, and that is said.
TEST_F(Local, ConnectionsOfOthersAreOfUnknownPrograms) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const TestServer server("127.0.0.1");
    const auto program = hold(2, "127.0.0.1", server.port);
    const std::array accepted{server.accept_one(), server.accept_one()};
    const pid_t other = fork();
    if (other == 0) {
        constexpr uid_t kNobody = 65534;
        close_range(3, ~0U, 0);  // the listener would make it the server
        if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(3);
        const auto view = look_locally({"127.0.0.1", server.port, ""});
        if (!view) _exit(4);
        const bool told = view->holders.empty() && view->of_unknown.size() == 2 && view->of_unknown[0].uid == 0;
        _exit(told && view->server_is_here && !view->server ? 0 : 5);
    }
    int status = 0;
    waitpid(other, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tidegate::watch
