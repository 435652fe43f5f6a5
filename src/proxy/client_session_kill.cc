// ClientSession: KILL. A client's id is the gate's: one that stands in the statement as a number never gets to the
// server.
#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/core.h"

namespace tidegate::proxy {

namespace {

// The one number in a text; 0: there is none.
std::uint64_t number_in(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto* const at = std::ranges::find_if(text, is_digit);
    std::uint64_t number = 0;
    const auto read = std::from_chars(at, text.data() + text.size(), number);
    return read.ec == std::errc{} ? number : 0;
}

// Which thread a server says that it does not know.
std::uint64_t unknown_thread(const protocol::ReplyWalker::Outcome& outcome, std::span<const std::byte> reply) {
    constexpr std::uint16_t kNoSuchThread = 1094;
    if (!outcome.error || outcome.error_code != kNoSuchThread || reply.size() <= protocol::kHeaderSize) return 0;
    const auto error = protocol::parse_err(reply.subspan(protocol::kHeaderSize));
    return error ? number_in(error->message) : 0;
}

}  // namespace

net::Task<bool> ClientSession::kill_other(std::uint64_t victim, bool query_only) {
    ClientSession* other = core_.client(static_cast<std::uint32_t>(victim));
    if (other == nullptr) co_return co_await say(Error{1094, "HY000", "Unknown thread id: " + std::to_string(victim)});
    if (other->user_ != user_)
        co_return co_await say(Error{1095, "HY000", "You are not owner of thread " + std::to_string(victim)});
    if (other == this) {
        if (query_only) co_return co_await say(Error{1317, "70100", "Query execution was interrupted"});
        end_ = ClientEnd::killed;
        co_await say(Error{1317, "70100", "Query execution was interrupted"});
        co_return false;
    }
    co_await other->kill(query_only);
    co_return co_await say_ok();
}

net::Task<void> ClientSession::kill(bool query_only) {
    if (!query_only) {
        killed_ = true;
        stream_->shut_down();  // its coroutine sees to the rest, a running statement included
        co_return;
    }
    if (waiting()) {
        core_.pool.cancel(*this, core_.loop.now());
        refused(Error{1317, "70100", "Query execution was interrupted"});
    } else if (lease_ != nullptr && busy_) {
        ++kills_under_way_;
        const std::uint32_t thread = lease_->thread_id();
        co_await core_.kill_query(thread, user_, credential_);
        if (--kills_under_way_ == 0) kills_done_.set();
    }
}

// KILL of what an expression says (@id, a subquery). The server works it out; where it comes to an id of the gate's,
// the server knows no such thread, and names it.
net::Task<bool> ClientSession::kill_by_value(sql::Facts facts, std::size_t packet_size) {
    const std::string_view text = protocol::as_text(in_.filled().first(packet_size)).substr(protocol::kHeaderSize + 1);
    if (facts.asks.has(sql::Ask::connection_id)) facts.pins.add(sql::Pin::asked);
    judge_calls(facts, text, session_.state()->schema);
    session_.before(facts, text);
    command_in_hand_ = packet_size;
    const Ready ready = co_await get_ready(facts);
    if (ready != Ready::yes) co_return co_await decline(ready, packet_size, false);
    std::vector<std::byte> reply;
    const bool there = co_await run_and_keep(facts, packet_size, reply);
    if (!there) co_return false;
    const std::uint64_t victim = unknown_thread(walker_.outcome(), reply);
    if (facts.lifted.any() || wish_.any()) judge_again(facts);
    Unsettled what;
    bool alive = settle_at_once(protocol::ReplyShape::result, facts, what);
    if (!alive) alive = co_await settle(facts, what);
    in_.consume(std::exchange(command_in_hand_, 0));
    if (!alive) co_return false;
    if (!core_.is_own_id(victim)) co_return co_await send(std::move(reply));
    if (core_.client(static_cast<std::uint32_t>(victim)) != nullptr) {
        session_.results().killed();
        note_answer();
    }
    co_return co_await kill_other(victim, facts.kill_query);
}

}  // namespace tidegate::proxy
