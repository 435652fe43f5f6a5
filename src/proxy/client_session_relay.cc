// ClientSession: a command on its way to the server, and its reply on its way back.
#include <array>
#include <utility>

#include "protocol/frame.h"
#include "proxy/client_session.h"
#include "proxy/core.h"
#include "sql/scanner.h"

namespace tidegate::proxy {

using protocol::ReplyWalker;

namespace {

// What is left to be written of `parts` when so many bytes have been.
std::span<iovec> behind(std::span<iovec> parts, std::size_t written) {
    while (!parts.empty() && written >= parts.front().iov_len) {
        written -= parts.front().iov_len;
        parts = parts.subspan(1);
    }
    if (!parts.empty() && written > 0) {
        parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + written;
        parts.front().iov_len -= written;
    }
    return parts;
}

}  // namespace

// Runs the command that begins in_ (whole, or its beginning if it is `large`), with a lease. False: the client's end.
net::Task<bool> ClientSession::statement(protocol::ReplyShape shape, sql::Facts& facts, std::size_t packet_size,
                                         bool large) {
    const bool repeatable = facts.plain_read && !large && shape == protocol::ReplyShape::result;
    command_in_hand_ = large ? 0 : packet_size;
    for (bool again = false;; again = true) {
        const Ready ready = co_await get_ready(facts);
        if (ready != Ready::yes) {
            learning_.reset();
            co_return co_await decline(ready, packet_size, large);
        }
        begin_reply(shape);
        Relayed relayed = Relayed::done;
        if (large || running_.text || running_.statement != nullptr) {
            relayed = co_await send_command(packet_size, large, facts);
        } else {
            iovec packet{in_.filled().data(), packet_size};
            std::span<iovec> left(&packet, 1);
            relayed = send_at_once(left);
            if (!left.empty()) relayed = co_await send_to_server(left);
        }
        if (facts.changes_routines) core_.routines.changing(*lease_);
        if (relayed == Relayed::done) relayed = co_await relay_reply();
        if (relayed == Relayed::done) break;
        if (relayed == Relayed::no_room) {
            running_.may_make_room = co_await make_room_on_server();
            continue;
        }
        if (relayed == Relayed::client_gone) {
            abandon_lease();
            co_return false;
        }
        const bool rerun = co_await lost_server(repeatable && !again);
        if (!rerun) co_return false;
    }
    if (facts.lifted.any() || wish_.any()) judge_again(facts);
    Unsettled what;
    bool alive = settle_at_once(shape, facts, what);
    if (!alive) alive = co_await settle(facts, what);
    in_.consume(std::exchange(command_in_hand_, 0));
    co_return alive;
}

// A lease in this session's state. What was not to be had, and why, is in refusal_.
net::Task<ClientSession::Ready> ClientSession::get_ready(const sql::Facts& facts) {
    for (int attempts = 0;; ++attempts) {
        const bool had_one = lease_ != nullptr;
        if (!had_one) {
            const Result<void> taken = co_await take_lease();
            if (!taken) {
                refusal_ = taken.error();
                co_return stream_->socket().hung_up() ? Ready::client_gone : Ready::refused;
            }
            if (stream_->socket().hung_up()) {  // nobody is there any more to run it for
                while (kills_under_way_ > 0) co_await kills_done_;
                core_.give_back(*std::exchange(lease_, nullptr));
                co_return Ready::client_gone;
            }
        }
        const bool about_one = running_.statement != nullptr;
        if (lease_fits(facts) && (!about_one || is_prepared())) co_return Ready::yes;
        Result<void> fits = co_await fit_lease(facts);
        if (fits && about_one && !is_prepared()) fits = co_await prepare_again();
        if (fits) co_return Ready::yes;
        refusal_ = fits.error();
        while (kills_under_way_ > 0) co_await kills_done_;
        if (std::exchange(running_.refused, false)) {  // the connection is as good as before
            co_await let_go();
            co_return Ready::refused;
        }
        if (refusal_.code != kServerLost) {
            return_unfit_lease();
            co_return Ready::refused;
        }
        lose_lease();  // nothing of the statement was sent: another connection will do
        if (!had_one && session_.hold() == session::Hold::next_statement) session_.put_off();  // put on in vain
        if (had_one || attempts == kAttempts) {
            end_ = ClientEnd::server_lost;
            co_return Ready::server_lost;
        }
    }
}

void ClientSession::begin_reply(protocol::ReplyShape shape) {
    ReplyWalker::Conversion conversion;
    conversion.server_deprecate_eof = lease_->has(protocol::capability::deprecate_eof);
    conversion.server_session_track = lease_->has(protocol::capability::session_track);
    conversion.client_deprecate_eof = (capabilities_ & protocol::capability::deprecate_eof) != 0;
    conversion.client_session_track = (capabilities_ & protocol::capability::session_track) != 0;
    conversion.client_local_files = (capabilities_ & protocol::capability::local_files) != 0;
    conversion.status = session_.status();
    if (shape == protocol::ReplyShape::prepare) conversion.statement_id = session_.statements().next_id();
    walker_.begin(shape, conversion);
    if (!results_are_on(*lease_)) on_server_ = {};
    lease_->used_by = owner_;
    last_ = lease_;
    ran_statement_ = true;
}

// The server is gone in the middle of a command. A plain read that the whole server's end cut off is run again, once
// the server is back, if nothing of its reply has reached the client; anything else is told, never repeated. True: run
// it again.
net::Task<bool> ClientSession::lost_server(bool repeatable) {
    const TimePoint opened = lease_->opened_at;
    const bool started = walker_.started();
    lose_lease();
    bool may_repeat = repeatable && !started && session_.hold() == session::Hold::none;
    const TimePoint deadline = core_.loop.now() + core_.config.pool.wait_timeout;
    while (may_repeat && core_.loop.now() < deadline) {
        const Result<void> taken = co_await take_lease();
        if (stream_->socket().hung_up()) {
            give_up_lease();
            co_return false;
        }
        if (!taken) break;
        const Result<bool> restarted = co_await core_.server_started_after(*lease_, opened);
        if (restarted && *restarted) co_return true;
        if (restarted) {
            give_up_lease();
            may_repeat = false;
        } else {
            lose_lease();  // one that died with the server and was not known yet to be dead, or the server is lost
                           // again
        }
    }
    // Its connection just ends, as the server's did: the client library knows what to make of that (2013).
    end_ = ClientEnd::server_lost;
    co_return false;
}

net::Task<ClientSession::Relayed> ClientSession::send_command(std::size_t packet_size, bool large, sql::Facts& facts) {
    Outgoing out;
    lay_out(large ? in_.filled() : in_.filled().first(packet_size), large, out);
    std::span<iovec> parts = out.parts();
    Relayed sent = send_at_once(parts);
    if (!parts.empty()) sent = co_await send_to_server(parts);
    if (!large || sent != Relayed::done) co_return sent;
    if (!out.bound.empty()) co_return co_await stream_execute(out.bound);
    co_return co_await stream_packets(large_text_ ? Streamed::text : Streamed::opaque, &facts);
}

// Nearly always the socket takes all of it at once. Otherwise some is left, for send_to_server().
ClientSession::Relayed ClientSession::send_at_once(std::span<iovec>& parts) {
    const net::IoResult put = lease_->stream().write_some(parts);
    const bool lost = put.status == net::IoStatus::closed || put.status == net::IoStatus::failed;
    parts = lost ? std::span<iovec>() : behind(parts, put.bytes);
    return lost ? Relayed::server_lost : Relayed::done;
}

net::Task<ClientSession::Relayed> ClientSession::send_to_server(std::span<iovec> parts) {
    Relayed sent = Relayed::done;
    while (!parts.empty()) {
        co_await lease_->stream().socket().writable();
        sent = send_at_once(parts);
    }
    co_return sent;
}

// A command that does not fit a buffer, or the content of a local file: packet after packet until the one that ends it
// (shorter than 16 MB; of a file: empty). A text is scanned as it passes. Without a lease the bytes are dropped.
net::Task<ClientSession::Relayed> ClientSession::stream_packets(Streamed what, sql::Facts* facts) {
    sql::Scanner scanner(session_.mode());
    const bool is_text = what == Streamed::text;
    std::uint8_t file_sequence = walker_.next_sequence();
    bool alive = lease_ != nullptr;  // the server takes it; if not, the client must still be heard out
    bool last = false;               // the packet under way is the last one
    std::size_t left = 0;            // of its payload
    std::size_t command_byte = is_text ? 1 : 0;
    while (left > 0 || !last) {
        if (left == 0) {
            const std::size_t head = protocol::kHeaderSize + command_byte;
            while (in_.size() < head) {
                const bool more = co_await read_more();
                if (!more) co_return Relayed::client_gone;
            }
            const protocol::Header header = protocol::read_header(in_.filled());
            last = what == Streamed::file ? header.length == 0 : !header.continues();
            if (what == Streamed::file) {
                // The server's count: a client that got an EOF packet in between is one ahead of it.
                protocol::write_header(in_.filled(), {.length = header.length, .sequence = file_sequence++});
            }
            left = header.length - command_byte;
            command_byte = 0;
            if (alive) {
                const Relayed passed = co_await pass_on(in_.filled().first(head));
                if (passed == Relayed::client_gone) co_return passed;
                alive = passed == Relayed::done;
            }
            in_.consume(head);
            continue;
        }
        if (in_.empty()) {
            const bool more = co_await read_more();
            if (!more) co_return Relayed::client_gone;
        }
        const std::span<std::byte> piece = in_.filled().first(std::min(left, in_.size()));
        const std::string_view text = protocol::as_text(piece);
        if (is_text) scanner.feed({text.data(), text.size()});
        if (alive) {
            const Relayed passed = co_await pass_on(piece);
            if (passed == Relayed::client_gone) co_return passed;
            alive = passed == Relayed::done;
        }
        left -= piece.size();
        in_.consume(piece.size());
    }
    if (is_text) *facts = scanner.finish();
    co_return Relayed::done;
}

// To the server; a client that goes while that takes its time is noticed.
net::Task<ClientSession::Relayed> ClientSession::pass_on(std::span<const std::byte> bytes) {
    net::Stream& server = lease_->stream();
    while (!bytes.empty()) {
        const iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
        const net::IoResult put = server.write_some({&part, 1});
        if (put.status == net::IoStatus::closed || put.status == net::IoStatus::failed) co_return Relayed::server_lost;
        if (put.status == net::IoStatus::would_block) {
            net::Socket& client = stream_->socket();
            co_await server.socket().writable_or_hangup(client);
            if (client.hung_up()) co_return Relayed::client_gone;
        }
        bytes = bytes.subspan(put.bytes);
    }
    co_return Relayed::done;
}

net::Task<ClientSession::Relayed> ClientSession::relay_reply() {
    net::Stream& server = lease_->stream();
    net::Socket& client = stream_->socket();
    net::Buffer out;
    while (true) {
        if (out.empty()) out.reset();  // while the server works, no buffer is held
        co_await server.socket().readable_or_hangup(client);
        if (client.hung_up()) co_return Relayed::client_gone;
        if (!out) out = net::Buffer::large();
        out.compact();
        const net::IoResult got = server.read_some(out.room());
        if (got.status == net::IoStatus::would_block) continue;
        if (got.status != net::IoStatus::ok) co_return Relayed::server_lost;
        out.commit(got.bytes);

        // All that this read brought goes out in one write: pieces of the buffer, and the EOF packets between them.
        std::array<iovec, 16> parts;
        std::array<std::array<std::byte, 9>, 8> eofs;
        std::size_t count = 0;
        std::size_t eof_count = 0;
        std::size_t consumed = 0;
        ReplyWalker::Event event = ReplyWalker::Event::part;
        while (event == ReplyWalker::Event::part) {
            const std::span<std::byte> chunk = out.filled().subspan(consumed);
            const ReplyWalker::Step step = walker_.step(chunk);
            event = step.event;
            consumed += step.consumed;
            if (step.forward > 0) parts[count++] = {chunk.data(), step.forward};
            if (step.insert_eof) {
                eofs[eof_count] = step.eof;
                parts[count++] = {eofs[eof_count++].data(), step.eof.size()};
            }
            if (event == ReplyWalker::Event::part && (count + 2 > parts.size() || eof_count == eofs.size())) {
                const Relayed flushed = co_await flush_to_client({parts.data(), count});
                if (flushed != Relayed::done) co_return flushed;
                count = eof_count = 0;
            }
        }
        if (event == ReplyWalker::Event::done && running_.may_make_room &&
            walker_.outcome().error_code == kTooManyPrepared)
            co_return Relayed::no_room;
        if (count > 0) {
            std::span<iovec> left(parts.data(), count);
            Relayed flushed = collected_ == nullptr ? flush_at_once(left) : Relayed::done;
            if (!left.empty()) flushed = co_await flush_to_client(left);
            if (flushed != Relayed::done) co_return flushed;
        }
        out.consume(consumed);

        switch (event) {
            case ReplyWalker::Event::more:
                if (out.size() == out.capacity())
                    co_return Relayed::server_lost;  // no packet that ends a reply is so long
                break;
            case ReplyWalker::Event::done:
                co_return Relayed::done;
            case ReplyWalker::Event::local_infile:
            case ReplyWalker::Event::refused_local_infile: {
                const bool refused = event == ReplyWalker::Event::refused_local_infile;
                const Relayed sent = co_await relay_local_file(refused);
                if (sent != Relayed::done) co_return sent;
                break;
            }
            default:
                co_return Relayed::server_lost;
        }
    }
}

// The server asked for a file. A client that never offered any is spared the question: the server gets an empty one.
net::Task<ClientSession::Relayed> ClientSession::relay_local_file(bool refused) {
    in_.consume(std::exchange(command_in_hand_, 0));  // what follows is the file
    if (!refused) {
        const Relayed sent = co_await stream_packets(Streamed::file, nullptr);
        co_return sent;
    }
    std::array<std::byte, protocol::kHeaderSize> empty;
    protocol::write_header(empty, {.length = 0, .sequence = walker_.next_sequence()});
    const bool sent = co_await lease_->stream().write_all(empty);
    co_return sent ? Relayed::done : Relayed::server_lost;
}

net::Task<ClientSession::Relayed> ClientSession::flush_to_client(std::span<iovec> parts) {
    if (collected_ != nullptr) {
        if (collect(parts)) co_return Relayed::done;
        std::vector<std::byte> before = std::move(*std::exchange(collected_, nullptr));
        iovec part{before.data(), before.size()};
        const Relayed flushed = co_await flush_to_client({&part, 1});
        if (flushed != Relayed::done) co_return flushed;
    }
    Relayed flushed = Relayed::done;
    while (!parts.empty()) {
        flushed = flush_at_once(parts);
        if (!parts.empty()) co_await stream_->socket().writable();
    }
    co_return flushed;
}

// As send_at_once().
ClientSession::Relayed ClientSession::flush_at_once(std::span<iovec>& parts) {
    const net::IoResult put = stream_->write_some(parts);
    const bool lost = put.status == net::IoStatus::closed || put.status == net::IoStatus::failed;
    core_.counters.bytes_out += put.bytes;
    parts = lost ? std::span<iovec>() : behind(parts, put.bytes);
    return lost ? Relayed::client_gone : Relayed::done;
}

}  // namespace tidegate::proxy
