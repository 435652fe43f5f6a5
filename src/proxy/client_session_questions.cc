// ClientSession: what the gate answers itself. Settings whose effect it knows; and bare questions about the last
// statement (SELECT ROW_COUNT(), SHOW WARNINGS and their kin): its connection answers them while nobody else has had
// it, then the gate does, from what the reply told and from what was fetched for this session.
#include <algorithm>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/core.h"

namespace tidegate::proxy {

using protocol::ReplyShape;
using protocol::ReplyWalker;
using sql::Bare;

namespace {

// SHOW ERRORS from the reply to SHOW WARNINGS: without the rows of another level. REQUIRES: a whole reply of a server
// with DEPRECATE_EOF.
std::vector<std::byte> only_errors(std::span<const std::byte> reply) {
    constexpr std::size_t kBeforeRows = 4;  // the number of columns, and their definitions
    constexpr std::string_view kError = "\5Error";
    std::vector<std::byte> kept;
    std::uint8_t sequence = 0;
    for (std::size_t packet = 0; reply.size() >= protocol::kHeaderSize; ++packet) {
        const std::uint32_t length = protocol::read_header(reply).length;
        const std::size_t size = std::min(reply.size(), protocol::kHeaderSize + length);
        const bool last = size == reply.size();
        const std::string_view text =
            protocol::as_text(reply.subspan(protocol::kHeaderSize, size - protocol::kHeaderSize));
        if (packet < kBeforeRows || last || text.starts_with(kError)) {
            const std::size_t at = kept.size();
            kept.insert(kept.end(), reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(size));
            protocol::write_header(std::span(kept).subspan(at), {.length = length, .sequence = ++sequence});
        }
        reply = reply.subspan(size);
    }
    return kept;
}

bool shows_warnings(Bare question) {
    return question == Bare::show_warnings || question == Bare::show_errors;
}

bool asks_for_warnings(Bare question) {
    return shows_warnings(question) || question == Bare::warning_count || question == Bare::error_count;
}

}  // namespace

// Whether the server can be asked: the connection is at hand, and still has what the last statement has left.
bool ClientSession::server_has_answer(Bare question) const {
    const bool still = question == Bare::row_count       ? on_server_.row_count
                       : question == Bare::found_rows    ? on_server_.found_rows
                       : question != Bare::connection_id ? on_server_.warnings
                                                         : false;
    if (!still) return false;
    return lease_ != nullptr ? results_are_on(*lease_) : core_.rests(last_) && results_are_on(*last_);
}

net::Task<bool> ClientSession::bare_question(const sql::Facts& facts, std::size_t packet_size) {
    const auto text_of = [&] {
        return protocol::as_text(in_.filled().first(packet_size)).substr(protocol::kHeaderSize + 1);
    };
    const bool ask_server = server_has_answer(facts.bare);
    if (!ask_server && leftovers_) {
        if (facts.bare == Bare::found_rows) co_await leftovers_->settle_found_rows();
        if (asks_for_warnings(facts.bare)) co_await leftovers_->settle_warnings();
    }
    // Without warnings, SHOW WARNINGS has columns all the same, and the server knows how they look.
    const bool shows_nothing = shows_warnings(facts.bare) && (!leftovers_ || leftovers_->warnings().reply.empty());
    if (ask_server || shows_nothing) {
        const Ready ready = co_await get_ready(sql::Facts{});
        if (ready != Ready::yes) co_return co_await decline(ready, packet_size, false);
        if (ask_server && results_are_on(*lease_)) {
            session_.before(facts, text_of());
            sql::Facts asked = facts;
            co_return co_await statement(ReplyShape::result, asked, packet_size, false);
        }
    }
    std::vector<std::byte> reply;
    if (shows_nothing) {
        if (lease_->used_by != owner_) lease_->used_by = 0;
        Result<Answer> nothing = co_await lease_->query("SHOW WARNINGS LIMIT 0");
        if (!nothing) {
            lose_lease();
            end_ = ClientEnd::server_lost;
            co_return false;
        }
        reply = in_form_of_client(std::move(nothing->bytes));
    } else {
        reply = answer_from_memory(facts, text_of());
    }
    session_.results().answered(facts.bare);
    note_answer();
    in_.consume(packet_size);
    while (kills_under_way_ > 0) co_await kills_done_;  // none may hit the next client (Trap 12)
    end_statement();
    co_return co_await send(std::move(reply));
}

// The gate has answered itself: what the server has left of the session's is older by that.
void ClientSession::note_answer() {
    if (leftovers_) leftovers_->note(session_.results(), false);
    on_server_.row_count = false;
    on_server_.found_rows &= session_.results().found_rows_left() == session::Left::as_before;
    on_server_.warnings &= session_.results().warnings_left() == session::Left::as_before;
}

// A SET that is known to work, from a session that has no connection: it needs none for that.
net::Task<bool> ClientSession::answer_set(const session::KnownSet& known, const sql::Facts& facts,
                                          std::size_t packet_size) {
    std::vector<std::byte> trackers;
    if ((capabilities_ & protocol::capability::session_track) != 0)
        for (const session::Variable& each : known.shown) protocol::write_tracker(each.name, each.value, trackers);
    std::vector<std::byte> reply;
    protocol::write_ok(1, {.status = known.status, .session_state = trackers}, reply);
    session_.apply(known, facts);
    note_answer();
    in_.consume(packet_size);
    ++core_.counters.statements;
    co_return co_await send(std::move(reply));
}

// The reply to a SET is there, and all that had to be asked after it.
void ClientSession::learn_set(const ReplyWalker::Outcome& outcome) {
    const bool well = !outcome.error && outcome.has_status && outcome.warnings == 0 && !outcome.had_rows &&
                      session_.hold() == session::Hold::none;
    if (well) {
        learning_->after = session_.state();
        learning_->status = outcome.status;
        learning_->shown = session_.shown();
        core_.known_sets.learn(std::move(*learning_));
    }
    learning_.reset();
}

std::vector<std::byte> ClientSession::answer_from_memory(const sql::Facts& facts, std::string_view text) const {
    const session::Results& results = session_.results();
    const Leftovers* fetched = leftovers_.get();
    using protocol::OneValue;
    OneValue value{.column = facts.column.in(text)};
    switch (facts.bare) {
        case Bare::connection_id:
            value.value = id_;
            if (core_.upstream.flavour() == protocol::Flavour::mariadb) {
                value.type = 3;  // an INT
                value.length = 10;
            }
            break;
        case Bare::row_count:
            value.is_signed = true;
            value.flags = OneValue::kNotNull | OneValue::kBinary;
            value.value = static_cast<std::uint64_t>(results.row_count());
            break;
        case Bare::found_rows:
            value.flags = OneValue::kNotNull | OneValue::kBinary;
            value.value =
                fetched != nullptr ? fetched->found_rows().value_or(results.found_rows()) : results.found_rows();
            break;
        case Bare::warning_count:  // those beyond max_error_count are counted, but not kept
            value.flags = OneValue::kUnsigned | OneValue::kBinary;
            value.value =
                std::max<std::uint64_t>(results.warning_count(), fetched != nullptr ? fetched->warnings().all : 0);
            break;
        case Bare::error_count:
            value.flags = OneValue::kUnsigned | OneValue::kBinary;
            value.value = fetched != nullptr ? fetched->warnings().errors : 0;
            break;
        case Bare::show_errors:
            return in_form_of_client(only_errors(fetched->warnings().reply));
        default:
            return in_form_of_client(fetched->warnings().reply);
    }
    std::vector<std::byte> reply;
    protocol::write_one_value(1, value, capabilities_, session_.status(), reply);
    return reply;
}

// A reply that the server gave to the gate, as this client understands it.
std::vector<std::byte> ClientSession::in_form_of_client(std::vector<std::byte> reply) const {
    ReplyWalker walker;
    walker.begin(ReplyShape::result,
                 {.client_deprecate_eof = (capabilities_ & protocol::capability::deprecate_eof) != 0,
                  .client_session_track = (capabilities_ & protocol::capability::session_track) != 0});
    std::vector<std::byte> out;
    std::span<std::byte> left(reply);
    ReplyWalker::Event event = ReplyWalker::Event::part;
    while (event == ReplyWalker::Event::part) {
        const ReplyWalker::Step step = walker.step(left);
        out.insert(out.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(step.forward));
        if (step.insert_eof) out.insert(out.end(), step.eof.begin(), step.eof.end());
        left = left.subspan(step.consumed);
        event = step.event;
    }
    return out;
}

}  // namespace tidegate::proxy
