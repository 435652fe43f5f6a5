#include "client/signal_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

#include "client/pool_shell.h"

namespace tidegate::client {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};
std::atomic<int> pipe_end{-1};

// Runs between any two instructions of the program: it may only do what is safe there.
void note(int signal) {
    const int before = errno;
    const auto byte = static_cast<char>(signal);
    (void)!write(pipe_end.load(std::memory_order_relaxed), &byte, 1);
    errno = before;
}

std::size_t place_of(int signal) {
    return static_cast<std::size_t>(std::ranges::find(kSignals, signal) - kSignals.begin());
}

}  // namespace

SignalWatch& SignalWatch::instance() {
    static auto* watch = new SignalWatch;
    return *watch;
}

SignalWatch::SignalWatch() {
    if (pipe2(pipe_, O_CLOEXEC) != 0) return;  // no descriptors left: signals do what they did
    pipe_end = pipe_[1];
    sigset_t all;
    sigset_t mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    std::thread([this] { listen(); }).detach();
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        struct sigaction action{};
        action.sa_handler = note;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        sigaction(kSignals[i], &action, &before_[i]);
    }
}

void SignalWatch::listen() {
    for (;;) {
        char byte = 0;
        const auto got = read(pipe_[0], &byte, 1);
        if (got == 1) {
            on_signal(byte);
        } else if (got == 0 || errno != EINTR) {
            return;
        }
    }
}

void SignalWatch::on_signal(int signal) {
    if (drain()) return;
    close_pools();
    hand_on(signal);
}

bool SignalWatch::drain() {
    const MutexLock lock(mutex_);
    if (drainers_.empty() || std::exchange(drained_, true)) return false;
    for (const auto& drainer : drainers_) drainer();
    return true;
}

void SignalWatch::close_pools() {
    std::vector<Closing> closings;
    {
        const MutexLock lock(mutex_);
        closings.swap(closings_);
    }
    const auto now = Clock::now();
    for (const auto& closing : closings) {
        if (const auto pool = closing.pool.lock()) (void)pool->close(now + closing.grace);
    }
}

void SignalWatch::hand_on(int signal) {
    sigaction(signal, &before_[place_of(signal)], nullptr);
    kill(getpid(), signal);
}

void SignalWatch::close_at_end(std::weak_ptr<PoolShell> pool, Duration grace) {
    const MutexLock lock(mutex_);
    std::erase_if(closings_, [](const Closing& closing) { return closing.pool.expired(); });
    closings_.push_back({std::move(pool), grace});
}

SignalWatch::Drainer::Drainer(std::function<void()> drain) {
    auto& watch = instance();
    const MutexLock lock(watch.mutex_);
    watch.drained_ = false;
    place_ = watch.drainers_.insert(watch.drainers_.end(), std::move(drain));
}

SignalWatch::Drainer::~Drainer() {
    auto& watch = instance();
    const MutexLock lock(watch.mutex_);
    watch.drainers_.erase(place_);
}

}  // namespace tidegate::client
