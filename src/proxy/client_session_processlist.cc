// ClientSession: SHOW [FULL] PROCESSLIST. The server answers it, and what rows there are is its decision; before the
// statements of the gate's own connections stands who has them. Nothing is said that the server would not say of a
// client that had come to it directly: whose account it is and from where. The program's name is its own account's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "protocol/processlist.h"
#include "proxy/client_session.h"
#include "proxy/core.h"

namespace tidegate::proxy {

namespace {

constexpr std::size_t kMostCollected = 4U << 20U;  // of a reply; one that is larger is passed on as it is

// What others have chosen, within a comment.
std::string plain(std::string_view text) {
    constexpr std::size_t kMost = 80;
    std::string shown(text.substr(0, kMost));
    std::ranges::replace_if(shown, [](char c) { return c < 0x20 || c > 0x7E || c == '*'; }, '?');
    return shown;
}

std::string note_on_client(const ClientSession& client, std::string_view user, std::string_view asking) {
    if (client.user() != user) return {};
    const std::string address = client.peer().is_unix() ? "localhost" : client.peer().text();
    const bool own = user == asking && !client.program().empty();
    return fmt::format("/* tidegate: client {} {}@{}{}{} */", client.id(), plain(user), plain(address), own ? " " : "",
                       own ? plain(client.program()) : "");
}

}  // namespace

net::Task<bool> ClientSession::show_processes(sql::Facts facts, std::size_t packet_size) {
    session_.before(facts, protocol::as_text(in_.filled().first(packet_size)).substr(protocol::kHeaderSize + 1));
    command_in_hand_ = packet_size;
    const Ready ready = co_await get_ready(facts);
    if (ready != Ready::yes) co_return co_await decline(ready, packet_size, false);
    const Holders before = core_.holders();
    std::vector<std::byte> reply;
    const bool there = co_await run_and_keep(facts, packet_size, reply);
    if (!there) co_return false;

    // A connection that has changed hands while the server answered is nobody's: the row may be of the one or the
    // other.
    const Holders after = core_.holders();
    const auto note = [&](std::uint64_t id, std::string_view user) -> std::string {
        const auto then = before.find(id);
        const auto now = after.find(id);
        if (then == before.end() || now == after.end() || then->second != now->second) return {};
        if (now->second.who == Holder::Who::nobody) return "/* tidegate: idle, for whoever comes next */";
        if (now->second.who == Holder::Who::gate) return "/* tidegate: the gate's own */";
        const ClientSession* const client = core_.client(now->second.client);
        return client == nullptr ? std::string() : note_on_client(*client, user, user_);
    };
    if (takes_ascii()) {
        const bool deprecate_eof = (capabilities_ & protocol::capability::deprecate_eof) != 0;
        reply = protocol::with_process_notes(reply, deprecate_eof, note);
    }
    Unsettled what;
    bool alive = settle_at_once(protocol::ReplyShape::result, facts, what);
    if (!alive) alive = co_await settle(facts, what);
    in_.consume(std::exchange(command_in_hand_, 0));
    if (!alive) co_return false;
    co_return co_await send(std::move(reply));
}

// Whether what the client gets is in a character set of which ASCII is a part.
bool ClientSession::takes_ascii() const {
    constexpr std::array<std::string_view, 4> kOthers{"ucs2", "utf16", "utf16le", "utf32"};
    return std::ranges::none_of(session_.state()->variables, [&](const session::Variable& each) {
        return each.name == "character_set_results" && std::ranges::find(kOthers, each.value) != kOthers.end();
    });
}

// A command whose reply the gate looks at before it is sent: it comes to `reply`; what has become too large to be kept
// is with the client. With a lease that fits. False: the client's end.
net::Task<bool> ClientSession::run_and_keep(sql::Facts& facts, std::size_t packet_size, std::vector<std::byte>& reply) {
    begin_reply(protocol::ReplyShape::result);
    collected_ = &reply;
    Relayed relayed = co_await send_command(packet_size, false, facts);
    if (relayed == Relayed::done) relayed = co_await relay_reply();
    collected_ = nullptr;
    if (relayed == Relayed::client_gone) {
        abandon_lease();
        co_return false;
    }
    if (relayed == Relayed::done) co_return true;
    co_return co_await lost_server(false);
}

// False: it has become too large to be kept.
bool ClientSession::collect(std::span<const iovec> parts) {
    std::size_t size = collected_->size();
    for (const iovec& part : parts) size += part.iov_len;
    if (size > kMostCollected) return false;
    for (const iovec& part : parts) {
        const auto* const bytes = static_cast<const std::byte*>(part.iov_base);
        collected_->insert(collected_->end(), bytes, bytes + part.iov_len);
    }
    return true;
}

}  // namespace tidegate::proxy
