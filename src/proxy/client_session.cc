#include "proxy/client_session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "protocol/frame.h"
#include "protocol/packets.h"
#include "proxy/core.h"
#include "sql/constant_set.h"
#include "sql/scanner.h"

namespace tidegate::proxy {

using protocol::Command;
using protocol::ReplyShape;

std::string_view name_of(ClientEnd end) {
    switch (end) {
        case ClientEnd::quit:
            return "quit";
        case ClientEnd::vanished:
            return "vanished";
        case ClientEnd::login_failed:
            return "login_failed";
        case ClientEnd::login_timeout:
            return "login_timeout";
        case ClientEnd::protocol_error:
            return "protocol_error";
        case ClientEnd::server_lost:
            return "server_lost";
        case ClientEnd::killed:
            return "killed";
        case ClientEnd::draining:
            return "draining";
    }
    return "unknown";
}

ClientSession::ClientSession(Core& core, std::unique_ptr<net::Stream> stream, std::uint32_t id, bool beyond_limit)
    : core_(core),
      stream_(std::move(stream)),
      id_(id),
      wake_(core.loop),
      beyond_limit_(beyond_limit),
      kills_done_(core.loop),
      since_(core.loop.now()),
      session_(core.states, core.upstream.flavour()) {
    session = id;
    walker_.set_sink(&session_);
}

ClientSession::~ClientSession() {
    core_.client_ended(end_);
}

net::Task<void> ClientSession::run() {
    const bool in = co_await log_in();
    if (in) {
        logged_in_ = true;
        end_ = ClientEnd::vanished;
        if (console_)
            co_await serve_console();
        else
            co_await serve();
    }
    // Whoever sent them still holds on to this session; and none may hit the next one on its connection.
    while (kills_under_way_ > 0) co_await kills_done_;
    give_up_lease();
    note_pins();
}

net::Task<void> ClientSession::serve() {
    while (!killed_) {
        busy_ = false;
        busy_since_ = core_.loop.now();
        if (core_.draining() && end_if_idle()) co_return;
        if (in_.empty()) in_.reset();  // at rest a session holds no buffer
        if (lease_ == nullptr) {
            co_await stream_->socket().readable();
        } else {
            net::Socket& server = lease_->stream().socket();
            co_await stream_->socket().readable_or_hangup(server);
            if (server.hung_up()) {  // what it held for this session is gone; its place is another's
                lose_lease();
                lost_between_ = true;
                continue;
            }
        }
        if (std::exchange(way_asked_, false)) {
            if (lease_ == nullptr || !session_.lets_go()) continue;
            busy_ = true;
            const bool kept = co_await make_way();
            lost_between_ = !kept;
            continue;
        }
        const bool more = co_await read_more();
        if (!more) break;
        if (ListNode<GivesWay>::linked()) ListNode<GivesWay>::unlink();
        while (has_command()) {
            busy_ = true;
            busy_since_ = core_.loop.now();
            const bool alive = co_await command();
            if (!alive) co_return;
        }
    }
    if (killed_) end_ = ClientEnd::killed;
}

net::Task<bool> ClientSession::read_more() {
    in_.widen();
    const net::IoResult got = co_await stream_->read(in_.room());
    if (got.status != net::IoStatus::ok) co_return false;
    in_.commit(got.bytes);
    core_.counters.bytes_in += got.bytes;
    co_return true;
}

// A whole command is there, or the beginning of one that no buffer holds.
bool ClientSession::has_command() const {
    if (in_.size() <= protocol::kHeaderSize)
        return in_.size() == protocol::kHeaderSize && protocol::read_header(in_.filled()).length == 0;
    const std::size_t size = protocol::kHeaderSize + protocol::read_header(in_.filled()).length;
    return in_.size() >= size || size > net::Buffer::kLarge;
}

net::Task<bool> ClientSession::command() {
    const protocol::Header header = protocol::read_header(in_.filled());
    const std::size_t packet_size = protocol::kHeaderSize + header.length;
    const bool large = packet_size > in_.size() || header.continues();
    if (header.sequence != 0 || header.length == 0) {
        end_ = ClientEnd::protocol_error;
        co_await say(header.length == 0
                         ? Error{1835, "HY000", "Malformed communication packet: a command without a byte"}
                         : Error{1156, "08S01", "Got packets out of order"});
        co_return false;
    }
    const auto code = static_cast<Command>(in_.filled()[protocol::kHeaderSize]);
    if (timed_out_ && code != Command::quit) {
        end_ = ClientEnd::killed;
        co_await say(Error{1205, "HY000",
                           "Tidegate has rolled this transaction back: it sat idle longer than [pool] "
                           "idle_in_transaction allows while "
                           "others were waiting for a connection. Connect again and repeat it"});
        co_return false;
    }
    if (lost_between_ && code != Command::quit) {
        end_ = ClientEnd::server_lost;
        co_return false;
    }
    const protocol::CommandRule& rule = protocol::rule_of(code);
    large_text_ = false;
    if (rule.treatment == protocol::Treatment::refuse) {
        refusal_ = Error{1047, "08S01", std::string(rule.refusal)};
        co_return co_await refuse_command(packet_size, large);
    }
    if (rule.treatment == protocol::Treatment::answer) {
        if (large) {
            end_ = ClientEnd::protocol_error;
            co_return false;
        }
        co_return co_await answer(code, packet_size);
    }
    if (code == Command::query) co_return co_await query(packet_size, large);
    if (code == Command::stmt_prepare) co_return co_await prepare_statement(packet_size, large);
    if (rule.prepared) {
        if (large) {
            const bool enough = co_await in_hand(protocol::kHeaderSize + 1 + sizeof(std::uint32_t));
            if (!enough) co_return false;
        }
        co_return co_await prepared_command(code, rule, packet_size, large);
    }

    sql::Facts facts;
    facts.kind = sql::Kind::other;
    if (code == Command::init_db) {
        facts.kind = sql::Kind::use;
        facts.set_only_carried = true;
        session_.before(facts, {});
    }
    co_return co_await statement(rule.shape, facts, packet_size, large);
}

net::Task<bool> ClientSession::query(std::size_t packet_size, bool large) {
    if (large) {
        sql::Facts facts;
        facts.kind = sql::Kind::unknown;  // until the whole text has passed the scanner
        large_text_ = true;
        session_.before(facts, {});
        if (rules_ != nullptr)
            wish_ = rules_->wish_for(protocol::as_text(in_.filled()).substr(protocol::kHeaderSize + 1));
        const bool kept = co_await keep_beginning();
        if (!kept) co_return false;
        const bool alive = co_await statement(ReplyShape::result, facts, packet_size, true);
        beginning_.reset();
        co_return alive;
    }
    const std::string_view text = protocol::as_text(in_.filled().first(packet_size)).substr(protocol::kHeaderSize + 1);
    sql::Facts facts = sql::scan(text, session_.mode());
    if (facts.bare == sql::Bare::processlist) co_return co_await show_processes(facts, packet_size);
    if (facts.bare != sql::Bare::none && facts.bare != sql::Bare::last_insert_id)
        co_return co_await bare_question(facts, packet_size);
    if ((facts.kill == sql::Kill::query || facts.kill == sql::Kill::connection) && core_.is_own_id(facts.kill_id)) {
        const bool told = co_await kill_other(facts.kill_id, facts.kill == sql::Kill::query);
        in_.consume(packet_size);
        co_return told;
    }
    if (facts.kill == sql::Kill::other && facts.statements == 1) co_return co_await kill_by_value(facts, packet_size);
    const bool may_know = lease_ == nullptr && rules_ == nullptr && facts.set_only_carried;
    if (may_know && sql::is_constant_set(text, facts, session_.mode())) {
        if (const session::KnownSet* known = core_.known_sets.find(user_, session_.state(), text)) {
            co_return co_await answer_set(*known, facts, packet_size);
        }
        learning_ = {.user = user_, .before = session_.state(), .text = std::string(text), .after = nullptr};
    }
    // Within a larger statement the server tells its own id: from then on it must stay this session's.
    if (facts.asks.has(sql::Ask::connection_id)) facts.pins.add(sql::Pin::asked);
    judge_calls(facts, text, session_.state()->schema);
    session_.before(facts, text);
    co_return co_await statement(ReplyShape::result, facts, packet_size, false);
}

// Commands that the gate answers itself.
net::Task<bool> ClientSession::answer(Command command, std::size_t packet_size) {
    const std::span<std::byte> body = in_.filled().first(packet_size).subspan(protocol::kHeaderSize + 1);
    switch (command) {
        case Command::quit:
            end_ = ClientEnd::quit;
            co_return false;
        case Command::change_user:
            co_return co_await change_user(packet_size);
        case Command::set_option: {
            const bool on = body.size() >= 2 && body[0] == std::byte{0};
            co_return co_await set_option(on, packet_size);
        }
        case Command::reset_connection:
            reset_session();
            break;
        case Command::process_kill: {
            const std::uint64_t id = protocol::Reader(body).u32();
            in_.consume(packet_size);
            co_return co_await kill_other(id, false);
        }
        default:  // COM_PING
            session_.results().pinged();
            on_server_.row_count = false;
            break;
    }
    in_.consume(packet_size);
    co_return co_await say_ok();
}

// COM_RESET_CONNECTION: the schema and the role stay. Character sets are those of the last login again; MySQL's are its
// own default.
void ClientSession::reset_session() {
    const session::StatePtr before = session_.state();
    give_up_lease();
    const bool mariadb = core_.upstream.flavour() == protocol::Flavour::mariadb;
    start_session(new_state(mariadb ? charset_ : std::uint16_t{0}, before->schema, before->multi_statements));
    session_.on_role(before->role);
}

// Multi-statements on or off. A connection in hand is told at once; others are before they are used.
net::Task<bool> ClientSession::set_option(bool on, std::size_t packet_size) {
    session_.set_multi_statements(on);
    session_.results().answered(sql::Bare::show_warnings);  // it leaves the same
    on_server_.row_count = false;
    if (lease_ != nullptr) {
        const Ready ready = co_await get_ready(sql::Facts{});
        if (ready != Ready::yes) co_return co_await decline(ready, packet_size, false);
    }
    in_.consume(packet_size);
    std::vector<std::byte> packet;
    if ((capabilities_ & protocol::capability::deprecate_eof) != 0) {
        protocol::write_ok(1, {.status = session_.status()}, packet);
        packet[protocol::kHeaderSize] = std::byte{0xFE};  // as servers do it
    } else {
        protocol::write_eof(1, session_.status(), 0, packet);
    }
    co_return co_await send(std::move(packet));
}

void ClientSession::check_times(TimePoint now) {
    const Duration taken = now - busy_since_;
    const Duration statement = core_.config.server.query_timeout;
    const Duration idle = core_.config.pool.idle_in_transaction;
    if (lease_ == nullptr) return;
    if (busy_) {
        if (statement > Duration::zero() && taken > statement && kills_under_way_ == 0) {
            log::warn("Client {} ({}@{}, {}): its statement is killed after {:.0f} s, [server] query_timeout", id_,
                      user_, stream_->peer().host(), program_, seconds(taken));
            net::spawn(kill(true));
        }
    } else if (idle > Duration::zero() && taken > idle && core_.pool.waiting() > 0 && session_.in_transaction()) {
        log::warn(
            "Client {} ({}@{}, {}): its transaction sat idle for {:.0f} s while {} clients wait, and is rolled back "
            "([pool] "
            "idle_in_transaction)",
            id_, user_, stream_->peer().host(), program_, seconds(taken), core_.pool.waiting());
        timed_out_ = true;
        lease_->stream().shut_down();  // the server rolls back, and this session's coroutine wakes up to it
    }
}

bool ClientSession::rests() const {
    const bool in_work = lease_ != nullptr && session_.in_work();
    return logged_in_ && !busy_ && !in_work && in_.empty();
}

bool ClientSession::end_if_idle() {
    if (!rests()) return false;
    end_ = ClientEnd::draining;
    std::vector<std::byte> packet;
    protocol::write_err(0, Error{1053, "08S01", "Server shutdown in progress"}, packet);
    const iovec part{packet.data(), packet.size()};
    (void)stream_->write_some({&part, 1});
    stream_->shut_down();
    return true;
}

void ClientSession::give_way() {
    ListNode<GivesWay>::unlink();
    way_asked_ = true;
    stream_->socket().wake_reader();
}

// A command that cannot run: a refusal is told; a server that is lost ends the client's connection without a word, as
// it would have ended its own.
net::Task<bool> ClientSession::decline(Ready why, std::size_t packet_size, bool large) {
    if (why != Ready::refused) co_return false;
    co_return co_await refuse_command(packet_size, large);
}

net::Task<bool> ClientSession::refuse_command(std::size_t packet_size, bool large) {
    const Error error = std::exchange(refusal_, {});
    if (large) {
        const Relayed dropped = co_await stream_packets(Streamed::opaque, nullptr);
        if (dropped != Relayed::done) co_return false;
    } else {
        in_.consume(packet_size);
    }
    co_return co_await say(error);
}

// Numbers of the client library's own (2000 to 2999) no server says: Connector/C takes them for garbage (2027).
Error ClientSession::as_a_server_says_it(Error error) {
    constexpr std::uint16_t kNoSuchPlugin = 2059;
    if (error.code < 2000 || error.code > 2999) return error;
    const std::uint16_t code = error.code == kNoSuchPlugin ? 1251 : 1040;
    return {code, "08004", std::move(error.message)};
}

net::Task<bool> ClientSession::say(const Error& error) {
    std::vector<std::byte> packet;
    protocol::write_err(1, as_a_server_says_it(error), packet);
    return send(std::move(packet));
}

net::Task<bool> ClientSession::say_ok() {
    std::vector<std::byte> packet;
    protocol::write_ok(1, {.status = session_.status()}, packet);
    return send(std::move(packet));
}

net::Task<bool> ClientSession::send(std::vector<std::byte> packets) {
    co_return co_await stream_->write_all(packets);
}

}  // namespace tidegate::proxy
