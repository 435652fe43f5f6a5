#include "cli/demo/child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "cli/demo/interrupt.h"

namespace tidegate::demo {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> all;
    all.reserve(strings.size() + 1);
    for (auto& s : strings) all.push_back(s.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> environment(const std::string& home) {
    std::vector<std::string> all{"HOME=" + home};
    for (const char* name : {"PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
        if (const char* value = std::getenv(name)) all.push_back(fmt::format("{}={}", name, value));
    }
    return all;
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(const Program& program, char* const* command, char* const* surroundings, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // it died before the call above
    setsid();                             // a terminal's Ctrl-C is for the demo, which then ends us in order
    const int in = open(program.input.empty() ? "/dev/null" : program.input.c_str(), O_RDONLY);
    const int out = open(program.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (in < 0 || out < 0 || chdir(program.folder.c_str()) != 0) _exit(127);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    execve(command[0], command, surroundings);
    _exit(127);
}

}  // namespace

Result<Child> Child::start(const Program& program) {
    auto words = program.command;
    auto surroundings = environment(program.folder);
    const auto command_pointers = pointers(words);
    const auto environment_pointers = pointers(surroundings);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return fail(fmt::format("cannot start {}: {}", words.front(), std::strerror(errno)));
    if (pid == 0) become(program, command_pointers.data(), environment_pointers.data(), parent);
    Child child;
    child.pid_ = pid;
    child.log_ = program.log;
    return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), exit_code_(other.exit_code_), log_(std::move(other.log_)) {}

Child& Child::operator=(Child&& other) noexcept {
    if (this == &other) return *this;
    kill();
    pid_ = std::exchange(other.pid_, -1);
    exit_code_ = other.exit_code_;
    log_ = std::move(other.log_);
    return *this;
}

Child::~Child() {
    kill();
}

bool Child::running() {
    if (pid_ < 0) return false;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
    pid_ = -1;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return false;
}

void Child::stop(std::chrono::milliseconds limit) {
    if (!running()) return;
    ::kill(pid_, SIGTERM);
    if (!wait_for(limit, [&] { return !running(); })) kill();
}

void Child::kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    exit_code_ = 128 + SIGKILL;
}

std::string Child::last_words() const {
    std::ifstream file(log_);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    constexpr std::size_t kEnough = 1500;
    return text.size() > kEnough ? text.substr(text.size() - kEnough) : text;
}

}  // namespace tidegate::demo
