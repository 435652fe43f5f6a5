// Core: its figures and its clients, as the API and the metrics show them.
#include <algorithm>

#include "proxy/core.h"

namespace tidegate::proxy {
namespace {

PoolCounts counts_of(const pool::Stats::Counts& counts) {
    PoolCounts shown;
    shown.max = counts.limit;
    shown.open = counts.open();
    shown.active = counts.active;
    shown.idle = counts.idle;
    shown.opening = counts.opening;
    shown.closing = counts.closing;
    shown.waiting = counts.waiting;
    shown.peak = counts.peak;
    shown.granted = counts.granted;
    shown.waited = counts.waited;
    shown.refused_clients = counts.refused;
    shown.cancelled = counts.cancelled;
    return shown;
}

}  // namespace

ClientView ClientSession::view(TimePoint now) const {
    ClientView shown;
    shown.id = id_;
    shown.user = user_;
    shown.address = peer().is_unix() ? "localhost" : peer().text();
    shown.pid = peer().is_unix() ? peer_pid() : 0;
    shown.program = program_;
    if (!logged_in_)
        shown.state = "logging in";
    else if (console_)
        shown.state = "console";
    else if (busy_)
        shown.state = lease_ != nullptr ? "active" : "waiting";
    else
        shown.state = lease_ != nullptr ? "holding" : "idle";
    shown.since = now - std::max(busy_since_, since_);
    shown.connected = now - since_;
    shown.server_connection = lease_ != nullptr ? lease_->thread_id() : 0;
    shown.in_transaction = lease_ != nullptr && session_.in_work();
    shown.held_by = lease_ != nullptr ? session::name_of(session_.hold()) : "none";
    for (const session::PinCause& each : pin_causes_.all()) {
        if (!pins_now().has(each.pin)) continue;
        shown.pins.push_back({.name = std::string(sql::name(each.pin)),
                              .statement = each.statement,
                              .age = now - each.since,
                              .advice = std::string(sql::describe(each.pin))});
    }
    return shown;
}

Clients Core::clients_now() const {
    Clients shown;
    const TimePoint now = loop.now();
    for (const auto& [id, client] : clients_) shown.clients.push_back(client->view(now));
    for (const auto& [connection, owner] : connections_) shown.server_connections.push_back(connection->thread_id());
    if (const auto id = monitor.thread_id(); id != 0) shown.server_connections.push_back(id);
    return shown;
}

std::vector<ServerConnectionView> Core::connections_now() const {
    using State = pool::Connection::State;
    std::vector<ServerConnectionView> all;
    const TimePoint now = loop.now();
    for (const auto& [connection, owned] : connections_) {
        const State state = connection->pool::Connection::state;
        const bool leased = state == State::leased;
        all.push_back({.id = connection->thread_id(),
                       .account = accounts[connection->key.account].name,
                       .state = leased                 ? "active"
                                : state == State::idle ? "idle"
                                                       : "closing",
                       .since = now - connection->state_since,
                       .open = now - connection->opened_at,
                       .client = leased ? static_cast<std::uint32_t>(connection->last_session) : 0,
                       .prepared = connection->statements.size()});
    }
    if (const auto id = monitor.thread_id(); id != 0) all.push_back({.id = id, .account = {}, .state = "watching"});
    return all;
}

Holders Core::holders() const {
    Holders all;
    for (const auto& [connection, owned] : connections_)
        all[connection->thread_id()].who = rests(connection) ? Holder::Who::nobody : Holder::Who::gate;
    for (const auto& [id, client] : clients_) {
        if (client->has_lease()) all[client->lease_id()] = {.who = Holder::Who::client, .client = id};
    }
    if (const auto id = monitor.thread_id(); id != 0) all[id] = {.who = Holder::Who::gate};
    return all;
}

Occupancy Core::occupancy() const {
    return {.server_is_up = server_.state == ServerState::up,
            .limit = budget.limit(),
            .active = pool.active(),
            .waiting = static_cast<unsigned>(pool.waiting()),
            .refused_by_server = counters.refused_1040 + counters.refused_1203 + counters.refused_1226};
}

// By cause: how many clients, and how long in all, those that still last included.
std::vector<PinnedSnapshot> Core::pinned_now() const {
    std::vector<PinnedSnapshot> all;
    all.reserve(sql::kPinCount);
    for (std::size_t i = 0; i < sql::kPinCount; ++i) {
        all.push_back({.name = std::string(sql::name(static_cast<sql::Pin>(i))),
                       .clients = pins.now[i],
                       .lasted = pins.lasted[i]});
    }
    if (pins.sessions == 0) return all;
    const TimePoint now = loop.now();
    for (const auto& [id, client] : clients_) {
        for (const session::PinCause& each : client->pin_causes().all())
            all[static_cast<std::size_t>(each.pin)].lasted += now - each.since;
    }
    return all;
}

Snapshot Core::snapshot() {
    const pool::Stats stats = pool.stats(loop.now());
    Snapshot shown;
    shown.version = TIDEGATE_VERSION;
    shown.started = started_at_;
    shown.uptime = loop.now() - started_;
    shown.draining = draining_;
    shown.paused = pool.mode() == pool::Mode::paused;
    shown.server = server_;
    shown.server.version = upstream.greeting() ? upstream.greeting()->version() : "";
    shown.server.monitored = monitor.connected();

    shown.limit.configured = config.budget.max_connections;
    shown.limit.learnt = budget.learnt();
    shown.limit.effective = budget.limit();
    shown.limit.reserve = config.budget.reserve;
    shown.limit.max_connections = budget.max_connections();
    shown.limit.others = budget.others();
    shown.limit.closed_by_refusals = budget.closed_by_refusals();

    shown.pool = counts_of(stats.all);
    shown.peak_waiting = stats.most_waiting;
    shown.last_update = std::chrono::system_clock::now();
    shown.waits = stats.all.waits;
    shown.longest_wait_now = stats.longest_wait;
    shown.longest_lease_now = stats.longest_lease;
    for (std::size_t i = 0; i < budget::kOpenFailures; ++i) {
        shown.open_failures.push_back(
            {std::string(budget::name_of(static_cast<budget::OpenFailure>(i))), stats.open_failures[i]});
    }
    shown.refused_1040 = counters.refused_1040;
    shown.refused_1203 = counters.refused_1203;
    shown.refused_1226 = counters.refused_1226;

    shown.clients = clients_.size();
    shown.clients_total = counters.clients;
    shown.max_clients = config.listen.max_clients;
    shown.statements = counters.statements;
    shown.transactions = counters.transactions;
    shown.bytes_from_clients = counters.bytes_in;
    shown.bytes_to_clients = counters.bytes_out;
    shown.opened = stats.opened;
    for (std::size_t i = 0; i < pool::kCloseReasons; ++i) {
        shown.closed.push_back({std::string(pool::name_of(static_cast<pool::CloseReason>(i))), stats.closed[i]});
    }
    for (std::size_t i = 0; i < kClientEnds; ++i) {
        shown.client_ends.push_back({std::string(name_of(static_cast<ClientEnd>(i))), counters.ends[i]});
    }
    for (std::size_t i = 0; i < counters.pins.size(); ++i) {
        shown.pins.push_back({std::string(sql::name(static_cast<sql::Pin>(i))), counters.pins[i]});
    }
    shown.pinned_clients = pins.sessions;
    shown.pinned = pinned_now();
    shown.login_failures = counters.login_failures;
    shown.held_off = counters.held_off;

    for (budget::AccountId id = 0; id < accounts.size(); ++id) {
        AccountSnapshot account;
        account.name = accounts[id].name;
        account.mode = accounts[id].mode == config::PoolMode::session ? "session" : "transaction";
        if (id < stats.accounts.size()) account.pool = counts_of(stats.accounts[id]);
        shown.accounts.push_back(std::move(account));
    }
    for (const auto& [id, client] : clients_) {
        if (client->logged_in() && client->key.account < shown.accounts.size())
            ++shown.accounts[client->key.account].clients;
    }
    return shown;
}

}  // namespace tidegate::proxy
