#include "config/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "config/values.h"

namespace tidegate::config {

std::optional<Network::Ip> Network::parse_ip(std::string_view text) {
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const std::string name(text);
    Ip ip;
    if (inet_pton(AF_INET, name.c_str(), ip.bytes.data()) == 1) {
        ip.bits = 32;
        return ip;
    }
    if (inet_pton(AF_INET6, name.c_str(), ip.bytes.data()) != 1) return std::nullopt;
    ip.bits = 128;
    if (std::equal(kMapped.begin(), kMapped.end(), ip.bytes.begin())) {
        std::copy(ip.bytes.begin() + 12, ip.bytes.end(), ip.bytes.begin());
        ip.bits = 32;
    }
    return ip;
}

std::optional<Network> Network::parse(std::string_view text) {
    Network network;
    const auto slash = text.find('/');
    const auto ip = parse_ip(text.substr(0, slash));
    if (!ip) return std::nullopt;
    network.base_ = *ip;
    network.prefix_ = ip->bits;
    if (slash != std::string_view::npos) {
        const auto prefix = parse_unsigned(text.substr(slash + 1));
        if (!prefix || *prefix > ip->bits) return std::nullopt;
        network.prefix_ = *prefix;
    }
    return network;
}

bool Network::contains(std::string_view address) const {
    const auto ip = parse_ip(address);
    if (!ip || ip->bits != base_.bits) return false;
    const std::size_t whole = prefix_ / 8;
    if (!std::equal(ip->bytes.begin(), ip->bytes.begin() + static_cast<std::ptrdiff_t>(whole), base_.bytes.begin())) {
        return false;
    }
    const unsigned rest = prefix_ % 8;
    if (rest == 0) return true;
    return ((ip->bytes[whole] ^ base_.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace tidegate::config
