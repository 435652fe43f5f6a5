#include "proxy/upstream.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include "base/log.h"
#include "protocol/packets.h"
#include "proxy/packet_io.h"

namespace tidegate::proxy {

namespace auth = protocol::auth;
namespace capability = protocol::capability;
using budget::OpenFailure;

namespace {

constexpr std::uint16_t kPacketTooLarge = 1153;

// Tells a new session to report what the gate carries over, or all that there is.
std::string tracking_statement(std::string_view names) {
    return fmt::format(
        "SET @@session.session_track_system_variables='{}',@@session.session_track_schema=1,"
        "@@session.session_track_state_change=1,@@session.session_track_transaction_info='OFF'",
        names);
}

}  // namespace

OpenFailure failure_of(const Error& error) {
    switch (error.code) {
        case 1040:
            return OpenFailure::too_many;
        case 1203:
            return OpenFailure::account_limit;
        case 1226:  // also the hourly limits, which waiting does not help with (Trap 11)
            return error.message.find("max_user_connections") != std::string::npos ? OpenFailure::account_limit
                                                                                   : OpenFailure::denied;
        case 1129:
            return OpenFailure::host_blocked;
        case 1053:
        case 2002:
        case 2003:
        case 2005:
        case 2013:
            return OpenFailure::unreachable;
        case 1044:
        case 1045:
        case 1049:
        case 1130:
        case 1251:
        case 1396:
        case 1524:
        case 1698:
        case 1820:
        case 1862:
        case 2026:
        case 2059:
        case 3118:
        case 3159:
        case 3955:
        case 4151:
            return OpenFailure::denied;
        default:
            return OpenFailure::other;
    }
}

Upstream::Upstream(net::Loop& loop, session::States& states, const config::Server& server)
    : loop_(loop), states_(states) {
    server_.host = server.host;
    server_.port = server.port;
    server_.socket = server.socket;
    server_.user = server.user;
    server_.tls = server.tls;
    server_.ca = server.ca;
    server_.connect_timeout = server.connect_timeout;
    server_.monitor_interval = server.monitor_interval;
}

Result<void> Upstream::set_up_tls() {
    using Verify = net::TlsContext::Verify;
    if (server_.tls == config::TlsMode::disabled) return {};
    const Verify verify = server_.tls == config::TlsMode::verify_identity ? Verify::identity
                          : server_.tls == config::TlsMode::verify_ca     ? Verify::ca
                                                                          : Verify::none;
    auto context = net::TlsContext::client(verify, server_.ca);
    if (!context) return std::unexpected(context.error());
    tls_ = std::move(*context);
    return {};
}

// Where the server is now. A name is looked up on a thread of its own, and again after a while.
net::Task<Result<std::vector<net::Address>>> Upstream::resolve() {
    if (!server_.socket.empty()) {
        auto address = net::Address::unix_path(server_.socket);
        if (!address) co_return std::unexpected(address.error());
        co_return std::vector{*address};
    }
    if (auto address = net::Address::numeric(server_.host, server_.port)) co_return std::vector{*address};
    if (!addresses_.empty() && loop_.now() - resolved_at_ < 30s) co_return addresses_;

    struct Lookup {
        explicit Lookup(net::Loop& loop) : done(loop) {}
        net::Event done;
        Result<std::vector<net::Address>> found = fail("");
    };
    auto lookup = std::make_shared<Lookup>(loop_);
    std::thread([lookup, host = server_.host, port = server_.port, &loop = loop_]() mutable {
        auto found = net::Address::resolve(host, port);
        loop.post([lookup = std::move(lookup), found = std::move(found)]() mutable {
            lookup->found = std::move(found);
            lookup->done.set();
        });
    }).detach();
    co_await lookup->done;
    if (lookup->found) {
        addresses_ = *lookup->found;
        resolved_at_ = loop_.now();
    } else if (!addresses_.empty()) {
        co_return addresses_;  // the resolver is away: the last answer is better than none
    }
    co_return lookup->found;
}

net::Task<Result<Upstream::Stream>> Upstream::connect(TimePoint deadline) {
    const auto addresses = co_await resolve();
    if (!addresses) co_return std::unexpected(addresses.error());
    Result<Stream> stream = fail(2003, "HY000", "the server's name has no address");
    for (const net::Address& each : *addresses) {
        stream = co_await net::connect(loop_, each, deadline);
        if (stream || loop_.now() >= deadline) break;
    }
    co_return stream;
}

net::Task<Result<protocol::Greeting>> Upstream::read_greeting(net::Stream& stream) {
    std::vector<std::byte> payload;
    std::uint8_t sequence = 0;
    const bool read = co_await read_packet(stream, payload, sequence);
    if (!read) co_return fail(2013, "08S01", "Lost connection to the server at 'reading initial communication packet'");
    co_return protocol::parse_greeting(payload);
}

net::Task<Result<void>> Upstream::learn_greeting() {
    const TimePoint deadline = loop_.now() + server_.connect_timeout;
    Result<Stream> stream = co_await connect(deadline);
    if (!stream) co_return std::unexpected(stream.error());
    net::Deadline limit(loop_, (*stream)->socket());
    limit.arm(deadline);
    auto greeting = co_await read_greeting(**stream);
    if (!greeting) co_return std::unexpected(greeting.error());
    greeting_ = std::move(*greeting);
    co_return Result<void>{};
}

// "preferred" does without on this host, where nobody listens in and every statement would pay for it.
bool Upstream::tls_wanted(const net::Address& peer, protocol::Capabilities of_server) const {
    if (!tls_ || peer.is_unix()) return false;
    return server_.tls != config::TlsMode::preferred || ((of_server & capability::ssl) != 0 && !peer.is_loopback());
}

net::Task<std::expected<std::unique_ptr<ServerConnection>, OpenError>> Upstream::open(Login login,
                                                                                      bool* password_used) {
    const TimePoint deadline = loop_.now() + server_.connect_timeout;
    Result<Stream> stream = co_await connect(deadline);
    if (!stream) co_return std::unexpected(OpenError{OpenFailure::unreachable, stream.error()});
    net::Deadline limit(loop_, (*stream)->socket());
    limit.arm(deadline);
    const bool tracked_all = small_packets_;
    auto opened = co_await log_in(std::move(*stream), login, password_used);
    if (!opened && small_packets_ && !tracked_all) {  // since then: it has said that the statement was too large
        limit.disarm();
        co_return co_await open(std::move(login), password_used);
    }
    if (!opened && limit.expired()) {
        opened.error() = {OpenFailure::unreachable, Error{2013, "08S01",
                                                          fmt::format("the server did not answer within {} s",
                                                                      seconds(server_.connect_timeout))}};
    }
    co_return opened;
}

net::Task<std::expected<std::unique_ptr<ServerConnection>, OpenError>> Upstream::log_in(Stream stream,
                                                                                        const Login& login,
                                                                                        bool* password_used) {
    const auto failed = [](const Error& error) { return std::unexpected(OpenError{failure_of(error), error}); };
    auto greeting = co_await read_greeting(*stream);
    if (!greeting) co_return failed(greeting.error());
    const protocol::Capabilities of_server = greeting->capabilities;
    const bool tls = tls_wanted(stream->peer(), of_server);
    if (tls && (of_server & capability::ssl) == 0) {
        co_return failed(Error{2026, "HY000", "TLS is required by [server] tls, but the server does not offer it"});
    }

    protocol::HandshakeResponse response;
    response.capabilities = protocol::asked_of_server(of_server, login.sharing_flags, tls, false);
    response.max_packet = 1U << 30;
    response.charset = login.charset;
    response.user = login.user;
    static constexpr std::string_view kAttributes = "\x0cprogram_name\x08tidegate";
    response.attributes = protocol::as_bytes(kAttributes);

    std::uint8_t sequence = 1;
    if (tls) {
        std::vector<std::byte> request;
        protocol::write_ssl_request(response, sequence++, request);
        const bool sent = co_await stream->write_all(request);
        if (!sent) co_return failed(Error{2013, "08S01", "Lost connection to the server before TLS"});
        const Result<void> shaken = co_await stream->connect_tls(*tls_, server_.host);
        if (!shaken) co_return failed(shaken.error());
    }

    auth::ParsecScramble scramble;
    fill_random(std::as_writable_bytes(std::span(scramble)));
    auth::ClientLogin client(
        login.credential,
        {.tls = tls, .unix_socket = stream->peer().is_unix(), .rsa_allowed = stream->peer().is_loopback()}, scramble);
    client.start(greeting->auth_plugin, greeting->nonce);
    response.auth_plugin = client.plugin();
    response.auth_response = client.response();
    std::vector<std::byte> packet;
    protocol::write_handshake_response(response, sequence, packet);
    const bool sent = co_await stream->write_all(packet);
    if (!sent) co_return failed(Error{2013, "08S01", "Lost connection to the server during the login"});
    const Result<void> logged_in = co_await authenticate(*stream, client, sequence);
    if (!logged_in) co_return failed(logged_in.error());
    if (password_used != nullptr) *password_used = client.password_was_used();

    auto connection = std::make_unique<ServerConnection>(std::move(stream), response.capabilities,
                                                         greeting->connection_id, greeting->flavour());
    greeting_ = std::move(*greeting);
    if (!facts_) {
        const Result<void> learnt = co_await learn(*connection, login.charset);
        if (!learnt) co_return failed(learnt.error());
    }
    connection->set_state(initial_state(login.charset, "", false));
    const Result<void> tracked = co_await start_tracking(*connection);
    if (!tracked) co_return failed(tracked.error());
    auto identity = co_await identity_of(*connection);
    if (!identity) co_return failed(identity.error());
    const std::string_view role = std::string_view(*identity).substr(0, identity->find('\n'));
    connection->login_role = session::role_clause(flavour(), role).value_or("");
    connection->identity = std::move(*identity);
    co_return connection;
}

net::Task<Result<void>> Upstream::authenticate(net::Stream& stream, auth::ClientLogin& login, std::uint8_t sequence) {
    std::vector<std::byte> payload;
    while (true) {
        const bool read = co_await read_packet(stream, payload, sequence);
        if (!read) co_return fail(2013, "08S01", "Lost connection to the server during the login");
        auth::ClientAction action = login.feed(payload);
        if (std::holds_alternative<auth::Done>(action)) co_return Result<void>{};
        if (auto* failed = std::get_if<auth::Failed>(&action)) co_return std::unexpected(std::move(failed->error));
        if (auto* answer = std::get_if<auth::Send>(&action)) {
            const bool sent = co_await write_packet(stream, answer->payload, static_cast<std::uint8_t>(sequence + 1));
            if (!sent) co_return fail(2013, "08S01", "Lost connection to the server during the login");
        }
    }
}

net::Task<Result<void>> Upstream::start_tracking(ServerConnection& connection) {
    const Result<Answer> reply = co_await connection.query(small_packets_ ? tracking_statement("*") : facts_->tracking);
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->outcome.error && reply->error.code == kPacketTooLarge) small_packets_ = true;
    if (reply->outcome.error) co_return std::unexpected(reply->error);
    co_return Result<void>{};
}

