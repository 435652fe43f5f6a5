// The connection phase: HandshakeV10, SSLRequest, HandshakeResponse41, COM_CHANGE_USER's body.
// Parsers take a packet's payload without its header; the views they give point into it.
// Source: "Connection Phase Packets" of the MySQL source documentation; MariaDB's "Connection" page.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/capabilities.h"
#include "protocol/wire.h"

namespace tidegate::protocol {

using Nonce = std::array<std::byte, 20>;  // no zero byte in it

enum class Flavour : std::uint8_t { mysql, mariadb };

// What a server says first.
struct Greeting {
    std::string server_version{};  // "5.5.5-10.11.6-MariaDB", "9.7.4": as it stands on the wire
    std::uint32_t connection_id = 0;
    Nonce nonce{};
    Capabilities capabilities = 0;
    std::uint8_t charset = 0;
    std::uint16_t status = 0;
    std::string auth_plugin{};  // "mysql_native_password" where a server names none

    [[nodiscard]] Flavour flavour() const;
    // For people: without the "5.5.5-" that MariaDB puts before it for old replicas.
    [[nodiscard]] std::string_view version() const;
};

// A greeting, or the ERR packet that a full or blocking server sends in its place (1040, 1129, 1130: as an Error).
[[nodiscard]] Result<Greeting> parse_greeting(Bytes payload);
// A whole packet, sequence 0. Without LONG_PASSWORD MariaDB's own flags are in it.
void write_greeting(const Greeting& greeting, std::vector<std::byte>& out);

// A client's answer. The views are valid as long as the payload.
struct HandshakeResponse {
    Capabilities capabilities = 0;
    std::uint32_t max_packet = 0;
    std::uint16_t charset = 0;  // a collation id
    std::string_view user{};
    Bytes auth_response{};
    std::string_view schema{};  // empty, too, where the client announced one and sent none
    std::string_view auth_plugin{};
    Bytes attributes{};  // the key-value pairs as they came, without the length before them
};

[[nodiscard]] bool is_ssl_request(Bytes payload);  // 32 bytes with capability::ssl set
[[nodiscard]] Capabilities peek_capabilities(Bytes payload);
[[nodiscard]] Result<HandshakeResponse> parse_handshake_response(Bytes payload);  // protocol 4.1 only: older is refused
// Both write what response.capabilities announces: the schema with CONNECT_WITH_DB, attributes with CONNECT_ATTRS, ..
// REQUIRES: an auth response of at most 255 bytes, unless PLUGIN_AUTH_LENENC_DATA is set.
void write_ssl_request(const HandshakeResponse& response, std::uint8_t sequence, std::vector<std::byte>& out);
void write_handshake_response(const HandshakeResponse& response, std::uint8_t sequence, std::vector<std::byte>& out);

// The payload of COM_CHANGE_USER behind its command byte.
[[nodiscard]] Result<HandshakeResponse> parse_change_user(Bytes payload, Capabilities negotiated);

// Looks up a connection attribute ("program_name", "_pid"); empty where it is not there.
[[nodiscard]] std::string_view attribute(Bytes attributes, std::string_view name);

}  // namespace tidegate::protocol
