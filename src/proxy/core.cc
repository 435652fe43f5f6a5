#include "proxy/core.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "base/log.h"
#include "net/buffer.h"
#include "net/certificate.h"
#include "protocol/execute.h"
#include "protocol/packets.h"
#include "proxy/settings.h"

namespace tidegate::proxy {

using pool::CloseReason;

namespace {

constexpr Duration kLeftovers = 1s;  // for what the last session may still ask for
constexpr Duration kCleanUp = 5s;    // for a reset
constexpr Duration kMayKeep = 1s;    // a connection that a session at rest keeps as long as nobody wants it

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    return std::string(std::istreambuf_iterator<char>(file), {});
}

// The configured certificate and key, or one of our own making, as mysqld makes one.
Result<net::Certificate> own_certificate(const config::Listen& listen) {
    if (listen.tls_cert.empty()) {
        std::array<char, 256> name{};
        ::gethostname(name.data(), name.size() - 1);
        return net::make_certificate(name.data());
    }
    auto certificate = read_file(listen.tls_cert);
    auto key = read_file(listen.tls_key);
    if (!certificate) return std::unexpected(certificate.error());
    if (!key) return std::unexpected(key.error());
    return net::Certificate{.certificate_pem = std::move(*certificate), .key_pem = std::move(*key)};
}

}  // namespace

Core::Core(net::Loop& event_loop, config::Config settings)
    : loop(event_loop),
      config(std::move(settings)),
      upstream(loop, states, config.server),
      budget(budget_options(config)),
      pool(pool_options(config), budget, *this),
      book(account_rules(config)),
      hold_off(hold_off_limits(config)),
      load_balancers(config.listen.proxy_protocol_from),
      prover(*this),
      monitor(*this),
      routines(*this),
      seats(*this),
      started_at_(std::chrono::system_clock::now()),
      started_(loop.now()) {
    server_.address = config.server.text();
}

Core::~Core() = default;

// --- clients ---------------------------------------------------------------------------------------------------------

void Core::admit(std::unique_ptr<net::Stream> stream) {
    ++counters.clients;
    const auto turn_away = [&](const Error& error) {
        std::vector<std::byte> packet;
        protocol::write_err(0, error, packet);
        const iovec part{packet.data(), packet.size()};
        (void)stream->write_some({&part, 1});
    };
    if (!load_balancers.include(stream->peer())) {  // of those it is known later who the client is
        if (const auto error = held_off(stream->peer())) {
            turn_away(*error);
            return;
        }
    }
    const bool beyond_limit = clients_.size() >= config.listen.max_clients;
    if (beyond_limit && (!offers_console() || clients_.size() >= config.listen.max_clients + kPlacesForConsole)) {
        turn_away(too_many_clients());
        return;
    }
    std::uint32_t id = next_id_;
    while (clients_.contains(id)) id = id == kLastId ? kFirstId : id + 1;
    next_id_ = id == kLastId ? kFirstId : id + 1;
    auto client = std::make_unique<ClientSession>(*this, std::move(stream), id, beyond_limit);
    clients_.emplace(id, client.get());
    net::spawn(run_client(std::move(client)));
}

Error Core::too_many_clients() const {
    return {1040, "08004",
            fmt::format("Too many connections: {} clients are connected to Tidegate, which is [listen] max_clients",
                        config.listen.max_clients)};
}

// What a login to the console is checked against: the password of [server] url, and nothing else. An account that the
// server has for local clients only is not for others here, either.
protocol::auth::AccountView Core::console_account() const {
    return {.credential = monitor_credential(),
            .proof_fresh = true,
            .server_decides = false,
            .local_clients_only = book.view(config.server.user, loop.now()).local_clients_only};
}

std::optional<Error> Core::held_off(const net::Address& peer) {
    const Duration wait = hold_off.wait(peer.host(), loop.now());
    if (wait <= Duration::zero()) return std::nullopt;
    ++counters.held_off;
    return Error{1129, "HY000",
                 fmt::format("Host '{}' is held off by Tidegate for {:.0f} s more, after too many failed logins",
                             peer.host(), seconds(wait))};
}

