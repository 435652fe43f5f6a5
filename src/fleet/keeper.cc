#include "fleet/keeper.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

namespace tidegate::fleet {
namespace {

using Groups = std::set<pid_t>;

void signal_all(const Groups& groups, int number) {
    for (const pid_t group : groups) ::kill(-group, number);
}

void drop_ended(Groups& groups) {
    std::erase_if(groups, [](pid_t group) { return ::kill(-group, 0) != 0 && errno == ESRCH; });
}

// Until the pipe ends: the groups that are there.
Groups watch(int pipe) {
    Groups groups;
    std::int32_t number = 0;
    for (;;) {
        const ssize_t got = ::read(pipe, &number, sizeof number);
        if (got < 0 && errno == EINTR) continue;
        if (got != sizeof number) return groups;
        if (number == 0) ::_exit(0);
        if (number > 0)
            groups.insert(number);
        else
            groups.erase(-number);
    }
}

void close_all_but(unsigned a, unsigned b) {
    if (a > 3) ::close_range(3, a - 1, 0);
    if (b > a + 1) ::close_range(a + 1, b - 1, 0);
    ::close_range(b + 1, ~0U, 0);
}

[[noreturn]] void keep(int pipe, const KeeperOrders& orders) {
    // A session of its own, and no open file but these: it must not hold anybody's port, lock or terminal.
    ::setsid();
    ::prctl(PR_SET_NAME, "fleet-keeper");
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) {
        if (null >= 0) ::dup2(null, fd);
    }
    const auto a = static_cast<unsigned>(pipe);
    const unsigned b = orders.hold >= 0 ? static_cast<unsigned>(orders.hold) : a;
    close_all_but(std::min(a, b), std::max(a, b));

    Groups groups = watch(pipe);
    drop_ended(groups);
    if (!orders.let_finish) signal_all(groups, SIGTERM);
    const auto deadline = Clock::now() + orders.grace;
    while (!groups.empty() && Clock::now() < deadline) {
        std::this_thread::sleep_for(20ms);
        drop_ended(groups);
    }
    signal_all(groups, SIGKILL);
    if (!orders.folder.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(orders.folder, ignored);
    }
    ::_exit(0);
}

}  // namespace

Result<Keeper> Keeper::start(KeeperOrders orders) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    const pid_t pid = ::fork();
    if (pid < 0) {
        const int error = errno;
        ::close(ends[0]);
        ::close(ends[1]);
        return fail(fmt::format("cannot start the keeper of the workers: {}", std::strerror(error)));
    }
    if (pid == 0) keep(ends[0], orders);
    ::close(ends[0]);
    return Keeper(pid, ends[1]);
}

Keeper::Keeper(Keeper&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pipe_(std::exchange(other.pipe_, -1)) {}

Keeper& Keeper::operator=(Keeper&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pipe_, other.pipe_);
    return *this;
}

Keeper::~Keeper() {
    if (pipe_ >= 0) ::close(pipe_);
    if (pid_ > 0) {
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

void Keeper::enter(pid_t group) const {
    const auto number = static_cast<std::int32_t>(group);
    [[maybe_unused]] const auto written = ::write(pipe_, &number, sizeof number);
}

void Keeper::forget(pid_t group) const {
    enter(-group);
}

void Keeper::dismiss() const {
    enter(0);
}

}  // namespace tidegate::fleet
