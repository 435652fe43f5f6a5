// Reading and writing the protocol's integers and strings. Sizes are in bytes, integers little-endian.
// A Reader never reads past its span: after the first short read it is failed and gives zeros and empty spans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <vector>

namespace tidegate::protocol {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] inline std::string_view as_text(Bytes b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }
[[nodiscard]] inline Bytes as_bytes(std::string_view s) { return std::as_bytes(std::span(s.data(), s.size())); }

class Reader {
public:
    explicit Reader(Bytes in) : in_(in) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return in_.size(); }

    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u24();
    std::uint32_t u32();
    std::uint64_t u64();
    std::uint64_t lenenc();             // 0xFB (NULL) and 0xFF are failures
    Bytes bytes(std::size_t n);
    Bytes lenenc_bytes();
    std::string_view null_terminated();  // fails where no zero byte follows
    std::string_view rest();
    void skip(std::size_t n) { (void)bytes(n); }

private:
    template <std::size_t N>
    std::uint64_t fixed();

    Bytes in_;
    bool ok_ = true;
};

// Appends to a buffer that it does not own.
class Writer {
public:
    explicit Writer(std::vector<std::byte>& out) : out_(out) {}

    void u8(std::uint8_t v);
    void u16(std::uint16_t v);
    void u24(std::uint32_t v);
    void u32(std::uint32_t v);
    void u64(std::uint64_t v);
    void lenenc(std::uint64_t v);
    void bytes(Bytes b);
    void text(std::string_view s) { bytes(as_bytes(s)); }
    void lenenc_text(std::string_view s);
    void null_terminated(std::string_view s);
    void zeros(std::size_t n);

    // A packet: begin_packet(), its payload, then end_packet() with what begin gave. REQUIRES: payload < 16 MB - 1.
    [[nodiscard]] std::size_t begin_packet(std::uint8_t sequence);
    void end_packet(std::size_t begin);

private:
    std::vector<std::byte>& out_;
};

}  // namespace tidegate::protocol
