#include "net/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace tidegate::net {
namespace {

sigset_t blocked_set(std::initializer_list<int> numbers) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : numbers) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return set;
}

int open_signals(std::initializer_list<int> numbers) {
    const sigset_t set = blocked_set(numbers);
    const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot watch for signals");
    return fd;
}

}  // namespace

Signals::Signals(Loop& loop, std::initializer_list<int> numbers) : socket_(loop, open_signals(numbers)) {}

void Signals::block(std::initializer_list<int> numbers) {
    blocked_set(numbers);
}

Task<int> Signals::next() {
    signalfd_siginfo info{};
    while (!stopped_ && ::read(socket_.fd(), &info, sizeof info) != sizeof info) {
        socket_.not_readable();
        co_await socket_.readable();
    }
    co_return static_cast<int>(info.ssi_signo);
}

void Signals::stop() {
    stopped_ = true;
    socket_.wake_reader();
}

}  // namespace tidegate::net