// What a session has that neither COM_RESET_CONNECTION nor COM_CHANGE_USER takes away.
net::Task<Result<std::string>> Upstream::identity_of(ServerConnection& connection) {
    const bool mariadb = flavour() == protocol::Flavour::mariadb;
    const Result<Answer> reply =
        co_await connection.query(mariadb ? "SELECT CURRENT_ROLE(), (SELECT COUNT(*) FROM information_schema.PROFILING)"
                                          : "SELECT CURRENT_ROLE()");
    if (!reply) co_return std::unexpected(reply.error());
    std::string identity;
    for (const auto& row : reply->rows())
        for (const auto& value : row) identity.append(value.value_or("NONE")).append("\n");
    co_return identity;
}

// A role stays over COM_RESET_CONNECTION and, on MariaDB, over COM_CHANGE_USER.
net::Task<Result<void>> Upstream::leave_role(ServerConnection& connection) {
    if (connection.state()->role.empty()) co_return Result<void>{};
    const Result<Answer> reply = co_await connection.query("SET ROLE " + connection.login_role);
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->outcome.error) co_return std::unexpected(reply->error);
    connection.set_state(states_.with_role(connection.state(), ""));
    co_return Result<void>{};
}

namespace {

std::uint16_t id_in(std::string_view text) {
    std::uint16_t id = 0;
    std::from_chars(text.data(), text.data() + text.size(), id);
    return id;
}

}  // namespace

