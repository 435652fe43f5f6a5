#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <memory>

namespace tidegate::net {

Address::Address(const sockaddr* address, socklen_t length) : length_(length) {
    std::memcpy(&storage_, address, length);
}

Result<Address> Address::numeric(std::string_view host, std::uint16_t port) {
    const std::string text(host);
    sockaddr_in v4{};
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    }
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    }
    return fail(fmt::format("'{}' is not an IP address", host));
}

Result<Address> Address::unix_path(std::string_view path) {
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path) {
        return fail(
            fmt::format("the socket's path is longer than {} characters: {}", sizeof address.sun_path - 1, path));
    }
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    return Address(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Result<std::vector<Address>> Address::resolve(const std::string& host, std::uint16_t port) {
    if (auto address = numeric(host, port)) return std::vector{*address};
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0)
        return fail(2005, "HY000", fmt::format("Unknown server host '{}': {}", host, ::gai_strerror(error)));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
    std::vector<Address> all;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        all.emplace_back(each->ai_addr, each->ai_addrlen);
    }
    return all;
}

bool Address::is_loopback() const {
    if (is_unix()) return true;
    if (family() == AF_INET) {
        return ntohl(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr.s_addr) >> 24 == 127;
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

std::uint16_t Address::port() const {
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    return 0;
}

std::string Address::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (family() == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text.data(), text.size());
    } else if (family() == AF_INET6) {
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text.data(), text.size());
    } else {
        return "localhost";
    }
    return text.data();
}

std::string Address::text() const {
    if (is_unix()) return reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
    return family() == AF_INET6 ? fmt::format("[{}]:{}", host(), port()) : fmt::format("{}:{}", host(), port());
}

}  // namespace tidegate::net
