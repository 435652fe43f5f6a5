// ClientSession as the administrator's console (console.h): it logs in, asks and is answered without a server
// connection, so it works while the server is full or away, and while as many clients are connected as may be.
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/console.h"
#include "proxy/core.h"

namespace tidegate::proxy {

using protocol::Command;

namespace {

constexpr std::uint16_t kStatus = protocol::status::autocommit;

// For clients that come before the server was ever seen.
protocol::Greeting make_stand_in() {
    using namespace protocol::capability;
    return {.server_version = "8.0.0-tidegate-" TIDEGATE_VERSION,
            .capabilities = long_password | connect_with_db | multi_results | ps_multi_results | deprecate_eof,
            .charset = 45,  // utf8mb4_general_ci
            .status = kStatus,
            .auth_plugin = std::string(protocol::auth::caching_sha2_plugin)};
}

}  // namespace

const protocol::Greeting& ClientSession::greeting_of_server() const {
    static const protocol::Greeting kStandIn = make_stand_in();
    return server_unseen_ ? kStandIn : *core_.upstream.greeting();
}

bool ClientSession::asks_for_console(const protocol::HandshakeResponse& response) const {
    return response.schema == kConsoleSchema && response.user == core_.config.server.user && core_.offers_console();
}

// Why a client that wants something of the server cannot have it, where only the console is open.
std::optional<Error> ClientSession::only_console() const {
    if (beyond_limit_) return core_.too_many_clients();
    if (server_unseen_) return Error{1040, "08004", core_.why_unreachable()};
    return std::nullopt;
}

net::Task<bool> ClientSession::enter_console(std::uint8_t sequence) {
    log::info("Client {} ({}@{}, {}): the administrator's console", id_, user_, stream_->peer().host(), program_);
    std::vector<std::byte> packet;
    protocol::write_ok(static_cast<std::uint8_t>(sequence + 1), {.status = kStatus, .info = certificate_proof_},
                       packet);
    co_return co_await send(std::move(packet));
}

net::Task<void> ClientSession::serve_console() {
    while (!killed_) {
        busy_ = false;
        busy_since_ = core_.loop.now();
        if (core_.draining() && end_if_idle()) co_return;
        if (in_.empty()) in_.reset();
        co_await stream_->socket().readable();
        const bool more = co_await read_more();
        if (!more) break;
        while (has_command()) {
            busy_ = true;
            busy_since_ = core_.loop.now();
            const bool alive = co_await console_command();
            if (!alive) co_return;
        }
    }
    if (killed_) end_ = ClientEnd::killed;
}

net::Task<bool> ClientSession::console_command() {
    const protocol::Header header = protocol::read_header(in_.filled());
    const std::size_t packet_size = protocol::kHeaderSize + header.length;
    if (header.sequence != 0 || header.length == 0 || header.continues() || packet_size > in_.size()) {
        end_ = ClientEnd::protocol_error;
        co_await say(Error{1153, "08S01", "Got a packet that the console of Tidegate has no use for"});
        co_return false;
    }
    const auto code = static_cast<Command>(in_.filled()[protocol::kHeaderSize]);
    const std::string text(protocol::as_text(in_.filled().first(packet_size)).substr(protocol::kHeaderSize + 1));
    in_.consume(packet_size);
    switch (code) {
        case Command::quit:
            end_ = ClientEnd::quit;
            co_return false;
        case Command::query:
            co_return co_await answer_console(text);
        case Command::init_db:
            co_return co_await answer_console("USE `" + text + "`");
        case Command::process_kill:
            co_return co_await answer_console(fmt::format("KILL {}", protocol::Reader(protocol::as_bytes(text)).u32()));
        case Command::ping:
        case Command::reset_connection:
            co_return co_await console_ok({});
        case Command::set_option:
        case Command::field_list:
        case Command::debug: {  // the end of definitions that there are none of
            std::vector<std::byte> packet;
            protocol::write_end(1, (capabilities_ & protocol::capability::deprecate_eof) != 0, kStatus, packet);
            co_return co_await send(std::move(packet));
        }
        case Command::statistics:
            co_return co_await console_statistics();
        case Command::stmt_close:
        case Command::stmt_send_long_data:  // nobody waits for an answer to these
            co_return true;
        case Command::stmt_prepare:
        case Command::stmt_execute:
        case Command::stmt_fetch:
        case Command::stmt_reset:
            co_return co_await say(
                Error{1295, "HY000",
                      "This command is not supported in the prepared statement protocol yet: the console of Tidegate "
                      "takes statements as text only"});
        default:
            break;
    }
    co_return co_await say(Error{
        1047, "08S01",
        fmt::format("{} is not for the console of Tidegate; SHOW HELP says what is", protocol::rule_of(code).name)});
}

net::Task<bool> ClientSession::answer_console(std::string text) {
    // The answer may be made on another thread; this coroutine waits until it has come.
    struct Pending {
        explicit Pending(net::Loop& loop) : there(loop) {}
        net::Event there;
        ConsoleAnswer answer;
    };
    Pending pending(core_.loop);
    core_.console->ask({.text = std::move(text), .client = id_, .user = user_, .host = stream_->peer().host()},
                       [&loop = core_.loop, &pending](ConsoleAnswer said) {
                           auto answer = std::make_shared<ConsoleAnswer>(std::move(said));
                           loop.post([&pending, answer] {
                               pending.answer = std::move(*answer);
                               pending.there.set();
                           });
                       });
    co_await pending.there;
    if (const auto* error = std::get_if<Error>(&pending.answer)) co_return co_await say(*error);
    if (const auto* done = std::get_if<ConsoleDone>(&pending.answer)) co_return co_await console_ok(done->what);
    const auto& table = std::get<protocol::TextTable>(pending.answer);
    std::vector<std::byte> reply;
    protocol::write_text_table(1, table, capabilities_, kStatus, reply);
    co_return co_await send(std::move(reply));
}

net::Task<bool> ClientSession::console_ok(std::string_view info) {
    std::vector<std::byte> packet;
    protocol::write_ok(1, {.status = kStatus, .info = info}, packet);
    co_return co_await send(std::move(packet));
}

// What the command-line clients show in their `status`: one packet of text.
net::Task<bool> ClientSession::console_statistics() {
    const std::string text = fmt::format("Uptime: {}  Clients: {}  Server connections: {}  Waiting: {}",
                                         std::chrono::duration_cast<std::chrono::seconds>(core_.uptime()).count(),
                                         core_.clients(), core_.pool.active(), core_.pool.waiting());
    std::vector<std::byte> packet;
    protocol::Writer w(packet);
    const std::size_t at = w.begin_packet(1);
    w.text(text);
    w.end_packet(at);
    co_return co_await send(std::move(packet));
}

}  // namespace tidegate::proxy