net::Task<void> Core::run_client(std::unique_ptr<ClientSession> client) {
    co_await client->run();
    clients_.erase(client->id());
}

ClientSession* Core::client(std::uint32_t id) const {
    const auto found = clients_.find(id);
    return found == clients_.end() ? nullptr : found->second;
}

// --- what the pool wants
// ----------------------------------------------------------------------------------------------

void Core::open(pool::Key key, std::uint64_t generation) {
    spawn(seats.owns(key) ? seat_task([this, key, generation] { seats.opening(key, generation); })
                          : open_task(key, generation));
}
void Core::close(pool::Connection& connection, CloseReason reason) {
    if (seats.owns(connection)) {
        spawn(seat_task([this, &connection, reason] { seats.close(connection, reason); }));
        return;
    }
    auto& ours = static_cast<ServerConnection&>(connection);
    lent(ours);
    spawn(close_task(ours, reason));
}
// Runs when the pool's function that asked for it has returned.
net::Task<void> Core::seat_task(std::function<void()> work) {
    work();
    co_return;
}

void Core::grant(pool::Request& request, pool::Connection& connection) {
    if (seats.owns(request)) {
        seats.granted(request, connection);
        return;
    }
    static_cast<ClientSession&>(request).granted(static_cast<ServerConnection&>(connection));
}
void Core::refuse(pool::Request& request, const Error& error) {
    if (seats.owns(request)) {
        seats.refused(request);
        return;
    }
    static_cast<ClientSession&>(request).refused(error);
}
void Core::log(std::string_view message) {
    log::info("{}", message);
}

void Core::spawn(net::Task<void> task) {
    net::spawn(counted(std::move(task)));
}

net::Task<void> Core::counted(net::Task<void> task) {
    ++tasks_;
    co_await loop.yield();  // the pool's function that asked for it returns first
    co_await std::move(task);
    --tasks_;
}

net::Task<void> Core::open_task(pool::Key key, std::uint64_t generation) {
    Upstream::Login login;
    login.user = accounts[key.account].name;
    login.credential = accounts[key.account].credential;
    login.sharing_flags = key.flags;
    login.charset = accounts[key.account].charset;
    auto opened = co_await upstream.open(std::move(login));
    if (!opened) {
        note_server(&opened.error().error);
        if (opened.error().error.code == 1045) forget_credential(key.account);
        pool.open_failed(key, opened.error().failure, opened.error().error, loop.now());
        co_return;
    }
    note_server(nullptr);
    ServerConnection& connection = **opened;
    connection.key = key;
    connection.generation = generation;
    connections_.emplace(&connection, std::move(*opened));
    connection.stream().socket().watch_rest(&Core::peer_spoke, &connection);
    connection.core = this;
    pool.opened(connection, loop.now());
}

// A connection at rest has something to say, which can only be its end.
void Core::peer_spoke(void* context) {
    auto& connection = *static_cast<ServerConnection*>(context);
    connection.core->forget(connection, CloseReason::server_closed);
}

void Core::lent(ServerConnection& connection) {
    connection.stream().socket().watch_rest(nullptr, nullptr);
}

void Core::give_back(ServerConnection& connection) {
    if (connection.stream().socket().hung_up()) {
        forget(connection, CloseReason::server_closed);
        return;
    }
    connection.stream().socket().watch_rest(&Core::peer_spoke, &connection);
    pool.release(connection, loop.now());
}

bool Core::rests(const ServerConnection* connection) const {
    return connections_.contains(connection) && connection->pool::Connection::state == pool::Connection::State::idle;
}

void Core::forget(ServerConnection& connection, CloseReason reason) {
    connection.drop_leftovers();
    routines.changed(connection);
    const auto owned = connections_.extract(&connection);
    pool.closed(connection, reason, loop.now());
}

void Core::reset_and_give_back(ServerConnection& connection) {
    spawn(reset_task(connection));
}

