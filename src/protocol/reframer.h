// Packets for a payload that gets longer on its way: how much of it goes under which header. A payload's length is
// known only packet by packet (each of 0xFFFFFF bytes is continued by the next), so a header can be written as soon as
// enough packets were announced. Pure.
//
// Use: announce() for each packet of the payload, as its header is seen; then, while ready(): where room() is 0, write
// open()'s header first; write at most room() bytes and say so with sent().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "protocol/frame.h"

namespace tidegate::protocol {

class Reframer {
public:
    // So many bytes come under the next of the old headers, or in addition to them. `last`: no packet continues this.
    void announce(std::size_t bytes, bool last) {
        announced_ += bytes;
        last_ = last_ || last;
    }
    // Bytes can go out; otherwise another packet has to be announced first.
    [[nodiscard]] bool ready() const { return room_ > 0 || last_ || announced_ >= kMaxPayload; }
    [[nodiscard]] std::size_t room() const { return room_; }
    // The last header was given, and what belongs under it was sent.
    [[nodiscard]] bool done() const { return ended_ && room_ == 0; }

    // REQUIRES: ready(), room() is 0, not done().
    [[nodiscard]] Header open() {
        room_ = std::min<std::size_t>(announced_, kMaxPayload);
        announced_ -= room_;
        ended_ = room_ < kMaxPayload;
        return {.length = static_cast<std::uint32_t>(room_), .sequence = sequence_++};
    }
    void sent(std::size_t bytes) { room_ -= bytes; }  // REQUIRES: at most room()

private:
    std::size_t announced_ = 0;  // and not yet under a header
    std::size_t room_ = 0;       // under the last one
    std::uint8_t sequence_ = 0;
    bool last_ = false;
    bool ended_ = false;
};

}  // namespace tidegate::protocol
