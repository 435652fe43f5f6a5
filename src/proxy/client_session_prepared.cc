// ClientSession: the commands of prepared statements. A client's statements have numbers of the gate's own and hold no
// connection; which of the server's they are on the connection that runs them is client_session_prepare.cc's business.
// What holds one: an open cursor, long data, and a statement that cannot be prepared a second time.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/core.h"
#include "sql/scanner.h"

namespace tidegate::proxy {

using protocol::Command;
using protocol::ReplyShape;
using protocol::ReplyWalker;

namespace {

constexpr std::uint16_t kUnknownStatement = 1243;

// As the servers say it.
Error unknown_statement(Command command, std::uint32_t id, protocol::Flavour flavour) {
    const std::string_view where = flavour == protocol::Flavour::mysql ? "mysql_stmt_precheck"
                                   : command == Command::stmt_fetch    ? "mysqld_stmt_fetch"
                                   : command == Command::stmt_reset    ? "mysqld_stmt_reset"
                                                                       : "mysqld_stmt_execute";
    return {kUnknownStatement, "HY000", fmt::format("Unknown prepared statement handler ({}) given to {}", id, where)};
}

Error no_cursor(std::uint32_t id, protocol::Flavour flavour) {
    const std::string_view stop = flavour == protocol::Flavour::mysql ? "." : "";
    return {1421, "HY000", fmt::format("The statement ({}) has no open cursor{}", id, stop)};
}

}  // namespace

// At least so many bytes of a command that no buffer holds, or as many as one does. False: the client's end.
net::Task<bool> ClientSession::in_hand(std::size_t bytes) {
    bytes = std::min(bytes, net::Buffer::kLarge);
    while (in_.size() < bytes) {
        const bool more = co_await read_more();
        if (!more) co_return false;
    }
    co_return true;
}

net::Task<bool> ClientSession::about_a_statement(ReplyShape shape, Running running, std::size_t packet_size,
                                                 bool large) {
    running_ = std::move(running);
    sql::Facts facts;
    facts.kind = sql::Kind::other;
    if (running_.command == Command::stmt_prepare) {
        facts = running_.text->facts;
        if (large) {
            const bool kept = co_await keep_beginning();
            if (!kept) co_return false;
        }
    } else if (running_.command == Command::stmt_execute) {
        facts = running_.statement->text->facts;
        facts.bare = sql::Bare::none;
        judge_calls(facts, running_.statement->text->text, running_.statement->text->state->schema);
        session_.before(facts, running_.statement->text->text);
    }
    const bool alive = co_await statement(shape, facts, packet_size, large);
    running_ = {};
    beginning_.reset();
    co_return alive;
}

// It always goes to the server, so that the client hears how its tables look now.
net::Task<bool> ClientSession::prepare_statement(std::size_t packet_size, bool large) {
    const std::size_t most = core_.max_prepared_of_server();
    if (session_.statements().size() >= most) {
        refusal_ = Error{kTooManyPrepared, "42000",
                         fmt::format("Can't create more than max_prepared_stmt_count statements (current value: {}). "
                                     "It is this client alone that has so many: it never closes them",
                                     most)};
        return refuse_command(packet_size, large);
    }
    Running running{.command = Command::stmt_prepare};
    const session::StatePtr& state = session_.state_for_prepare();
    if (large) {
        session::PreparedText text{.text = {}, .state = state, .facts = {}, .shared = false};
        text.facts.kind = sql::Kind::unknown;
        text.facts.pins.add(sql::Pin::unknown_statement);
        running.text = std::make_shared<const session::PreparedText>(std::move(text));
    } else {
        const std::string_view text =
            protocol::as_text(in_.filled().first(packet_size)).substr(protocol::kHeaderSize + 1);
        sql::Facts facts = sql::scan(text, session_.mode());
        // The server tells its own id: from then on it must stay this session's.
        if (facts.asks.has(sql::Ask::connection_id)) facts.pins.add(sql::Pin::asked);
        running.text = core_.prepared_texts.intern(text, state, facts);
        running.may_make_room = true;
    }
    return about_a_statement(ReplyShape::prepare, std::move(running), packet_size, large);
}

net::Task<bool> ClientSession::prepared_command(Command command, const protocol::CommandRule& rule,
                                                std::size_t packet_size, bool large) {
    const std::span<const std::byte> packet = in_.filled().first(std::min(packet_size, in_.size()));
    const std::uint32_t id = protocol::statement_id(packet.subspan(protocol::kHeaderSize)).value_or(0);
    session::Statement* const found = session_.statement(id);
    if (found == nullptr) {
        if (rule.shape == ReplyShape::none) return drop_command(packet_size, large);
        refusal_ = unknown_statement(command, id, core_.upstream.flavour());
        return refuse_command(packet_size, large);
    }
    switch (command) {
        case Command::stmt_execute:
            return execute_statement(*found, packet_size, large);
        case Command::stmt_send_long_data:
            return take_long_data(*found, packet_size, large);
        case Command::stmt_fetch:
            return fetch_rows(*found, packet_size);
        case Command::stmt_reset:
            return reset_statement(*found, packet_size);
        default:
            return close_statement(*found, packet_size);
    }
}

net::Task<bool> ClientSession::execute_statement(session::Statement& statement, std::size_t packet_size, bool large) {
    if (statement.broken) {
        refusal_ = std::move(*std::exchange(statement.broken, std::nullopt));
        co_return co_await refuse_command(packet_size, large);
    }
    Running running{.command = Command::stmt_execute, .statement = &statement};
    if (statement.shared()) {
        const std::size_t head = protocol::kHeaderSize + protocol::execute_head_size(statement.parameters);
        if (large) {
            const bool enough = co_await in_hand(head);
            if (!enough) co_return false;
        }
        const std::span<const std::byte> packet = in_.filled().first(std::min(packet_size, in_.size()));
        const auto payload = packet.subspan(protocol::kHeaderSize);
        running.head = protocol::read_execute(payload, statement.parameters);
        if (running.head && running.head->bound_size > 0)
            statement.bind(payload.subspan(running.head->bound_at, running.head->bound_size));
    }
    co_return co_await about_a_statement(ReplyShape::result, std::move(running), packet_size, large);
}

net::Task<bool> ClientSession::fetch_rows(session::Statement& statement, std::size_t packet_size) {
    if (!statement.cursor || packet_size > in_.size()) {
        refusal_ = no_cursor(statement.id, core_.upstream.flavour());
        return refuse_command(packet_size, packet_size > in_.size());
    }
    Running running{.command = Command::stmt_fetch, .statement = &statement};
    return about_a_statement(ReplyShape::rows, std::move(running), packet_size, false);
}

// A cursor and long data are the server's to forget; without them there is nothing to be done.
net::Task<bool> ClientSession::reset_statement(session::Statement& statement, std::size_t packet_size) {
    if (packet_size > in_.size()) {
        end_ = ClientEnd::protocol_error;
        co_return false;
    }
    statement.broken.reset();
    if (statement.cursor || statement.long_data) {
        Running running{.command = Command::stmt_reset, .statement = &statement};
        co_return co_await about_a_statement(ReplyShape::ok, std::move(running), packet_size, false);
    }
    session_.results().pinged();  // it leaves the same
    on_server_.row_count = false;
    in_.consume(packet_size);
    co_return co_await say_ok();
}

net::Task<bool> ClientSession::close_statement(session::Statement& statement, std::size_t packet_size) {
    if (packet_size > in_.size()) {
        end_ = ClientEnd::protocol_error;
        co_return false;
    }
    in_.consume(packet_size);
    session::ServerStatement* const there =
        statement.holds() && lease_ != nullptr ? lease_->statements.find(statement) : nullptr;
    if (there != nullptr) co_await close_on_server(*there);
    const sql::Pins before = session_.pins();
    session_.close(statement);
    if (before != session_.pins()) {
        note_pins();
        co_await let_go();
    }
    co_return true;
}

// There is no reply to it: what goes wrong is the next execution's to tell, as servers do it.
net::Task<bool> ClientSession::take_long_data(session::Statement& statement, std::size_t packet_size, bool large) {
    if (statement.broken) co_return co_await drop_command(packet_size, large);
    running_ = {.command = Command::stmt_send_long_data, .statement = &statement};
    const bool alive = co_await pass_long_data(statement, packet_size, large);
    running_ = {};
    co_return alive;
}

net::Task<bool> ClientSession::pass_long_data(session::Statement& statement, std::size_t packet_size, bool large) {
    sql::Facts facts;
    facts.kind = sql::Kind::other;
    const Ready ready = co_await get_ready(facts);
    if (ready == Ready::client_gone) co_return false;
    if (ready != Ready::yes) {
        if (ready == Ready::refused) statement.broken = std::exchange(refusal_, {});
        lost_between_ = ready == Ready::server_lost;
        co_return co_await drop_command(packet_size, large);
    }
    lease_->statements.keep(*running_.there, statement.id);
    session_.set_open(statement, statement.cursor, true);
    note_pins();
    begin_reply(ReplyShape::none);
    const Relayed sent = co_await send_command(packet_size, large, facts);
    if (!large) in_.consume(packet_size);
    if (sent == Relayed::client_gone) {
        abandon_lease();
        co_return false;
    }
    if (sent == Relayed::server_lost) {
        lose_lease();
        lost_between_ = true;
    }
    co_return true;
}

net::Task<bool> ClientSession::drop_command(std::size_t packet_size, bool large) {
    if (!large) {
        in_.consume(packet_size);
        co_return true;
    }
    // Without a lease the bytes go nowhere.
    ServerConnection* const lease = std::exchange(lease_, nullptr);
    const Relayed dropped = co_await stream_packets(Streamed::opaque, nullptr);
    lease_ = lease;
    co_return dropped == Relayed::done;
}

void ClientSession::note_prepared(const ReplyWalker::Outcome& outcome) {
    const session::Statement* const made = session_.prepared(running_.text, outcome);
    if (made == nullptr) return;
    session::ServerStatement& there = lease_->statements.add(running_.text, outcome.statement_id);
    if (made->holds()) lease_->statements.keep(there, made->id);
}

// False: the server's statement is of no further use.
bool ClientSession::note_executed(const ReplyWalker::Outcome& outcome) {
    session::Statement& statement = *running_.statement;
    bool cursor = statement.cursor;
    bool long_data = statement.long_data;
    if (running_.command == Command::stmt_fetch) {
        if (!outcome.error) cursor = (outcome.status & protocol::status::last_row_sent) == 0;
    } else {
        cursor = !outcome.error && outcome.cursor;
        long_data = false;
    }
    session_.set_open(statement, cursor, long_data);
    if (outcome.error_code == kUnknownStatement) return false;  // the server has lost it: prepared again the next time
    if (!statement.holds()) return lease_->statements.share(*running_.there);
    lease_->statements.keep(*running_.there, statement.id);
    return true;
}

net::Task<void> ClientSession::close_on_server(session::ServerStatement& statement) {
    std::array<std::byte, protocol::kStatementClose> packet;
    protocol::write_statement_close(statement.id, protocol::MutableBytes(packet));
    lease_->statements.remove(statement);
    (void)co_await lease_->stream().write_all(packet);  // a loss is seen by whoever uses the connection next
}

}  // namespace tidegate::proxy