net::Task<void> Core::reset_task(ServerConnection& connection) {
    if (!upstream.may_reset()) {
        co_await close_task(connection, CloseReason::unclean);
        co_return;
    }
    net::Deadline limit(loop, connection.stream().socket());
    limit.arm(loop.now() + kCleanUp);
    const Result<void> reset = co_await upstream.reset(connection);
    limit.disarm();
    if (reset) {
        give_back(connection);
    } else {
        forget(connection, CloseReason::unclean);
    }
}

void Core::close(ServerConnection& connection, CloseReason reason) {
    spawn(close_task(connection, reason));
}

net::Task<void> Core::close_task(ServerConnection& connection, CloseReason reason) {
    if (connection.leftovers && connection.leftovers->any()) {
        net::Deadline limit(loop, connection.stream().socket());
        limit.arm(loop.now() + kLeftovers);
        (void)co_await std::exchange(connection.leftovers, nullptr)->fetch(connection);
    }
    co_await connection.quit();
    forget(connection, reason);
}

void Core::kill_and_close(ServerConnection& connection) {
    spawn(kill_task(connection));
}

net::Task<void> Core::kill_task(ServerConnection& connection) {
    const auto account = connection.key.account;
    const std::string statement = fmt::format("KILL {}", connection.thread_id());
    const bool killed = co_await monitor.kill(statement);
    if (!killed) {
        auto killer =
            co_await upstream.open({.user = accounts[account].name, .credential = accounts[account].credential});
        if (killer) (void)co_await (*killer)->query(statement);
    }
    co_await connection.wait_for_end();
    forget(connection, CloseReason::client_gone);
}

net::Task<void> Core::kill_query(std::uint32_t thread_id, std::string user, protocol::auth::CredentialPtr credential) {
    const std::string statement = fmt::format("KILL QUERY {}", thread_id);
    const bool killed = co_await monitor.kill(statement);
    if (killed) co_return;
    auto killer = co_await upstream.open({.user = std::move(user), .credential = std::move(credential)});
    if (killer) (void)co_await (*killer)->query(statement);
}

net::Task<Result<bool>> Core::server_started_after(ServerConnection& connection, TimePoint time) {
    const Result<Answer> reply = co_await connection.query("SHOW GLOBAL STATUS LIKE 'Uptime'");
    if (!reply) co_return std::unexpected(reply.error());
    const auto rows = reply->rows();
    if (rows.empty() || rows[0].size() < 2 || !rows[0][1]) co_return false;
    long long uptime = 0;
    std::from_chars(rows[0][1]->data(), rows[0][1]->data() + rows[0][1]->size(), uptime);
    // The figure is cut to whole seconds: the server may have been up for almost one more.
    co_return loop.now() - std::chrono::seconds(uptime + 1) > time;
}

void Core::note_server(const Error* error) {
    const auto now = std::chrono::system_clock::now();
    if (error == nullptr) {
        if (server_.state != ServerState::up) {
            log::info("The server {} is reachable: version {}", server_.address,
                      upstream.greeting() ? upstream.greeting()->version() : "?");
        }
        if (server_.state != ServerState::up) known_sets.clear();  // it may be another one
        server_.state = ServerState::up;
        server_.down_since.reset();
        return;
    }
    if (error->code == 1040) ++counters.refused_1040;
    if (error->code == 1203) ++counters.refused_1203;
    if (error->code == 1226) ++counters.refused_1226;
    server_.last_error = error->message;
    server_.last_error_at = now;
    const budget::OpenFailure failure = failure_of(*error);
    const bool down = failure == budget::OpenFailure::unreachable;
    const bool blocked = failure == budget::OpenFailure::host_blocked;
    if (!down && !blocked) return;
    const ServerState state = down ? ServerState::down : ServerState::blocked;
    if (server_.state != state) {
        log::warn("The server {} cannot be reached: {}. Clients wait in line; it is tried again all the time",
                  server_.address, error->message);
        server_.down_since = now;
    }
    server_.state = state;
}

