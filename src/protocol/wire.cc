#include "protocol/wire.h"

#include <cassert>

#include "protocol/frame.h"

namespace tidegate::protocol {

void Writer::lenenc(std::uint64_t v) {
    switch (lenenc_size(v)) {
        case 1:
            u8(static_cast<std::uint8_t>(v));
            break;
        case 3:
            u8(0xFC);
            u16(static_cast<std::uint16_t>(v));
            break;
        case 4:
            u8(0xFD);
            u24(static_cast<std::uint32_t>(v));
            break;
        default:
            u8(0xFE);
            u64(v);
    }
}

std::size_t Writer::begin_packet(std::uint8_t sequence) {
    const std::size_t begin = out_.size();
    u24(0);
    u8(sequence);
    return begin;
}

void Writer::end_packet(std::size_t begin) {
    const std::size_t length = out_.size() - begin - kHeaderSize;
    assert(length < kMaxPayload);
    const auto sequence = static_cast<std::uint8_t>(out_[begin + 3]);
    write_header(std::span(out_).subspan(begin, kHeaderSize),
                 {.length = static_cast<std::uint32_t>(length), .sequence = sequence});
}

}  // namespace tidegate::protocol
