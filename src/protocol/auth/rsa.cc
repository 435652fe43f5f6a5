#include "protocol/auth/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <limits>

namespace tidegate::protocol::auth {
namespace {

template <auto function>
struct Free {
    template <class T>
    void operator()(T* object) const {
        function(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

const unsigned char* raw(const std::byte* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

// Says what failed and drops OpenSSL's queue of reasons: they may not reach a peer.
std::unexpected<Error> rsa_failed(const char* what) {
    ERR_clear_error();
    return fail(what);
}

Bytes bio_bytes(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {reinterpret_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

Bio read_only(std::string_view text) {
    if (text.size() > std::size_t{std::numeric_limits<int>::max()}) return nullptr;
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Context oaep(EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*)) {
    Context context(EVP_PKEY_CTX_new(key, nullptr));
    if (!context || init(context.get()) != 1) return nullptr;
    if (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1) return nullptr;
    return context;
}

void exclusive_or(std::span<std::byte> text, Bytes nonce) {
    for (std::size_t i = 0; i < text.size(); ++i) text[i] ^= nonce[i % nonce.size()];
}

struct WipedVector {
    explicit WipedVector(std::size_t size) : bytes(size) {}
    WipedVector(const WipedVector&) = delete;
    WipedVector& operator=(const WipedVector&) = delete;
    ~WipedVector() { wipe(bytes); }
    std::vector<std::byte> bytes;
};

Result<std::string> public_pem_of(EVP_PKEY* key) {
    const Bio out(BIO_new(BIO_s_mem()));
    if (!out || PEM_write_bio_PUBKEY(out.get(), key) != 1) return rsa_failed("the RSA key has no public part");
    return std::string(as_text(bio_bytes(out.get())));
}

}  // namespace

Result<RsaKeys> RsaKeys::make() {
    Key key(EVP_RSA_gen(2048));
    if (!key) return rsa_failed("OpenSSL made no RSA key");
    auto pem = public_pem_of(key.get());
    if (!pem) return std::unexpected(pem.error());
    return RsaKeys(std::shared_ptr<EVP_PKEY>(std::move(key)), std::move(*pem));
}

Result<RsaKeys> RsaKeys::from_pem(std::string_view private_key) {
    const Bio in = read_only(private_key);
    if (!in) return rsa_failed("the RSA key cannot be read");
    // Without a password callback of ours OpenSSL would ask on the terminal.
    const auto no_password = [](char*, int, int, void*) { return -1; };
    Key key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
    if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) return rsa_failed("this is not a private RSA key in PEM form");
    if (EVP_PKEY_get_bits(key.get()) < 2048) return rsa_failed("the RSA key has fewer than 2048 bits");
    auto pem = public_pem_of(key.get());
    if (!pem) return std::unexpected(pem.error());
    return RsaKeys(std::shared_ptr<EVP_PKEY>(std::move(key)), std::move(*pem));
}

Result<Secret> RsaKeys::private_pem() const {
    const Bio out(BIO_new(BIO_s_secmem()));
    if (!out || PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return rsa_failed("the RSA key cannot be written");
    }
    return Secret(bio_bytes(out.get()));
}

std::size_t RsaKeys::size() const {
    return static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
}

Result<Secret> RsaKeys::decrypt(Bytes encrypted, Bytes nonce) const {
    if (encrypted.size() != size() || nonce.empty()) return rsa_failed("the encrypted password has a wrong length");
    const Context context = oaep(key_.get(), EVP_PKEY_decrypt_init);
    WipedVector plain(size());
    std::size_t length = plain.bytes.size();
    if (!context || EVP_PKEY_decrypt(context.get(), raw(plain.bytes.data()), &length, raw(encrypted.data()),
                                     encrypted.size()) != 1) {
        return rsa_failed("the encrypted password was not made with our key");
    }
    const std::span<std::byte> text = std::span(plain.bytes).first(length);
    exclusive_or(text, nonce);
    const auto zero = std::ranges::find(text, std::byte{0});
    if (zero == text.end()) return rsa_failed("the encrypted password has no end");
    return Secret(Bytes(text.begin(), zero));
}

Result<std::vector<std::byte>> rsa_encrypt(const Secret& password, Bytes nonce, std::string_view public_pem) {
    if (nonce.empty()) return rsa_failed("the server sent no nonce");
    const Bio in = read_only(public_pem);
    const Key key(in ? PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) return rsa_failed("the server sent no usable RSA key");

    WipedVector text(password.size() + 1);
    std::ranges::copy(password.bytes(), text.bytes.begin());
    exclusive_or(text.bytes, nonce);

    const Context context = oaep(key.get(), EVP_PKEY_encrypt_init);
    std::vector<std::byte> out(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t length = out.size();
    if (!context ||
        EVP_PKEY_encrypt(context.get(), raw(out.data()), &length, raw(text.bytes.data()), text.bytes.size()) != 1) {
        return rsa_failed("the password cannot be encrypted with the server's RSA key; it may be too long for it");
    }
    out.resize(length);
    return out;
}

}  // namespace tidegate::protocol::auth
