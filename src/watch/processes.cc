#include "watch/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <string_view>

#include "watch/command_line.h"
#include "watch/local.h"
#include "watch/printable.h"

namespace tidegate::watch {
namespace {

constexpr std::size_t kMostRead = std::size_t{64} * 1024;  // of a command line

std::string read_file(const std::string& path) {
    std::string text;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return text;
    std::array<char, 4096> buffer;
    for (ssize_t got = 0; text.size() < kMostRead && (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(fd);
    return text;
}

template <class Number>
Number number_in(std::string_view text) {
    Number number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

struct Stat {
    char state = 'X';
    int parent = 0;
    std::uint64_t start = 0;
    std::string task_name;
};

// "4242 (a name) S 1 ..": the name may have blanks and brackets itself. The state is the first field behind it, the
// parent the second, the start the twentieth.
Stat stat_of(int pid) {
    const std::string text = read_file(fmt::format("/proc/{}/stat", pid));
    Stat stat;
    const auto open = text.find('(');
    const auto close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 2 >= text.size()) return stat;
    stat.task_name = text.substr(open + 1, close - open - 1);
    std::string_view rest = std::string_view(text).substr(close + 2);
    for (int field = 1; !rest.empty() && field <= 20; ++field) {
        const auto value = rest.substr(0, rest.find(' '));
        if (field == 1) stat.state = value.front();
        if (field == 2) stat.parent = number_in<int>(value);
        if (field == 20) stat.start = number_in<std::uint64_t>(value);
        rest.remove_prefix(std::min(value.size() + 1, rest.size()));
    }
    return stat;
}

// The effective user: the owner of /proc/PID is root for a process that keeps its memory to itself.
std::optional<std::uint32_t> user_of(int pid) {
    const std::string text = read_file(fmt::format("/proc/{}/status", pid));
    constexpr std::string_view kLine = "\nUid:\t";
    const auto at = text.find(kLine);
    if (at == std::string::npos) return std::nullopt;
    const auto real = at + kLine.size();
    const auto effective = text.find('\t', real);
    if (effective == std::string::npos) return std::nullopt;
    return number_in<std::uint32_t>(std::string_view(text).substr(effective + 1));
}

std::string account_name(std::uint32_t uid) {
    std::array<char, 4096> space;
    passwd entry{};
    passwd* found = nullptr;
    getpwuid_r(uid, &entry, space.data(), space.size(), &found);
    return found != nullptr ? printable(entry.pw_name) : fmt::format("{}", uid);
}

std::vector<std::string> words_of_command(int pid) {
    const std::string text = read_file(fmt::format("/proc/{}/cmdline", pid));
    std::vector<std::string> words;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\0'), rest.size());
        words.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return words;
}

// When the machine was started.
std::optional<WallTime> boot_time() {
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);) {
        constexpr std::string_view kLine = "btime ";
        if (!line.starts_with(kLine)) continue;
        return WallTime(std::chrono::seconds(number_in<long>(std::string_view(line).substr(kLine.size()))));
    }
    return std::nullopt;
}

std::optional<WallTime> time_of(std::uint64_t tick) {
    static const std::optional<WallTime> boot = boot_time();
    static const long ticks = ::sysconf(_SC_CLK_TCK);
    if (!boot || ticks <= 0) return std::nullopt;
    return *boot + std::chrono::milliseconds(tick * 1000 / static_cast<std::uint64_t>(ticks));
}

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

Folder open_folder(const std::string& path) {
    return {::opendir(path.c_str()), ::closedir};
}

std::string link_target(const std::string& path) {
    std::array<char, 4096> target;
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : "";
}

std::optional<std::uint64_t> inode_at(const std::string& path) {
    constexpr std::string_view kSocket = "socket:[";
    const auto target = link_target(path);
    if (!target.starts_with(kSocket)) return std::nullopt;
    return number_in<std::uint64_t>(std::string_view(target).substr(kSocket.size()));
}

// A relative path is believed where the file is there: the program may have changed its folder since.
std::string whole_path(const std::string& script, const std::string& folder) {
    if (script.empty() || script.starts_with('/') || folder.empty()) return script;
    const auto path = fmt::format("{}/{}", folder, script.starts_with("./") ? script.substr(2) : script);
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) ? path : script;
}

}  // namespace

int parent_of(int pid) {
    return stat_of(pid).parent;
}

std::uint64_t start_tick_of(int pid) {
    const Stat stat = stat_of(pid);
    return stat.state == 'Z' || stat.state == 'X' ? 0 : stat.start;
}

std::vector<int> own_line() {
    std::vector<int> line;
    for (int pid = ::getpid(); pid > 0; pid = parent_of(pid)) line.push_back(pid);
    return line;
}

std::vector<std::uint64_t> sockets_of(int pid) {
    std::vector<std::uint64_t> inodes;
    const auto path = fmt::format("/proc/{}/fd", pid);
    const Folder folder = open_folder(path);
    if (!folder) return inodes;
    while (const dirent* file = ::readdir(folder.get())) {
        if (const auto inode = inode_at(fmt::format("{}/{}", path, file->d_name))) inodes.push_back(*inode);
    }
    std::ranges::sort(inodes);
    inodes.erase(std::ranges::unique(inodes).begin(), inodes.end());
    return inodes;
}

std::optional<std::uint64_t> socket_of(int pid, int file) {
    return inode_at(fmt::format("/proc/{}/fd/{}", pid, file));
}

SocketOwners all_socket_owners() {
    SocketOwners owners;
    const Folder folder = open_folder("/proc");
    if (!folder) return owners;
    while (const dirent* entry = ::readdir(folder.get())) {
        const int pid = number_in<int>(entry->d_name);
        if (pid <= 0) continue;
        for (const auto inode : sockets_of(pid)) owners[inode].push_back(pid);
    }
    for (auto& [inode, pids] : owners) std::ranges::sort(pids);
    return owners;
}

std::string folder_of(int pid) {
    return printable(link_target(fmt::format("/proc/{}/cwd", pid)));
}

std::optional<Program> program_of(int pid) {
    const Stat stat = stat_of(pid);
    const auto uid = user_of(pid);
    if (stat.start == 0 || stat.state == 'Z' || !uid) return std::nullopt;
    auto line = read_command_line(words_of_command(pid), stat.task_name);
    const auto folder = folder_of(pid);
    return Program{.pid = pid,
                   .one_of = {},
                   .parent = stat.parent,
                   .uid = *uid,
                   .account = account_name(*uid),
                   .name = std::move(line.name),
                   .command = std::move(line.text),
                   .script = whole_path(line.script, folder),
                   .folder = folder,
                   .started = time_of(stat.start),
                   .start_tick = stat.start};
}

}  // namespace tidegate::watch
