// client_ed25519, MariaDB's plug-in: an Ed25519 signature over a nonce of 32 bytes, whose key comes from SHA-512 of the
// password at its full length. The server keeps the public key, as 43 characters of base64 without padding.
#pragma once

#include <array>
#include <cstddef>

#include "base/secret.h"
#include "protocol/wire.h"

namespace tidegate::protocol::auth {

inline constexpr std::size_t ed25519_nonce_size = 32;
using Ed25519Key = std::array<std::byte, 32>;
using Ed25519Signature = std::array<std::byte, 64>;

[[nodiscard]] Ed25519Key ed25519_public_key(const Secret& password);
[[nodiscard]] Ed25519Signature ed25519_sign(const Secret& password, Bytes nonce);
[[nodiscard]] bool ed25519_verify(Bytes signature, Bytes nonce, const Ed25519Key& key);

}  // namespace tidegate::protocol::auth
