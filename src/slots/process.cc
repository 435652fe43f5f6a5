#include "slots/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>

namespace tidegate::slots {
namespace {

// The beginning of a file of /proc; empty: there is none.
std::string beginning_of(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "";
    std::array<char, 1024> text{};
    const auto got = read(fd, text.data(), text.size());
    close(fd);
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
}

struct Stat {
    char state = 'X';
    std::uint64_t started = 0;
};

// The fields behind the name, which may hold blanks and brackets itself: state is the first, the start the twentieth.
Stat stat_of(int pid) {
    const std::string text = beginning_of(fmt::format("/proc/{}/stat", pid));
    Stat stat;
    std::size_t at = text.rfind(')');
    if (at == std::string::npos || at + 2 >= text.size()) return stat;
    at += 2;
    stat.state = text[at];
    for (int field = 0; field < 19; ++field) {
        at = text.find(' ', at);
        if (at == std::string::npos) return stat;
        ++at;
    }
    std::from_chars(text.data() + at, text.data() + text.size(), stat.started);
    return stat;
}

std::string command_line(int pid) {
    std::string words = beginning_of(fmt::format("/proc/{}/cmdline", pid));
    while (words.ends_with('\0')) words.pop_back();
    return words;
}

}  // namespace

Process process_of(int pid, std::string_view command) {
    Process process;
    process.pid = pid;
    struct stat info{};
    if (stat(fmt::format("/proc/{}", pid).c_str(), &info) == 0) process.uid = info.st_uid;
    process.started = stat_of(pid).started;
    process.set_command(command.empty() ? command_line(pid) : command);
    return process;
}

Process this_process(std::string_view command) {
    return process_of(getpid(), command);
}

bool lives(const Process& process) {
    if (process.pid <= 0) return false;
    const Stat now = stat_of(process.pid);
    return now.started != 0 && now.started == process.started && now.state != 'Z' && now.state != 'X';
}

std::string account_name(std::uint32_t uid) {
    const auto* entry = getpwuid(uid);
    return entry != nullptr ? entry->pw_name : fmt::format("{}", uid);
}

}  // namespace tidegate::slots
