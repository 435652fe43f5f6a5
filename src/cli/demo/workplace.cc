#include "cli/demo/workplace.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace tidegate::demo {
namespace {

// The caretaker: waits until nobody holds the life-line's other end. A server that was killed with us may still write
// for a moment, hence more than one try.
[[noreturn]] void take_care(const std::string& folder, int life_line) {
    setsid();  // no Ctrl-C here
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
    prctl(PR_SET_NAME, "tidegate-tidy");
    char byte = 0;
    while (read(life_line, &byte, 1) < 0 && errno == EINTR) {
    }
    std::error_code error;
    for (int i = 0; i < 100; ++i) {
        std::filesystem::remove_all(folder, error);
        if (!std::filesystem::exists(folder, error)) break;
        usleep(50'000);
    }
    _exit(0);
}

}  // namespace

Result<Workplace> Workplace::make() {
    const char* place = std::getenv("TMPDIR");
    std::string folder = std::string(place != nullptr && *place == '/' ? place : "/tmp") + "/tidegate-demo-XXXXXX";
    constexpr std::size_t kLongest = 80;  // the server's socket lies in it, and may have 107 bytes
    if (folder.size() > kLongest) folder = "/tmp/tidegate-demo-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) {
        return fail(fmt::format("cannot make a temporary folder {}: {}", folder, std::strerror(errno)));
    }
    int ends[2];
    const pid_t caretaker = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (caretaker < 0) {
        rmdir(folder.c_str());
        return fail(fmt::format("cannot start a process: {}", std::strerror(errno)));
    }
    if (caretaker == 0) {
        close(ends[1]);
        take_care(folder, ends[0]);
    }
    close(ends[0]);
    return Workplace(std::move(folder), ends[1], caretaker);
}

Workplace::Workplace(Workplace&& other) noexcept
    : folder_(std::move(other.folder_)),
      life_line_(std::exchange(other.life_line_, -1)),
      caretaker_(std::exchange(other.caretaker_, -1)) {}

Workplace::~Workplace() {
    if (life_line_ < 0) return;
    close(life_line_);
    while (waitpid(caretaker_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<void> write_file(const std::string& path, std::string_view text) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool fine = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!fine) return fail(fmt::format("cannot write {}: {}", path, std::strerror(error)));
    return {};
}

}  // namespace tidegate::demo
