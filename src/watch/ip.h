// An IP address, of version 4 or 6 alike: an IPv4 address is kept as the IPv6 address that it is mapped to, so that a
// client that says ::ffff:127.0.0.1 and one that says 127.0.0.1 are seen to mean the same. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tidegate::watch {

struct Ip {
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] static Ip v4(std::span<const std::uint8_t, 4> bytes);
    [[nodiscard]] static Ip v6(std::span<const std::uint8_t, 16> bytes);
    [[nodiscard]] static std::optional<Ip> parse(const std::string& text);  // numeric only

    [[nodiscard]] bool is_v4() const;
    [[nodiscard]] bool is_any() const;       // 0.0.0.0, ::
    [[nodiscard]] bool is_loopback() const;  // 127.0.0.0/8, ::1
    [[nodiscard]] std::string text() const;  // "127.0.0.1", "::1"
    friend bool operator==(const Ip&, const Ip&) = default;
};

}  // namespace tidegate::watch
