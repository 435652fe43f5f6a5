#include "cli/audit_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "cli/inputs.h"

namespace tidegate::cli {
namespace {

std::string system_account() {
    const auto* entry = getpwuid(getuid());
    return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

}  // namespace

std::string audit_file(const std::string& named) {
    if (!named.empty()) return named;
    const char* state = std::getenv("XDG_STATE_HOME");
    std::string folder = state != nullptr ? state : "";
    if (folder.empty()) {
        folder = home_folder();
        if (folder.empty()) return "";
        folder += "/.local/state";
    }
    folder += "/tidegate";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return folder + "/kills.log";
}

AuditLog::AuditLog(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ >= 0) return;
    fmt::print(stderr, "tidegate: warning: no audit log is written: {}\n",
               path_.empty() ? "there is no home folder" : path_ + ": " + std::strerror(errno));
}

AuditLog::~AuditLog() {
    if (fd_ >= 0) ::close(fd_);
}

void AuditLog::write(std::string_view end, std::string_view server, std::string_view whom, std::string_view filter,
                     std::string_view why) const {
    if (fd_ < 0) return;
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    const auto line = fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} by {} at {}: {}; filter: {}{}{}\n", fmt::gmtime(now), end,
                                  system_account(), server, whom, filter, why.empty() ? "" : "; ", why);
    if (::write(fd_, line.data(), line.size()) < 0)
        fmt::print(stderr, "tidegate: warning: {}: {}\n", path_, std::strerror(errno));
}

}  // namespace tidegate::cli
