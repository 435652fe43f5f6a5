// The slots' socket, from both ends: any line to the gate, any answer and any list from it. What is understood means
// the same when it is written down and read again; what is not gets an error of one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "slots/claim.h"
#include "slots/line_protocol.h"
#include "slots/place.h"
#include "slots/text.h"

namespace {

using namespace tidegate;
using namespace tidegate::slots;

const TimePoint kNow{std::chrono::hours(1000)};

void check(bool held) {
    if (!held) std::abort();
}

void read_line(std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
        check(line.error().message.starts_with("usage ") && !line.error().message.contains('\n'));
        return;
    }
    check(is_pool_name(line->pool) && line->priority >= kLeastPriority && line->priority <= kMostPriority);
    check(line->waited >= Duration::zero() && line->wait.value_or(Duration::zero()) >= Duration::zero());
    const std::string written = acquire_line(*line);
    check(written.find('\n') == written.size() - 1);
    const auto again = parse_line(std::string_view(written).substr(0, written.size() - 1));
    if (written.size() > kLongestLine) return;  // what was left out before is written out
    check(again && acquire_line(*again) == written);
    check(again->pool == line->pool && again->priority == line->priority && again->lock == line->lock &&
          again->resume == line->resume && again->command == line->command &&
          again->wait.has_value() == line->wait.has_value());
}

void read_reply(std::string_view text) {
    const auto reply = parse_reply(text);
    if (!reply) return;
    check(reply->text == text && !(reply->ok && reply->timed_out) && reply->waited >= Duration::zero());
    const std::string written = ok_line(reply->slot, reply->waited);
    const auto again = parse_reply(std::string_view(written).substr(0, written.size() - 1));
    check(again && again->ok && again->slot == reply->slot);
}

std::string write(const std::vector<Listed>& pools) {
    std::string text;
    for (const Listed& pool : pools) text += list_lines(pool.name, pool.ledger, kNow);
    return text + "END\n";
}

void read_list(std::string_view text) {
    const auto pools = parse_list(text, kNow);
    if (!pools) return;
    for (const Listed& pool : *pools) {
        check(pool.ledger.size() >= 1 && !figures(pool.ledger).empty());
        if (const auto next = pool.ledger.next()) check(next->slot < pool.ledger.size());
    }
    const std::string written = write(*pools);
    const auto again = parse_list(written, kNow);
    check(again && write(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_line(text.substr(0, text.find('\n')));
    read_reply(text.substr(0, text.find('\n')));
    read_list(text);
    return 0;
}
