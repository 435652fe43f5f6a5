// ClientSession: from the greeting to the first command.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "protocol/packets.h"
#include "protocol/proxy_header.h"
#include "proxy/client_session.h"
#include "proxy/core.h"
#include "proxy/packet_io.h"

namespace tidegate::proxy {

namespace auth = protocol::auth;
namespace capability = protocol::capability;

net::Task<bool> ClientSession::log_in() {
    end_ = ClientEnd::login_failed;
    net::Deadline limit(core_.loop, stream_->socket());
    limit.arm(core_.loop.now() + core_.config.listen.login_timeout);
    if (core_.load_balancers.include(stream_->peer())) {
        const bool met = co_await meet_client_of_load_balancer(limit);
        if (!met) co_return false;
    }
    if (!core_.upstream.greeting()) co_await server_seen(limit);
    std::vector<std::byte> payload;
    std::uint8_t sequence = 0;
    const bool greeted = co_await greet(payload, sequence);
    if (greeted) {
        auto response = protocol::parse_handshake_response(payload);
        if (!response) {
            co_await refuse_login(response.error(), sequence);
            co_return false;
        }
        console_ = asks_for_console(*response);
        if (!console_) {
            if (auto error = only_console()) {
                co_await refuse_login(std::move(*error), sequence);
                co_return false;
            }
        }
        limit.disarm();  // what comes may have to wait for the server
        const bool authentic = co_await authenticate(*response, sequence);
        if (authentic && console_) {
            const bool entered = co_await enter_console(sequence);
            co_return entered;
        }
        if (authentic) {
            const bool entered = co_await enter_schema(std::string(response->schema), sequence);
            co_return entered;
        }
    }
    if (limit.expired()) end_ = ClientEnd::login_timeout;
    co_return false;
}

// From here on the peer is the one that the PROXY header names. A load balancer's own connections, its health checks,
// are not held off: it would take all of its clients with it.
net::Task<bool> ClientSession::meet_client_of_load_balancer(const net::Deadline& limit) {
    const Result<Speaks> header = co_await read_proxy_header(*stream_);
    if (!header) {
        if (limit.expired()) {
            end_ = ClientEnd::login_timeout;
            log::warn("{}: no PROXY header came in time, though [listen] proxy_protocol_from lists this address",
                      stream_->peer().text());
        } else if (!header.error().message.empty()) {
            log::warn("{}: {}", stream_->peer().text(), header.error().message);
            co_await refuse_login(header.error(), 0xFF);
        }
        co_return false;
    }
    if (*header == Speaks::for_itself) co_return true;
    if (auto error = core_.held_off(stream_->peer())) {
        co_await refuse_login(std::move(*error), 0xFF);
        co_return false;
    }
    co_return true;
}

// Nobody can be greeted before the server was seen once. Waiting for that is no slowness of the client's.
net::Task<void> ClientSession::server_seen(net::Deadline& limit) {
    limit.disarm();
    const TimePoint deadline = core_.loop.now() + core_.config.pool.wait_timeout;
    while (!core_.upstream.greeting() && core_.loop.now() < deadline && !core_.in_vain(*stream_)) {
        co_await core_.loop.sleep(net::Loop::kTick);
    }
    limit.arm(core_.loop.now() + core_.config.listen.login_timeout);
}

// The greeting is the server's own, but for the nonce, the id and what the gate does not offer. Then TLS, if the client
// wants it. Leaves the client's handshake response in `payload`.
net::Task<bool> ClientSession::greet(std::vector<std::byte>& payload, std::uint8_t& sequence) {
    server_unseen_ = !core_.upstream.greeting();
    if (server_unseen_ && (!core_.offers_console() || core_.in_vain(*stream_))) {
        co_await refuse_login(Error{1040, "08004", core_.why_unreachable()}, 0xFF);
        co_return false;
    }
    fill_nonce(nonce_);
    protocol::Greeting greeting = greeting_of_server();
    greeting.connection_id = id_;
    greeting.nonce = nonce_;
    greeting.capabilities = protocol::offered_to_clients(greeting.capabilities, core_.tls.has_value());
    if (greeting.auth_plugin != auth::native_plugin) greeting.auth_plugin = auth::caching_sha2_plugin;
    std::vector<std::byte> packet;
    protocol::write_greeting(greeting, packet);
    const bool sent = co_await stream_->write_all(packet);
    if (!sent) co_return false;
    bool read = co_await proxy::read_packet(*stream_, payload, sequence);
    if (read && protocol::is_ssl_request(payload)) {
        if (!core_.tls) co_return false;
        const Result<void> shaken = co_await stream_->accept_tls(*core_.tls);
        if (!shaken) {
            log::debug("{}: {}", stream_->peer().text(), shaken.error().message);
            co_return false;
        }
        read = co_await proxy::read_packet(*stream_, payload, sequence);
    }
    if (!read && !stream_->is_tls() && protocol::resembles_proxy_header(payload)) {
        Error error{
            1130, "HY000",
            fmt::format("Tidegate does not believe a PROXY header of '{}', as [listen] proxy_protocol_from does "
                        "not list this address",
                        stream_->peer().host())};
        log::warn("{}: {}", stream_->peer().text(), error.message);
        co_await refuse_login(std::move(error), 1);
    }
    if (!read) co_return false;
    if (core_.config.listen.require_tls && !stream_->is_tls() && !stream_->peer().is_unix()) {
        co_await refuse_login(
            Error{3159, "HY000",
                  "Connections using insecure transport are prohibited: Tidegate is configured with [listen] "
                  "require_tls; connect with TLS (--ssl-mode=REQUIRED)"},
            sequence);
        co_return false;
    }
    co_return true;
}

net::Task<bool> ClientSession::authenticate(const protocol::HandshakeResponse& response, std::uint8_t& sequence) {
    user_ = response.user;
    capabilities_ =
        response.capabilities & protocol::offered_to_clients(greeting_of_server().capabilities, core_.tls.has_value());
    charset_ = response.charset;
    program_ = protocol::attribute(response.attributes, "program_name");

    const net::Address& peer = stream_->peer();
    // A password that only the server can check is asked for, encrypted.
    const bool encrypts = !stream_->is_tls() && !peer.is_unix();
    const auto account = [this] {
        return console_ ? core_.console_account() : core_.book.view(user_, core_.loop.now());
    };
    if (encrypts && account().server_decides) co_await core_.rsa_made(*stream_);
    auth::ClientLink link;
    link.nonce = nonce_;
    link.greeting_plugin =
        greeting_of_server().auth_plugin == auth::native_plugin ? auth::native_plugin : auth::caching_sha2_plugin;
    link.tls = stream_->is_tls();
    link.unix_socket = peer.is_unix();
    link.loopback = !peer.is_unix() && peer.is_loopback();
    link.rsa_on_any_link = core_.config.passthrough.rsa == config::RsaMode::always;
    link.rsa = core_.config.passthrough.rsa == config::RsaMode::never || !core_.rsa ? nullptr : &*core_.rsa;
    link.peer_host = peer.host();
    link.native_hashes_in_use = core_.book.native_hashes_in_use();
    auth::ServerLogin login(link);

    const TimePoint began = core_.loop.now();
    std::vector<std::byte> payload;
    std::string matched_host;
    auth::ServerAction action = login.start(user_, response.auth_plugin, response.auth_response, account());
    net::Deadline limit(core_.loop, stream_->socket());
    while (true) {
        if (auto* ask = std::get_if<auth::SendAndRead>(&action)) {
            limit.arm(core_.loop.now() + core_.config.listen.login_timeout);
            const bool sent = co_await write_packet(*stream_, ask->payload, ++sequence);
            if (!sent) co_return false;
            const bool read = co_await proxy::read_packet(*stream_, payload, sequence);
            if (!read) co_return false;
            limit.disarm();
            action = login.resume(payload);
        } else if (auto* prove = std::get_if<auth::Prove>(&action)) {
            auto proved = co_await core_.prover.prove(user_, prove->credential, *stream_);
            if (stream_->socket().hung_up()) co_return false;
            if (proved) {
                matched_host = *proved;
            } else if (proved.error().code == 1045 && prove->remembered) {
                core_.book.refused(user_, *prove->credential);
            }
            const bool as_local =
                is_local_host(matched_host) || core_.book.view(user_, core_.loop.now()).local_clients_only;
            action = login.proved(proved ? Result<void>() : std::unexpected(proved.error()), as_local);
        } else if (auto* accept = std::get_if<auth::Accept>(&action)) {
            if (!accept->before_ok.empty()) {
                const bool sent = co_await write_packet(*stream_, accept->before_ok, ++sequence);
                if (!sent) co_return false;
            }
            if (console_) {
                key = {.account = kNoAccount, .flags = 0};
            } else {
                credential_ = accept->credential;
                core_.book.remember(user_, credential_, accept->proved, core_.loop.now(), matched_host);
                key = {.account = core_.admit_account(user_, credential_, charset_),
                       .flags = capabilities_ & protocol::kSharingFlags};
            }
            core_.hold_off.succeeded(peer.host());
            if (link.tls) certificate_proof_ = login.certificate_proof(core_.certificate_sha256).value_or("");
            co_return true;
        } else {
            auto& refuse = std::get<auth::Refuse>(action);
            ++core_.counters.login_failures;
            if (refuse.counts) core_.hold_off.failed(peer.host(), core_.loop.now());
            // No sooner than others: how long it took must not tell which accounts exist.
            co_await core_.loop.sleep(std::max(began + auth::refusal_floor - core_.loop.now(), Duration::zero()));
            co_await refuse_login(std::move(refuse.error), sequence);
            co_return false;
        }
    }
}

// A schema that the account cannot enter is refused at login, as a server does it (Trap 13). Each pair of account and
// schema is tried on a connection, and believed for a while.
net::Task<bool> ClientSession::enter_schema(std::string schema, std::uint8_t sequence) {
    const config::Class* of_class = config::class_of(core_.config, user_, stream_->peer().host(), program_);
    rank = of_class != nullptr ? of_class->rank : core_.config.default_rank;
    min_generation = core_.pool.generation();
    // COM_CHANGE_USER leaves the option as COM_SET_OPTION has set it; as servers do.
    start_session(
        new_state(charset_, schema,
                  logged_in_ ? session_.mode().multi_statements : (capabilities_ & capability::multi_statements) != 0));
    if (!schema.empty() && !core_.accounts.may_enter(key.account, schema, core_.loop.now())) {
        Result<void> entered = co_await take_lease();
        if (entered) {
            session_state = nullptr;
            entered = co_await fit_lease(sql::Facts{});
            if (entered) {
                core_.accounts.entered(key.account, schema, core_.loop.now());
                end_statement();
            } else if (entered.error().code == kServerLost) {
                lose_lease();
            } else {
                return_unfit_lease();
            }
        }
        if (stream_->socket().hung_up()) co_return false;
        if (!entered) {
            co_await refuse_login(entered.error(), sequence);
            co_return false;
        }
    }
    std::vector<std::byte> packet;
    protocol::write_ok(static_cast<std::uint8_t>(sequence + 1),
                       {.status = session_.status(), .info = certificate_proof_}, packet);
    co_return co_await send(std::move(packet));
}

// How a new session of this client looks. IGNORE_SPACE is a flag of the login and a setting from then on; MySQL sets it
// again in each new session on the connection.
session::StatePtr ClientSession::new_state(std::uint16_t charset, std::string_view schema, bool multi_statements) {
    session::StatePtr state = core_.upstream.initial_state(charset, schema, multi_statements);
    const bool heeded = !logged_in_ || core_.upstream.flavour() == protocol::Flavour::mysql;
    if ((capabilities_ & capability::ignore_space) == 0 || !heeded || !core_.upstream.facts()) return state;
    const std::string& usual = core_.upstream.facts()->sql_mode;
    const session::Variable mode{"sql_mode", usual + (usual.empty() ? "" : ",") + "IGNORE_SPACE"};
    return core_.states.with_variables(state, {&mode, 1});
}

void ClientSession::start_session(session::StatePtr state) {
    const auto& facts = core_.upstream.facts();
    find_rules();
    const config::PoolMode usual = core_.accounts[key.account].mode;
    const config::PoolMode mode = rules_ != nullptr ? rules_->mode.value_or(usual) : usual;
    session_.start(std::move(state), facts ? std::string_view(facts->sql_mode) : std::string_view(),
                   mode == config::PoolMode::session);
    note_pins();
    leftovers_.reset();
    ran_statement_ = false;
    on_server_ = {};
    owner_ = core_.next_owner();
    insert_id_mark_ = core_.next_owner();
    last_ = nullptr;
}

net::Task<bool> ClientSession::refuse_login(Error error, std::uint8_t sequence) {
    std::vector<std::byte> packet;
    protocol::write_err(static_cast<std::uint8_t>(sequence + 1), as_a_server_says_it(std::move(error)), packet);
    login_refused_ = true;
    return send(std::move(packet));
}

// A new login on the same connection; of the session before nothing is left. Where it is refused, MySQL ends the
// connection. MariaDB does not: the session is a new one of the account that it was, with the schema that it had and
// the server's own character set; and behind the third time it does not look at what the client says.
net::Task<bool> ClientSession::change_user(std::size_t packet_size) {
    constexpr unsigned kMostRefused = 3;
    const std::span<std::byte> body = in_.filled().first(packet_size).subspan(protocol::kHeaderSize + 1);
    std::vector<std::byte> copy(body.begin(), body.end());
    in_.consume(packet_size);
    give_up_lease();

    const protocol::Capabilities flags = capabilities_;
    const auto was = std::tuple(user_, credential_, key, program_);
    const session::StatePtr before = session_.state();
    login_refused_ = false;
    auto request = protocol::parse_change_user(copy, capabilities_);
    std::uint8_t sequence = 0;
    bool changed = false;
    if (!request || changes_refused_ >= kMostRefused) {
        co_await refuse_login(Error{1047, "08S01", "Unknown command"}, sequence);
    } else {
        request->capabilities = flags;
        if (request->charset == 0) request->charset = charset_;
        changed = co_await authenticate(*request, sequence);
        capabilities_ = flags;
        if (changed) changed = co_await enter_schema(std::string(request->schema), sequence);
    }
    if (changed) co_return true;
    if (!login_refused_ || core_.upstream.flavour() != protocol::Flavour::mariadb) co_return false;
    ++changes_refused_;
    std::tie(user_, credential_, key, program_) = was;
    start_session(core_.upstream.initial_state(0, before->schema, before->multi_statements));
    session_.on_role(before->role);
    co_return true;
}

}  // namespace tidegate::proxy
