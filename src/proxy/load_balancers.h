// The peers that speak for others: load balancers in the listed networks, which begin each connection with a PROXY
// header. Without it every client would have the load balancer's address, and its failed logins would hold off all.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/network.h"
#include "net/stream.h"

namespace tidegate::proxy {

class LoadBalancers {
public:
    explicit LoadBalancers(const std::vector<std::string>& networks) { set_networks(networks); }
    void set_networks(const std::vector<std::string>& networks);
    [[nodiscard]] bool include(const net::Address& peer) const;

private:
    std::vector<config::Network> networks_;
};

enum class Speaks : std::uint8_t { for_itself, for_a_client };

// Reads the header, and no byte behind it. Then the stream's peer is the client, if there is one. A client on the load
// balancer's machine (127.0.0.1, as seen there) is no local client here: it keeps that machine's address.
// The error has an empty message where the peer went without a word, as probes do.
net::Task<Result<Speaks>> read_proxy_header(net::Stream& stream);

}  // namespace tidegate::proxy
