#include "cli/http_client.h"

#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace tidegate::cli {
namespace {

constexpr std::size_t kLargestAnswer = std::size_t{64} << 20;

void limit_time(int fd, Duration timeout) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
    const timeval limit{.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

// A connected socket with the time limit on each step; -1: errno says why.
int connect_to(const config::Endpoint& api, Duration timeout) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(api.host.c_str(), std::to_string(api.port).c_str(), &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = -1;
    for (const addrinfo* each = found; each != nullptr && fd < 0; each = each->ai_next) {
        fd = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        limit_time(fd, timeout);
        if (::connect(fd, each->ai_addr, each->ai_addrlen) == 0) break;
        const int error = errno;
        ::close(fd);
        fd = -1;
        errno = error;
    }
    ::freeaddrinfo(found);
    return fd;
}

bool send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) return false;
        if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool receive_all(int fd, std::string& answer) {
    std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return true;
        answer.append(buffer.data(), static_cast<std::size_t>(got));
        if (answer.size() > kLargestAnswer) return false;
    }
}

int connect_to(const std::string& path, Duration timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    limit_time(fd, timeout);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

// Over `fd`, which it closes.
Result<HttpAnswer> exchange(int fd, std::string_view method, std::string_view target, std::string_view headers,
                            std::string_view body, const std::string& where) {
    const auto wrong = [&](int error, std::string_view why) {
        return fail(static_cast<std::uint16_t>(error), "HY000", fmt::format("no gate answers at {}: {}", where, why));
    };
    if (fd < 0) return wrong(errno, std::strerror(errno));
    // HTTP/1.0: the answer ends with the connection.
    const auto request =
        fmt::format("{} {} HTTP/1.0\r\nContent-Length: {}\r\n{}\r\n{}", method, target, body.size(), headers, body);
    std::string text;
    const bool done = send_all(fd, request) && receive_all(fd, text);
    const int error = errno;
    ::close(fd);
    if (!done) return wrong(error, error == EAGAIN ? "it does not answer in time" : std::strerror(error));

    HttpAnswer answer;
    const auto space = text.find(' ');
    const auto end_of_head = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.") || space == std::string::npos || end_of_head == std::string::npos) {
        return wrong(EPROTO, "what answers there does not speak HTTP");
    }
    std::from_chars(text.data() + space + 1, text.data() + std::min(space + 4, text.size()), answer.status);
    answer.body = text.substr(end_of_head + 4);
    return answer;
}

}  // namespace

Result<HttpAnswer> ask_api(const config::Endpoint& api, std::string_view method, std::string_view target,
                           std::string_view token, Duration timeout) {
    auto headers = fmt::format("Host: {}\r\n", api.text());
    if (!token.empty()) headers += fmt::format("Authorization: Bearer {}\r\n", token);
    return exchange(connect_to(api, timeout), method, target, headers, {}, "http://" + api.text());
}

Result<HttpAnswer> ask_control(const std::string& socket, std::string_view method, std::string_view target,
                               Duration timeout, std::string_view body) {
    return exchange(connect_to(socket, timeout), method, target, "Host: localhost\r\n", body, socket);
}

}  // namespace tidegate::cli
