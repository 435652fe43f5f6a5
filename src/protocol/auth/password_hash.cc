#include "protocol/auth/password_hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "protocol/auth/digest.h"

namespace tidegate::protocol::auth {
namespace {

constexpr std::string_view sha_crypt_mark = "$A$";
constexpr std::size_t sha_crypt_salt = 20;
constexpr std::size_t sha_crypt_digest = 43;
constexpr std::size_t sha_crypt_max_password = 256;  // the server's own bound; the work grows with its square
constexpr std::string_view crypt_alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        unsigned char value = 0;
        const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
        if (error != std::errc() || end != hex.data() + i + 2) return std::nullopt;
        out.push_back(static_cast<char>(value));
    }
    return out;
}

std::optional<PasswordHash> parse_native(std::string_view text) {
    if (text.size() != 41 || text[0] != '*') return std::nullopt;
    const auto decoded = from_hex(text.substr(1));
    if (!decoded) return std::nullopt;
    NativeStage2 stage2;
    std::ranges::copy(as_bytes(*decoded), stage2.begin());
    return stage2;
}

std::optional<PasswordHash> parse_ed25519(std::string_view text) {
    if (text.size() != 43) return std::nullopt;
    const std::string padded = std::string(text) + "=";
    std::array<unsigned char, 33> decoded;
    const auto* in = reinterpret_cast<const unsigned char*>(padded.data());
    if (EVP_DecodeBlock(decoded.data(), in, static_cast<int>(padded.size())) != 33) return std::nullopt;
    Ed25519Key key;
    std::ranges::copy(std::as_bytes(std::span(decoded)).first(key.size()), key.begin());
    return key;
}

std::optional<PasswordHash> parse_sha_crypt(std::string_view text) {
    constexpr std::size_t head = sha_crypt_mark.size() + 4;  // three digits and a dollar sign
    if (text.size() != head + sha_crypt_salt + sha_crypt_digest) return std::nullopt;
    if (!text.starts_with(sha_crypt_mark) || text[head - 1] != '$') return std::nullopt;
    std::uint32_t thousands = 0;
    const char* digits_end = text.data() + head - 1;
    const auto [end, error] = std::from_chars(text.data() + sha_crypt_mark.size(), digits_end, thousands, 16);
    if (error != std::errc() || end != digits_end || thousands == 0) return std::nullopt;
    return ShaCryptHash{.rounds = thousands * 1000,
                        .salt = std::string(text.substr(head, sha_crypt_salt)),
                        .digest = std::string(text.substr(head + sha_crypt_salt))};
}

// Appends `source`, again and again, up to `size` bytes.
void fill(std::vector<std::byte>& out, Bytes source, std::size_t size) {
    for (; size > source.size(); size -= source.size()) out.insert(out.end(), source.begin(), source.end());
    const Bytes tail = source.first(size);
    out.insert(out.end(), tail.begin(), tail.end());
}

Sha256 repeated(Bytes source, std::size_t times) {
    std::vector<std::byte> all;
    fill(all, source, source.size() * times);
    const Sha256 digest = sha256({all});
    wipe(all);
    return digest;
}

// The first digest of SHA-crypt, from which the rounds start.
Sha256 sha_crypt_start(Bytes password, Bytes salt) {
    const Sha256 alternate = sha256({password, salt, password});
    std::vector<std::byte> input(password.begin(), password.end());
    input.insert(input.end(), salt.begin(), salt.end());
    fill(input, alternate, password.size());
    for (std::size_t bits = password.size(); bits != 0; bits >>= 1) {
        const Bytes piece = (bits & 1) != 0 ? Bytes(alternate) : password;
        input.insert(input.end(), piece.begin(), piece.end());
    }
    const Sha256 digest = sha256({input});
    wipe(input);
    return digest;
}

// Six bits a character, bytes in SHA-crypt's own order.
std::string sha_crypt_encode(const Sha256& digest) {
    std::string out;
    const auto put = [&](unsigned value, int characters) {
        for (; characters > 0; --characters, value >>= 6) out.push_back(crypt_alphabet[value & 63]);
    };
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(digest[i]); };
    std::size_t a = 0;
    std::size_t b = 10;
    std::size_t c = 20;
    for (int group = 0; group < 10; ++group) {
        put(at(a) << 16 | at(b) << 8 | at(c), 4);
        const std::size_t first = a;
        a = c + 1;
        c = b + 1;
        b = first + 1;
    }
    put(at(31) << 8 | at(30), 3);
    return out;
}

}  // namespace

std::string sha256_crypt(const Secret& password, std::string_view salt_text, std::uint32_t rounds) {
    const Bytes salt = as_bytes(salt_text);
    Sha256 digest = sha_crypt_start(password.bytes(), salt);
    std::vector<std::byte> p;
    fill(p, repeated(password.bytes(), password.size()), password.size());
    std::vector<std::byte> s;
    fill(s, repeated(salt, 16 + std::to_integer<std::size_t>(digest[0])), salt.size());
    for (std::uint32_t i = 0; i < rounds; ++i) {
        const bool odd = (i & 1) != 0;
        digest = sha256({odd ? Bytes(p) : Bytes(digest), i % 3 != 0 ? Bytes(s) : Bytes(),
                         i % 7 != 0 ? Bytes(p) : Bytes(), odd ? Bytes(digest) : Bytes(p)});
    }
    wipe(p);
    return sha_crypt_encode(digest);
}

Result<PasswordHash> parse_password_hash(std::string_view text) {
    std::string decoded;
    if (text.starts_with("0x")) {  // as SHOW CREATE USER prints it, since the salt may have any byte
        decoded = from_hex(text.substr(2)).value_or("");
        text = decoded;
    }
    for (const auto parse : {parse_native, parse_ed25519, parse_sha_crypt}) {
        if (const auto hash = parse(text)) return *hash;
    }
    return fail(
        "this is no password hash that can be used: expected * and 40 hexadecimal digits (mysql_native_password), 43 "
        "characters of base64 (ed25519), or $A$005$ with salt and digest (caching_sha2_password), as in mysql.user");
}

bool matches(const PasswordHash& hash, const Secret& password) {
    struct Check {
        bool operator()(const NativeStage2& stage2) const {
            return Secret::same_bytes(native_stage2(native_stage1(password)), stage2);
        }
        bool operator()(const Ed25519Key& key) const { return Secret::same_bytes(ed25519_public_key(password), key); }
        bool operator()(const ShaCryptHash& stored) const {
            if (password.size() > sha_crypt_max_password) return false;
            const std::string digest = sha256_crypt(password, stored.salt, stored.rounds);
            return Secret::same_bytes(as_bytes(digest), as_bytes(stored.digest));
        }
        const Secret& password;
    };
    // No account has a hash of the empty password: the servers keep an empty string there.
    return !password.empty() && std::visit(Check{password}, hash);
}

}  // namespace tidegate::protocol::auth
