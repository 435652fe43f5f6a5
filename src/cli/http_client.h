// One HTTP request to the API of a running gate, over a connection of its own, with a time limit.
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

}  // namespace tidegate::cli
