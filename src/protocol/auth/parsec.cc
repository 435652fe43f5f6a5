#include "protocol/auth/parsec.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <vector>

namespace tidegate::protocol::auth {
namespace {

constexpr int max_exponent = 6;  // 65,536 iterations, some tens of milliseconds

unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace

Result<ParsecResponse> parsec_response(const Secret& password, Bytes server_scramble, Bytes salt,
                                       const ParsecScramble& own_scramble) {
    if (server_scramble.size() != parsec_scramble_size) return fail("parsec: the server's scramble has a wrong length");
    if (salt.size() < 3 || salt[0] != std::byte{'P'}) return fail("parsec: the server names an unknown key derivation");
    const int exponent = std::to_integer<int>(salt[1]);
    if (exponent > max_exponent) return fail("parsec: the server asks for too many iterations");
    const Bytes pure_salt = salt.subspan(2);

    WipedBytes<crypto_sign_SEEDBYTES> seed;
    const int derived =
        PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.bytes().data()), static_cast<int>(password.size()),
                          raw(pure_salt.data()), static_cast<int>(pure_salt.size()), 1 << (exponent + 10), EVP_sha512(),
                          sizeof seed.bytes, raw(seed.bytes));
    if (derived != 1) return fail("parsec: the key could not be derived");

    WipedBytes<crypto_sign_SECRETKEYBYTES> secret_key;
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key;
    if (sodium_init() < 0) return fail("parsec: libsodium does not start");
    crypto_sign_seed_keypair(public_key.data(), raw(secret_key.bytes), raw(seed.bytes));

    std::array<std::byte, 2 * parsec_scramble_size> message;
    std::ranges::copy(server_scramble, message.begin());
    std::ranges::copy(own_scramble, message.begin() + parsec_scramble_size);
    ParsecResponse response;
    std::ranges::copy(own_scramble, response.begin());
    crypto_sign_detached(raw(response.data() + parsec_scramble_size), nullptr, raw(message.data()), message.size(),
                         raw(secret_key.bytes));
    return response;
}

}  // namespace tidegate::protocol::auth
