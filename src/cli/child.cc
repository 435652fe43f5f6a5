#include "cli/child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace tidegate::cli {
namespace {
constexpr Duration kLook = 5ms;
}

Child Child::start(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"tidegate"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, "/proc/self/exe", &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    return Child(error == 0 ? pid : -1);
}

int Child::wait(Duration at_most) {
    if (pid_ <= 0) return -1;
    const auto until = Clock::now() + at_most;
    int status = 0;
    for (;;) {
        const pid_t ended = waitpid(pid_, &status, WNOHANG);
        if (ended == pid_) break;
        if (ended < 0 || Clock::now() >= until) {
            end();
            return -1;
        }
        std::this_thread::sleep_for(kLook);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

void Child::kill_all() {
    if (pid_ <= 0) return;
    // Stopped first: it cannot start another while its children are looked up.
    ::kill(pid_, SIGSTOP);
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid_));
    for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void Child::end() {
    constexpr int kLooks = 400;
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    bool ended = false;
    for (int look = 0; look < kLooks && !ended; ++look) {
        ended = waitpid(pid_, nullptr, WNOHANG) != 0;
        if (!ended) std::this_thread::sleep_for(kLook);
    }
    if (!ended) {
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
}

}  // namespace tidegate::cli
