// mysql_native_password. The server keeps stage 2 = SHA1(SHA1(password)); the client answers a nonce with
// SHA1(password) XOR SHA1(nonce + stage 2). Whoever verifies an answer against stage 2 learns stage 1 = SHA1(password),
// and with that can log in as the user: so stage 1 is a Secret.
#pragma once

#include <optional>
#include <vector>

#include "base/secret.h"
#include "protocol/auth/digest.h"
#include "protocol/auth/plugins.h"

namespace tidegate::protocol::auth {

using NativeStage2 = Sha1;

[[nodiscard]] Secret native_stage1(const Secret& password);
[[nodiscard]] NativeStage2 native_stage2(const Secret& stage1);

// The answer to a nonce. An empty password has an empty answer, which is not made here.
// REQUIRES: stage1 has 20 bytes.
[[nodiscard]] Sha1 native_response(const Secret& stage1, Bytes nonce);

// Stage 1 if the answer is right for this stage 2; nothing if it is wrong or malformed.
[[nodiscard]] std::optional<Secret> native_verify(Bytes response, Bytes nonce, const NativeStage2& stage2);

}  // namespace tidegate::protocol::auth
