#include "api/stats_json.h"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>

namespace tidegate::api {
namespace {

using json = nlohmann::ordered_json;
using proxy::ServerState;
using proxy::Snapshot;

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

json moment_or_null(const std::optional<proxy::WallTime>& time) {
    return time ? json(moment(*time)) : json(nullptr);
}

json counts(const std::vector<proxy::NamedCount>& named) {
    json object = json::object();
    for (const auto& [name, count] : named) object[name] = count;
    return object;
}

json counts_of(const proxy::PoolCounts& pool) {
    return {{"max", pool.max},
            {"open", pool.open},
            {"active", pool.active},
            {"idle", pool.idle},
            {"opening", pool.opening},
            {"closing", pool.closing},
            {"waiting", pool.waiting},
            {"peak", pool.peak},
            {"granted", pool.granted},
            {"waited", pool.waited},
            {"refused_clients", pool.refused_clients},
            {"cancelled", pool.cancelled}};
}

json limit_of(const proxy::LimitSnapshot& limit) {
    return {{"configured", limit.configured ? json(*limit.configured) : json("auto")},
            {"learnt", or_null(limit.learnt)},
            {"effective", limit.effective},
            {"reserve", limit.reserve},
            {"max_connections", or_null(limit.max_connections)},
            {"max_user_connections", or_null(limit.max_user_connections)},
            {"others", or_null(limit.others)},
            {"closed_by_refusals", limit.closed_by_refusals}};
}

json waits_of(const Snapshot& s) {
    return {{"count", s.waits.count()},
            {"p50", seconds(s.waits.percentile(50))},
            {"p90", seconds(s.waits.percentile(90))},
            {"p99", seconds(s.waits.percentile(99))},
            {"max", seconds(s.waits.max())},
            {"longest_now", seconds(s.longest_wait_now)}};
}

json clients_of(const Snapshot& s) {
    return {{"connected", s.clients}, {"total", s.clients_total},
            {"max", s.max_clients},   {"login_failures", s.login_failures},
            {"held_off", s.held_off}, {"ended", counts(s.client_ends)}};
}

// Of causes that no client has had, not a word.
json pinned_of(const Snapshot& s) {
    json causes = json::object();
    for (const auto& [name, clients, lasted] : s.pinned) {
        if (lasted > Duration::zero() || clients > 0)
            causes[name] = {{"clients", clients}, {"seconds", seconds(lasted)}};
    }
    return causes;
}

json pins_of(const proxy::ClientView& client) {
    json list = json::array();
    for (const auto& pin : client.pins) {
        list.push_back({{"name", pin.name},
                        {"statement", pin.statement.empty() ? json(nullptr) : json(pin.statement)},
                        {"seconds", seconds(pin.age)},
                        {"advice", pin.advice}});
    }
    return list;
}

json work_of(const Snapshot& s) {
    return {{"statements", s.statements},
            {"transactions", s.transactions},
            {"bytes_from_clients", s.bytes_from_clients},
            {"bytes_to_clients", s.bytes_to_clients},
            {"longest_lease_seconds", seconds(s.longest_lease_now)},
            {"pins", counts(s.pins)},
            {"pinned_clients", s.pinned_clients},
            {"pinned", pinned_of(s)}};
}

std::string_view name_of(ServerState state) {
    switch (state) {
        case ServerState::unknown:
            return "unknown";
        case ServerState::up:
            return "up";
        case ServerState::down:
            return "down";
        case ServerState::blocked:
            return "blocked";
    }
    return "unknown";
}

}  // namespace

std::string moment(proxy::WallTime time) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(since / 1000)),
                       since % 1000);
}

json pool_stats_json(const Snapshot& s) {
    json stats = counts_of(s.pool);
    stats["version"] = s.version;
    stats["uptime_seconds"] = seconds(s.uptime);
    stats["draining"] = s.draining;
    stats["paused"] = s.paused;
    stats["last_update"] = moment(s.last_update);
    stats["peak_waiting"] = s.peak_waiting;
    stats["limit"] = limit_of(s.limit);
    stats["refused_by_server"] = {{"total", s.refused_1040 + s.refused_1203 + s.refused_1226},
                                  {"1040", s.refused_1040},
                                  {"1203", s.refused_1203},
                                  {"1226", s.refused_1226}};
    stats["wait_seconds"] = waits_of(s);
    stats["clients"] = clients_of(s);
    stats["work"] = work_of(s);
    stats["opened"] = s.opened;
    stats["open_failures"] = counts(s.open_failures);
    stats["closed"] = counts(s.closed);
    stats["accounts"] = json::array();
    for (const auto& account : s.accounts) {
        json one = counts_of(account.pool);
        one["name"] = account.name;
        one["mode"] = account.mode;
        one["clients"] = account.clients;
        stats["accounts"].push_back(std::move(one));
    }
    return stats;
}

json server_json(const Snapshot& s) {
    return {{"address", s.server.address},
            {"version", s.server.version.empty() ? json(nullptr) : json(s.server.version)},
            {"state", name_of(s.server.state)},
            {"down_since", moment_or_null(s.server.down_since)},
            {"last_error", s.server.last_error.empty() ? json(nullptr) : json(s.server.last_error)},
            {"last_error_at", moment_or_null(s.server.last_error_at)},
            {"monitored", s.server.monitored},
            {"listens_at_port", s.port == 0 ? json(nullptr) : json(s.port)},
            {"limit", limit_of(s.limit)}};
}

json clients_json(const proxy::Clients& shown) {
    json list = json::array();
    for (const auto& client : shown.clients) {
        list.push_back({{"id", client.id},
                        {"user", client.user},
                        {"address", client.address},
                        {"pid", client.pid != 0 ? json(client.pid) : json(nullptr)},
                        {"program", client.program},
                        {"state", client.state},
                        {"seconds_in_state", seconds(client.since)},
                        {"connected_seconds", seconds(client.connected)},
                        {"server_connection", client.server_connection},
                        {"in_transaction", client.in_transaction},
                        {"held_by", client.held_by},
                        {"pins", pins_of(client)}});
    }
    return {{"clients", list}, {"server_connections", shown.server_connections}};
}

json answer_json(const proxy::ServerAnswer& answer) {
    json rows = json::array();
    for (const auto& row : answer.rows) {
        json cells = json::array();
        for (const auto& cell : row) cells.push_back(cell ? json(*cell) : json(nullptr));
        rows.push_back(std::move(cells));
    }
    return {{"columns", answer.columns}, {"rows", rows}};
}

}  // namespace tidegate::api
