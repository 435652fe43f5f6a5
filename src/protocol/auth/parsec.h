// parsec, MariaDB 11.6 and later, in the client's role. The server sends a scramble of 32 bytes; the client asks for
// the account's salt with an empty packet, derives an Ed25519 seed with PBKDF2-HMAC-SHA512, and signs the server's
// scramble with one of its own.
#pragma once

#include <array>
#include <cstddef>

#include "base/error.h"
#include "base/secret.h"
#include "protocol/wire.h"

namespace tidegate::protocol::auth {

inline constexpr std::size_t parsec_scramble_size = 32;
using ParsecScramble = std::array<std::byte, parsec_scramble_size>;
using ParsecResponse = std::array<std::byte, parsec_scramble_size + 64>;  // our scramble, then the signature

// `salt` is the server's second packet: 'P', the exponent of the iterations less 10, the salt. The exponent is bounded,
// since the server chooses how long we work. `own_scramble` is 32 random bytes.
[[nodiscard]] Result<ParsecResponse> parsec_response(const Secret& password, Bytes server_scramble, Bytes salt,
                                                     const ParsecScramble& own_scramble);

}  // namespace tidegate::protocol::auth
