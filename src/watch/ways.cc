#include "watch/ways.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "client/mysql_connection.h"
#include "config/values.h"

namespace tidegate::watch {
namespace {

constexpr std::uint16_t kXProtocol = 33060;  // MySQL's other protocol
constexpr Duration kSideDoor = 2s;           // a port that may not be there

class OwnConnection final : public Session {
public:
    static Result<std::unique_ptr<Session>> open(client::ServerSettings settings, std::string way) {
        client::initialise_library();
        auto session = std::make_unique<OwnConnection>(std::move(settings), std::move(way));
        auto opened = client::MysqlConnection::open(session->settings_);
        if (!opened) return std::unexpected(opened.error());
        session->connection_ = std::move(*opened);
        return session;
    }
    OwnConnection(client::ServerSettings settings, std::string way)
        : settings_(std::move(settings)), way_(std::move(way)) {}

    Result<Table> ask(const std::string& sql) override {
        const auto rows = connection_->query(sql);
        if (!rows) return std::unexpected(rows.error());
        Table table;
        for (const auto& column : rows->columns()) table.columns.push_back(column.name);
        for (const auto row : *rows) {
            auto& cells = table.rows.emplace_back();
            for (std::size_t i = 0; i < row.size(); ++i)
                cells.push_back(row.get<std::optional<std::string>>(i).value_or(std::nullopt));
        }
        return table;
    }
    [[nodiscard]] std::string way() const override { return way_; }

private:
    client::ServerSettings settings_;  // the connection refers to it
    std::string way_;
    std::unique_ptr<client::Connection> connection_;
};

std::string system_account() {
    const auto* entry = getpwuid(geteuid());
    return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : "root";
}

client::ServerSettings settings_of(const config::Server& server) {
    client::ServerSettings settings{.host = server.host,
                                    .port = server.port,
                                    .socket = server.socket,
                                    .user = server.user.empty() ? system_account() : server.user,
                                    .password = server.password.clone(),
                                    .schema = {},
                                    .tls = client::tls_of(server.tls),
                                    .tls_ca = server.ca};
    settings.connect_timeout = server.connect_timeout;
    return settings;
}

bool worth_another_way(const Error& error) {
    constexpr std::array<std::uint16_t, 6> kUnreachable{1129, 2002, 2003, 2005, 2006, 2013};
    return is_full(error) || std::ranges::find(kUnreachable, error.code) != kUnreachable.end();
}

void note_port(std::vector<std::uint16_t>& ports, std::optional<std::uint64_t> port, std::uint16_t own) {
    if (!port || *port == 0 || *port > 65535 || *port == own || *port == kXProtocol) return;
    const auto number = static_cast<std::uint16_t>(*port);
    if (std::ranges::find(ports, number) == ports.end()) ports.push_back(number);
}

// extra_port and admin_port, as a line of an option file or a flag of the server has them.
std::optional<std::uint64_t> port_in(std::string line) {
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
    std::ranges::replace(line, '-', '_');
    line.erase(0, line.find_first_not_of('_'));
    for (const std::string_view key : {"extra_port=", "admin_port="}) {
        if (line.starts_with(key)) return whole_number(std::string_view(line).substr(key.size()));
    }
    return std::nullopt;
}

void ports_in_option_files(std::vector<std::uint16_t>& ports, std::uint16_t own) {
    namespace fs = std::filesystem;
    constexpr std::size_t kMostFiles = 200;
    std::vector<fs::path> files{"/etc/my.cnf"};
    std::error_code error;
    for (fs::recursive_directory_iterator at("/etc/mysql", fs::directory_options::skip_permission_denied, error), end;
         !error && at != end && files.size() < kMostFiles; at.increment(error)) {
        if (at->path().extension() == ".cnf") files.push_back(at->path());
    }
    for (const auto& path : files) {
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) note_port(ports, port_in(line), own);
    }
}

// Where the server listens for its administrators, as its process or its option files say. A port is never guessed:
// whoever else listens there would be given the operator's login.
std::vector<std::uint16_t> side_ports(const config::Server& server, const LocalView& local) {
    std::vector<std::uint16_t> ports;
    if (local.server) {
        std::string_view command = local.server->command;
        while (!command.empty()) {
            const auto word = command.substr(0, command.find(' '));
            command.remove_prefix(std::min(command.size(), word.size() + 1));
            note_port(ports, port_in(std::string(word)), server.port);
        }
    }
    for (const auto port : local.ports) note_port(ports, port, server.port);
    if (local.server_is_here && ports.empty()) ports_in_option_files(ports, server.port);
    return ports;
}

class Entrance {
public:
    explicit Entrance(const WaysIn& ways) : ways_(ways) {}

    Entry run() {
        const auto& server = *ways_.server;
        const auto account = settings_of(server).user;
        if (knock(settings_of(server), fmt::format("as {} at {}", account, server.text())) ||
            !worth_another_way(entry_.failed.back().error)) {
            return std::move(entry_);
        }
        entry_.session = ways_.gate();
        if (entry_.session != nullptr) return std::move(entry_);
        const auto seen = look_locally({server.host, server.port, server.socket});
        const LocalView local = seen ? *seen : LocalView{};
        if (ways_.admin) {
            knock_at(ways_.admin->host, ways_.admin->port);
        } else {
            for (const auto port : side_ports(server, local)) {
                if (knock_at(server.host, port)) break;
            }
        }
        for (const auto& path : local.sockets) {
            if (entry_.session != nullptr) break;
            knock_at_socket(path);
        }
        return std::move(entry_);
    }

private:
    bool knock(client::ServerSettings settings, std::string way) {
        auto opened = OwnConnection::open(std::move(settings), way);
        if (opened) {
            entry_.session = std::move(*opened);
            return true;
        }
        entry_.failed.push_back({std::move(way), std::move(opened.error())});
        return false;
    }

    bool knock_at(const std::string& host, std::uint16_t port) {
        auto settings = settings_of(*ways_.server);
        settings.host = host;
        settings.port = port;
        settings.socket.clear();
        settings.connect_timeout = std::min(settings.connect_timeout, kSideDoor);
        const auto way =
            fmt::format("as {} at {}, the administrators' port", settings.user, config::Endpoint{host, port}.text());
        return knock(std::move(settings), way);
    }

    void knock_at_socket(const std::string& path) {
        auto settings = settings_of(*ways_.server);
        const auto account = settings.user;
        settings.tls = Tls::disabled;  // nobody listens on the way
        if (settings.socket != path) {
            settings.socket = path;
            if (knock(std::move(settings), fmt::format("as {} over the socket {}", account, path))) return;
        }
        if (geteuid() != 0 || account == "root") return;
        client::ServerSettings root{};
        root.socket = path;
        root.user = "root";
        root.tls = Tls::disabled;
        root.connect_timeout = ways_.server->connect_timeout;
        knock(std::move(root),
              fmt::format("as root, which may take the reserved connection, over the socket {}", path));
    }

    const WaysIn& ways_;
    Entry entry_;
};

}  // namespace

bool is_full(const Error& error) {
    return error.code == 1040 || error.code == 1203 || error.code == 1226;
}

Result<std::unique_ptr<Session>> connect(const config::Server& server) {
    auto settings = settings_of(server);
    auto way = fmt::format("as {} at {}", settings.user, server.text());
    return OwnConnection::open(std::move(settings), std::move(way));
}

Entry enter(const WaysIn& ways) {
    return Entrance(ways).run();
}

}  // namespace tidegate::watch
