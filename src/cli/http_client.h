// One HTTP request to a running gate, to its API or to its control socket, over a connection of its own, with a time
// limit.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"

namespace tidegate::cli {

struct HttpAnswer {
    unsigned status = 0;
    std::string body;
};

// `token` empty: none is sent. An error says that nobody answers there, or not in time.
[[nodiscard]] Result<HttpAnswer> ask_api(const config::Endpoint& api, std::string_view method, std::string_view target,
                                         std::string_view token, Duration timeout = std::chrono::seconds(5));

// The same over the control socket. An error's code is what the system said (errno), where the socket cannot be
// reached.
[[nodiscard]] Result<HttpAnswer> ask_control(const std::string& socket, std::string_view method,
                                             std::string_view target, Duration timeout = std::chrono::seconds(5),
                                             std::string_view body = {});

}  // namespace tidegate::cli
