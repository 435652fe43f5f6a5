// Password hashes as users have them in mysql.user, and checking a password against one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/secret.h"
#include "protocol/auth/ed25519.h"
#include "protocol/auth/native.h"

namespace tidegate::protocol::auth {

// caching_sha2_password's stored form: $A$005$, 20 bytes of salt, 43 characters of SHA-crypt.
struct ShaCryptHash {
    std::uint32_t rounds = 5000;
    std::string salt;
    std::string digest;

    friend bool operator==(const ShaCryptHash&, const ShaCryptHash&) = default;
};

using PasswordHash = std::variant<NativeStage2, Ed25519Key, ShaCryptHash>;

// Takes *40HEX (native), 43 characters of base64 (ed25519) and $A$rounds$salt+digest (caching_sha2_password).
[[nodiscard]] Result<PasswordHash> parse_password_hash(std::string_view text);

// Whether the hash is this password's. SHA-crypt takes milliseconds, on purpose.
[[nodiscard]] bool matches(const PasswordHash& hash, const Secret& password);

// SHA-256-crypt as in "Unix crypt with SHA-256": 43 characters.
[[nodiscard]] std::string sha256_crypt(const Secret& password, std::string_view salt, std::uint32_t rounds);

}  // namespace tidegate::protocol::auth
