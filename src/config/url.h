// A server as a URL: mysql://user:password@host:port/schema?tls=..&socket=..&ca=.. Whatever is wrong with it, no
// sentence about it repeats what may be a password.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

namespace tidegate::config {

struct ServerUrl {
    std::optional<std::string> user;
    std::optional<Secret> password;  // given, perhaps empty
    std::string host;                // empty: only a socket is named
    std::optional<std::uint16_t> port;
    std::string schema;
    std::string socket;
    std::optional<TlsMode> tls;
    std::string ca;
};

[[nodiscard]] Result<ServerUrl> parse_server_url(std::string_view text);

}  // namespace tidegate::config
