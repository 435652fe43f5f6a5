#include "fleet/journal_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/log.h"

namespace tidegate::fleet {
namespace {

Result<std::string> read_all(int fd) {
    std::string text;
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(std::strerror(errno));
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

// A file that was just made is only there after the end of the machine if its folder is on the disk too.
void sync_folder(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path();
    const int fd = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

Result<void> lock(int fd, Duration patience) {
    const auto deadline = Clock::now() + patience;
    bool told = false;
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(fmt::format("it cannot be locked: {}", std::strerror(errno)));
        }
        if (Clock::now() >= deadline) {
            return fail("another run works with it; wait for its end, or name another file");
        }
        if (!std::exchange(told, true)) {
            log::info("Another run, or the last jobs of one that was killed, hold the journal: waiting for them");
        }
        std::this_thread::sleep_for(50ms);
    }
    return {};
}

// What earlier runs have left, with a cut-off end taken off and the head put on.
Result<Journal> take_over(int fd) {
    auto text = read_all(fd);
    if (!text) return std::unexpected(text.error());
    auto past = Journal::parse(*text);
    if (!past) return past;
    if (past->whole() < text->size() && ::ftruncate(fd, static_cast<off_t>(past->whole())) != 0) {
        return fail(std::strerror(errno));
    }
    if (past->whole() == 0 && ::write(fd, kJournalHead.data(), kJournalHead.size()) < 0) {
        return fail(std::strerror(errno));
    }
    if (::fsync(fd) != 0) return fail(std::strerror(errno));
    return past;
}

}  // namespace

Result<JournalFile> JournalFile::open(const std::string& path, Duration patience) {
    const auto wrong = [&](std::string_view why) {
        return fail(fmt::format("the journal {} cannot be used: {}", path, why));
    };
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) return wrong(std::strerror(errno));
    JournalFile file(fd, {});
    const auto locked = lock(fd, patience);
    if (!locked) return wrong(locked.error().message);
    auto past = take_over(fd);
    if (!past) return wrong(past.error().message);
    sync_folder(path);
    file.past_ = std::move(*past);
    return file;
}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), past_(std::move(other.past_)) {}

JournalFile::~JournalFile() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace tidegate::fleet
