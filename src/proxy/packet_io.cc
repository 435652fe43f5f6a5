#include "proxy/packet_io.h"

#include <openssl/rand.h>

#include <array>
#include <cstdlib>

namespace tidegate::proxy {
namespace {

net::Task<bool> read_exactly(net::Stream& stream, std::span<std::byte> into) {
    while (!into.empty()) {
        const net::IoResult got = co_await stream.read(into);
        if (got.status != net::IoStatus::ok) co_return false;
        into = into.subspan(got.bytes);
    }
    co_return true;
}

}  // namespace

net::Task<bool> read_packet(net::Stream& stream, std::vector<std::byte>& payload, std::uint8_t& sequence,
                            std::size_t limit) {
    std::array<std::byte, protocol::kHeaderSize> bytes;
    const bool has_header = co_await read_exactly(stream, bytes);
    if (!has_header) co_return false;
    const protocol::Header header = protocol::read_header(bytes);
    if (header.length > limit) {
        payload.assign(bytes.begin(), bytes.end());
        co_return false;
    }
    sequence = header.sequence;
    payload.resize(header.length);
    co_return co_await read_exactly(stream, payload);
}

net::Task<bool> write_packet(net::Stream& stream, protocol::Bytes payload, std::uint8_t sequence) {
    std::vector<std::byte> packet(protocol::kHeaderSize + payload.size());
    protocol::write_header(packet, {.length = static_cast<std::uint32_t>(payload.size()), .sequence = sequence});
    std::copy(payload.begin(), payload.end(), packet.begin() + protocol::kHeaderSize);
    co_return co_await stream.write_all(packet);
}

void fill_random(std::span<std::byte> bytes) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) std::abort();
}

void fill_nonce(std::span<std::byte> nonce) {
    fill_random(nonce);
    for (std::byte& each : nonce)
        each = (each & std::byte{0x7F}) == std::byte{0} ? std::byte{0x2A} : each & std::byte{0x7F};
    // '$' begins a field in some servers' own encoding of a scramble; they leave it out too.
    for (std::byte& each : nonce) each = each == std::byte{'$'} ? std::byte{'%'} : each;
}

}  // namespace tidegate::proxy
