#include "fleet/output.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace tidegate::fleet {
namespace {

constexpr std::size_t kEnough = std::size_t{64} * 1024;

// All of it, also to a pipe that is not ready. False: it cannot be written.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<Output> Output::make(Settings settings) {
    if (!settings.folder.empty()) {
        std::error_code error;
        std::filesystem::create_directories(settings.folder, error);
        if (!error && ::access(settings.folder.c_str(), W_OK | X_OK) != 0) error.assign(errno, std::generic_category());
        if (error) {
            return fail(fmt::format("the workers' output cannot be written to {}: {}; make it or name another folder",
                                    settings.folder, error.message()));
        }
    }
    return Output(std::move(settings));
}

Output& Output::operator=(Output&& other) noexcept {
    std::swap(settings_, other.settings_);
    std::swap(buffers_, other.buffers_);
    std::swap(files_, other.files_);
    std::swap(told_, other.told_);
    return *this;
}

Output::~Output() {
    flush();
    for (const auto& [id, fd] : files_) ::close(fd);
}

void Output::line(WorkerId id, std::string_view label, Stream stream, std::string_view text) {
    std::string& buffer = stream == Stream::err ? buffers_[1] : buffers_[0];
    const bool own = settings_.folder.empty();
    std::string for_file;
    std::string& to = own ? buffer : for_file;
    if (settings_.prefix && !label.empty()) to.append("[").append(label).append("] ");
    to.append(text).append("\n");
    if (!own)
        to_file(id, for_file);
    else if (buffer.size() >= kEnough)
        flush();
}

void Output::to_file(WorkerId id, std::string_view line) {
    auto at = files_.find(id);
    if (at == files_.end()) {
        const auto path = fmt::format("{}/{}-{}.log", settings_.folder, settings_.name, id);
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        at = files_.emplace(id, fd).first;
    }
    if (at->second >= 0 && write_all(at->second, line)) return;
    if (!std::exchange(told_, true)) {
        log::error("Output of worker {} is lost: {}/{}-{}.log cannot be written: {}", id, settings_.folder,
                   settings_.name, id, std::strerror(errno));
    }
}

void Output::flush() {
    for (std::size_t stream = 0; stream < buffers_.size(); ++stream) {
        std::string& buffer = buffers_[stream];
        if (buffer.empty()) continue;
        if (settings_.before) settings_.before();
        write_all(stream == 0 ? STDOUT_FILENO : STDERR_FILENO, buffer);
        buffer.clear();
    }
}

void Output::ended(WorkerId id) {
    const auto at = files_.find(id);
    if (at == files_.end()) return;
    if (at->second >= 0) ::close(at->second);
    files_.erase(at);
}

}  // namespace tidegate::fleet
