#include "net/stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>

namespace tidegate::net {

// A call into OpenSSL that returned no bytes: what to do about it.
IoResult Stream::tls_result(int returned) {
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            socket_.not_readable();
            if (socket_.hung_up()) return {IoStatus::closed, 0};
            return {IoStatus::would_block, 0};
        case SSL_ERROR_WANT_WRITE:
            socket_.not_writable();
            return {IoStatus::would_block, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {IoStatus::closed, 0};
        default:
            return {IoStatus::failed, 0};
    }
}

IoResult Stream::read_some(std::span<std::byte> into) {
    if (!ssl_) return socket_.read_some(into);
    ERR_clear_error();
    // A record at a time, until the buffer is full or OpenSSL needs more: so that a resting connection has nothing
    // pending.
    std::size_t got = 0;
    while (got < into.size()) {
        const int size = static_cast<int>(std::min<std::size_t>(into.size() - got, INT_MAX));
        const int n = SSL_read(ssl_.get(), into.data() + got, size);
        if (n <= 0) {
            const IoResult why = tls_result(n);
            return got > 0 ? IoResult{IoStatus::ok, got} : why;
        }
        got += static_cast<std::size_t>(n);
    }
    return {IoStatus::ok, got};
}

IoResult Stream::write_some(std::span<const iovec> from) {
    if (!ssl_) return socket_.write_some(from);
    ERR_clear_error();
    std::size_t sent = 0;
    for (const iovec& part : from) {
        std::size_t done = 0;
        while (done < part.iov_len) {
            const int size = static_cast<int>(std::min<std::size_t>(part.iov_len - done, INT_MAX));
            const int n = SSL_write(ssl_.get(), static_cast<const std::byte*>(part.iov_base) + done, size);
            if (n <= 0) {
                const IoResult why = tls_result(n);
                return sent > 0 && why.status == IoStatus::would_block ? IoResult{IoStatus::ok, sent} : why;
            }
            done += static_cast<std::size_t>(n);
            sent += static_cast<std::size_t>(n);
        }
    }
    return {IoStatus::ok, sent};
}

Task<IoResult> Stream::read(std::span<std::byte> into) {
    while (true) {
        const IoResult got = read_some(into);
        if (got.status != IoStatus::would_block) co_return got;
        co_await socket_.readable();
    }
}

Task<bool> Stream::write_all(std::span<const std::byte> from) {
    while (!from.empty()) {
        const iovec part{const_cast<std::byte*>(from.data()), from.size()};
        const IoResult put = write_some({&part, 1});
        if (put.status == IoStatus::closed || put.status == IoStatus::failed) co_return false;
        if (put.status == IoStatus::would_block) co_await socket_.writable();
        from = from.subspan(put.bytes);
    }
    co_return true;
}

Task<Result<void>> Stream::accept_tls(const TlsContext& context) {
    ssl_.reset(SSL_new(context.get()));
    SSL_set_fd(ssl_.get(), socket_.fd());
    SSL_set_accept_state(ssl_.get());
    co_return co_await handshake();
}

Task<Result<void>> Stream::connect_tls(const TlsContext& context, const std::string& host) {
    ssl_.reset(SSL_new(context.get()));
    SSL_set_fd(ssl_.get(), socket_.fd());
    SSL_set_connect_state(ssl_.get());
    const bool is_address = Address::numeric(host, 0).has_value();
    if (!is_address) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
    if (context.verify() == TlsContext::Verify::identity) {
        X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl_.get());
        const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str())
                                   : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
        if (set != 1) co_return fail(2026, "HY000", fmt::format("cannot verify the name '{}' in a certificate", host));
    }
    co_return co_await handshake();
}

Task<Result<void>> Stream::handshake() {
    while (true) {
        ERR_clear_error();
        const int done = SSL_do_handshake(ssl_.get());
        if (done == 1) co_return Result<void>{};
        const int why = SSL_get_error(ssl_.get(), done);
        const IoResult result = tls_result(done);
        if (result.status != IoStatus::would_block) {
            const long verified = SSL_get_verify_result(ssl_.get());
            std::string reason = verified == X509_V_OK ? tls_error() : X509_verify_cert_error_string(verified);
            co_return fail(2026, "HY000", fmt::format("TLS handshake failed: {}", reason));
        }
        if (why == SSL_ERROR_WANT_WRITE) {
            co_await socket_.writable();
        } else {
            co_await socket_.readable();
        }
    }
}

}  // namespace tidegate::net