// The table with all of MariaDB's; the one that is also MySQL's lacks those that go with several character sets.
net::Task<Result<void>> Upstream::learn_collations(ServerConnection& connection, ServerFacts& facts) {
    static constexpr std::string_view kAll =
        "SELECT ID, CHARACTER_SET_NAME, FULL_COLLATION_NAME FROM "
        "information_schema.COLLATION_CHARACTER_SET_APPLICABILITY";
    Result<Answer> collations = fail("");
    if (flavour() == protocol::Flavour::mariadb) {
        collations = co_await connection.query(kAll);
        if (!collations) co_return std::unexpected(collations.error());
    }
    if (!collations || collations->outcome.error) {
        collations = co_await connection.query(
            "SELECT ID, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL");
        if (!collations) co_return std::unexpected(collations.error());
    }
    for (const auto& row : collations->rows()) {
        if (row.size() < 3 || !row[0] || !row[1] || !row[2]) continue;
        facts.collations.add(id_in(*row[0]), {std::string(*row[1]), std::string(*row[2])});
    }
    if (flavour() != protocol::Flavour::mariadb) co_return Result<void>{};
    // Those that its character sets were compiled with. Without that variable it is an error, and nothing to be known.
    const Result<Answer> compiled_in = co_await connection.query(
        fmt::format("SET STATEMENT character_set_collations='' FOR {} WHERE IS_DEFAULT='Yes'", kAll));
    if (!compiled_in) co_return std::unexpected(compiled_in.error());
    for (const auto& row : compiled_in->rows())
        if (!row.empty() && row[0]) facts.collations.mark_compiled_in(id_in(*row[0]));
    co_return Result<void>{};
}

