// The event loop of one thread: readiness by edge-triggered epoll, events between coroutines, and a coarse tick that
// owns all time-outs. Why it is not Asio's: docs/internals/decisions/0001-event-loop.md.
//
// A socket is registered once, for everything, and remembers what epoll said; so waiting costs no system call, and a
// statement costs the same calls as in a bare relay. All but post() and stop() belong to the loop's thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <coroutine>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"

namespace tidegate::net {

class Loop;
class Socket;

struct ReadyTag;

// Something that one coroutine waits for and another piece of code on the same thread sets. Setting it twice is setting
// it once; awaiting it takes it back.
class Event : public ListNode<ReadyTag> {
public:
    explicit Event(Loop& loop) : loop_(loop) {}

    void set();
    [[nodiscard]] bool is_set() const { return set_; }
    void clear() { set_ = false; }

    [[nodiscard]] auto operator co_await() { return Awaiter{*this}; }

private:
    friend class Loop;
    friend class EventOrHangup;
    struct Awaiter {
        Event& event;
        [[nodiscard]] bool await_ready() const { return event.set_; }
        void await_suspend(std::coroutine_handle<> h) { event.waiter_ = h; }
        void await_resume() { event.set_ = false; }
    };

    Loop& loop_;
    std::coroutine_handle<> waiter_;
    bool set_ = false;
};

// A point in time at which a socket is shut down unless the deadline is disarmed before; whoever waits for the socket
// wakes up and finds it closed.
class Deadline : public ListNode<> {
public:
    Deadline(Loop& loop, Socket& socket) : loop_(loop), socket_(socket) {}
    void arm(TimePoint at);
    void disarm() { unlink(); }
    [[nodiscard]] bool expired() const { return expired_; }

private:
    friend class Loop;
    Loop& loop_;
    Socket& socket_;
    TimePoint at_{};
    bool expired_ = false;
};

class Loop {
public:
    static constexpr Duration kTick = 50ms;

    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Runs until stop(). `tick` is called about every kTick.
    void run(const std::function<void(TimePoint)>& tick);
    void stop();                            // thread-safe
    void post(std::function<void()> work);  // thread-safe: runs on the loop's thread, in order

    // The time of the last wake-up: good enough for everything that the loop does, and free.
    // As of the last look at the clock: one for each round of the loop.
    [[nodiscard]] TimePoint now() const { return now_; }
    void look_at_clock() { now_ = Clock::now(); }  // after something that has taken its time

    // Resumes in a moment, from the loop itself: what called this coroutine has returned by then.
    [[nodiscard]] auto yield() { return YieldAwaiter{Event(*this)}; }
    // Resumes after `delay`, give or take a tick.
    [[nodiscard]] auto sleep(Duration delay) { return SleepAwaiter{*this, delay, {}}; }

private:
    friend class Socket;
    friend class Event;
    friend class Deadline;

    struct YieldAwaiter {
        Event event;
        [[nodiscard]] bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> h) {
            event.waiter_ = h;
            event.set();
        }
        void await_resume() const {}
    };
    struct Sleeper : ListNode<> {
        TimePoint at;
        std::coroutine_handle<> handle;
    };
    struct SleepAwaiter {
        Loop& loop;
        Duration delay;
        Sleeper sleeper;
        [[nodiscard]] bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> h) {
            sleeper.at = loop.now_ + delay;
            sleeper.handle = h;
            loop.sleepers_.push_back(sleeper);
        }
        void await_resume() const {}
    };

    void add(Socket& socket);
    void forget(Socket& socket);  // before its descriptor is closed
    void dispatch(int count);
    void run_ready();
    void run_posted();
    void run_timers();

    int epoll_ = -1;
    int wake_ = -1;  // eventfd
    TimePoint now_;
    TimePoint next_tick_;
    bool stopping_ = false;
    std::array<epoll_event, 256> events_{};
    int events_count_ = 0;
    IntrusiveList<Event, ReadyTag> ready_;
    IntrusiveList<Deadline> deadlines_;
    IntrusiveList<Sleeper> sleepers_;
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace tidegate::net
