#include "config/source.h"

#include <fmt/core.h>

#include "config/values.h"

namespace tidegate::config {
namespace {

// Whether `source` speaks of another server than the chosen one.
bool names_another(const ServerSource& source, const Server& server) {
    if (source.socket && !source.socket->empty()) return *source.socket != server.socket;
    if (source.host && *source.host != server.host) return true;
    return source.port && *source.port != server.port;
}

bool is_own_address(const ServerSource& source, const std::optional<Endpoint>& own) {
    if (!own || source.socket || source.port.value_or(3306) != own->port) return false;
    const auto host = source.host.value_or("127.0.0.1");
    return host == own->host || (is_loopback(host) && (is_loopback(own->host) || own->host == "0.0.0.0"));
}

void choose_account(std::span<ServerSource> sources, Server& server) {
    ServerSource* from = nullptr;
    for (auto& source : sources) {
        if (!source.user || source.user->empty() || names_another(source, server)) continue;
        from = &source;
        break;
    }
    if (from == nullptr) return;
    server.user = *from->user;
    if (from->password) {
        server.password = from->password->clone();
        return;
    }
    for (auto& source : sources) {
        const bool same_user = !source.user || *source.user == server.user;
        if (!source.password || !same_user || names_another(source, server)) continue;
        server.password = source.password->clone();
        return;
    }
}

// The value behind `=`: quotes taken off, and without quotes a comment behind white space.
std::string unquoted(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return {};
    const char quote = text.front();
    if (quote != '"' && quote != '\'') {
        for (std::size_t i = 0; i + 1 < text.size(); ++i) {
            if ((text[i] == ' ' || text[i] == '\t') && text[i + 1] == '#')
                return std::string(trimmed(text.substr(0, i)));
        }
        return std::string(text);
    }
    std::string out;
    for (std::size_t i = 1; i < text.size() && text[i] != quote; ++i) {
        if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) ++i;
        out.push_back(text[i]);
    }
    return out;
}

template <class Line>
void for_each_line(std::string_view text, Line&& line) {
    unsigned number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        ++number;
        line(number, trimmed(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::optional<std::uint16_t> port_in(std::string_view text) {
    const auto number = parse_unsigned(text);
    if (!number || *number == 0 || *number > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

}  // namespace

std::string Problem::text() const {
    if (file.empty()) return message;
    if (line == 0) return fmt::format("{}: {}", file, message);
    if (column == 0) return fmt::format("{}:{}: {}", file, line, message);
    return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

ServerSource source_of(std::string name, ServerUrl url) {
    ServerSource source;
    source.name = std::move(name);
    if (!url.host.empty()) source.host = std::move(url.host);
    source.port = url.port;
    if (!url.socket.empty()) source.socket = std::move(url.socket);
    source.user = std::move(url.user);
    source.password = std::move(url.password);
    source.schema = std::move(url.schema);
    source.tls = url.tls;
    source.ca = std::move(url.ca);
    return source;
}

std::vector<std::pair<std::string, std::string>> parse_dot_env(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> values;
    for_each_line(text, [&](unsigned, std::string_view line) {
        if (line.starts_with("export ")) line = trimmed(line.substr(7));
        const auto equals = line.find('=');
        if (line.starts_with('#') || equals == std::string_view::npos) return;
        values.emplace_back(trimmed(line.substr(0, equals)), unquoted(line.substr(equals + 1)));
    });
    return values;
}

ServerSource source_of_environment(std::string name, const Environment& get, std::vector<Problem>& problems) {
    const auto filled = [&](std::string_view key) {
        auto value = get(key);
        return value && !value->empty() ? value : std::nullopt;
    };
    ServerSource source;
    source.name = std::move(name);
    source.shared = true;
    source.host = filled("DB_HOST");
    source.socket = filled("DB_SOCKET");
    if (const auto port = filled("DB_PORT")) {
        source.port = port_in(*port);
        if (!source.port) problems.push_back({.message = "DB_PORT must be a port between 1 and 65535"});
    }
    source.user = filled("DB_USER");
    if (!source.user) source.user = filled("DB_USERNAME");
    if (auto password = get("DB_PASSWORD")) source.password = Secret(std::string_view(*password));
    auto schema = filled("DB_NAME");
    if (!schema) schema = filled("DB_DATABASE");
    source.schema = schema.value_or("");
    return source;
}

ServerSource source_of_option_file(std::string name, std::string_view text, std::vector<Problem>& problems) {
    ServerSource source;
    source.name = std::move(name);
    source.shared = true;
    bool in_client = false;
    for_each_line(text, [&](unsigned number, std::string_view line) {
        if (line.empty() || line.starts_with('#') || line.starts_with(';') || line.starts_with('!')) return;
        if (line.starts_with('[')) {
            in_client = line == "[client]";
            return;
        }
        const auto equals = line.find('=');
        if (!in_client || equals == std::string_view::npos) return;
        const auto key = trimmed(line.substr(0, equals));
        auto value = unquoted(line.substr(equals + 1));
        if (key == "user")
            source.user = std::move(value);
        else if (key == "password")
            source.password = Secret(std::string_view(value));
        else if (key == "host")
            source.host = std::move(value);
        else if (key == "socket")
            source.socket = std::move(value);
        else if (key == "port") {
            source.port = port_in(value);
            if (!source.port) problems.push_back({source.name, number, 0, "`port` must be between 1 and 65535"});
        }
    });
    if (source.host && *source.host != "localhost") source.socket.reset();
    return source;
}

std::optional<std::string> choose_server(std::span<ServerSource> sources, const std::optional<Endpoint>& own,
                                         Server& server) {
    const ServerSource* from = nullptr;
    for (auto& source : sources) {
        if (source.shared && source.names_server() && is_own_address(source, own)) {
            source.host.reset();
            source.port.reset();
        }
        if (from == nullptr && source.names_server()) from = &source;
    }
    if (from == nullptr) return std::nullopt;
    server.host = from->host.value_or(from->socket ? "localhost" : "127.0.0.1");
    server.port = from->port.value_or(3306);
    server.socket = from->socket.value_or("");
    server.schema = from->schema;
    if (from->tls) server.tls = *from->tls;
    if (!from->ca.empty()) server.ca = from->ca;
    choose_account(sources, server);
    return from->name;
}

}  // namespace tidegate::config
