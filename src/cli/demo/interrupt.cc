#include "cli/demo/interrupt.h"

#include <poll.h>

#include <array>
#include <atomic>
#include <csignal>

namespace tidegate::demo {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);
std::array<struct sigaction, kSignals.size()> before{};

}  // namespace

InterruptFlag::InterruptFlag() {
    received = 0;
    struct sigaction action{};
    action.sa_handler = [](int number) { received = number; };
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before[i]);
}

InterruptFlag::~InterruptFlag() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

int interrupted() {
    return received;
}

void pause(std::chrono::milliseconds time) {
    poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace tidegate::demo
