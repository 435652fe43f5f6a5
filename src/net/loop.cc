#include "net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "net/socket.h"

namespace tidegate::net {

void Event::set() {
    if (set_) return;
    set_ = true;
    if (waiter_) loop_.ready_.push_back(*this);
}

void Deadline::arm(TimePoint at) {
    at_ = at;
    expired_ = false;
    if (!linked()) loop_.deadlines_.push_back(*this);
}

Loop::Loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), now_(Clock::now()) {
    if (epoll_ < 0 || wake_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an event loop");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot register the loop's wake-up");
    }
}

Loop::~Loop() {
    ::close(wake_);
    ::close(epoll_);
}

void Loop::run(const std::function<void(TimePoint)>& tick) {
    now_ = Clock::now();
    next_tick_ = now_ + kTick;
    while (!stopping_) {
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next_tick_ - now_).count();
        const int timeout = ready_.empty() ? static_cast<int>(std::max<std::int64_t>(wait, 0)) : 0;
        events_count_ = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout);
        now_ = Clock::now();
        dispatch(std::max(events_count_, 0));
        run_ready();
        if (now_ >= next_tick_) {
            next_tick_ = now_ + kTick;
            run_timers();
            tick(now_);
            run_ready();
        }
    }
}

void Loop::stop() {
    post([this] { stopping_ = true; });
}

void Loop::post(std::function<void()> work) {
    {
        const std::scoped_lock lock(mutex_);
        posted_.push_back(std::move(work));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);  // fails only when a wake-up is due anyway
}

void Loop::dispatch(int count) {
    for (int i = 0; i < count; ++i) {
        const epoll_event event = events_[static_cast<std::size_t>(i)];
        if (event.data.u64 == 1) continue;  // a socket that was closed by an earlier event of this batch
        if (event.data.ptr == nullptr) {
            run_posted();
        } else {
            static_cast<Socket*>(event.data.ptr)->on_events(event.events);
        }
    }
    events_count_ = 0;
}

void Loop::run_ready() {
    while (!ready_.empty()) {
        Event& event = ready_.front();
        event.unlink();
        if (event.waiter_) std::exchange(event.waiter_, {}).resume();
    }
}

void Loop::run_posted() {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto got = ::read(wake_, &ignored, sizeof ignored);
    std::vector<std::function<void()>> work;
    {
        const std::scoped_lock lock(mutex_);
        work.swap(posted_);
    }
    for (auto& each : work) each();
}

void Loop::run_timers() {
    for (auto it = deadlines_.begin(); it != deadlines_.end();) {
        Deadline& deadline = *it++;
        if (deadline.at_ > now_) continue;
        deadline.unlink();
        deadline.expired_ = true;
        deadline.socket_.shut_down();  // wakes its waiter through epoll, never from here
    }
    IntrusiveList<Sleeper> due;
    for (auto it = sleepers_.begin(); it != sleepers_.end();) {
        Sleeper& sleeper = *it++;
        if (sleeper.at > now_) continue;
        sleeper.unlink();
        due.push_back(sleeper);
    }
    while (!due.empty()) {
        Sleeper& sleeper = due.front();
        sleeper.unlink();
        sleeper.handle.resume();
    }
}

void Loop::add(Socket& socket) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &socket;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.fd(), &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot register a socket");
    }
}

void Loop::forget(Socket& socket) {
    for (int i = 0; i < events_count_; ++i) {
        auto& event = events_[static_cast<std::size_t>(i)];
        if (event.data.ptr == &socket) event.data.u64 = 1;
    }
}

}  // namespace tidegate::net
