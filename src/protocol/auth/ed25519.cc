#include "protocol/auth/ed25519.h"

#include <sodium.h>

#include <algorithm>
#include <span>

#include "protocol/auth/digest.h"

namespace tidegate::protocol::auth {
namespace {

const unsigned char* in(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* out(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

// libsodium picks its implementation for this processor; harmless to call again, and safe from many threads.
void set_up() {
    [[maybe_unused]] static const int done = sodium_init();
}

// The key as Ed25519 expands it from a seed, but from a password of any length: the scalar, then the prefix.
struct Expanded {
    explicit Expanded(const Secret& password) {
        Sha512 digest = sha512({password.bytes()});
        digest[0] &= std::byte{248};
        digest[31] &= std::byte{63};
        digest[31] |= std::byte{64};
        std::ranges::copy(digest, bytes.bytes);
        wipe(digest);
    }
    [[nodiscard]] Bytes scalar() const { return Bytes(bytes.bytes).first(32); }
    [[nodiscard]] Bytes prefix() const { return Bytes(bytes.bytes).last(32); }
    WipedBytes<64> bytes;
};

// The point scalar * B, encoded.
Ed25519Key times_base(Bytes scalar) {
    Ed25519Key point;
    (void)crypto_scalarmult_ed25519_base_noclamp(out(point), in(scalar));
    return point;
}

void reduce(std::span<std::byte, 32> scalar, const Sha512& wide) {
    crypto_core_ed25519_scalar_reduce(out(scalar), in(wide));
}

}  // namespace

Ed25519Key ed25519_public_key(const Secret& password) {
    set_up();
    const Expanded key(password);
    return times_base(key.scalar());
}

Ed25519Signature ed25519_sign(const Secret& password, Bytes nonce) {
    set_up();
    const Expanded key(password);
    const Ed25519Key public_key = times_base(key.scalar());

    WipedBytes<32> r;
    Sha512 wide = sha512({key.prefix(), nonce});
    reduce(r.bytes, wide);
    wipe(wide);
    const Ed25519Key commitment = times_base(r.bytes);

    std::array<std::byte, 32> challenge;
    reduce(challenge, sha512({commitment, public_key, nonce}));

    // s = r + challenge * scalar, modulo the group's order
    WipedBytes<32> product;
    std::array<std::byte, 32> s;
    crypto_core_ed25519_scalar_mul(out(product.bytes), in(challenge), in(key.scalar()));
    crypto_core_ed25519_scalar_add(out(s), in(r.bytes), in(product.bytes));

    Ed25519Signature signature;
    std::ranges::copy(commitment, signature.begin());
    std::ranges::copy(s, signature.begin() + 32);
    return signature;
}

bool ed25519_verify(Bytes signature, Bytes nonce, const Ed25519Key& key) {
    set_up();
    if (signature.size() != std::tuple_size_v<Ed25519Signature>) return false;
    return crypto_sign_verify_detached(in(signature), in(nonce), nonce.size(), in(key)) == 0;
}

}  // namespace tidegate::protocol::auth
