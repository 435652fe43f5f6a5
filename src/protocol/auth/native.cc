#include "protocol/auth/native.h"

namespace tidegate::protocol::auth {
namespace {

Sha1 exclusive_or(Sha1 a, Bytes b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] ^= b[i];
    return a;
}

}  // namespace

Secret native_stage1(const Secret& password) {
    Sha1 digest = sha1({password.bytes()});
    Secret stage1(digest);
    wipe(digest);
    return stage1;
}

NativeStage2 native_stage2(const Secret& stage1) {
    return sha1({stage1.bytes()});
}

Sha1 native_response(const Secret& stage1, Bytes nonce) {
    const NativeStage2 stage2 = native_stage2(stage1);
    return exclusive_or(sha1({nonce, stage2}), stage1.bytes());
}

std::optional<Secret> native_verify(Bytes response, Bytes nonce, const NativeStage2& stage2) {
    if (response.size() != std::tuple_size_v<Sha1>) return std::nullopt;
    Sha1 candidate = exclusive_or(sha1({nonce, stage2}), response);
    std::optional<Secret> stage1;
    if (Secret::same_bytes(sha1({candidate}), stage2)) stage1.emplace(candidate);
    wipe(candidate);
    return stage1;
}

}  // namespace tidegate::protocol::auth
