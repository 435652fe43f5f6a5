// The walk over a reply, on any bytes and in any pieces: how a reply was cut on its way must not show, a client that
// has everything gets the bytes as they came, and whoever gets others gets packets numbered without a gap. An input is:
// shape, what was negotiated, a seed for the pieces, then the reply.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "protocol/recorded_replies.h"
#include "protocol/reply_testing.h"
#include "protocol/testing.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace tidegate::protocol;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kHead = 3;
constexpr std::array kShapes = {ReplyShape::ok,   ReplyShape::result,     ReplyShape::prepare,
                                ReplyShape::rows, ReplyShape::field_list, ReplyShape::text};

void check(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "not true: %s\n", what);
    std::abort();
}

ReplyWalker::Conversion negotiated(std::uint8_t bits) {
    ReplyWalker::Conversion c;
    c.server_deprecate_eof = (bits & 1) == 0;
    c.server_session_track = (bits & 2) == 0;
    c.client_deprecate_eof = c.server_deprecate_eof && (bits & 4) == 0;
    c.client_session_track = (bits & 8) == 0;
    c.client_local_files = (bits & 16) == 0;
    return c;
}

// Whether whole packets follow each other, from 1 on, each with the next number.
bool numbered(Bytes in) {
    for (std::uint8_t next = 1; !in.empty(); ++next) {
        if (in.size() < kHeaderSize) return false;
        const Header header = read_header(in);
        if (header.sequence != next || in.size() < kHeaderSize + header.length) return false;
        in = in.subspan(kHeaderSize + header.length);
    }
    return true;
}

}  // namespace

// One input in eight begins anew with a reply that a server has sent.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    if (seed % 8 == 0 && max_size > 1024) {
        const recorded::Reply& reply = recorded::kReplies[seed / 8 % recorded::kReplies.size()];
        const bool legacy = seed / 1024 % 4 == 0;
        const auto bytes = hex(legacy ? reply.legacy : reply.modern);
        if (kHead + bytes.size() <= max_size) {
            data[0] = static_cast<std::uint8_t>(std::ranges::find(kShapes, reply.shape) - kShapes.begin());
            data[1] = static_cast<std::uint8_t>((seed / 4096 & 0xFE) | (legacy ? 1 : 0));
            std::ranges::transform(bytes, data + kHead, [](std::byte b) { return static_cast<std::uint8_t>(b); });
            size = kHead + bytes.size();
        }
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < kHead) return 0;
    const ReplyShape shape = kShapes[data[0] % kShapes.size()];
    const ReplyWalker::Conversion conversion = negotiated(data[1]);
    const std::string_view declines = (data[1] & 32) != 0 ? "character_set_client test 1" : "";
    const Bytes in = std::as_bytes(std::span(data, size)).subspan(kHead);
    const std::vector<std::byte> reply(in.begin(), in.end());

    const Walked whole = walk(reply, shape, conversion, [&] { return reply.size(); }, declines);
    check(whole.wrong.empty(), "the header's promises are kept");
    std::minstd_rand random(data[2]);
    const Walked pieces = walk(reply, shape, conversion, [&] { return 1 + random() % 23; }, declines);
    check(pieces.wrong.empty(), "the header's promises are kept, in pieces");
    check(pieces.last == whole.last && pieces.consumed == whole.consumed, "pieces come as far");
    check(pieces.to_client == whole.to_client, "pieces give the same bytes");
    check(pieces.trackers == whole.trackers, "pieces show the same trackers");
    check(pieces.outcome == whole.outcome, "pieces have the same outcome");

    const Bytes taken = Bytes(reply).first(whole.consumed);
    const bool nothing_to_change = conversion.client_deprecate_eof == conversion.server_deprecate_eof &&
                                   conversion.client_session_track && conversion.client_local_files && declines.empty();
    if (nothing_to_change) check(std::ranges::equal(whole.to_client, taken), "nothing was changed");
    if (whole.last == ReplyWalker::Event::done && whole.infile_sequences.empty() && numbered(taken)) {
        check(numbered(whole.to_client), "the client's packets are numbered without a gap");
    }
    return 0;
}
