#include "watch/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace tidegate::watch {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::uint8_t kLoopbackNetwork = 127;

}  // namespace

Ip Ip::v4(std::span<const std::uint8_t, 4> bytes) {
    Ip ip;
    std::ranges::copy(kMapped, ip.bytes.begin());
    std::ranges::copy(bytes, ip.bytes.begin() + kMapped.size());
    return ip;
}

Ip Ip::v6(std::span<const std::uint8_t, 16> bytes) {
    Ip ip;
    std::ranges::copy(bytes, ip.bytes.begin());
    return ip;
}

std::optional<Ip> Ip::parse(const std::string& text) {
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return v4(std::span(bytes).first<4>());
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return v6(bytes);
    return std::nullopt;
}

bool Ip::is_v4() const {
    return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

bool Ip::is_any() const {
    const auto from = is_v4() ? bytes.begin() + kMapped.size() : bytes.begin();
    return std::all_of(from, bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool Ip::is_loopback() const {
    if (is_v4()) return bytes[kMapped.size()] == kLoopbackNetwork;
    return std::memcmp(bytes.data(), in6addr_loopback.s6_addr, bytes.size()) == 0;
}

std::string Ip::text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4()) {
        inet_ntop(AF_INET, bytes.data() + kMapped.size(), text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    }
    return text.data();
}

}  // namespace tidegate::watch
