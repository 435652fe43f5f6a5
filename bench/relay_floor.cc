// The floor that every figure is held against: a relay that knows nothing of MySQL. One thread, one epoll,
// edge-triggered; a client's bytes go to a server connection of its own and back, through one buffer shared by all.
// Usage: relay_floor LISTEN_PORT SERVER_PORT        (both on 127.0.0.1; ends with SIGTERM)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

struct Side {
    int fd = -1;
    Side* peer = nullptr;
    std::string unsent =
        {};  // read from the peer, not yet taken by this socket; while there is some, the peer is not read
    bool closed = false;
};

int epoll_fd = -1;
std::array<char, 65536> buffer;
std::vector<Side*> dead;  // freed after the batch of events, which may still name them

void check(bool fine, const char* what) {
    if (fine) return;
    std::perror(what);
    std::exit(1);
}

sockaddr_in loopback(const char* port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void watch(int fd, void* owner) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = owner}};
    check(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void close_pair(Side& side) {
    for (Side* s : {&side, side.peer}) {
        close(s->fd);
        s->closed = true;
        dead.push_back(s);
    }
}

bool flush(Side& side) {
    while (!side.unsent.empty()) {
        const ssize_t n = send(side.fd, side.unsent.data(), side.unsent.size(), MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN;
        side.unsent.erase(0, static_cast<std::size_t>(n));
    }
    return true;
}

// Copies what `from` has to its peer; false when the pair is to be closed.
bool copy(Side& from) {
    while (from.peer->unsent.empty()) {
        const ssize_t n = recv(from.fd, buffer.data(), buffer.size(), 0);
        if (n <= 0) return n < 0 && errno == EAGAIN;
        const ssize_t sent = send(from.peer->fd, buffer.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return false;
        if (sent < n) from.peer->unsent.assign(buffer.data() + (sent < 0 ? 0 : sent), buffer.data() + n);
        if (static_cast<std::size_t>(n) < buffer.size()) return true;  // drained: the next byte is a new edge
    }
    return true;
}

void accept_all(int listener, const sockaddr_in& server) {
    for (int fd = 0; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
        auto* client = new Side{.fd = fd};
        auto* upstream = new Side{.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .peer = client};
        client->peer = upstream;
        connect(upstream->fd, reinterpret_cast<const sockaddr*>(&server), sizeof server);
        watch(client->fd, client);
        watch(upstream->fd, upstream);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fprintf(stderr, "usage: relay_floor LISTEN_PORT SERVER_PORT\n"), 64;
    const sockaddr_in here = loopback(argv[1]);
    const sockaddr_in server = loopback(argv[2]);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    check(bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "bind");
    check(listen(listener, 4096) == 0, "listen");
    epoll_fd = epoll_create1(0);
    watch(listener, nullptr);

    std::array<epoll_event, 256> events;
    for (;;) {
        const int count = epoll_wait(epoll_fd, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            auto* side = static_cast<Side*>(events[at].data.ptr);
            if (side == nullptr) {
                accept_all(listener, server);
                continue;
            }
            if (side->closed) continue;
            const bool blocked = !side->unsent.empty();
            bool open = flush(*side);
            if (open && blocked && side->unsent.empty()) open = copy(*side->peer);  // its reading was held up
            if (open && (events[at].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) open = copy(*side);
            if (!open && !side->closed) close_pair(*side);
        }
        for (Side* side : dead) delete side;
        dead.clear();
    }
}
