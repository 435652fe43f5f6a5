#include "api/handler.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "api/metrics.h"
#include "api/slots_json.h"
#include "api/stats_json.h"

namespace tidegate::api {
namespace {

using proxy::ServerState;
using proxy::Snapshot;

Response json_response(unsigned status, const nlohmann::ordered_json& body) {
    using json = nlohmann::ordered_json;
    return {.status = status, .body = body.dump(2, ' ', false, json::error_handler_t::replace) + "\n"};
}

Response healthz(const Sources&) {
    return json_response(200, {{"status", "alive"}});
}

Response readyz(const Sources& source) {
    const Snapshot s = source.gate();
    const auto not_ready = [](std::string_view reason) {
        return json_response(503, {{"status", "not ready"}, {"reason", reason}});
    };
    if (s.draining) return not_ready("the gate is draining: it takes no new work");
    if (s.paused) return not_ready("the gate is paused");
    const auto because = s.server.last_error.empty() ? std::string() : fmt::format(": {}", s.server.last_error);
    switch (s.server.state) {
        case ServerState::up:
            return json_response(200, {{"status", "ready"}});
        case ServerState::unknown:
            return not_ready(fmt::format("the server {} was not reached yet", s.server.address));
        case ServerState::down:
            return not_ready(fmt::format("the server {} cannot be reached{}", s.server.address, because));
        case ServerState::blocked:
            return not_ready(fmt::format("the server {} has blocked this host{}", s.server.address, because));
    }
    return not_ready("the server's state is not known");
}

Response pool_stats(const Sources& source) {
    return json_response(200, pool_stats_json(source.gate()));
}

Response server(const Sources& source) {
    return json_response(200, server_json(source.gate()));
}

Response slots(const Sources& source) {
    return json_response(200, slots_json(source.slots(), Clock::now(), std::chrono::system_clock::now()));
}

Response metrics(const Sources& source) {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = metrics_text(source.gate(), source.slots())};
}

struct Endpoint {
    std::string_view path;
    bool open;  // without the token
    Response (*answer)(const Sources&);
};
constexpr std::array<Endpoint, 6> kEndpoints{{{"/healthz", true, healthz},
                                              {"/readyz", true, readyz},
                                              {"/api/connection-pool-stats", false, pool_stats},
                                              {"/api/server", false, server},
                                              {"/api/slots", false, slots},
                                              {"/metrics", false, metrics}}};

bool has_token(std::string_view authorization, const Secret& token) {
    constexpr std::string_view kBearer = "bearer ";
    if (authorization.size() < kBearer.size()) return false;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (!std::ranges::equal(authorization.substr(0, kBearer.size()), kBearer, {}, lower)) return false;
    authorization.remove_prefix(kBearer.size());
    return Secret::same_bytes(std::as_bytes(std::span(authorization.data(), authorization.size())), token.bytes());
}

}  // namespace

Response error_response(unsigned status, std::string_view sentence) {
    return json_response(status, {{"error", sentence}});
}

Response handle(const Request& request, const Secret& token, const Sources& sources) {
    const auto path = request.target.substr(0, request.target.find('?'));
    const auto endpoint = std::ranges::find(kEndpoints, path, &Endpoint::path);
    const bool open = endpoint != kEndpoints.end() && endpoint->open;
    if (!open && !token.empty() && !has_token(request.authorization, token)) {
        auto response = error_response(401, "this needs the API's token: Authorization: Bearer ..");
        response.authenticate = "Bearer realm=\"tidegate\"";
        return response;
    }
    if (endpoint == kEndpoints.end()) {
        return error_response(404,
                              "there is no such page; there are /healthz, /readyz, /api/connection-pool-stats, "
                              "/api/server, /api/slots and /metrics");
    }
    if (request.method != "GET" && request.method != "HEAD") {
        auto response = error_response(405, "this is only read: GET or HEAD");
        response.allow = "GET, HEAD";
        return response;
    }
    return endpoint->answer(sources);
}

}  // namespace tidegate::api
