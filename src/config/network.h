// A range of IP addresses ("10.0.0.0/8", "2001:db8::/32", or one address), and whether an address is in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tidegate::config {

class Network {
public:
    [[nodiscard]] static std::optional<Network> parse(std::string_view text);
    // A numeric address. An IPv4 address in IPv6 clothes (::ffff:10.0.0.1) is the IPv4 address.
    [[nodiscard]] bool contains(std::string_view address) const;

private:
    struct Ip {
        std::array<std::uint8_t, 16> bytes{};
        unsigned bits = 0;  // 32 or 128
    };
    [[nodiscard]] static std::optional<Ip> parse_ip(std::string_view text);

    Ip base_;
    unsigned prefix_ = 0;
};

}  // namespace tidegate::config
