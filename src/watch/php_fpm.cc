#include "watch/php_fpm.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace tidegate::watch {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        names.push_back(at->path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

bool is_version(std::string_view text) {
    return text.contains('.') && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> php_fpm_services(const std::string& root) {
    std::vector<std::string> services;
    for (const auto& name : names_in(root + "/run/php")) {  // php8.2-fpm.pid, of those that run
        const auto end = name.find("-fpm.pid");
        if (name.starts_with("php") && end != std::string::npos && is_version(name.substr(3, end - 3))) {
            services.push_back(name.substr(0, end) + "-fpm");
        }
    }
    std::error_code error;
    for (const auto& name : services.empty() ? names_in(root + "/etc/php") : std::vector<std::string>{}) {
        if (is_version(name) && fs::is_directory(fs::path(root + "/etc/php") / name / "fpm", error)) {
            services.push_back("php" + name + "-fpm");
        }
    }
    if (services.empty() && fs::is_directory(root + "/etc/php-fpm.d", error)) services.emplace_back("php-fpm");
    return services;
}

}  // namespace tidegate::watch
