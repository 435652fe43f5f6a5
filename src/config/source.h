// One place that may say which server, and as whom: the command line, the environment with .env, the configuration
// file, ~/.my.cnf. Each is read into a ServerSource; choose_server() takes from the first that knows.
//
// The order is the line's: flag, environment, .env, file. Two rules keep one server's password from another:
//   - host, port and socket come together, from the first source that names any of them;
//   - an account comes from the first source that has a user and does not name another server; its password from there
//     too, or else from the next source that has one for the same user.
// An application whose .env already points at the gate is no contradiction: that address is left out, its account is
// not.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"

namespace tidegate::config {

// What is wrong, where, and how bad.
struct Problem {
    std::string file{};   // empty: the command line or the environment, which the message then names
    unsigned line = 0;    // 0: none
    unsigned column = 0;  // 0: none
    std::string message;
    [[nodiscard]] std::string text() const;  // "tidegate.toml:12:3: ..."
};

struct ServerSource {
    std::string name;  // "--server", "the environment", "/etc/tidegate/tidegate.toml"
    std::optional<std::string> host;
    std::optional<std::uint16_t> port;
    std::optional<std::string> socket;
    std::optional<std::string> user;
    std::optional<Secret> password;
    std::string schema;
    std::optional<TlsMode> tls;
    std::string ca;
    bool shared = false;  // written for applications, which may have been pointed at the gate
    [[nodiscard]] bool names_server() const { return host || port || socket; }
};

[[nodiscard]] ServerSource source_of(std::string name, ServerUrl url);

// name -> value; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view)>;

// A file of NAME=value lines, as `.env` is: comments, `export`, single and double quotes. Later lines win.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_dot_env(std::string_view text);

// DB_HOST, DB_PORT, DB_SOCKET, DB_USER or DB_USERNAME, DB_PASSWORD, DB_NAME or DB_DATABASE. Bad values become problems.
[[nodiscard]] ServerSource source_of_environment(std::string name, const Environment& get,
                                                 std::vector<Problem>& problems);

// The [client] group of an option file: user, password, host, port, socket.
[[nodiscard]] ServerSource source_of_option_file(std::string name, std::string_view text,
                                                 std::vector<Problem>& problems);

// Fills in address, account, schema, and tls and ca where a source of higher rank than `server` has them. Returns the
// name of the source of the address; nullopt: no source names a server. `own` is where the gate listens.
[[nodiscard]] std::optional<std::string> choose_server(std::span<ServerSource> sources,
                                                       const std::optional<Endpoint>& own, Server& server);

}  // namespace tidegate::config
