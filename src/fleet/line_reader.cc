#include "fleet/line_reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace tidegate::fleet {
namespace {
constexpr std::size_t kLongestJob = std::size_t{16} << 20;
}

LineReader::LineReader(net::Loop& loop, int fd, Take take)
    : loop_(loop), fd_(fd), stop_(::eventfd(0, EFD_CLOEXEC)), take_(std::move(take)), thread_([this] { run(); }) {}

LineReader::~LineReader() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
    thread_.join();
    ::close(stop_);
    ::close(fd_);
}

void LineReader::more() {
    {
        const std::scoped_lock lock(mutex_);
        wanted_ = true;
    }
    changed_.notify_all();
}

bool LineReader::wait_until_wanted() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return wanted_ || stopping_; });
    return !stopping_;
}

bool LineReader::wait_for_input() const {
    std::array<pollfd, 2> fds{
        {{.fd = fd_, .events = POLLIN, .revents = 0}, {.fd = stop_, .events = POLLIN, .revents = 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
    }
    return fds[1].revents == 0;
}

void LineReader::run() {
    LineCutter cutter(kLongestJob);
    std::array<char, 65536> buffer;
    for (bool last = false; !last;) {
        if (!wait_until_wanted() || !wait_for_input()) return;
        // The lock ended with wait_until_wanted(); the analyzer does not see through the condition variable.
        // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
        const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        std::vector<std::string> lines;
        const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
        last = got <= 0;
        if (last)
            cutter.end(keep);
        else
            cutter.add({buffer.data(), static_cast<std::size_t>(got)}, keep);
        {
            const std::scoped_lock lock(mutex_);
            wanted_ = false;
        }
        loop_.post([this, lines = std::move(lines), last]() mutable { take_(std::move(lines), last); });
    }
}

}  // namespace tidegate::fleet
