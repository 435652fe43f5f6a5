#include "watch/server_threads.h"

#include <dirent.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "watch/processes.h"

namespace tidegate::watch {
namespace {

#ifdef SYS_poll
constexpr long kPoll = SYS_poll;
#else
constexpr long kPoll = SYS_ppoll;  // newer machines have only that
#endif

// /proc/PID/task/TID/syscall: the call in which a thread sleeps, and its arguments; "running" where it does not sleep.
struct Call {
    long number = -1;
    std::array<std::uint64_t, 2> arguments{};
};

std::optional<Call> call_of(int pid, int thread) {
    std::ifstream file(fmt::format("/proc/{}/task/{}/syscall", pid, thread));
    Call call;
    if (!(file >> call.number)) return std::nullopt;
    for (auto& argument : call.arguments) {
        std::string text;
        file >> text;
        argument = std::strtoull(text.c_str(), nullptr, 16);
    }
    return call;
}

// The file that it waits for, of the server's.
std::optional<int> file_of(int pid, const Call& call) {
    if (call.number == SYS_read || call.number == SYS_recvfrom) return static_cast<int>(call.arguments[0]);
    if ((call.number != kPoll && call.number != SYS_ppoll) || call.arguments[1] != 1) return std::nullopt;
    pollfd waited{};
    const iovec here{&waited, sizeof waited};
    const iovec there{reinterpret_cast<void*>(call.arguments[0]), sizeof waited};  // NOLINT(performance-no-int-to-ptr)
    if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(sizeof waited)) return std::nullopt;
    return (waited.events & POLLIN) != 0 ? std::optional(waited.fd) : std::nullopt;
}

// "NSpid: 812 1": it has another number in a container's namespace.
bool has_own_numbers(int pid) {
    std::ifstream file(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(file, line);) {
        constexpr std::string_view kLine = "NSpid:";
        if (!line.starts_with(kLine)) continue;
        std::istringstream numbers(line.substr(kLine.size()));
        std::string first;
        std::string second;
        return !(numbers >> first >> second).fail();
    }
    return false;
}

}  // namespace

std::unordered_map<std::uint64_t, int> waiting_threads(int server_pid) {
    std::unordered_map<std::uint64_t, int> threads;
    if (has_own_numbers(server_pid)) return threads;
    const auto path = fmt::format("/proc/{}/task", server_pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (!folder) return threads;
    while (const dirent* entry = ::readdir(folder.get())) {
        const int thread = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
        const auto call = thread > 0 ? call_of(server_pid, thread) : std::nullopt;
        const auto file = call ? file_of(server_pid, *call) : std::nullopt;
        if (!file) continue;
        if (const auto inode = socket_of(server_pid, *file)) threads.emplace(*inode, thread);
    }
    return threads;
}

}  // namespace tidegate::watch
