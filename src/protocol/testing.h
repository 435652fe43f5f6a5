// Helpers of this folder's tests: bytes from the hex dump that a protocol page or a recording gives.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tidegate::protocol {

// Two hex digits a byte; everything else between them is passed over.
[[nodiscard]] inline std::vector<std::byte> hex(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
    std::vector<std::byte> out;
    int high = -1;
    for (const char c : text) {
        const int d = digit(c);
        if (d < 0) continue;
        if (high < 0) {
            high = d;
        } else {
            out.push_back(static_cast<std::byte>(high << 4 | d));
            high = -1;
        }
    }
    return out;
}

}  // namespace tidegate::protocol
