// Real programs and real sockets for the tests of who is behind a connection: a listener in this process that stands
// for the server, and scripts in processes of their own that connect to it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace tidegate::watch {

// A folder that goes with everything in it.
struct TestFolder {
    TestFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "tidegate-watch-XXXXXX").string();
        path = mkdtemp(name.data());
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() {
        std::error_code error;
        std::filesystem::remove_all(path, error);
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path + "/" + name) << text;
        return path + "/" + name;
    }
    std::string path;
};

struct Fd {
    explicit Fd(int number = -1) : number(number) {}
    Fd(Fd&& other) noexcept : number(std::exchange(other.number, -1)) {}
    Fd& operator=(Fd&&) = delete;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (number >= 0) close(number);
    }
    int number;
};

// Listens on an address or a path, and waits for a client to come.
class TestServer {
public:
    explicit TestServer(const char* address) : listener_(make(address)) {}
    explicit TestServer(const std::string& path, int) : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::strncpy(at.sun_path, path.c_str(), sizeof at.sun_path - 1);
        ok = bind(listener_.number, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 &&
             listen(listener_.number, 64) == 0;
    }
    [[nodiscard]] Fd accept_one() const { return Fd(accept4(listener_.number, nullptr, nullptr, SOCK_CLOEXEC)); }

    std::uint16_t port = 0;
    bool ok = true;

private:
    int make(const char* address) {
        sockaddr_in6 six{};
        sockaddr_in four{};
        const bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
        inet_pton(AF_INET, address, &four.sin_addr);
        six.sin6_family = AF_INET6;
        four.sin_family = AF_INET;
        auto* at = is_six ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
        socklen_t size = is_six ? sizeof six : sizeof four;
        const int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ok = bind(fd, at, size) == 0 && listen(fd, 64) == 0 && getsockname(fd, at, &size) == 0;
        port = ntohs(is_six ? six.sin6_port : four.sin_port);
        return fd;
    }
    Fd listener_;
};

// A program, killed and waited for at the end.
class TestProgram {
public:
    explicit TestProgram(std::vector<std::string> words, const std::string& folder = "/") : pid(fork()) {
        if (pid != 0) return;
        std::vector<char*> pointers;
        for (auto& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        if (chdir(folder.c_str()) == 0) execvp(pointers[0], pointers.data());
        _exit(127);
    }
    TestProgram(TestProgram&& other) noexcept : pid(std::exchange(other.pid, -1)) {}
    TestProgram& operator=(TestProgram&&) = delete;
    TestProgram(const TestProgram&) = delete;
    TestProgram& operator=(const TestProgram&) = delete;
    ~TestProgram() {
        if (pid <= 0) return;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
    }
    // How it ended: its signal, or 0 for an end of its own.
    int wait() {
        int status = 0;
        waitpid(std::exchange(pid, -1), &status, 0);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
    int pid;
};

// Connects as often as its second word says, over TCP or to a path, and does nothing more.
inline constexpr const char* kHolderScript = R"(import socket, sys, time
held = []
for _ in range(int(sys.argv[1])):
    if sys.argv[2].startswith("/"):
        one = socket.socket(socket.AF_UNIX)
        one.connect(sys.argv[2])
    else:
        one = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    held.append(one)
time.sleep(3600)
)";

}  // namespace tidegate::watch
