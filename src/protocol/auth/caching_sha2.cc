#include "protocol/auth/caching_sha2.h"

namespace tidegate::protocol::auth {
namespace {

Sha256 exclusive_or(Sha256 a, Bytes b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] ^= b[i];
    return a;
}

}  // namespace

Sha2Verifier sha2_verifier(const Secret& password) {
    Sha256 once = sha256({password.bytes()});
    const Sha2Verifier twice = sha256({once});
    wipe(once);
    return twice;
}

Sha256 sha2_response(const Secret& password, Bytes nonce) {
    Sha256 once = sha256({password.bytes()});
    const Sha256 twice = sha256({once});
    const Sha256 response = exclusive_or(sha256({twice, nonce}), once);
    wipe(once);
    return response;
}

bool sha2_verify(Bytes response, Bytes nonce, const Sha2Verifier& verifier) {
    if (response.size() != std::tuple_size_v<Sha256>) return false;
    Sha256 once = exclusive_or(sha256({verifier, nonce}), response);
    const bool right = Secret::same_bytes(sha256({once}), verifier);
    wipe(once);
    return right;
}

}  // namespace tidegate::protocol::auth
