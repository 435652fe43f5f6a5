// The header of the PROXY protocol, with which a load balancer says whose connection it passes on: version 1, a line of
// text, and version 2, binary. Source: "The PROXY protocol", versions 1 & 2, of HAProxy's documentation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/wire.h"

namespace tidegate::protocol {

// At least so many more bytes belong to the header: whoever reads no more than that takes nothing of what follows it.
struct ProxyIncomplete {
    std::size_t missing = 0;
};
// The connection is the load balancer's own (LOCAL: its health check), or of a kind that it has no address for.
struct ProxyOwn {};
// It is passed on for a client at this numeric address.
struct ProxyClient {
    std::string host;
    std::uint16_t port = 0;
};
struct ProxyMalformed {
    std::string_view why;  // what is wrong, to follow "the PROXY header"
};
using ProxyHeader = std::variant<ProxyIncomplete, ProxyOwn, ProxyClient, ProxyMalformed>;

// REQUIRES: `in` begins where the connection does, and has no byte more than the results before asked for.
[[nodiscard]] ProxyHeader parse_proxy_header(Bytes in);

// Whether what came where a client's packet should be, cut to a packet's header, looks like a PROXY header.
[[nodiscard]] bool resembles_proxy_header(Bytes in);

}  // namespace tidegate::protocol
