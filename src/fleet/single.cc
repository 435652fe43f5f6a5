#include "fleet/single.h"

#include <fmt/core.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace tidegate::fleet {
namespace {

constexpr int kMostWaiting = 4096;

struct Name {
    sockaddr_un address{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Result<Name> name_of(const std::string& name) {
    const std::string path = "tidegate-single-" + name;
    Name made;
    if (name.empty() || path.size() + 1 > sizeof made.address.sun_path) {
        return fail(fmt::format("--single takes a name of 1 to {} characters, not one of {}",
                                sizeof made.address.sun_path - 1 - (path.size() - name.size()), name.size()));
    }
    made.address.sun_family = AF_UNIX;
    std::memcpy(made.address.sun_path + 1, path.data(), path.size());  // a 0 before it: the abstract namespace
    made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
    return made;
}

// A connection to the holder; -1: there is none (any more).
int connect_to(const Name& name) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::connect(fd, name.get(), name.size) == 0) return fd;
    if (fd >= 0) ::close(fd);
    return -1;
}

std::string command_of(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/cmdline", pid));
    std::string command((std::istreambuf_iterator<char>(file)), {});
    while (!command.empty() && command.back() == '\0') command.pop_back();
    std::ranges::replace_if(command, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    constexpr std::size_t kEnough = 200;
    return command.substr(0, kEnough);
}

Single::Holder holder_of(const Name& name) {
    Single::Holder holder;
    const int fd = connect_to(name);
    if (fd < 0) return holder;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
        holder = {.pid = credentials.pid, .user = credentials.uid, .command = command_of(credentials.pid)};
    }
    ::close(fd);
    return holder;
}

}  // namespace

Result<std::optional<Single>> Single::take(const std::string& name, Holder& holder) {
    const auto socket_name = name_of(name);
    if (!socket_name) return std::unexpected(socket_name.error());
    Single single(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (single.fd_ < 0) return fail(fmt::format("--single {}: {}", name, std::strerror(errno)));
    if (::bind(single.fd_, socket_name->get(), socket_name->size) == 0 && ::listen(single.fd_, kMostWaiting) == 0) {
        return std::optional<Single>(std::move(single));
    }
    if (errno != EADDRINUSE) return fail(fmt::format("--single {}: {}", name, std::strerror(errno)));
    holder = holder_of(*socket_name);
    return std::optional<Single>();
}

Result<Single> Single::wait(const std::string& name) {
    const auto socket_name = name_of(name);
    if (!socket_name) return std::unexpected(socket_name.error());
    for (;;) {
        Holder holder;
        auto taken = take(name, holder);
        if (!taken) return std::unexpected(taken.error());
        if (*taken) return std::move(**taken);
        const int fd = connect_to(*socket_name);
        if (fd < 0) {  // it has just ended, or is between bind and listen
            std::this_thread::sleep_for(10ms);
            continue;
        }
        pollfd end{.fd = fd, .events = POLLIN | POLLRDHUP, .revents = 0};
        while (::poll(&end, 1, -1) < 0 && errno == EINTR) {
        }
        ::close(fd);
    }
}

Single::Single(Single&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Single::~Single() {
    if (fd_ >= 0) ::close(fd_);
}

std::string text_of(const Single::Holder& holder) {
    const auto* user = ::getpwuid(holder.user);
    const std::string who = user != nullptr ? user->pw_name : std::to_string(holder.user);
    if (holder.pid == 0) return "a process that is just ending";
    if (holder.command.empty())
        return fmt::format("process {} of {}, which was killed; its workers are ending", holder.pid, who);
    return fmt::format("process {} of {} ({})", holder.pid, who, holder.command);
}

}  // namespace tidegate::fleet
