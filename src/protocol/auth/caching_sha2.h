// caching_sha2_password, the default of MySQL 8 and later. The fast path answers a nonce with
// SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce); when the server does not know the password yet it asks
// for the password itself ("full authentication"): over TLS as it is with a zero byte, else encrypted (rsa.h).
#pragma once

#include "base/secret.h"
#include "protocol/auth/digest.h"
#include "protocol/auth/plugins.h"

namespace tidegate::protocol::auth {

// The first byte of a packet that a plug-in sends in between, and what caching_sha2_password says with the second.
inline constexpr std::byte more_data{0x01};
inline constexpr std::byte sha2_fast_ok{0x03};
inline constexpr std::byte sha2_full_authentication{0x04};
// What a client sends for the server's public key; sha256_password, its forerunner, has another number for it.
inline constexpr std::byte sha2_request_key{0x02};
inline constexpr std::byte sha256_request_key{0x01};

// SHA256(SHA256(password)): enough to verify an answer, not to give one.
using Sha2Verifier = Sha256;

[[nodiscard]] Sha2Verifier sha2_verifier(const Secret& password);
[[nodiscard]] Sha256 sha2_response(const Secret& password, Bytes nonce);
[[nodiscard]] bool sha2_verify(Bytes response, Bytes nonce, const Sha2Verifier& verifier);

}  // namespace tidegate::protocol::auth
