#include "protocol/handshake.h"

#include <algorithm>
#include <cassert>

#include "protocol/frame.h"
#include "protocol/packets.h"

namespace tidegate::protocol {

namespace {

constexpr std::string_view kForReplicas = "5.5.5-";
constexpr std::uint8_t kProtocolVersion = 10;
constexpr std::size_t kNonceHead = 8;
constexpr std::size_t kNonceTail = 12;
constexpr std::size_t kReserved = 10;
constexpr std::size_t kResponseFiller = 23;  // its last four bytes are a MariaDB client's extended flags: not offered
constexpr std::size_t kSslRequestSize = 32;
constexpr std::string_view kNativePassword = "mysql_native_password";

std::unexpected<Error> bad_greeting(std::string_view what) {
    return fail(2012, "HY000", "The server's greeting cannot be read: " + std::string(what) + ".");
}

std::unexpected<Error> bad_handshake(std::string_view what) {
    return fail(1043, "08S01", "Bad handshake: " + std::string(what) + ".");
}

// Up to a zero byte, or to the end of the packet where a client forgot it.
std::string_view text_to_zero_or_end(Reader& r) {
    Reader ahead = r;
    const std::string_view text = ahead.null_terminated();
    if (!ahead.ok()) return r.rest();
    r = ahead;
    return text;
}

bool attributes_are_whole(Bytes attributes) {
    Reader r(attributes);
    while (r.left() > 0) {
        (void)r.lenenc_bytes();
        (void)r.lenenc_bytes();
    }
    return r.ok();
}

// The key-value pairs, with the length of all of them in front; nothing at all is none.
bool read_attributes(Reader& r, HandshakeResponse& out) {
    if (r.left() == 0) return true;
    out.attributes = r.lenenc_bytes();
    return r.ok() && attributes_are_whole(out.attributes);
}

// MariaDB's own flags are the last four of the reserved bytes, where LONG_PASSWORD is clear.
constexpr std::size_t kExtendedFlags = 4;
constexpr unsigned kExtendedShift = 32;

Capabilities extended_flags(Reader& r, std::size_t reserved, Capabilities basic) {
    r.skip(reserved - kExtendedFlags);
    const Capabilities flags = r.u32();
    return (basic & capability::long_password) == 0 ? flags << kExtendedShift : 0;
}

void write_extended_flags(Writer& w, std::size_t reserved, Capabilities capabilities) {
    w.zeros(reserved - kExtendedFlags);
    const bool sent = (capabilities & capability::long_password) == 0;
    w.u32(sent ? static_cast<std::uint32_t>(capabilities >> kExtendedShift) : 0);
}

}  // namespace

std::string_view Greeting::version() const {
    std::string_view version = server_version;
    if (version.starts_with(kForReplicas)) version.remove_prefix(kForReplicas.size());
    return version;
}

Flavour Greeting::flavour() const {
    // Every MySQL sets LONG_PASSWORD; MariaDB clears it since 10.2, under whatever name it goes.
    const bool extended = capabilities != 0 && (capabilities & capability::long_password) == 0;
    const std::string_view version = server_version;
    return extended || version.starts_with(kForReplicas) || version.contains("MariaDB") ? Flavour::mariadb
                                                                                        : Flavour::mysql;
}

Result<Greeting> parse_greeting(Bytes payload) {
    Reader r(payload);
    const std::uint8_t version = r.u8();
    if (version == 0xFF) {
        const auto err = parse_err(payload);
        return err ? Result<Greeting>(std::unexpected(err->to_error())) : bad_greeting("an error without a number");
    }
    if (version != kProtocolVersion) return bad_greeting("protocol version " + std::to_string(version) + ", not 10");

    Greeting g;
    g.server_version = r.null_terminated();
    g.connection_id = r.u32();
    const Bytes head = r.bytes(kNonceHead);
    r.skip(1);
    g.capabilities = r.u16();
    g.charset = r.u8();
    g.status = r.u16();
    g.capabilities |= static_cast<Capabilities>(r.u16()) << 16;
    const std::size_t nonce_size = r.u8();
    g.capabilities |= extended_flags(r, kReserved, g.capabilities);
    const Bytes tail = r.bytes(kNonceTail);
    if (!r.ok()) return bad_greeting("it is cut short");
    if ((g.capabilities & capability::protocol_41) == 0) return bad_greeting("a server older than 4.1");

    std::ranges::copy(head, g.nonce.begin());
    std::ranges::copy(tail, g.nonce.begin() + kNonceHead);
    // A zero byte ends the nonce; a longer one (of some plug-in that asks again with its own) is passed over.
    r.skip(
        std::min(r.left(), std::max<std::size_t>(nonce_size, kNonceHead + kNonceTail + 1) - kNonceHead - kNonceTail));
    if ((g.capabilities & capability::plugin_auth) != 0) g.auth_plugin = text_to_zero_or_end(r);
    if (g.auth_plugin.empty()) g.auth_plugin = kNativePassword;
    return g;
}

void write_greeting(const Greeting& greeting, std::vector<std::byte>& out) {
    const Capabilities capabilities = greeting.capabilities;
    const Bytes nonce = greeting.nonce;
    Writer w(out);
    const std::size_t at = w.begin_packet(0);
    w.u8(kProtocolVersion);
    w.null_terminated(greeting.server_version);
    w.u32(greeting.connection_id);
    w.bytes(nonce.first(kNonceHead));
    w.u8(0);
    w.u16(static_cast<std::uint16_t>(capabilities));
    w.u8(greeting.charset);
    w.u16(greeting.status);
    w.u16(static_cast<std::uint16_t>(capabilities >> 16));
    w.u8((capabilities & capability::plugin_auth) != 0 ? kNonceHead + kNonceTail + 1 : 0);
    write_extended_flags(w, kReserved, capabilities);
    w.bytes(nonce.last(kNonceTail));
    w.u8(0);
    if ((capabilities & capability::plugin_auth) != 0) w.null_terminated(greeting.auth_plugin);
    w.end_packet(at);
}

Capabilities peek_capabilities(Bytes payload) {
    return Reader(payload).u32();
}

bool is_ssl_request(Bytes payload) {
    return payload.size() == kSslRequestSize && (peek_capabilities(payload) & capability::ssl) != 0;
}

Result<HandshakeResponse> parse_handshake_response(Bytes payload) {
    Reader r(payload);
    HandshakeResponse out;
    out.capabilities = r.u32();
    if (!r.ok()) return bad_handshake("the client's answer is cut short");
    const auto has = [&](Capabilities flag) { return (out.capabilities & flag) != 0; };
    if (!has(capability::protocol_41)) {
        return fail(
            1251, "08004",
            "The client speaks the protocol from before MySQL 4.1, which is not supported: upgrade the client.");
    }
    out.max_packet = r.u32();
    out.charset = r.u8();
    out.capabilities |= extended_flags(r, kResponseFiller, out.capabilities);
    out.user = r.null_terminated();
    if (has(capability::plugin_auth_lenenc_data)) {
        out.auth_response = r.lenenc_bytes();
    } else if (has(capability::secure_connection)) {
        out.auth_response = r.bytes(r.u8());
    } else {
        out.auth_response = as_bytes(r.null_terminated());
    }
    if (!r.ok()) return bad_handshake("the client's answer is cut short");
    if (has(capability::connect_with_db)) out.schema = text_to_zero_or_end(r);
    if (has(capability::plugin_auth)) out.auth_plugin = text_to_zero_or_end(r);
    if (has(capability::connect_attrs) && !read_attributes(r, out)) {
        return bad_handshake("the client's connection attributes cannot be read");
    }
    return out;
}

namespace {

void write_fixed_part(Writer& w, const HandshakeResponse& response, Capabilities capabilities) {
    w.u32(static_cast<std::uint32_t>(capabilities));
    w.u32(response.max_packet);
    w.u8(static_cast<std::uint8_t>(response.charset));
    write_extended_flags(w, kResponseFiller, capabilities);
}

}  // namespace

void write_ssl_request(const HandshakeResponse& response, std::uint8_t sequence, std::vector<std::byte>& out) {
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    write_fixed_part(w, response, response.capabilities | capability::ssl);
    w.end_packet(at);
}

void write_handshake_response(const HandshakeResponse& response, std::uint8_t sequence, std::vector<std::byte>& out) {
    const auto has = [&](Capabilities flag) { return (response.capabilities & flag) != 0; };
    Writer w(out);
    const std::size_t at = w.begin_packet(sequence);
    write_fixed_part(w, response, response.capabilities);
    w.null_terminated(response.user);
    if (has(capability::plugin_auth_lenenc_data)) {
        w.lenenc_text(as_text(response.auth_response));
    } else if (has(capability::secure_connection)) {
        assert(response.auth_response.size() <= 0xFF);
        w.u8(static_cast<std::uint8_t>(response.auth_response.size()));
        w.bytes(response.auth_response);
    } else {
        w.null_terminated(as_text(response.auth_response));
    }
    if (has(capability::connect_with_db)) w.null_terminated(response.schema);
    if (has(capability::plugin_auth)) w.null_terminated(response.auth_plugin);
    if (has(capability::connect_attrs)) w.lenenc_text(as_text(response.attributes));
    w.end_packet(at);
}

Result<HandshakeResponse> parse_change_user(Bytes payload, Capabilities negotiated) {
    constexpr std::uint16_t kMalformedPacket = 1835;
    Reader r(payload);
    HandshakeResponse out;
    out.capabilities = negotiated;
    out.user = r.null_terminated();
    if ((negotiated & capability::secure_connection) != 0) {
        out.auth_response = r.bytes(r.u8());  // one byte of length, whatever PLUGIN_AUTH_LENENC_DATA says
    } else {
        out.auth_response = as_bytes(r.null_terminated());
    }
    out.schema = r.null_terminated();
    bool whole = r.ok();
    // What follows came with later versions: a packet may end before any of it.
    if (r.left() > 0) {
        out.charset = r.u16();
        whole = r.ok();
    }
    if ((negotiated & capability::plugin_auth) != 0) out.auth_plugin = text_to_zero_or_end(r);
    if ((negotiated & capability::connect_attrs) != 0 && !read_attributes(r, out)) whole = false;
    if (!whole)
        return fail(kMalformedPacket, "HY000", "Malformed communication packet: COM_CHANGE_USER cannot be read.");
    return out;
}

std::string_view attribute(Bytes attributes, std::string_view name) {
    Reader r(attributes);
    while (r.left() > 0) {
        const std::string_view key = r.lenenc_text();
        const std::string_view value = r.lenenc_text();
        if (r.ok() && key == name) return value;
    }
    return {};
}

}  // namespace tidegate::protocol
