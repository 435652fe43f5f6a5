// A connection's bytes, plain or under TLS: try first, wait only when there is nothing. Belongs to its loop's thread.
// At rest it holds a socket and, under TLS, OpenSSL's state without buffers.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>

#include "net/address.h"
#include "net/socket.h"
#include "net/task.h"
#include "net/tls.h"

namespace tidegate::net {

class Stream {
public:
    Stream(Loop& loop, int fd, const Address& peer) : socket_(loop, fd), peer_(peer) {}

    [[nodiscard]] Socket& socket() { return socket_; }
    [[nodiscard]] const Address& peer() const { return peer_; }
    // For a peer that speaks for another (proxy/load_balancers.h).
    void set_peer(const Address& peer) { peer_ = peer; }
    [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }
    [[nodiscard]] SSL* tls() const { return ssl_.get(); }

    // Tries; never waits.
    IoResult read_some(std::span<std::byte> into);
    IoResult write_some(std::span<const iovec> from);

    // Reads something, waiting as long as it takes. closed and failed say that there will be no more.
    Task<IoResult> read(std::span<std::byte> into);
    // Writes all of it. False: the connection is gone.
    Task<bool> write_all(std::span<const std::byte> from);

    // The handshake's two ends. The error says what OpenSSL said; the stream is of no use then.
    Task<Result<void>> accept_tls(const TlsContext& context);
    Task<Result<void>> connect_tls(const TlsContext& context, const std::string& host);

    void shut_down() { socket_.shut_down(); }

private:
    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    Task<Result<void>> handshake();
    IoResult tls_result(int returned);

    Socket socket_;
    std::unique_ptr<SSL, Free> ssl_;
    Address peer_;
};

}  // namespace tidegate::net
