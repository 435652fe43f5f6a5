// The names of the authentication plug-ins, and what a nonce is.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "protocol/wire.h"

namespace tidegate::protocol::auth {

inline constexpr std::string_view native_plugin = "mysql_native_password";
inline constexpr std::string_view caching_sha2_plugin = "caching_sha2_password";
inline constexpr std::string_view sha256_plugin = "sha256_password";
inline constexpr std::string_view ed25519_plugin = "client_ed25519";
inline constexpr std::string_view clear_plugin = "mysql_clear_password";
inline constexpr std::string_view parsec_plugin = "parsec";

// The server's random bytes in the greeting or in an auth switch request. Without zero bytes: some clients read
// it as a C string.
using Nonce = std::array<std::byte, 20>;

// The nonce of a packet, less the zero byte that servers put behind it.
[[nodiscard]] Bytes trim_nonce(Bytes data, std::size_t size = std::tuple_size_v<Nonce>);

}  // namespace tidegate::protocol::auth
