// For the tests of this folder: bytes from hexadecimal digits, and the nonce that they share.
#pragma once

#include <charconv>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "protocol/auth/plugins.h"

namespace tidegate::protocol::auth::testing {

inline std::vector<std::byte> hex(std::string_view digits) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        unsigned char value = 0;
        std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
        out.push_back(std::byte{value});
    }
    return out;
}

inline std::vector<std::byte> vec(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

// `size` bytes that count up from `first`.
inline std::vector<std::byte> counting(std::size_t size, unsigned first) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < size; ++i) out.push_back(std::byte(static_cast<unsigned char>(first + i)));
    return out;
}

inline Nonce test_nonce() {
    Nonce nonce;
    for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = std::byte(static_cast<unsigned char>(i + 1));
    return nonce;
}

inline const Secret& test_password() {
    static const Secret password("tide & gate");
    return password;
}

}  // namespace tidegate::protocol::auth::testing
