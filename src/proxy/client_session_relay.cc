// ClientSession: a command on its way to the server, and its reply on its way back.
#include <array>
#include <utility>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/core.h"
#include "session/user_variables.h"
#include "sql/scanner.h"

namespace tidegate::proxy {

using protocol::ReplyWalker;

namespace {

// Whether a trigger or a function may have run before the error came, and left something in the session: no tracker
// tells of what a failing statement did. Not after those errors that a statement gets before it begins.
bool may_have_run_a_program(std::uint16_t error) {
    switch (error) {
        case 1007:  // of schemas
        case 1008:
        case 1044:
        case 1046:
        case 1049:
        case 1045:  // of privileges
        case 1142:
        case 1143:
        case 1227:
        case 1370:
        case 1050:  // of names
        case 1051:
        case 1054:
        case 1146:
        case 1305:
        case 1064:  // of syntax
        case 1065:
        case 1094:  // of KILL
        case 1193:  // of SET
        case 1231:
        case 1235:
            return false;
        default:
            return true;
    }
}

// One statement that touches a table without any doubt.
bool changes_rows(const sql::Facts& facts) {
    return facts.statements == 1 && (facts.kind == sql::Kind::insert || facts.kind == sql::Kind::update ||
                                     facts.kind == sql::Kind::delete_ || facts.kind == sql::Kind::replace);
}

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
        Relayed relayed = co_await send_command(packet_size, large, facts);
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
    judge_again(facts);
    const bool alive = co_await settle(shape, facts);
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

// The reply is with the client. What has become of the session, and may the lease end?
net::Task<bool> ClientSession::settle(protocol::ReplyShape shape, const sql::Facts& facts) {
    const ReplyWalker::Outcome& outcome = walker_.outcome();
    const bool was_in_transaction = session_.in_transaction();
    bool pinged = false;
    if (shape == protocol::ReplyShape::prepare) {
        note_prepared(outcome);
    } else if (session_.after(facts, outcome)) {
        // An error carries no status (Trap 2): is there a transaction now, or none any more?
        std::vector<std::byte> ping;
        protocol::write_command(static_cast<std::uint8_t>(protocol::Command::ping), "", ping);
        const Result<Answer> reply = co_await lease_->exchange(std::move(ping), protocol::ReplyShape::ok);
        if (!reply) {
            lose_lease();
            end_ = ClientEnd::server_lost;
            co_return false;
        }
        pinged = true;
        session_.on_status(reply->outcome.status);
        if (reply->outcome.state_changed) session_.pin(sql::Pin::unknown_function);
    }
    if (running_.statement != nullptr && !note_executed(outcome)) co_await close_on_server(*running_.there);
    if (outcome.error && (facts.lifted.any() || may_have_run_a_program(outcome.error_code))) lease_->unsure = true;
    if (facts.trusted_calls && (outcome.error || outcome.state_changed)) lease_->unsure = true;
    core_.routines.changed(*lease_);
    if (facts.pins.intersects({sql::Pin::text_execute, sql::Pin::compound, sql::Pin::executable_comment}))
        core_.routines.suspect();
    note_leftovers(facts, outcome);
    if (pinged) on_server_.row_count = false;
    if (session_.collation_unknown()) {
        const Result<std::string> collation = co_await ask_server("SELECT @@session.collation_connection");
        if (!collation) co_return false;
        if (!collation->empty()) session_.on_collation(*collation);
    }
    if (session_.server_collation_unknown()) {
        const Result<std::string> collation = co_await ask_server("SELECT @@session.collation_server");
        if (!collation) co_return false;
        session_.on_server_collation(*collation);
    }
    std::string locks;
    if (session_.asks_for_locks()) locks = session_.locks_question();
    if (!locks.empty()) {
        const Result<std::string> any = co_await ask_server(std::move(locks));
        if (!any) co_return false;
        session_.on_locks(*any != "0");
    }
    if (learning_) learn_set(outcome);
    if (facts.new_generation && !outcome.error) core_.new_generation();
    ++core_.counters.statements;
    if (was_in_transaction && !session_.in_transaction()) ++core_.counters.transactions;
    if (session_.pins() != pin_causes_.known()) note_pins(facts.kind);
    if (!session_.unread_variables().empty() && session_.hold() == session::Hold::user_variables &&
        core_.pool.waiting() > 0) {
        const bool alive = co_await read_user_variables();
        if (!alive) co_return false;
    }
    while (kills_under_way_ > 0) co_await kills_done_;  // a KILL that comes late must not hit the next client (Trap 12)
    end_statement();
    co_return true;
}

// One value that only the server knows, between two statements of the client; empty: NULL. An error: the lease is lost.
net::Task<Result<std::string>> ClientSession::ask_server(std::string question) {
    // The question sets FOUND_ROWS() to 1: an earlier statement's is saved before.
    if (leftovers_ && leftovers_->found_rows_on_connection()) co_await leftovers_->fetch(*lease_);
    question += " LIMIT 1";  // whatever sql_select_limit says
    const Result<Answer> reply = co_await lease_->query(question);
    if (!reply) {
        lose_lease();
        end_ = ClientEnd::server_lost;
        co_return std::unexpected(reply.error());
    }
    on_server_.row_count = on_server_.found_rows = false;
    const auto rows = reply->rows();
    if (rows.empty() || rows[0].empty()) co_return std::string();
    co_return std::string(rows[0][0].value_or(""));
}

// The values of the user variables that its statements have set. The questions spoil what else the last one has left:
// that is fetched before.
net::Task<bool> ClientSession::read_user_variables() {
    bool alive = true;
    if (leftovers_ && leftovers_->any()) alive = co_await leftovers_->fetch(*lease_);
    std::optional<Answer> answer;
    if (alive) {
        Result<Answer> reply = co_await lease_->query(session::user_variables_question(session_.unread_variables()));
        alive = reply.has_value();
        if (alive) answer = std::move(*reply);
    }
    if (!alive) {
        lose_lease();
        end_ = ClientEnd::server_lost;
        co_return false;
    }
    on_server_ = {};
    if (answer->outcome.error || answer->outcome.warnings > 0) lease_->warned = true;
    const auto rows = answer->rows();
    std::vector<session::AnswerColumn> columns;
    if (rows.size() == 1) {
        for (const Answer::Column& each : answer->columns())
            columns.push_back({each.type, each.is_unsigned, each.length, rows[0][columns.size()]});
    }
    auto values = session::user_variables_from(session_.unread_variables(), columns);
    if (!core_.upstream.may_reset()) values.reset();  // nobody could take them away from a connection again
    session_.on_user_variables(values);
    if (session_.pins() != pin_causes_.known()) note_pins();
    co_return true;
}

// What the statement has left on its connection that a later one may ask for.
void ClientSession::note_leftovers(const sql::Facts& facts, const ReplyWalker::Outcome& outcome) {
    const session::Results& results = session_.results();
    on_server_.row_count |= results.row_count_left() != session::Left::as_before;
    on_server_.found_rows |= results.found_rows_left() != session::Left::as_before;
    on_server_.warnings |= results.warnings_left() != session::Left::as_before;
    // An INSERT that fails has set LAST_INSERT_ID() if it came to a row.
    const bool failed_late = outcome.error && may_have_run_a_program(outcome.error_code) && needs_own_insert_id(facts);
    const bool insert_id = outcome.any_insert_id || facts.sets_last_insert_id || failed_late;
    if (insert_id) insert_id_mark_ = lease_->insert_id_of = core_.next_owner();
    const bool warns = results.warnings_left() == session::Left::on_server;
    const bool clears = results.warnings_left() == session::Left::here;
    if (warns) lease_->warned = true;
    if (clears && (changes_rows(facts) || core_.upstream.flavour() == protocol::Flavour::mysql)) lease_->warned = false;
    if (!leftovers_) {
        if (!warns && !insert_id && results.found_rows_left() != session::Left::on_server) return;
        leftovers_ = std::make_shared<Leftovers>(core_.loop);
    }
    leftovers_->note(results, insert_id);
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
    // Nearly always the socket takes all of it at once.
    std::span<iovec> parts = out.parts();
    const net::IoResult put = lease_->stream().write_some(parts);
    Relayed sent = Relayed::done;
    if (put.status == net::IoStatus::closed || put.status == net::IoStatus::failed) co_return Relayed::server_lost;
    parts = behind(parts, put.bytes);
    if (!parts.empty()) sent = co_await send_to_server(parts);
    if (!large || sent != Relayed::done) co_return sent;
    if (!out.bound.empty()) co_return co_await stream_execute(out.bound);
    co_return co_await stream_packets(large_text_ ? Streamed::text : Streamed::opaque, &facts);
}

net::Task<ClientSession::Relayed> ClientSession::send_to_server(std::span<iovec> parts) {
    while (!parts.empty()) {
        const net::IoResult put = lease_->stream().write_some(parts);
        if (put.status == net::IoStatus::closed || put.status == net::IoStatus::failed) co_return Relayed::server_lost;
        if (put.status == net::IoStatus::would_block) co_await lease_->stream().socket().writable();
        parts = behind(parts, put.bytes);
    }
    co_return Relayed::done;
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
            const Relayed flushed = co_await flush_to_client({parts.data(), count});
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
    while (!parts.empty()) {
        const net::IoResult put = stream_->write_some(parts);
        if (put.status == net::IoStatus::closed || put.status == net::IoStatus::failed) co_return Relayed::client_gone;
        if (put.status == net::IoStatus::would_block) {
            co_await stream_->socket().writable();
            continue;
        }
        core_.counters.bytes_out += put.bytes;
        parts = behind(parts, put.bytes);
    }
    co_return Relayed::done;
}

}  // namespace tidegate::proxy
