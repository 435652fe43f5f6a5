#include "cli/full_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace tidegate::cli {
namespace {

// An ERR packet before any handshake, as servers send it: without an SQLSTATE.
constexpr std::string_view kRefusal{"\x17\x00\x00\x00\xff\x10\x04Too many connections", 27};

}  // namespace

Result<std::unique_ptr<FullServer>> FullServer::start() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (fd < 0 || ::bind(fd, any, size) != 0 || ::listen(fd, SOMAXCONN) != 0 || ::getsockname(fd, any, &size) != 0) {
        const int error = errno;
        if (fd >= 0) ::close(fd);
        return fail(std::strerror(error));
    }
    return std::unique_ptr<FullServer>(new FullServer(fd, ntohs(address.sin_port)));
}

FullServer::FullServer(int fd, std::uint16_t port) : fd_(fd), port_(port), thread_([this] { run(); }) {}

FullServer::~FullServer() {
    ::shutdown(fd_, SHUT_RDWR);  // ends accept()
    thread_.join();
    ::close(fd_);
}

void FullServer::run() {
    for (;;) {
        const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0 && errno != EINTR && errno != ECONNABORTED) return;
        if (client < 0) continue;
        ++refused_;
        (void)::send(client, kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL);
        ::shutdown(client, SHUT_WR);
        ::close(client);
    }
}

}  // namespace tidegate::cli
