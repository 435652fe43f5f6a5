// What the API answers: a request and the gate's figures in, a response out. Pure; the HTTP around it is server.cc's.
//
//   /healthz                     200 while the process lives                          open to all
//   /readyz                      200 when the server is reachable, else 503 and why   open to all
//   /api/connection-pool-stats   the pool's figures                                   with the token, if there is one
//   /api/server                  the server, and where the limit comes from           with the token
//   /api/clients                 the clients, and which server connections are ours   with the token
//   /api/slots                   the pools of slots, their holders and lines          with the token
//   /api/worker-stats            the fleets, their workers, and the pool's figures    with the token
//   /metrics                     Prometheus                                           with the token
//   /api/fleets/NAME/logs        what workers printed last; ?lines=N&after=M          protected
//   /api/fleets/NAME/scale       POST ?workers=N                                      protected
//   /api/fleets/NAME/restart     POST: all workers are replaced                       protected
//   /api/server/ask              POST: a statement, over the standing connection      the control socket only
//
// With the token: if there is one. Protected: over the control socket, which only the gate's own user and root reach,
// or with the token; never without one. /?page=api&action=NAME is an older way to write /api/NAME.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "fleet/view.h"
#include "proxy/snapshot.h"
#include "slots/door.h"

namespace tidegate::api {

struct Request {
    std::string_view method;
    std::string_view target;         // the path, perhaps with a query
    std::string_view authorization;  // the header's value; empty: none
    bool trusted = false;            // it came over the control socket
    std::string_view body{};
};

struct Response {
    unsigned status = 200;
    std::string_view content_type = "application/json";
    std::string body;
    std::string_view allow{};         // for 405
    std::string_view authenticate{};  // for 401
};

// Where figures come from. Thread-safe, called once for each request that needs them.
struct Sources {
    std::function<proxy::Snapshot()> gate;
    std::function<std::vector<slots::PoolView>()> slots = [] { return std::vector<slots::PoolView>(); };
    std::function<std::vector<fleet::FleetView>()> fleets = [] { return std::vector<fleet::FleetView>(); };
    // An error's code is the HTTP status, where it has one.
    std::function<Result<fleet::LogPage>(const std::string& fleet, std::uint64_t after, std::size_t most)> logs{};
    std::function<Result<std::string>(const std::string& fleet, unsigned workers)> scale{};
    std::function<Result<std::string>(const std::string& fleet)> restart{};
    std::function<proxy::Clients()> clients = [] { return proxy::Clients(); };
    // May take as long as the server does (takes_time).
    std::function<Result<proxy::ServerAnswer>(const std::string& statement)> ask_server{};
};

// Whether the answer waits for the server: to be asked on a thread that may wait.
[[nodiscard]] bool takes_time(const Request& request);

[[nodiscard]] Response handle(const Request& request, const Secret& token, const Sources& sources);

// A response whose body is {"error": sentence}.
[[nodiscard]] Response error_response(unsigned status, std::string_view sentence);

}  // namespace tidegate::api
