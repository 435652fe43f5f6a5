// ClientSession: what pins it, by which statement and since when, for those who ask why a connection is not shared.
// Nothing of this is on the way of a statement that brings no pin.
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "protocol/frame.h"
#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/core.h"
#include "sql/digest.h"

namespace tidegate::proxy {

namespace {
constexpr std::size_t kBeginning = 2048;  // of a large text: enough to tell what it is
}

// The pins have changed, or may have: the statement under way is the cause of the new ones.
void ClientSession::note_pins(sql::Kind kind) {
    const sql::Pins before = pin_causes_.known();
    const sql::Pins pins = pins_now();
    if (pins == before) return;
    core_.count_pins(before, pins);
    sql::Pins added = pins;
    added.remove(before);
    pin_causes_.follow(pins, added.any() ? statement_under_way(kind) : std::string(), core_.loop.now(), core_.pins);
}

// Of a text that no buffer holds. False: the client's end.
net::Task<bool> ClientSession::keep_beginning() {
    const bool enough = co_await in_hand(kBeginning);
    if (!enough) co_return false;
    const std::string_view text = protocol::as_text(in_.filled()).substr(protocol::kHeaderSize + 1);
    beginning_ = std::make_unique<std::string>(text.substr(0, kBeginning));
    co_return true;
}

// Without its literals. Where its text has passed by already, only what it was.
std::string ClientSession::statement_under_way(sql::Kind kind) const {
    std::string text;
    if (beginning_) {
        text = sql::digest(*beginning_, session_.mode(), true);
    } else if (running_.text || running_.statement != nullptr) {
        text = sql::digest(running_.text ? running_.text->text : running_.statement->text->text, session_.mode());
    } else if (command_in_hand_ > protocol::kHeaderSize) {
        const std::span<const std::byte> command = in_.filled().first(command_in_hand_).subspan(protocol::kHeaderSize);
        if (static_cast<protocol::Command>(command.front()) == protocol::Command::query)
            text = sql::digest(protocol::as_text(command.subspan(1)), session_.mode());
    }
    if (text.empty() && kind != sql::Kind::unknown) text = fmt::format("({})", sql::name(kind));
    return text;
}

void ClientSession::check_pins(TimePoint now) {
    if (pins_now() != pin_causes_.known() && !busy_) note_pins();
    const Duration longest = core_.config.pool.pin_warning;
    if (longest <= Duration::zero()) return;
    for (session::PinCause& each : pin_causes_.all()) {
        if (each.warned || now - each.since < longest) continue;
        each.warned = true;
        log::warn(
            "Client {} ({}@{}, {}) has kept server connection {} to itself for {:.0f} s, pinned by {}: {} ([pool] "
            "pin_warning). "
            "{}",
            id_, user_, peer().is_unix() ? "localhost" : peer().text(), program_.empty() ? "no program name" : program_,
            lease_ != nullptr ? lease_->thread_id() : 0, seconds(now - each.since), sql::name(each.pin),
            each.statement.empty() ? "(its statement is not known)" : each.statement, sql::describe(each.pin));
    }
}

}  // namespace tidegate::proxy
