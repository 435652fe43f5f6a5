// ClientSession: a prepared statement on the connection that runs it. If it is not prepared there, the gate does that
// first, in the state that it had when the client prepared it; its number and, where the client leaves them out, the
// types of its parameters are put into the command.
#include <array>
#include <utility>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "protocol/reframer.h"
#include "proxy/client_session.h"
#include "proxy/core.h"

namespace tidegate::proxy {

using protocol::Command;
using protocol::ReplyShape;

// In session mode the connection is the client's own, and so is the number of its statements.
std::size_t ClientSession::most_prepared() const {
    return session_.hold() == session::Hold::session_mode ? core_.max_prepared_of_server() : core_.max_prepared();
}

bool ClientSession::is_prepared() {
    const session::Statement& statement = *running_.statement;
    running_.there = lease_->statements.find(statement);
    if (running_.there == nullptr) return false;
    // MariaDB takes long data for what the parameter's type is then: that must not be another client's.
    return running_.command != Command::stmt_send_long_data || statement.holds() || running_.there->bound.empty() ||
           running_.there->bound == statement.bound;
}

// The schema and the variables that matter to its meaning are those of then, while it is prepared: a transaction that
// is open does not notice.
net::Task<Result<void>> ClientSession::prepare_again() {
    const session::Statement& statement = *running_.statement;
    const session::PreparedText& text = *statement.text;
    if (text.text.empty()) co_return fail(1243, "HY000", "Tidegate has lost a prepared statement: prepare it again");
    if (session_.state()->schema.empty() && !text.state->schema.empty())
        co_return fail(1046, "3D000", "No database selected");  // the one that it was prepared in was dropped
    const session::StatePtr then = core_.states.preparing(session_.state(), text.state);
    if (then != session_.state()) {
        const Result<void> restored = co_await restore_state(then);
        if (!restored) co_return restored;
    }
    const Result<Answer> reply = co_await prepare_on_lease(text);
    if (!reply) co_return std::unexpected(reply.error());
    if (then != session_.state()) {
        const Result<void> restored = co_await restore_state(session_.state());
        if (!restored) co_return restored;
    }
    if (reply->outcome.error) {
        // The client hears it in place of its command's reply, as if the server had prepared it again there.
        if (!results_are_on(*lease_)) on_server_ = {};
        lease_->used_by = owner_;
        last_ = lease_;
        ran_statement_ = true;
        session_.results().prepared(reply->outcome);
        note_leftovers(sql::Facts{}, reply->outcome);
        running_.refused = true;
        co_return std::unexpected(reply->error);
    }
    running_.there = &lease_->statements.add(statement.text, reply->outcome.statement_id);
    if (statement.holds()) lease_->statements.keep(*running_.there, statement.id);
    co_return Result<void>{};
}

net::Task<Result<Answer>> ClientSession::prepare_on_lease(const session::PreparedText& text) {
    while (true) {
        std::array<std::uint32_t, Outgoing::kMostClosed> room;
        std::vector<std::byte> packets;
        for (const std::uint32_t id : lease_->statements.make_room(text, most_prepared(), room))
            protocol::write_statement_close(id, packets);
        protocol::write_command(static_cast<std::uint8_t>(Command::stmt_prepare), text.text, packets);
        Result<Answer> reply = co_await lease_->exchange(std::move(packets), ReplyShape::prepare);
        if (!reply || reply->outcome.error_code != kTooManyPrepared) co_return reply;
        const bool freed = co_await make_room_on_server();
        if (!freed) co_return reply;
    }
}

// The server holds as many prepared statements as it may, for everybody together: those that nobody is using go. False:
// there are none, or it did not help. (Other connections' are closed when the server gets to it: it is given time.)
net::Task<bool> ClientSession::make_room_on_server() {
    constexpr int kMostTries = 5;
    if (running_.room_made++ == kMostTries) co_return false;
    std::vector<std::byte> packets;
    for (const std::uint32_t id : lease_->statements.drop_all()) protocol::write_statement_close(id, packets);
    const bool others = core_.drop_idle_statements();
    if (!packets.empty()) {
        (void)co_await lease_->stream().write_all(packets);  // a loss is seen when it is asked again
        co_return true;
    }
    if (!others && running_.room_made == 1) co_return false;
    co_await core_.loop.sleep(net::Loop::kTick);
    co_return true;
}

// `packet` is the command, or, of a large one, as much of it as is in hand: what is in front of that goes into `out`.
void ClientSession::lay_out(std::span<std::byte> packet, bool large, Outgoing& out) {
    if (running_.text) {
        std::array<std::uint32_t, Outgoing::kMostClosed> room;
        const auto ids = lease_->statements.make_room(*running_.text, most_prepared(), room);
        std::size_t size = 0;
        for (const std::uint32_t id : ids) {
            protocol::write_statement_close(id, protocol::MutableBytes(out.closes).subspan(size));
            size += protocol::kStatementClose;
        }
        if (size > 0) out.add(std::span(out.closes).first(size));
    } else if (running_.statement != nullptr) {
        protocol::set_statement_id(packet.subspan(protocol::kHeaderSize), running_.there->id);
        if (running_.command == Command::stmt_execute) {
            lay_out_execute(packet, large, out);
            return;
        }
    }
    if (!large) out.add(packet);
}

void ClientSession::lay_out_execute(std::span<std::byte> packet, bool large, Outgoing& out) {
    session::Statement& statement = *running_.statement;
    session::ServerStatement& there = *running_.there;
    const std::span<std::byte> payload = packet.subspan(protocol::kHeaderSize);
    const auto& head = running_.head;
    there.strange = there.strange || session_.state_for_prepare() != statement.text->state;
    bool put_in = false;
    if (!head) {
        there.bound.clear();  // what the server makes of it is not known
    } else if (head->bound_size > 0) {
        const auto bound = payload.subspan(head->bound_at, head->bound_size);
        if (lease_->statements.types_matter() && there.made_for != statement.made_for) {
            // It is made for the type that a NULL had the time before, as it would be on a connection of its own.
            protocol::fill_in_types(payload, *head, statement.made_for);
            there.made_for = statement.made_for;
        }
        there.bound.assign(bound.begin(), bound.end());
    } else if (!statement.bound.empty() && there.bound != statement.bound) {
        there.bound = statement.bound;
        there.made_for = statement.made_for;
        put_in = true;
    }
    if (large) {
        if (put_in) out.bound = statement.bound;
        return;
    }
    const std::size_t length = payload.size() + (put_in ? statement.bound.size() - 1 : 0);
    protocol::write_header(packet, {.length = static_cast<std::uint32_t>(length), .sequence = 0});
    if (!put_in) {
        out.add(packet);
        return;
    }
    out.add(packet.first(protocol::kHeaderSize + head->bound_at));
    out.add(statement.bound);
    out.add(payload.subspan(head->bound_at + 1));
}

// A large execution with the types of its parameters put in. It gets longer by them, and so its packets are framed
// anew.
net::Task<ClientSession::Relayed> ClientSession::stream_execute(std::span<const std::byte> bound) {
    protocol::Reframer frames;
    const std::size_t bound_at = running_.head->bound_at;
    std::size_t left = 0;  // of the old packet
    bool last = false;
    bool announced = false;  // the header that comes next
    bool alive = true;
    frames.announce(bound.size() - 1, false);
    const auto announce = [&](std::size_t at) {
        const protocol::Header header = protocol::read_header(in_.filled().subspan(at));
        frames.announce(header.length, !header.continues());
        announced = true;
    };
    std::size_t passed = 0;    // of the payload
    std::uint8_t packets = 0;  // how many more there are than the client knows of
    while (!frames.done()) {
        if (left == 0 && !last) {
            const bool there = co_await in_hand(protocol::kHeaderSize);
            if (!there) co_return Relayed::client_gone;
            if (!std::exchange(announced, false)) {
                announce(0);
                announced = false;
            }
            const protocol::Header header = protocol::read_header(in_.filled());
            left = header.length;
            last = !header.continues();
            in_.consume(protocol::kHeaderSize);
            --packets;
        }
        if (!frames.ready()) {  // how long the next packet is, the next old one decides: it is near
            const bool there = co_await in_hand(left + protocol::kHeaderSize);
            if (!there) co_return Relayed::client_gone;
            announce(left);
        }
        if (frames.room() == 0) {
            std::array<std::byte, protocol::kHeaderSize> header;
            protocol::write_header(header, frames.open());
            ++packets;
            const Relayed put = alive ? co_await pass_on(header) : Relayed::done;
            if (put == Relayed::client_gone) co_return put;
            alive = alive && put == Relayed::done;
            continue;
        }
        std::span<const std::byte> piece;
        bool own = false;  // it is of the types
        if (passed >= bound_at && passed < bound_at + bound.size()) {
            piece = bound.subspan(passed - bound_at);
            own = true;
        } else {
            const bool there = co_await in_hand(1);
            if (!there) co_return Relayed::client_gone;
            piece = in_.filled().first(std::min(left, in_.size()));
            if (passed < bound_at) piece = piece.first(std::min(piece.size(), bound_at - passed));
        }
        piece = piece.first(std::min(piece.size(), frames.room()));
        if (alive) {
            const Relayed put = co_await pass_on(piece);
            if (put == Relayed::client_gone) co_return put;
            alive = put == Relayed::done;
        }
        frames.sent(piece.size());
        passed += piece.size();
        if (!own) {
            left -= piece.size();
            in_.consume(piece.size());
        } else if (passed == bound_at + bound.size()) {
            left -= 1;  // the client's own byte that said that there are none
            in_.consume(1);
        }
    }
    walker_.begin_behind(packets);
    co_return Relayed::done;
}

}  // namespace tidegate::proxy
