// The same relay once more, as C++20 coroutines on an epoll loop of our own: what net/ could be. A socket is registered
// once, edge-triggered, for both directions; a coroutine that finds nothing to read leaves its handle in the socket,
// and the loop resumes it. No system call is made to wait, no queue stands between readiness and the coroutine. Usage:
// relay_coro LISTEN_PORT SERVER_PORT
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

std::array<char, 65536> buffer;
int epoll_fd = -1;

// Starts at once, and frees itself at its end.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

// A coroutine whose caller waits for it: shows what a nested call costs, as a real session has them.
template <class T>
struct Call {
    struct promise_type {
        T value{};
        std::coroutine_handle<> caller;
        Call get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        struct Return {
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
                return h.promise().caller;
            }
            void await_resume() noexcept {}
        };
        Return final_suspend() noexcept { return {}; }
        void return_value(T v) { value = v; }
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
    bool await_ready() { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        handle.promise().caller = caller;
        return handle;
    }
    T await_resume() {
        T value = handle.promise().value;
        handle.destroy();
        return value;
    }
};

struct Socket {
    int fd = -1;
    bool readable = true;  // as far as we know: an edge sets it, a short read clears it
    std::coroutine_handle<> reader;
    std::coroutine_handle<> writer;

    struct Ready {
        std::coroutine_handle<>& slot;
        bool known;
        bool await_ready() const { return known; }
        void await_suspend(std::coroutine_handle<> h) { slot = h; }
        void await_resume() const {}
    };
    Ready until_readable() { return {reader, readable}; }
    Ready until_writable() { return {writer, false}; }
    void shut() const { shutdown(fd, SHUT_RDWR); }

    // An epoll entry: `events` as the kernel gave them.
    void notify(std::uint32_t events) {
        if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
            readable = true;
            if (reader) std::exchange(reader, nullptr).resume();
        }
        if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && writer) std::exchange(writer, nullptr).resume();
    }
};

struct Pair {
    Socket client;
    Socket server;
    int running = 2;
};
std::vector<std::shared_ptr<Pair>> dead;  // kept until the batch of events is through

// The bytes read, 0 at the end of the stream or on an error.
Call<std::size_t> read_some(Socket& from) {
    for (;;) {
        co_await from.until_readable();
        const ssize_t n = recv(from.fd, buffer.data(), buffer.size(), 0);
        if (n < 0 && errno == EAGAIN) {
            from.readable = false;
            continue;
        }
        if (n <= 0) co_return 0;
        if (static_cast<std::size_t>(n) < buffer.size()) from.readable = false;
        co_return static_cast<std::size_t>(n);
    }
}

Call<bool> write_all(Socket& to, const char* data, std::size_t size) {
    const ssize_t sent = send(to.fd, data, size, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(size)) co_return true;
    if (sent < 0 && errno != EAGAIN) co_return false;
    const std::size_t done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    const std::string rest(data + done, size - done);
    for (std::size_t at = 0; at < rest.size();) {
        co_await to.until_writable();
        const ssize_t n = send(to.fd, rest.data() + at, rest.size() - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) co_return false;
        if (n > 0) at += static_cast<std::size_t>(n);
    }
    co_return true;
}

Detached relay(std::shared_ptr<Pair> pair, Socket& from, Socket& to) {
    for (;;) {
        const std::size_t n = co_await read_some(from);
        if (n == 0) break;
        const bool fine = co_await write_all(to, buffer.data(), n);
        if (!fine) break;
    }
    to.shut();  // the other direction reads the end and leaves too; the last to leave closes both
    if (--pair->running == 0) {
        close(pair->client.fd);
        close(pair->server.fd);
        dead.push_back(std::move(pair));
    }
}

void watch(int fd, void* owner) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = owner}};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in loopback(const char* port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void accept_all(int listener, const sockaddr_in& server) {
    for (int fd = 0; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
        auto pair = std::make_shared<Pair>();
        pair->client.fd = fd;
        pair->server.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(pair->server.fd, reinterpret_cast<const sockaddr*>(&server), sizeof server);
        watch(pair->client.fd, &pair->client);
        watch(pair->server.fd, &pair->server);
        relay(pair, pair->client, pair->server);
        relay(pair, pair->server, pair->client);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fprintf(stderr, "usage: relay_coro LISTEN_PORT SERVER_PORT\n"), 64;
    const sockaddr_in here = loopback(argv[1]);
    const sockaddr_in server = loopback(argv[2]);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || listen(listener, 4096) != 0) {
        std::perror("relay_coro: listen");
        return 1;
    }
    epoll_fd = epoll_create1(0);
    watch(listener, nullptr);

    std::array<epoll_event, 256> events;
    for (;;) {
        const int count = epoll_wait(epoll_fd, events.data(), events.size(), -1);
        for (std::size_t i = 0; i < static_cast<std::size_t>(count < 0 ? 0 : count); ++i) {
            if (auto* s = static_cast<Socket*>(events[i].data.ptr)) {
                s->notify(events[i].events);
            } else {
                accept_all(listener, server);
            }
        }
        dead.clear();
    }
}
