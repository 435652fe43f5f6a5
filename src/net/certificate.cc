#include "net/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

namespace tidegate::net {
namespace {

template <auto function>
struct Free {
    template <class T>
    void operator()(T* object) const {
        function(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

constexpr long day = 24L * 60 * 60;

std::unexpected<Error> made_none(const char* why) {
    ERR_clear_error();
    return fail(std::string("no certificate could be made: ") + why);
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Browsers and clients tell certificates of one issuer apart by this.
bool set_serial(X509* certificate) {
    std::array<unsigned char, 8> random{};
    if (RAND_bytes(random.data(), random.size()) != 1) return false;
    std::uint64_t serial = 0;
    for (const unsigned char byte : random) serial = serial << 8 | byte;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

// A host name goes into a comma-separated list that OpenSSL parses: only what a name may have.
std::string clean(std::string_view hostname) {
    std::string out;
    for (const char c : hostname.substr(0, 64)) {
        const bool fine =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (fine) out.push_back(c);
    }
    return out.empty() ? "localhost" : out;
}

bool describe(X509* certificate, EVP_PKEY* key, const std::string& name) {
    X509_NAME* subject = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>(name.c_str());
    const std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1" + (name == "localhost" ? "" : ",DNS:" + name);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -day) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), 3650 * day) != nullptr &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_subject_alt_name, names) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth");
}

}  // namespace

Result<Certificate> make_certificate(std::string_view hostname) {
    const Key key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    if (!key || !certificate) return made_none("OpenSSL made no key");
    if (!describe(certificate.get(), key.get(), clean(hostname))) return made_none("OpenSSL refused a field");
    if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) return made_none("it could not be signed");
    const Bio certificate_out(BIO_new(BIO_s_mem()));
    const Bio key_out(BIO_new(BIO_s_mem()));
    if (!certificate_out || !key_out || PEM_write_bio_X509(certificate_out.get(), certificate.get()) != 1 ||
        PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return made_none("it could not be written");
    }
    return Certificate{.certificate_pem = text_of(certificate_out.get()), .key_pem = text_of(key_out.get())};
}

Result<std::vector<std::byte>> certificate_sha256(std::string_view certificate_pem) {
    const std::size_t longest{std::numeric_limits<int>::max()};
    const Bio in(certificate_pem.size() > longest
                     ? nullptr
                     : BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
    const X509Ptr certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
    std::vector<std::byte> digest(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    if (!certificate ||
        X509_digest(certificate.get(), EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1) {
        ERR_clear_error();
        return fail("this is not a certificate in PEM form");
    }
    digest.resize(size);
    return digest;
}

}  // namespace tidegate::net
