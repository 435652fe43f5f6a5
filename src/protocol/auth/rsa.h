// RSA for passwords over links without TLS: the password with its zero byte, XORed with the nonce, encrypted with OAEP.
// It guards against listeners only: whoever can change packets can put in a key of their own.
// A key pair is immutable and may be used from many threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "protocol/wire.h"

struct evp_pkey_st;

namespace tidegate::protocol::auth {

class RsaKeys {
public:
    // Makes a new pair of 2048 bits; takes a tenth of a second or more.
    [[nodiscard]] static Result<RsaKeys> make();
    [[nodiscard]] static Result<RsaKeys> from_pem(std::string_view private_key);

    // As a client asks for it: "-----BEGIN PUBLIC KEY-----" and so on.
    [[nodiscard]] const std::string& public_pem() const { return public_pem_; }
    [[nodiscard]] Result<Secret> private_pem() const;

    // The size of what decrypt() takes.
    [[nodiscard]] std::size_t size() const;

    // The password; fails for anything that our public key did not encrypt.
    [[nodiscard]] Result<Secret> decrypt(Bytes encrypted, Bytes nonce) const;

private:
    explicit RsaKeys(std::shared_ptr<evp_pkey_st> key, std::string public_pem)
        : key_(std::move(key)), public_pem_(std::move(public_pem)) {}

    std::shared_ptr<evp_pkey_st> key_;
    std::string public_pem_;
};

[[nodiscard]] Result<std::vector<std::byte>> rsa_encrypt(const Secret& password, Bytes nonce,
                                                         std::string_view public_pem);

}  // namespace tidegate::protocol::auth
