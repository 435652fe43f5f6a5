// A non-blocking descriptor and what epoll last said of it. Reads and writes are tried first; a coroutine waits only
// for what is known not to be ready. One reader, one writer and one that listens for the peer's end at a time.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "net/loop.h"

namespace tidegate::net {

enum class IoStatus : std::uint8_t { ok, would_block, closed, failed };

struct IoResult {
    IoStatus status = IoStatus::ok;
    std::size_t bytes = 0;
};

class Socket {
public:
    // Takes the descriptor, which is non-blocking already.
    Socket(Loop& loop, int fd);
    ~Socket();
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] int peer_pid() const;  // the program at the other end of a Unix socket; 0: not known
    [[nodiscard]] Loop& loop() const { return loop_; }
    // The peer has ended its side, or the connection broke. Bytes may still be there to read.
    [[nodiscard]] bool hung_up() const { return hung_up_; }

    IoResult read_some(std::span<std::byte> into);
    IoResult write_some(std::span<const iovec> from);

    // For users of the descriptor other than the two above (TLS, accept, connect): what they found out.
    void not_readable() { readable_ = hung_up_; }
    void not_writable() { writable_ = false; }

    // Calls `watcher(context)` once when something happens while no coroutine waits: the peer of a resting connection
    // has closed it, or says something that nobody asked for. nullptr takes it back.
    using RestWatcher = void (*)(void* context);
    void watch_rest(RestWatcher watcher, void* context) {
        rest_watcher_ = watcher;
        rest_context_ = context;
    }

    // Resumes whoever waits for it to be readable, though it may not be.
    void wake_reader();

    // Ends both directions at the protocol level; waiters wake up and see it. The descriptor stays until destruction.
    void shut_down();

    [[nodiscard]] auto readable() { return Ready{&readable_, &reader_}; }
    [[nodiscard]] auto writable() { return Ready{&writable_, &writer_}; }
    // Resumes when this socket is ready, or when `other`'s peer is gone.
    [[nodiscard]] auto readable_or_hangup(Socket& other) { return ReadyOrHangup{&readable_, &reader_, other}; }
    [[nodiscard]] auto writable_or_hangup(Socket& other) { return ReadyOrHangup{&writable_, &writer_, other}; }

private:
    friend class Loop;
    friend class EventOrHangup;

    struct Ready {
        const bool* flag;
        std::coroutine_handle<>* slot;
        [[nodiscard]] bool await_ready() const { return *flag; }
        void await_suspend(std::coroutine_handle<> h) { *slot = h; }
        void await_resume() const {}
    };
    struct ReadyOrHangup {
        const bool* flag;
        std::coroutine_handle<>* slot;
        Socket& other;
        [[nodiscard]] bool await_ready() const { return *flag || other.hung_up_; }
        void await_suspend(std::coroutine_handle<> h) { *slot = other.hangup_watcher_ = h; }
        void await_resume() const { *slot = other.hangup_watcher_ = {}; }
    };

    void on_events(std::uint32_t events);

    Loop& loop_;
    int fd_;
    bool readable_ = false;  // registering reports what is ready already
    bool writable_ = true;
    bool hung_up_ = false;
    std::coroutine_handle<> reader_;
    std::coroutine_handle<> writer_;
    std::coroutine_handle<> hangup_watcher_;
    RestWatcher rest_watcher_ = nullptr;
    void* rest_context_ = nullptr;
};

// Resumes when `event` is set, or when `socket`'s peer is gone; event.is_set() tells which. Does not clear the event.
class EventOrHangup {
public:
    EventOrHangup(Event& event, Socket& socket) : event_(event), socket_(socket) {}
    [[nodiscard]] bool await_ready() const { return event_.set_ || socket_.hung_up_; }
    void await_suspend(std::coroutine_handle<> h) { event_.waiter_ = socket_.hangup_watcher_ = h; }
    void await_resume() const {
        event_.waiter_ = socket_.hangup_watcher_ = {};
        event_.unlink();
    }

private:
    Event& event_;
    Socket& socket_;
};

}  // namespace tidegate::net
