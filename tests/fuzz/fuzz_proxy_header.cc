// The PROXY header, from whatever a load balancer's network may send, read as a connection reads it: never more than
// was asked for. However it is cut, it says the same; and what it names is an address.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "protocol/proxy_header.h"

namespace {

using namespace tidegate::protocol;

void check(bool held) {
    if (!held) std::abort();
}

// Gives also how many bytes it took.
std::pair<ProxyHeader, std::size_t> feed(Bytes in, std::size_t at_once) {
    std::size_t size = 0;
    while (true) {
        ProxyHeader header = parse_proxy_header(in.first(size));
        const auto* more = std::get_if<ProxyIncomplete>(&header);
        if (more == nullptr || size == in.size()) return {std::move(header), size};
        check(more->missing > 0 && size + more->missing <= 16 + 0xFFFF);
        size += std::min({more->missing, at_once, in.size() - size});
    }
}

bool is_address(const std::string& host) {
    std::array<std::uint8_t, sizeof(in6_addr)> bytes{};
    return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes in = std::as_bytes(std::span(data, size));
    (void)resembles_proxy_header(in);
    const auto [header, taken] = feed(in, in.size());
    const auto [again, taken_again] = feed(in, 1);
    check(header.index() == again.index());
    if (const auto* client = std::get_if<ProxyClient>(&header)) {
        const auto& same = std::get<ProxyClient>(again);
        check(client->host == same.host && client->port == same.port && taken == taken_again);
        check(is_address(client->host) && resembles_proxy_header(in.first(taken)));
    }
    if (const auto* malformed = std::get_if<ProxyMalformed>(&header)) check(!malformed->why.empty());
    return 0;
}