void Core::count_pins(sql::Pins before, sql::Pins now) {
    now.remove(before);
    for (std::size_t i = 0; i < counters.pins.size(); ++i)
        counters.pins[i] += now.has(static_cast<sql::Pin>(i)) ? 1 : 0;
}

std::size_t Core::max_prepared() const {
    const std::size_t connections = std::max(budget.limit(), 1U);
    const std::size_t share = std::max<std::size_t>(max_prepared_of_server() / 2 / connections, 1);
    return std::min<std::size_t>(config.pool.max_prepared, share);
}

bool Core::drop_idle_statements() {
    bool any = false;
    for (auto& [connection, owned] : connections_) {
        if (!rests(connection)) continue;
        const std::vector<std::uint32_t> ids = owned->statements.drop_all();
        if (ids.empty()) continue;
        any = true;
        std::vector<std::byte> packets;
        for (const std::uint32_t id : ids) protocol::write_statement_close(id, packets);
        const iovec part{packets.data(), packets.size()};
        // Where not all of it goes at once, the connection is of no further use: its watcher sees its end.
        if (owned->stream().write_some({&part, 1}).bytes != packets.size()) owned->stream().shut_down();
    }
    return any;
}

// --- accounts
// ---------------------------------------------------------------------------------------------------------

budget::AccountId Core::admit_account(std::string_view user, protocol::auth::CredentialPtr credential,
                                      std::uint16_t charset) {
    const config::User* configured = config.user(user);
    const budget::AccountId id =
        accounts.admit(user, std::move(credential), charset,
                       configured != nullptr && configured->mode ? *configured->mode : config.pool.mode);
    if (id + 1 == accounts.size()) declare_account(id);
    return id;
}

void Core::declare_account(budget::AccountId id) {
    const config::User* configured = config.user(accounts[id].name);
    budget::AccountOptions options{.name = accounts[id].name, .counted_only = seats.owns(pool::Key{.account = id})};
    if (configured != nullptr) {
        options.max_connections = configured->max_connections;
        options.guaranteed = configured->guaranteed;
    }
    budget.set_account(id, std::move(options));
}

void Core::forget_credential(budget::AccountId id) {
    log::warn(
        "The server refuses account '{}' with the password that it took before: its next client has to prove one again",
        accounts[id].name);
    if (const auto& credential = accounts[id].credential) book.refused(accounts[id].name, *credential);
    accounts.forget_credential(id);
}

std::string Core::why_unreachable() const {
    return fmt::format(
        "Too many connections: the server {} cannot be reached by Tidegate ({}), and {} s of waiting did not help",
        server_.address, server_.last_error.empty() ? "it has not answered yet" : server_.last_error,
        seconds(config.pool.wait_timeout));
}

// --- the life of a gate
// -----------------------------------------------------------------------------------------------

void Core::may_give_way(ClientSession& session) {
    give_way_.push_back(session);
}

void Core::ask_to_give_way() {
    if (!give_way_.empty()) give_way_.front().give_way();
}

void Core::tick(TimePoint now) {
    pool.tick(now);
    // Nobody keeps a connection for long that others may want in a moment.
    while (!give_way_.empty() && now - give_way_.front().since() > kMayKeep) ask_to_give_way();
    if (now >= next_round_) go_round(now);
}

// Once a second: the time-outs of statements and of transactions, and what has been learnt since.
void Core::go_round(TimePoint now) {
    next_round_ = now + 1s;
    if (config.server.query_timeout > Duration::zero() || config.pool.idle_in_transaction > Duration::zero()) {
        for (auto& [id, each] : clients_) each->check_times(now);
    }
    if (pins.sessions > 0) {
        for (auto& [id, each] : clients_) each->check_pins(now);
    }
    // What a crowd needed goes back to the system when the crowd is gone.
    most_clients_ = std::max(most_clients_, clients_.size());
    if (most_clients_ > 256 && clients_.size() < most_clients_ / 2) {
        most_clients_ = clients_.size();
        ::malloc_trim(0);
    }
    // The server ends connections that rest for its wait_timeout: ours are retired before.
    Duration rest = config.pool.idle_timeout;
    if (upstream.facts()) rest = std::min(rest, upstream.facts()->wait_timeout / 2);
    if (rest != idle_timeout_) {
        idle_timeout_ = rest;
        pool::Options options = pool_options(config);
        options.idle_timeout = rest;
        pool.set_options(options, now);
    }
}

