#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

namespace tidegate::net {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio memory_bio(const std::string& text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

bool use_certificates(SSL_CTX* context, const std::string& pem) {
    const Bio bio = memory_bio(pem);
    const std::unique_ptr<X509, decltype(&X509_free)> leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                           X509_free);
    if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
    while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            return false;
        }
    }
    ERR_clear_error();  // the end of the file is reported as an error
    return true;
}

void use_common_settings(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // An idle connection keeps no record buffers; a write that was cut short is repeated from wherever the bytes are
    // now.
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);  // a record in one read, not two
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
}

}  // namespace

std::string tls_error() {
    std::string text;
    while (const unsigned long code = ERR_get_error()) {
        if (const char* reason = ERR_reason_error_string(code))
            text += (text.empty() ? "" : "; ") + std::string(reason);
    }
    return text.empty() ? "the connection was closed" : text;
}

Result<TlsContext> TlsContext::server(const std::string& certificate_pem, const std::string& key_pem) {
    TlsContext made;
    made.context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = made.context_.get();
    use_common_settings(context);
    if (!use_certificates(context, certificate_pem)) {
        return fail(fmt::format("the TLS certificate cannot be used ({})", tls_error()));
    }
    const Bio bio = memory_bio(key_pem);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
        return fail(fmt::format("the TLS key cannot be used, or does not belong to the certificate ({})", tls_error()));
    }
    const std::array<unsigned char, 8> id{'t', 'i', 'd', 'e', 'g', 'a', 't', 'e'};
    SSL_CTX_set_session_id_context(context, id.data(), id.size());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets resume sessions without memory of ours
    SSL_CTX_set_num_tickets(context, 1);
    return made;
}

Result<TlsContext> TlsContext::client(Verify verify, const std::string& ca_file) {
    TlsContext made;
    made.verify_ = verify;
    made.context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = made.context_.get();
    use_common_settings(context);
    if (verify == Verify::none) return made;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                       : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
    if (loaded != 1)
        return fail(fmt::format("the certificate authorities in '{}' cannot be read ({})", ca_file, tls_error()));
    return made;
}

}  // namespace tidegate::net
