#include "watch/addresses.h"

#include <fmt/core.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <optional>
#include <span>

namespace tidegate::watch {
namespace {

std::optional<Ip> ip_of(const sockaddr* address) {
    if (address == nullptr) return std::nullopt;
    if (address->sa_family == AF_INET) {
        const auto* const four = reinterpret_cast<const sockaddr_in*>(address);
        return Ip::v4(std::span<const std::uint8_t, 4>(reinterpret_cast<const std::uint8_t*>(&four->sin_addr), 4));
    }
    if (address->sa_family != AF_INET6) return std::nullopt;
    return Ip::v6(std::span<const std::uint8_t, 16>(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr.s6_addr));
}

}  // namespace

Result<std::vector<Ip>> addresses_of(const std::string& host) {
    std::vector<Ip> all;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (error != 0) {
        return fail(fmt::format("the server's name {} cannot be looked up: {}; give its address instead", host,
                                gai_strerror(error)));
    }
    for (const auto* one = list; one != nullptr; one = one->ai_next) {
        if (const auto ip = ip_of(one->ai_addr)) all.push_back(*ip);
    }
    freeaddrinfo(list);
    return all;
}

std::vector<Ip> own_addresses() {
    std::vector<Ip> all;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return all;
    for (const auto* one = list; one != nullptr; one = one->ifa_next) {
        if (const auto ip = ip_of(one->ifa_addr)) all.push_back(*ip);
    }
    freeifaddrs(list);
    return all;
}

}  // namespace tidegate::watch
