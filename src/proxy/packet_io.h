// One packet at a time, for the connection phase on either side, where packets are small and few.
#pragma once

#include <cstdint>
#include <vector>

#include "net/stream.h"
#include "protocol/frame.h"

namespace tidegate::proxy {

// Reads one packet's payload of at most `limit` bytes; false where the peer is gone or the packet is longer (then
// `payload` is what should have been its header). Reads no byte beyond it, since TLS may begin behind it.
net::Task<bool> read_packet(net::Stream& stream, std::vector<std::byte>& payload, std::uint8_t& sequence,
                            std::size_t limit = 64 * 1024);
net::Task<bool> write_packet(net::Stream& stream, protocol::Bytes payload, std::uint8_t sequence);

// Bytes from the system's generator of random numbers.
void fill_random(std::span<std::byte> bytes);
// Without zero bytes, as some clients want it.
void fill_nonce(std::span<std::byte> nonce);

}  // namespace tidegate::proxy
