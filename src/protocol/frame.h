// Packet framing: a header of three bytes of length and one of sequence, then the payload. A payload of exactly
// 0xFFFFFF bytes is continued by the next packet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/wire.h"

namespace tidegate::protocol {

inline constexpr std::size_t kHeaderSize = 4;
inline constexpr std::uint32_t kMaxPayload = 0xFF'FFFF;

struct Header {
    std::uint32_t length = 0;  // of the payload
    std::uint8_t sequence = 0;

    [[nodiscard]] bool continues() const { return length == kMaxPayload; }
};

// REQUIRES: at least kHeaderSize bytes.
[[nodiscard]] inline Header read_header(Bytes in) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(in[i]); };
    return {.length = at(0) | at(1) << 8 | at(2) << 16, .sequence = static_cast<std::uint8_t>(in[3])};
}

inline void write_header(MutableBytes out, Header h) {
    out[0] = static_cast<std::byte>(h.length & 0xFF);
    out[1] = static_cast<std::byte>(h.length >> 8 & 0xFF);
    out[2] = static_cast<std::byte>(h.length >> 16 & 0xFF);
    out[3] = static_cast<std::byte>(h.sequence);
}

}  // namespace tidegate::protocol
