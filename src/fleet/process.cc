#include "fleet/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string_view>

#include "fleet/journal.h"

namespace tidegate::fleet {
namespace {

constexpr int kCannotRun = 127;

// Everything that needs memory is made before the fork: afterwards only calls that are safe there.
struct Prepared {
    std::vector<char*> words;
    std::vector<char*> environment;
    const Launch* launch;
    int keeper;
    int error;  // errno goes there when the program cannot be run; closes when it can
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> all;
    all.reserve(strings.size() + 1);
    for (const auto& s : strings) all.push_back(const_cast<char*>(s.c_str()));
    all.push_back(nullptr);
    return all;
}

[[noreturn]] void become(const Prepared& p) {
    sigset_t none;
    sigemptyset(&none);
    std::signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (p.launch->open_files != 0) {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = p.launch->open_files;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    const int in = ::open("/dev/null", O_RDONLY);
    if (in >= 0 && ::dup2(in, 0) == 0 && ::dup2(p.launch->out, 1) == 1 && ::dup2(p.launch->err, 2) == 2) {
        if (in > 2) ::close(in);
        ::execvpe(p.words[0], p.words.data(), p.environment.data());
    }
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(p.error, &error, sizeof error);
    ::_exit(kCannotRun);
}

std::size_t put_number(char* to, std::uint64_t number, unsigned base) {
    char digits[24];
    std::size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    for (std::size_t i = 0; i < count; ++i) to[i] = digits[count - 1 - i];
    return count;
}

// "17 0 af63bd4c8601b7be\n", on the disk when it returns.
void write_down(const JournalNote& note, int code) {
    char line[80];
    std::size_t size = put_number(line, note.number, 10);
    line[size++] = ' ';
    size += put_number(line + size, static_cast<std::uint64_t>(code), 10);
    line[size++] = ' ';
    size += put_number(line + size, note.fingerprint, 16);
    line[size++] = '\n';
    [[maybe_unused]] const auto written = ::write(note.fd, line, size);
    ::fdatasync(note.fd);
}

// The command's parent: stays out of everything but waiting for it. SIGTERM is blocked here and means the command.
[[noreturn]] void wait_and_write_down(const Prepared& p) {
    const pid_t child = ::fork();
    if (child == 0) become(p);
    if (child < 0) {
        const int error = errno;
        [[maybe_unused]] const auto written = ::write(p.error, &error, sizeof error);
        ::_exit(kCannotRun);
    }
    const JournalNote note = p.launch->journal;
    if (note.fd > 3) ::close_range(3, static_cast<unsigned>(note.fd) - 1, 0);
    ::close_range(static_cast<unsigned>(note.fd) + 1, ~0U, 0);
    for (const int fd : {0, 1, 2}) ::close(fd);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    write_down(note, code);
    ::_exit(code);
}

[[noreturn]] void begin(const Prepared& p) {
    ::setpgid(0, 0);
    const auto group = static_cast<std::int32_t>(::getpid());
    [[maybe_unused]] const auto written = ::write(p.keeper, &group, sizeof group);
    if (p.launch->journal.fd >= 0) wait_and_write_down(p);
    become(p);
}

// What a line of /proc/PID/status says; empty: there is none.
std::string status_line(pid_t pid, std::string_view name) {
    std::ifstream file(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name)) return line.substr(name.size());
    }
    return "";
}

bool has_signal(const std::string& mask, int number) {
    const auto bits = std::strtoull(mask.c_str(), nullptr, 16);
    return ((bits >> static_cast<unsigned>(number - 1)) & 1U) != 0;
}

// `pid` and, before them, those that it has started, as far as they are in the group.
template <class Visit>
void for_tree(pid_t pid, pid_t group, Visit&& visit) {
    visit(pid);
    std::ifstream file(fmt::format("/proc/{}/task/{}/children", pid, pid));
    for (pid_t child = 0; file >> child;) {
        if (::getpgid(child) == group) for_tree(child, group, visit);
    }
}

}  // namespace

Result<pid_t> launch(const Launch& what, const Keeper& keeper) {
    const auto wrong = [&](int error) {
        return fail(static_cast<std::uint16_t>(error), "HY000",
                    fmt::format("cannot start {}: {}", what.command.front(), std::strerror(error)));
    };
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return wrong(errno);
    const Prepared prepared{.words = pointers(what.command),
                            .environment = pointers(what.environment),
                            .launch = &what,
                            .keeper = keeper.pipe(),
                            .error = ends[1]};
    // A gate has much memory, and the statements of its clients would pay for a copy of its tables. The job's own
    // parent lives on and needs one.
    // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork,bugprone-unsafe-functions)
    const pid_t pid = what.journal.fd >= 0 ? ::fork() : ::vfork();
    if (pid == 0) begin(prepared);
    const int fork_error = errno;
    ::close(ends[1]);
    int error = 0;
    ssize_t got = 0;
    while (pid > 0 && (got = ::read(ends[0], &error, sizeof error)) < 0 && errno == EINTR) {
    }
    ::close(ends[0]);
    if (pid < 0) return wrong(fork_error);
    if (got == sizeof error) {
        ::waitpid(pid, nullptr, 0);
        keeper.forget(pid);
        return wrong(error);
    }
    return pid;
}

std::optional<EndedChild> next_ended_child() {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return std::nullopt;
    return EndedChild{pid, WIFEXITED(status) ? Exit{.code = WEXITSTATUS(status)} : Exit{.signal = WTERMSIG(status)}};
}

bool dies_of_sigterm(pid_t leader) {
    bool heeds = false;
    for_tree(leader, leader, [&](pid_t pid) {
        for (const std::string_view name : {"SigBlk:", "SigIgn:", "SigCgt:"}) {
            heeds = heeds || has_signal(status_line(pid, name), SIGTERM);
        }
    });
    return !heeds;
}

std::vector<pid_t> processes_of(pid_t leader) {
    std::vector<pid_t> all;
    for_tree(leader, leader, [&](pid_t pid) { all.push_back(pid); });
    return all;
}

std::uint64_t resident_bytes(pid_t leader) {
    std::uint64_t kilobytes = 0;
    for_tree(leader, leader,
             [&](pid_t pid) { kilobytes += std::strtoull(status_line(pid, "VmRSS:").c_str(), nullptr, 10); });
    return kilobytes * 1024;
}

std::vector<std::string> inherited_environment() {
    constexpr std::array<std::string_view, 6> kOurs{
        "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES="};
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view variable(*each);
        bool ours = false;
        for (const auto name : kOurs) ours = ours || variable.starts_with(name);
        if (!ours) all.emplace_back(variable);
    }
    return all;
}

}  // namespace tidegate::fleet
