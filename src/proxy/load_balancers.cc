#include "proxy/load_balancers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <variant>

#include "protocol/proxy_header.h"

namespace tidegate::proxy {

void LoadBalancers::set_networks(const std::vector<std::string>& networks) {
    networks_.clear();
    for (const std::string& each : networks) {
        if (const auto network = config::Network::parse(each)) networks_.push_back(*network);
    }
}

bool LoadBalancers::include(const net::Address& peer) const {
    if (networks_.empty() || peer.is_unix()) return false;
    const std::string host = peer.host();
    return std::ranges::any_of(networks_, [&](const config::Network& each) { return each.contains(host); });
}

net::Task<Result<Speaks>> read_proxy_header(net::Stream& stream) {
    std::vector<std::byte> bytes;
    protocol::ProxyHeader header;
    while (true) {
        header = protocol::parse_proxy_header(bytes);
        const auto* incomplete = std::get_if<protocol::ProxyIncomplete>(&header);
        if (incomplete == nullptr) break;
        const std::size_t before = bytes.size();
        bytes.resize(before + incomplete->missing);
        const net::IoResult got = co_await stream.read(std::span(bytes).subspan(before));
        if (got.status != net::IoStatus::ok) co_return fail(before == 0 ? "" : "the PROXY header ended halfway");
        bytes.resize(before + got.bytes);
    }
    if (const auto* malformed = std::get_if<protocol::ProxyMalformed>(&header)) {
        co_return fail(1130, "HY000",
                       fmt::format("Tidegate takes '{}' for a load balancer, as [listen] proxy_protocol_from lists it, "
                                   "but its PROXY header {}",
                                   stream.peer().host(), malformed->why));
    }
    const auto* client = std::get_if<protocol::ProxyClient>(&header);
    if (client == nullptr) co_return Speaks::for_itself;
    auto address = net::Address::numeric(client->host, client->port);
    if (!address) co_return std::unexpected(address.error());
    if (!address->is_loopback() || stream.peer().is_loopback()) stream.set_peer(*address);
    co_return Speaks::for_a_client;
}

}  // namespace tidegate::proxy
