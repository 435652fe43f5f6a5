#include "cli/ensure.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "config/values.h"

namespace tidegate::cli {
namespace {

constexpr Duration kPatience = 20s;
constexpr std::string_view kReady = "ready";

// The files of one background gate.
struct Files {
    std::string lock;
    std::string log;
};

int complain(const std::string& sentence) {
    fmt::print(stderr, "tidegate: {}\n", sentence);
    return kCritical;
}

Result<std::string> state_folder() {
    const char* named = std::getenv("XDG_STATE_HOME");
    std::string folder = named != nullptr && named[0] == '/' ? named : "";
    if (folder.empty()) {
        const auto home = home_folder();
        if (home.empty()) return fail("there is no home folder for the lock and the log; set XDG_STATE_HOME");
        folder = home + "/.local/state";
    }
    folder += "/tidegate";
    for (std::size_t slash = folder.find('/', 1);; slash = folder.find('/', slash + 1)) {
        const auto part = folder.substr(0, slash);
        if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
            return fail(fmt::format("the folder {} cannot be made: {}", part, std::strerror(errno)));
        }
        if (slash == std::string::npos) return folder;
    }
}

Result<Files> files_of(const std::string& address) {
    auto folder = state_folder();
    if (!folder) return std::unexpected(folder.error());
    std::string name;
    for (const char c : address) name.push_back(c == '/' || c == ':' || c == '[' || c == ']' ? '_' : c);
    return Files{fmt::format("{}/{}.lock", *folder, name), fmt::format("{}/{}.log", *folder, name)};
}

// The pid in the lock file; 0 while its holder is only starting.
unsigned holder(int lock) {
    std::array<char, 16> text{};
    const auto got = pread(lock, text.data(), text.size(), 0);
    if (got <= 0) return 0;
    return config::parse_unsigned(config::trimmed({text.data(), static_cast<std::size_t>(got)})).value_or(0);
}

int already_running(const std::string& address, int lock) {
    const auto pid = holder(lock);
    if (pid != 0)
        fmt::print("tidegate: already running at {}, pid {}\n", address, pid);
    else
        fmt::print("tidegate: already starting at {}\n", address);
    return kWell;
}

// In the child: a session of its own, nothing of the terminal, its pid in the lock file.
bool detach(const Files& files, int lock) {
    setsid();
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int log = open(files.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (null < 0 || log < 0) return false;
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(null);
    close(log);
    const auto pid = fmt::format("{}\n", getpid());
    return ftruncate(lock, 0) == 0 && pwrite(lock, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
}

// What the child says until it closes its end, or is ready, or patience ends.
std::string listen_to(int fd) {
    const auto deadline = Clock::now() + kPatience;
    std::string said;
    while (said != kReady) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = left > 0 ? poll(&waiting, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return "it did not say within 20 s that it serves";
        std::array<char, 1024> buffer{};
        const auto got = read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return said.empty() ? "it ended without a word" : said;
        said.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return said;
}

}  // namespace

Starter::~Starter() {
    if (fd_ >= 0) close(fd_);
}

void Starter::ready() {
    tell(kReady);
}
void Starter::failed(std::string_view sentence) {
    tell(sentence);
}

void Starter::tell(std::string_view text) {
    if (fd_ < 0) return;
    [[maybe_unused]] const auto written = write(fd_, text.data(), text.size());
    close(fd_);
    fd_ = -1;
}

int ensure(const std::string& address, const std::function<int(Starter&)>& run) {
    const auto files = files_of(address);
    if (!files) return complain(files.error().message);
    const int lock = open(files->lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return complain(fmt::format("the lock {} cannot be opened: {}", files->lock, std::strerror(errno)));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const int code =
            errno == EWOULDBLOCK
                ? already_running(address, lock)
                : complain(fmt::format("the lock {} cannot be taken: {}", files->lock, std::strerror(errno)));
        close(lock);
        return code;
    }
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return complain(fmt::format("no pipe: {}", std::strerror(errno)));
    fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) return complain(fmt::format("no process can be started: {}", std::strerror(errno)));
    if (child == 0) {
        close(ends[0]);
        Starter starter(ends[1]);
        if (detach(*files, lock)) return run(starter);
        starter.failed(fmt::format("the log {} cannot be written: {}", files->log, std::strerror(errno)));
        return kCritical;
    }
    close(ends[1]);
    close(lock);  // the child has it
    const auto said = listen_to(ends[0]);
    close(ends[0]);
    if (said != kReady) return complain(fmt::format("the gate did not start: {} (its log: {})", said, files->log));
    fmt::print("tidegate: started at {}, pid {}, log {}\n", address, child, files->log);
    return kWell;
}

}  // namespace tidegate::cli
