#include "net/socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace tidegate::net {

Socket::Socket(Loop& loop, int fd) : loop_(loop), fd_(fd) {
    loop_.add(*this);
}

Socket::~Socket() {
    loop_.forget(*this);
    ::close(fd_);  // which takes it out of epoll too
}

IoResult Socket::read_some(std::span<std::byte> into) {
    const ssize_t n = ::recv(fd_, into.data(), into.size(), 0);
    if (n > 0) {
        // A short read has emptied the socket: the next bytes, or the peer's end, will come as a new edge. After the
        // peer's end no edge comes any more, so then it stays readable until recv says 0.
        if (static_cast<std::size_t>(n) < into.size()) not_readable();
        return {IoStatus::ok, static_cast<std::size_t>(n)};
    }
    if (n == 0) return {IoStatus::closed, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        readable_ = false;
        return {IoStatus::would_block, 0};
    }
    return {errno == EINTR ? IoStatus::would_block : IoStatus::failed, 0};
}

IoResult Socket::write_some(std::span<const iovec> from) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (n >= 0) return {IoStatus::ok, static_cast<std::size_t>(n)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        writable_ = false;
        return {IoStatus::would_block, 0};
    }
    return {errno == EINTR ? IoStatus::would_block : IoStatus::failed, 0};
}

void Socket::shut_down() {
    ::shutdown(fd_, SHUT_RDWR);
}

void Socket::wake_reader() {
    if (reader_) std::exchange(reader_, {}).resume();
}

void Socket::on_events(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) writable_ = true;
    if ((events & EPOLLIN) != 0) readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = readable_ = writable_ = true;

    // At most one coroutine waits on a socket. Resuming it may destroy the socket, so nothing is touched afterwards.
    const auto resume = [](std::coroutine_handle<>& slot) { std::exchange(slot, {}).resume(); };
    if (hung_up_ && hangup_watcher_) {
        resume(hangup_watcher_);
    } else if (readable_ && reader_) {
        resume(reader_);
    } else if (writable_ && writer_) {
        resume(writer_);
    } else if (rest_watcher_ != nullptr && (events & ~std::uint32_t{EPOLLOUT}) != 0) {
        std::exchange(rest_watcher_, nullptr)(rest_context_);
    }
}

int Socket::peer_pid() const {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

}  // namespace tidegate::net
