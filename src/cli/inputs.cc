#include "cli/inputs.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tidegate::cli {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

bool exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string find_config_file() {
    const auto home = home_folder();
    auto config_home = variable("XDG_CONFIG_HOME");
    if (config_home.empty() && !home.empty()) config_home = home + "/.config";
    if (exists("tidegate.toml")) return "tidegate.toml";
    if (auto path = config_home + "/tidegate/tidegate.toml"; !config_home.empty() && exists(path)) return path;
    if (exists("/etc/tidegate/tidegate.toml")) return "/etc/tidegate/tidegate.toml";
    return "";
}

Result<void> read_all(int fd, std::string& text) {
    char buffer[16 * 1024];
    for (;;) {
        const auto got = read(fd, buffer, sizeof(buffer));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(std::strerror(errno));
        if (got == 0) return {};
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > kLargestFile) return fail("it has more than 1 MB");
    }
}

}  // namespace

std::string home_folder() {
    if (auto home = variable("HOME"); !home.empty()) return home;
    const auto* entry = getpwuid(getuid());
    return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

Result<config::FileText> read_file(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(std::strerror(errno));
    config::FileText file;
    struct stat status{};
    Result<void> read = fail("it is a folder");
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) read = read_all(fd, file.text);
    // A pipe (a shell's <(..)) is nobody else's, whatever its mode says.
    file.open_to_all = S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0;
    close(fd);
    if (!read) return std::unexpected(read.error());
    return file;
}

config::Inputs collect_inputs(const std::string& config_file, const config::Flags& flags) {
    config::Inputs inputs;
    inputs.config_file = config_file.empty() ? find_config_file() : config_file;
    inputs.flags = flags;
    inputs.environment = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    };
    inputs.dot_env = ".env";
    if (const auto home = home_folder(); !home.empty()) inputs.my_cnf = home + "/.my.cnf";
    inputs.read = read_file;
    return inputs;
}

}  // namespace tidegate::cli