// From a connection that has just logged in, with this charset.
net::Task<Result<void>> Upstream::learn(ServerConnection& connection, std::uint16_t charset) {
    ServerFacts facts;
    const Result<void> collations = co_await learn_collations(connection, facts);
    if (!collations) co_return std::unexpected(collations.error());
    std::string collation;
    const Result<Answer> variables = co_await connection.query("SHOW SESSION VARIABLES");
    if (!variables) co_return std::unexpected(variables.error());
    std::vector<std::string_view> names;
    for (const auto& row : variables->rows()) {
        if (row.size() < 2 || !row[0] || !row[1]) continue;
        const std::string_view name = *row[0];
        const std::string_view value = *row[1];
        if (session::is_carried(name)) names.push_back(name);
        if (name == "sql_mode") facts.sql_mode = value;
        if (name == "init_connect") facts.init_connect = value;
        if (name == "collation_connection") collation = value;
        if (name == "character_set_collations") facts.collations.set_defaults(value);
        if (name == "max_prepared_stmt_count") {
            std::from_chars(value.data(), value.data() + value.size(), facts.max_prepared_stmt_count);
        }
        if (name == "wait_timeout") {
            long long time = 28800;
            std::from_chars(value.data(), value.data() + value.size(), time);
            facts.wait_timeout = std::chrono::seconds(time);
        }
    }
    const session::Collation* const expected = facts.collations.at_login(charset);
    if (expected != nullptr && expected->name != collation) facts.collations.ignore_logins();
    facts.tracking = tracking_statement(fmt::format("{}", fmt::join(names, ",")));
    facts_ = std::move(facts);
    co_return Result<void>{};
}

void Upstream::set_init_connect(std::string text) {
    if (facts_) facts_->init_connect = std::move(text);
}

void Upstream::set_max_packet(std::size_t size) {
    small_packets_ = facts_ && size < facts_->tracking.size() + 1;  // with the command's byte
}

void Upstream::set_default_collations(std::string_view text) {
    if (facts_) facts_->collations.set_defaults(text);
}

