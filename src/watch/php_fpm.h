// Which PHP-FPM services this host has, by the folders that their packages make.
#pragma once

#include <string>
#include <vector>

namespace tidegate::watch {

// "php8.2-fpm" (Debian, Ubuntu: /run/php, else /etc/php), "php-fpm" (Red Hat: /etc/php-fpm.d); sorted, empty: none.
// `root` stands before these paths.
[[nodiscard]] std::vector<std::string> php_fpm_services(const std::string& root = "");

}  // namespace tidegate::watch
