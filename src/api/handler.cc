#include "api/handler.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "api/fleets_json.h"
#include "api/metrics.h"
#include "api/slots_json.h"
#include "api/stats_json.h"
#include "base/letters.h"
#include "config/values.h"

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

Response clients(const Sources& source) {
    return json_response(200, clients_json(source.clients()));
}

Response slots(const Sources& source) {
    return json_response(200, slots_json(source.slots(), Clock::now(), std::chrono::system_clock::now()));
}

Response metrics(const Sources& source) {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = metrics_text(source.gate(), source.slots(), source.fleets())};
}

Response worker_stats(const Sources& source) {
    return json_response(200, worker_stats_json(source.fleets(), source.gate()));
}

struct Endpoint {
    std::string_view path;
    bool open;  // without the token
    Response (*answer)(const Sources&);
};
constexpr std::array<Endpoint, 8> kEndpoints{{{"/healthz", true, healthz},
                                              {"/readyz", true, readyz},
                                              {"/api/connection-pool-stats", false, pool_stats},
                                              {"/api/server", false, server},
                                              {"/api/clients", false, clients},
                                              {"/api/slots", false, slots},
                                              {"/api/worker-stats", false, worker_stats},
                                              {"/metrics", false, metrics}}};

bool has_token(std::string_view authorization, const Secret& token) {
    constexpr std::string_view kBearer = "bearer ";
    if (authorization.size() < kBearer.size()) return false;
    if (!same_letters(authorization.substr(0, kBearer.size()), kBearer)) return false;
    authorization.remove_prefix(kBearer.size());
    return Secret::same_bytes(std::as_bytes(std::span(authorization.data(), authorization.size())), token.bytes());
}

// The path and what its query says.
struct Target {
    std::string path;
    std::string_view query;

    [[nodiscard]] std::string_view value(std::string_view name) const {
        for (std::string_view rest = query; !rest.empty();) {
            const auto part = rest.substr(0, rest.find('&'));
            rest.remove_prefix(std::min(part.size() + 1, rest.size()));
            if (part.starts_with(name) && part.substr(name.size()).starts_with('='))
                return part.substr(name.size() + 1);
        }
        return {};
    }
};

Target target_of(std::string_view text) {
    const auto mark = text.find('?');
    Target target{.path = std::string(text.substr(0, mark)),
                  .query = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1)};
    if (target.path == "/" && target.value("page") == "api")
        target.path = fmt::format("/api/{}", target.value("action"));
    return target;
}

Response needs_token() {
    auto response = error_response(401, "this needs the API's token: Authorization: Bearer ..");
    response.authenticate = "Bearer realm=\"tidegate\"";
    return response;
}

Response no_such_page() {
    return error_response(404,
                          "there is no such page; there are /healthz, /readyz, /api/connection-pool-stats, "
                          "/api/server, /api/clients, /api/slots, /api/worker-stats, /api/fleets/NAME/.. and /metrics");
}

Response only(std::string_view methods, std::string_view sentence) {
    auto response = error_response(405, sentence);
    response.allow = methods;
    return response;
}

constexpr std::string_view kFleets = "/api/fleets/";

Response wrong(const Error& error) {
    constexpr unsigned kConflict = 409;  // not as the fleet is now
    return error_response(error.code >= 400 && error.code < 600 ? error.code : kConflict, error.message);
}

Response done(const Result<std::string>& said) {
    return said ? json_response(200, {{"done", *said}}) : wrong(said.error());
}

Response fleet_logs(const std::string& name, const Target& target, const Sources& sources) {
    constexpr unsigned kLines = 100;
    const auto number = [&](std::string_view key, unsigned otherwise) {
        const auto text = target.value(key);
        return text.empty() ? std::optional(otherwise) : config::parse_unsigned(text);
    };
    const auto lines = number("lines", kLines);
    const auto after = number("after", 0);
    if (!lines || !after) return error_response(400, "`lines` and `after` are numbers");
    const auto page = sources.logs(name, *after, *lines);
    if (!page) return wrong(page.error());
    return json_response(200, logs_json(*page, std::chrono::system_clock::now()));
}

Response fleet_scale(const std::string& name, const Target& target, const Sources& sources) {
    const auto workers = config::parse_unsigned(target.value("workers"));
    if (!workers || *workers > config::kMostWorkers)
        return error_response(400, fmt::format("`workers` is a number from 0 to {}", config::kMostWorkers));
    return done(sources.scale(name, *workers));
}

// /api/fleets/NAME/WHAT: over the control socket, or with a token.
Response handle_fleet(const Request& request, const Target& target, const Secret& token, const Sources& sources) {
    if (!request.trusted && token.empty()) {
        return error_response(403,
                              "fleets are steered, and their logs read, over the gate's own socket (tidegate ctl), or "
                              "with a token: set `token_file` in [api]");
    }
    if (!request.trusted && !has_token(request.authorization, token)) return needs_token();
    const std::string_view rest = std::string_view(target.path).substr(kFleets.size());
    const auto slash = rest.find('/');
    const auto what = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    const std::string name(rest.substr(0, slash));
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (what == "logs" && sources.logs)
        return reads ? fleet_logs(name, target, sources) : only("GET, HEAD", "logs are only read: GET or HEAD");
    const bool steers = (what == "scale" && sources.scale) || (what == "restart" && sources.restart);
    if (!steers) return no_such_page();
    if (request.method != "POST") return only("POST", "this changes something: POST");
    return what == "scale" ? fleet_scale(name, target, sources) : done(sources.restart(name));
}

constexpr std::string_view kAskServer = "/api/server/ask";

// The account of the standing connection is a privileged one: what it answers is for the gate's own user and root.
Response ask_server(const Request& request, const Sources& sources) {
    if (!request.trusted) return error_response(403, "the server is asked over the gate's own socket only");
    if (request.method != "POST") return only("POST", "the statement is the body: POST");
    const auto answer = sources.ask_server(std::string(request.body));
    if (answer) return json_response(200, answer_json(*answer));
    const Error& error = answer.error();
    return json_response(409, {{"error", error.message}, {"errno", error.code}, {"sqlstate", error.sqlstate}});
}

}  // namespace

bool takes_time(const Request& request) {
    return target_of(request.target).path == kAskServer;
}

Response error_response(unsigned status, std::string_view sentence) {
    return json_response(status, {{"error", sentence}});
}

Response handle(const Request& request, const Secret& token, const Sources& sources) {
    const auto target = target_of(request.target);
    if (target.path == kAskServer && sources.ask_server) return ask_server(request, sources);
    if (target.path.starts_with(kFleets)) return handle_fleet(request, target, token, sources);
    const auto endpoint = std::ranges::find(kEndpoints, target.path, &Endpoint::path);
    const bool open = endpoint != kEndpoints.end() && endpoint->open;
    if (!open && !token.empty() && !request.trusted && !has_token(request.authorization, token)) return needs_token();
    if (endpoint == kEndpoints.end()) return no_such_page();
    if (request.method != "GET" && request.method != "HEAD") return only("GET, HEAD", "this is only read: GET or HEAD");
    return endpoint->answer(sources);
}

}  // namespace tidegate::api