session::StatePtr Upstream::initial_state(std::uint16_t charset, std::string_view schema, bool multi_statements) {
    session::State state;
    state.schema = schema;
    state.multi_statements = multi_statements;
    if (facts_) {
        if (const session::Collation* const collation = facts_->collations.at_login(charset)) {
            state.variables = {{"character_set_client", collation->charset},
                               {"character_set_connection", collation->charset},
                               {"character_set_results", collation->charset},
                               {"collation_connection", collation->name}};
        }
    }
    return states_.intern(std::move(state));
}

net::Task<Result<void>> Upstream::change_user(ServerConnection& connection, const std::string& user,
                                              auth::CredentialPtr credential, std::uint16_t charset) {
    auth::ParsecScramble scramble;
    fill_random(std::as_writable_bytes(std::span(scramble)));
    net::Stream& stream = connection.stream();
    auth::ClientLogin login(
        std::move(credential),
        {.tls = stream.is_tls(), .unix_socket = stream.peer().is_unix(), .rsa_allowed = stream.peer().is_loopback()},
        scramble);
    // Any nonce: the server answers with a switch to the account's plug-in and a nonce of its own.
    protocol::Nonce nonce;
    fill_nonce(nonce);
    login.start(greeting_ ? std::string_view(greeting_->auth_plugin) : auth::native_plugin, nonce);

    std::vector<std::byte> packet;
    protocol::Writer out(packet);
    const std::size_t begin = out.begin_packet(0);
    out.u8(static_cast<std::uint8_t>(protocol::Command::change_user));
    out.null_terminated(user);
    out.u8(0);  // no answer yet
    out.null_terminated("");
    out.u16(charset);
    out.null_terminated("tidegate");  // a plug-in that no account has, so that the server names the account's
    if (connection.has(capability::connect_attrs)) out.lenenc(0);
    out.end_packet(begin);
    const Result<void> left = co_await leave_role(connection);
    if (!left) co_return left;
    const bool sent = co_await stream.write_all(packet);
    if (!sent) co_return fail(2013, "08S01", "Lost connection to the server before the statement was sent");
    const Result<void> changed = co_await authenticate(stream, login, 0);
    if (!changed)
        co_return fail(2013, "08S01",
                       fmt::format("changing the user on a connection failed: {}", changed.error().message));
    connection.set_state(initial_state(charset, "", connection.state()->multi_statements));
    connection.statements.clear();
    connection.used_by = connection.insert_id_of = 0;
    co_return co_await start_tracking(connection);
}

net::Task<Result<void>> Upstream::reset(ServerConnection& connection) {
    const Result<void> left = co_await leave_role(connection);
    if (!left) co_return left;
    std::vector<std::byte> packet;
    protocol::write_command(static_cast<std::uint8_t>(protocol::Command::reset_connection), "", packet);
    const Result<Answer> reply = co_await connection.exchange(std::move(packet), protocol::ReplyShape::ok);
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->outcome.error) co_return std::unexpected(reply->error);
    // The variables are the server's defaults now, the character sets too, which a session always has of its own.
    // The schema stays, but its character set does not (MariaDB): it has to be entered again.
    session::State state;
    state.multi_statements = connection.state()->multi_statements;  // a client's flag, not a variable
    if (!connection.state()->schema.empty()) state.schema = session::kUnknown;
    for (const char* name :
         {"character_set_client", "character_set_connection", "character_set_results", "collation_connection"}) {
        state.variables.push_back({name, std::string(session::kUnknown)});
    }
    connection.set_state(states_.intern(std::move(state)));
    connection.statements.clear();
    connection.used_by = connection.insert_id_of = 0;
    connection.unsure = connection.warned = false;
    const Result<void> tracked = co_await start_tracking(connection);
    if (!tracked) co_return tracked;
    const Result<std::string> identity = co_await identity_of(connection);
    if (!identity) co_return std::unexpected(identity.error());
    if (*identity != connection.identity) co_return fail("a reset has not ended the session's role or profiles");
    co_return Result<void>{};
}

}  // namespace tidegate::proxy
