#include "protocol/auth/digest.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace tidegate::protocol::auth {
namespace {

// A missing algorithm is a broken OpenSSL (SHA-1 is there even in FIPS mode): nothing could be verified without it.
[[noreturn]] void broken(const char* name) {
    std::fprintf(stderr, "tidegate: OpenSSL cannot compute %s\n", name);
    std::abort();
}

const EVP_MD* fetch(const char* name) {
    const EVP_MD* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
    if (algorithm == nullptr) broken(name);
    return algorithm;
}

template <class Digest>
Digest digest(const EVP_MD* algorithm, const char* name, std::initializer_list<Bytes> pieces) {
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    Digest out;
    bool ok = context != nullptr && EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1;
    for (const Bytes piece : pieces) {
        ok = ok && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1;
    if (!ok) broken(name);
    return out;
}

}  // namespace

Sha1 sha1(std::initializer_list<Bytes> pieces) {
    static const EVP_MD* const algorithm = fetch("SHA1");
    return digest<Sha1>(algorithm, "SHA1", pieces);
}

Sha256 sha256(std::initializer_list<Bytes> pieces) {
    static const EVP_MD* const algorithm = fetch("SHA256");
    return digest<Sha256>(algorithm, "SHA256", pieces);
}

Sha512 sha512(std::initializer_list<Bytes> pieces) {
    static const EVP_MD* const algorithm = fetch("SHA512");
    return digest<Sha512>(algorithm, "SHA512", pieces);
}

}  // namespace tidegate::protocol::auth
