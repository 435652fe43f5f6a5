// Where to listen or to connect: an IP address and port, or a Unix socket's path.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::net {

class Address {
public:
    Address() = default;
    Address(const sockaddr* address, socklen_t length);

    // "127.0.0.1", "::1": numeric only.
    [[nodiscard]] static Result<Address> numeric(std::string_view host, std::uint16_t port);
    [[nodiscard]] static Result<Address> unix_path(std::string_view path);
    // Asks the resolver; blocks. All addresses in its order.
    [[nodiscard]] static Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port);

    [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    [[nodiscard]] socklen_t length() const { return length_; }
    [[nodiscard]] int family() const { return storage_.ss_family; }
    [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
    [[nodiscard]] bool is_loopback() const;  // a Unix socket counts as one
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::string host() const;  // "127.0.0.1"; "localhost" for a Unix socket, as MySQL has it
    [[nodiscard]] std::string text() const;  // with the port, or the path

private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;
};

}  // namespace tidegate::net