void Core::set_hidden(std::string what) {
    if (what == hidden_) return;
    hidden_ = std::move(what);
    if (hidden()) {
        log::warn(
            "A trigger or view of the server leaves something in the session that uses it, and nothing tells when: {}. "
            "So connections are reset before another client gets them, which costs a round trip, and what it leaves "
            "lasts until then. Use session mode for accounts that need it, or let a procedure do it",
            hidden_);
    } else {
        log::info("No trigger or view of the server leaves anything in a session unseen any more");
    }
}

void Core::start_draining() {
    draining_ = true;
    pool.set_mode(pool::Mode::draining, loop.now());
    for (auto& [id, each] : clients_) (void)each->end_if_idle();
}

void Core::end_clients() {
    for (auto& [id, each] : clients_) each->shut_down();
}

void Core::give_server_up() {
    monitor.stop();
    for (auto& [connection, owned] : connections_) owned->stream().shut_down();
}

bool Core::idle() const {
    return tasks_ == 0 && connections_.empty();
}

void Core::reload(config::Config settings) {
    config = std::move(settings);
    budget.set_options(budget_options(config));
    idle_timeout_ = {};  // the next round sets the pool's options
    pool.set_options(pool_options(config), loop.now());
    next_round_ = {};
    book.set_rules(account_rules(config));
    hold_off.set_limits(hold_off_limits(config));
    load_balancers.set_networks(config.listen.proxy_protocol_from);
    if (auto configured = configured_accounts(config)) {
        book.set_configured(std::move(*configured));
    } else {
        log::error("{}; the accounts stay as they were", configured.error().message);
    }
    for (budget::AccountId id = 0; id < accounts.size(); ++id) {
        const config::User* configured = config.user(accounts[id].name);
        accounts.set_mode(id, configured != nullptr && configured->mode ? *configured->mode : config.pool.mode);
        declare_account(id);
    }
    pool.budget_changed(loop.now());
    monitor.look_again();
}

// It takes a tenth of a second or more, and most clients never ask for them.
void Core::make_rsa() {
    rsa_maker_ = std::jthread([this] {
        auto made = std::make_shared<Result<protocol::auth::RsaKeys>>(protocol::auth::RsaKeys::make());
        loop.post([this, made] {
            rsa_under_way_ = false;
            if (*made) {
                rsa = std::move(**made);
            } else {
                log::error("No RSA keys, so clients without TLS cannot show their passwords: {}",
                           made->error().message);
            }
        });
    });
    rsa_under_way_ = true;
}

net::Task<void> Core::rsa_made(net::Stream& client) {
    while (rsa_under_way_ && !in_vain(client)) co_await loop.sleep(net::Loop::kTick);
}

Result<void> Core::set_up() {
    const Result<void> tls_up = upstream.set_up_tls();
    if (!tls_up) return tls_up;
    const Result<net::Certificate> certificate = own_certificate(config.listen);
    if (!certificate) return std::unexpected(certificate.error());
    auto context = net::TlsContext::server(certificate->certificate_pem, certificate->key_pem);
    if (!context) return std::unexpected(context.error());
    tls = std::move(*context);
    if (auto digest = net::certificate_sha256(certificate->certificate_pem)) certificate_sha256 = std::move(*digest);
    if (config.passthrough.enabled && config.passthrough.rsa != config::RsaMode::never) make_rsa();
    auto configured = configured_accounts(config);
    if (!configured) return std::unexpected(configured.error());
    book.set_configured(std::move(*configured));
    return {};
}

}  // namespace tidegate::proxy
