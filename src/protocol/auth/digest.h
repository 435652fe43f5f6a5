// SHA-1, SHA-256 and SHA-512 of a few pieces in a row, through OpenSSL. Every login needs several of these, so the
// algorithms are looked up once and a thread keeps its context.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

#include "protocol/wire.h"

namespace tidegate::protocol::auth {

using Sha1 = std::array<std::byte, 20>;
using Sha256 = std::array<std::byte, 32>;
using Sha512 = std::array<std::byte, 64>;

[[nodiscard]] Sha1 sha1(std::initializer_list<Bytes> pieces);
[[nodiscard]] Sha256 sha256(std::initializer_list<Bytes> pieces);
[[nodiscard]] Sha512 sha512(std::initializer_list<Bytes> pieces);

}  // namespace tidegate::protocol::auth
