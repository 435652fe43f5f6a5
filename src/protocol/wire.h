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

[[nodiscard]] inline std::string_view as_text(Bytes b) {
    return {reinterpret_cast<const char*>(b.data()), b.size()};
}
[[nodiscard]] inline Bytes as_bytes(std::string_view s) {
    return std::as_bytes(std::span(s.data(), s.size()));
}

class Reader {
public:
    explicit Reader(Bytes in) : in_(in) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return in_.size(); }

    std::uint8_t u8() { return static_cast<std::uint8_t>(fixed<1>()); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(fixed<2>()); }
    std::uint32_t u24() { return static_cast<std::uint32_t>(fixed<3>()); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(fixed<4>()); }
    std::uint64_t u64() { return fixed<8>(); }
    std::uint64_t lenenc();  // 0xFB (NULL) and 0xFF are failures
    Bytes bytes(std::size_t n);
    Bytes lenenc_bytes() {
        const std::uint64_t n = lenenc();
        return n <= in_.size() ? bytes(static_cast<std::size_t>(n)) : fail();
    }
    std::string_view lenenc_text() { return as_text(lenenc_bytes()); }
    std::string_view null_terminated();  // fails where no zero byte follows
    std::string_view rest() { return as_text(bytes(in_.size())); }
    void skip(std::size_t n) { (void)bytes(n); }
    Bytes fail() {  // from here on it gives zeros and empty spans
        ok_ = false;
        in_ = {};
        return {};
    }

private:
    template <std::size_t N>
    std::uint64_t fixed() {
        if (in_.size() < N) {
            (void)fail();
            return 0;
        }
        std::uint64_t v = 0;
        for (std::size_t i = 0; i < N; ++i) v |= static_cast<std::uint64_t>(in_[i]) << (8 * i);
        in_ = in_.subspan(N);
        return v;
    }

    Bytes in_;
    bool ok_ = true;
};

inline Bytes Reader::bytes(std::size_t n) {
    if (n > in_.size()) return fail();
    const Bytes out = in_.first(n);
    in_ = in_.subspan(n);
    return out;
}

inline std::uint64_t Reader::lenenc() {
    const std::uint8_t first = u8();
    if (first < 0xFB) return first;
    if (first == 0xFC) return u16();
    if (first == 0xFD) return u24();
    if (first == 0xFE) return u64();
    (void)fail();
    return 0;
}

inline std::string_view Reader::null_terminated() {
    const std::string_view all = as_text(in_);
    const std::size_t n = all.find('\0');
    if (n == std::string_view::npos) {
        (void)fail();
        return {};
    }
    in_ = in_.subspan(n + 1);
    return all.substr(0, n);
}

// How many bytes Writer::lenenc() takes for a value.
[[nodiscard]] constexpr std::size_t lenenc_size(std::uint64_t v) {
    return v < 0xFB ? 1 : v <= 0xFFFF ? 3 : v <= 0xFF'FFFF ? 4 : 9;
}

// Appends to a buffer that it does not own.
class Writer {
public:
    explicit Writer(std::vector<std::byte>& out) : out_(out) {}

    void u8(std::uint8_t v) { out_.push_back(static_cast<std::byte>(v)); }
    void u16(std::uint16_t v) { fixed<2>(v); }
    void u24(std::uint32_t v) { fixed<3>(v); }
    void u32(std::uint32_t v) { fixed<4>(v); }
    void u64(std::uint64_t v) { fixed<8>(v); }
    void lenenc(std::uint64_t v);
    void bytes(Bytes b) { out_.insert(out_.end(), b.begin(), b.end()); }
    void text(std::string_view s) { bytes(as_bytes(s)); }
    void lenenc_text(std::string_view s) {
        lenenc(s.size());
        text(s);
    }
    void null_terminated(std::string_view s) {
        text(s);
        u8(0);
    }
    void zeros(std::size_t n) { out_.resize(out_.size() + n); }

    // A packet: begin_packet(), its payload, then end_packet() with what begin gave. REQUIRES: payload < 16 MB - 1.
    [[nodiscard]] std::size_t begin_packet(std::uint8_t sequence);
    void end_packet(std::size_t begin);

private:
    template <std::size_t N>
    void fixed(std::uint64_t v) {
        for (std::size_t i = 0; i < N; ++i) u8(static_cast<std::uint8_t>(v >> (8 * i)));
    }

    std::vector<std::byte>& out_;
};

}  // namespace tidegate::protocol
