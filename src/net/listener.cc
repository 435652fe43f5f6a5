#include "net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace tidegate::net {
namespace {

constexpr int kBacklog = 65535;  // the kernel cuts it to net.core.somaxconn

void set_option(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

void set_stream_options(int fd, const Address& peer) {
    if (peer.is_unix()) return;
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

// A Unix socket's file that nobody listens on any more is in the way of a new one.
void remove_stale_socket(const Address& address) {
    const std::string path = address.text();
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const bool alive = ::connect(fd, address.data(), address.length()) == 0;
    const int why = errno;
    ::close(fd);
    if (!alive && why == ECONNREFUSED) ::unlink(path.c_str());
}

}  // namespace

Result<int> listen_privately(const std::string& path) {
    const auto address = Address::unix_path(path);
    if (!address) return std::unexpected(address.error());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(fmt::format("cannot make a socket for {}: {}", path, std::strerror(errno)));
    remove_stale_socket(*address);
    // Before bind(), so that it is never open to others.
    if (::fchmod(fd, 0600) != 0 || ::bind(fd, address->data(), address->length()) != 0 || ::listen(fd, kBacklog) != 0) {
        const int why = errno;
        ::close(fd);
        return fail(fmt::format("cannot listen on {}: {}{}", path, std::strerror(why),
                                why == EADDRINUSE ? "; another gate has that folder" : ""));
    }
    return fd;
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address) {
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(fmt::format("cannot make a socket for {}: {}", address.text(), std::strerror(errno)));
    if (address.is_unix()) {
        remove_stale_socket(address);
    } else {
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        set_stream_options(fd, address);  // Linux hands them on to every connection that is accepted
    }
    if (::bind(fd, address.data(), address.length()) != 0 || ::listen(fd, kBacklog) != 0) {
        const int why = errno;
        ::close(fd);
        return fail(fmt::format(
            "cannot listen on {}: {}{}", address.text(), std::strerror(why),
            why == EADDRINUSE ? "; is another tidegate, or another program, running there? (ss -ltnp shows it)" : ""));
    }
    if (address.is_unix()) ::chmod(address.text().c_str(), 0777);  // who may log in is the accounts' business
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
    return std::unique_ptr<Listener>(new Listener(
        loop, fd, address.is_unix() ? address : Address(reinterpret_cast<const sockaddr*>(&bound), length)));
}

Listener::~Listener() {
    if (bound_.is_unix()) ::unlink(bound_.text().c_str());
}

void Listener::shut() {
    shut_ = true;
    socket_.shut_down();
}

Task<std::unique_ptr<Stream>> Listener::accept() {
    while (!shut_) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        const int fd =
            ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            const Address address(reinterpret_cast<const sockaddr*>(&peer), length);
            co_return std::make_unique<Stream>(socket_.loop(), fd, address);
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            socket_.not_readable();
            co_await socket_.readable();
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log::warn("cannot accept a client: {}; raise the limit of open files (ulimit -n, LimitNOFILE=)",
                      std::strerror(errno));
            co_await socket_.loop().sleep(200ms);
        } else if (errno == EINVAL) {
            break;
        }
    }
    co_return nullptr;
}

Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, Address address, TimePoint deadline) {
    const auto failed = [&](std::string_view why) {
        return fail(2003, "HY000", fmt::format("Can't connect to MySQL server on '{}' ({})", address.text(), why));
    };
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) co_return failed(std::strerror(errno));
    set_stream_options(fd, address);
    const int connected = ::connect(fd, address.data(), address.length());
    if (connected != 0 && errno != EINPROGRESS) {
        const int why = errno;
        ::close(fd);
        co_return failed(std::strerror(why));
    }
    auto stream = std::make_unique<Stream>(loop, fd, address);
    if (connected == 0) co_return stream;

    Socket& socket = stream->socket();
    Deadline limit(loop, socket);
    limit.arm(deadline);
    socket.not_writable();
    co_await socket.writable();
    if (limit.expired()) co_return failed("timed out");
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) co_return failed(std::strerror(error));
    co_return stream;
}

}  // namespace tidegate::net
