// Options from a URL, or from the environment, .env and ~/.my.cnf: the files are read here, their texts by config/.
#include <fmt/core.h>
#include <pwd.h>
#include <tidegate/options.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/secret.h"
#include "client/mysql_connection.h"
#include "config/source.h"
#include "config/url.h"
#include "config/values.h"

namespace tidegate {
namespace {

constexpr std::string_view kLimit = "DB_CONNECTION_LIMIT";

std::string text_of(const Secret& secret) {
    const auto bytes = secret.bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file's text; nullopt when there is no such file.
Result<std::optional<std::string>> read_file(const std::string& path) {
    if (path.empty() || access(path.c_str(), F_OK) != 0) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (file.bad() || !file.is_open()) return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    return text;
}

std::string my_cnf() {
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
        const auto* entry = getpwuid(getuid());
        home = entry != nullptr ? entry->pw_dir : nullptr;
    }
    return home != nullptr ? std::string(home) + "/.my.cnf" : std::string();
}

std::optional<std::string> from_process(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

Result<unsigned> limit_in(std::string_view text) {
    const auto number = config::parse_unsigned(text);
    if (!number || *number == 0) {
        return fail(fmt::format("{} must be a number of connections, at least 1, and not '{}'", kLimit, text));
    }
    return *number;
}

Options options_of(const config::Server& server) {
    Options options;
    options.host = server.host;
    options.port = server.port;
    options.socket = server.socket;
    options.user = server.user;
    options.password = text_of(server.password);
    options.schema = server.schema;
    options.tls = client::tls_of(server.tls);
    options.tls_ca = server.ca;
    return options;
}

}  // namespace

Result<Options> Options::from_url(std::string_view url) {
    auto parsed = config::parse_server_url(url);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    std::array sources{config::source_of("the URL", std::move(*parsed))};
    config::Server server;
    (void)config::choose_server(sources, std::nullopt, server);
    return options_of(server);
}

Result<Options> Options::from_environment(const std::string& dot_env) {
    auto env_text = read_file(dot_env);
    if (!env_text) return std::unexpected(std::move(env_text.error()));
    const auto cnf_path = my_cnf();
    auto cnf_text = read_file(cnf_path);
    if (!cnf_text) return std::unexpected(std::move(cnf_text.error()));

    const auto lines = config::parse_dot_env(env_text->value_or(""));
    const config::Environment from_file = [&](std::string_view name) -> std::optional<std::string> {
        std::optional<std::string> value;
        for (const auto& [key, text] : lines) {
            if (key == name) value = text;  // the last line wins
        }
        return value;
    };
    std::vector<config::Problem> problems;
    std::vector<config::ServerSource> sources;
    sources.push_back(config::source_of_environment("the environment", from_process, problems));
    sources.push_back(config::source_of_environment(dot_env, from_file, problems));
    if (*cnf_text) sources.push_back(config::source_of_option_file(cnf_path, **cnf_text, problems));
    if (!problems.empty()) return fail(problems.front().text());

    config::Server server;
    (void)config::choose_server(sources, std::nullopt, server);
    auto options = options_of(server);
    if (options.user.empty()) {
        return fail(
            fmt::format("no account is named: set DB_USER (with DB_PASSWORD, DB_HOST, DB_NAME) in the environment "
                        "or in {}",
                        dot_env.empty() ? ".env" : dot_env));
    }
    auto limit = from_process(kLimit);
    if (!limit || limit->empty()) limit = from_file(kLimit);
    if (limit && !limit->empty()) {
        const auto number = limit_in(*limit);
        if (!number) return std::unexpected(number.error());
        options.max_connections = *number;
    }
    return options;
}

}  // namespace tidegate
