// What logs in at the server: a password, or SHA1(password), "stage 1", which suffices for mysql_native_password.
// Shared and immutable: the book of accounts, a login under way and the server connections hold the same one.
#pragma once

#include <memory>
#include <utility>

#include "base/secret.h"
#include "protocol/auth/native.h"

namespace tidegate::protocol::auth {

struct Credential {
    enum class Kind { password, native_stage1 };
    Kind kind = Kind::password;
    Secret bytes;

    friend bool operator==(const Credential&, const Credential&) = default;
};

using CredentialPtr = std::shared_ptr<const Credential>;

[[nodiscard]] inline CredentialPtr make_credential(Credential::Kind kind, Secret bytes) {
    return std::make_shared<const Credential>(Credential{kind, std::move(bytes)});
}
[[nodiscard]] inline CredentialPtr password_credential(Secret password) {
    return make_credential(Credential::Kind::password, std::move(password));
}

// What mysql_native_password needs of it. REQUIRES: not the empty password.
[[nodiscard]] inline Secret stage1_of(const Credential& credential) {
    return credential.kind == Credential::Kind::password ? native_stage1(credential.bytes) : credential.bytes.clone();
}

}  // namespace tidegate::protocol::auth
