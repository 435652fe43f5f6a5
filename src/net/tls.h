// TLS settings of one side, shared by its connections. Thread-safe once made.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/error.h"

namespace tidegate::net {

class TlsContext {
public:
    // For clients that come to us: certificate (chain) and key as PEM text.
    [[nodiscard]] static Result<TlsContext> server(const std::string& certificate_pem, const std::string& key_pem);

    enum class Verify { none, ca, identity };
    // For connections to a server; `ca_file` empty means the system's authorities.
    [[nodiscard]] static Result<TlsContext> client(Verify verify, const std::string& ca_file);

    [[nodiscard]] SSL_CTX* get() const { return context_.get(); }
    [[nodiscard]] Verify verify() const { return verify_; }

private:
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
    Verify verify_ = Verify::none;
};

// What OpenSSL has to say about the last failure on this thread; empties its queue.
[[nodiscard]] std::string tls_error();

}  // namespace tidegate::net
