#include "protocol/handshake.h"

#include <gtest/gtest.h>

#include "protocol/frame.h"
#include "protocol/packets.h"
#include "protocol/testing.h"

namespace tidegate::protocol {
namespace {

// What the servers sent, payloads only.
constexpr const char* kMariaDb =
    "0a352e352e352d31302e31312e31392d4d6172696144422d302b64656231327531000700000055302e345c52662b00fef7080200ff8115"
    "0000000000001d00000041477c604a335c592a633621006d7973716c5f6e61746976655f70617373776f726400";
constexpr const char* kMySql =
    "0a392e372e342d3200080000005b1b16401113745400ffffff0200ffdf1500000000000000000000343d373d38236c7142350f63006361"
    "6368696e675f736861325f70617373776f726400";

TEST(Greeting, OfMariaDb) {
    const auto g = parse_greeting(hex(kMariaDb));
    ASSERT_TRUE(g);
    EXPECT_EQ(g->server_version, "5.5.5-10.11.19-MariaDB-0+deb12u1");
    EXPECT_EQ(g->version(), "10.11.19-MariaDB-0+deb12u1");
    EXPECT_EQ(g->flavour(), Flavour::mariadb);
    EXPECT_EQ(g->connection_id, 7U);
    EXPECT_EQ(g->capabilities, 0x1D'81FF'F7FEULL);
    EXPECT_EQ(g->charset, 8);
    EXPECT_EQ(g->status, status::autocommit);
    EXPECT_EQ(as_text(g->nonce), "U0.4\\Rf+AG|`J3\\Y*c6!");
    EXPECT_EQ(g->auth_plugin, "mysql_native_password");
}

TEST(Greeting, OfMySql) {
    const auto g = parse_greeting(hex(kMySql));
    ASSERT_TRUE(g);
    EXPECT_EQ(g->server_version, "9.7.4-2");
    EXPECT_EQ(g->flavour(), Flavour::mysql);
    EXPECT_EQ(g->capabilities, 0xDFFFFFFFU);
    EXPECT_EQ(g->charset, 255);
    EXPECT_EQ(g->auth_plugin, "caching_sha2_password");
}

// MariaDB 11 has no prefix, and `version` can be set to anything: the flags still tell.
TEST(Greeting, FlavourByNameAndByFlags) {
    EXPECT_EQ((Greeting{.server_version = "11.8.2-MariaDB", .capabilities = ~0U}).flavour(), Flavour::mariadb);
    EXPECT_EQ((Greeting{.server_version = "8.0.99", .capabilities = ~capability::long_password}).flavour(),
              Flavour::mariadb);
    EXPECT_EQ((Greeting{.server_version = "8.0.99", .capabilities = ~0U}).flavour(), Flavour::mysql);
}

TEST(Greeting, EveryTruncationIsRefusedUpToTheNonce) {
    const auto in = hex(kMySql);
    const std::size_t nonce_end = in.size() - sizeof("caching_sha2_password") - 1;
    for (std::size_t n = 0; n < in.size(); ++n) {
        const auto g = parse_greeting(Bytes(in).first(n));
        EXPECT_EQ(g.has_value(), n >= nonce_end) << n;
        if (n == nonce_end || n == nonce_end + 1) {
            EXPECT_EQ(g->auth_plugin, "mysql_native_password");
        }
    }
}

TEST(Greeting, NoPluginNamed) {
    // A server of 5.0: neither PLUGIN_AUTH nor a length of the nonce.
    const auto g =
        parse_greeting(hex("0a 352e302e3000 01000000 6161616161616161 00 00a2 08 0200 0000 00"
                           "00000000000000000000 626262626262626262626262 00"));
    ASSERT_TRUE(g);
    EXPECT_EQ(g->auth_plugin, "mysql_native_password");
    EXPECT_EQ(as_text(g->nonce), "aaaaaaaabbbbbbbbbbbb");
}

TEST(Greeting, AnErrorInItsPlaceWithAndWithoutSqlstate) {
    const auto without = parse_greeting(hex("ff 1004 546f6f206d616e7920636f6e6e656374696f6e73"));
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error(), (Error{1040, "08004", "Too many connections"}));
    const auto with = parse_greeting(hex("ff 6904 23 3438303030 626c6f636b6564"));
    ASSERT_FALSE(with);
    EXPECT_EQ(with.error(), (Error{1129, "48000", "blocked"}));
}

TEST(Greeting, OtherProtocolsAreRefused) {
    for (const char* in : {"", "09", "ff", "ff10", "0b00", "485454502f312e31"}) EXPECT_FALSE(parse_greeting(hex(in)));
}

TEST(Greeting, WrittenAndReadBack) {
    Greeting g = *parse_greeting(hex(kMariaDb));
    std::vector<std::byte> out;
    write_greeting(g, out);
    EXPECT_EQ(read_header(out).length, out.size() - kHeaderSize);
    EXPECT_EQ(read_header(out).sequence, 0);
    const auto again = parse_greeting(Bytes(out).subspan(kHeaderSize));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->capabilities, g.capabilities);
    EXPECT_EQ(again->server_version, g.server_version);
    EXPECT_EQ(again->connection_id, g.connection_id);
    EXPECT_EQ(again->nonce, g.nonce);
    EXPECT_EQ(again->auth_plugin, g.auth_plugin);
    EXPECT_EQ(again->flavour(), Flavour::mariadb);
}

// The fixed part of a client's answer: flags as given, 16 MB, charset 45, filler.
std::string fixed_part(std::string flags) {
    return flags + "00000001 2d 0000000000000000000000000000000000000000000000";
}
constexpr const char* kUser = "726f6f7400";

TEST(Response, TheThreeFormsOfTheAuthResponse) {
    struct Case {
        const char* flags;
        const char* auth;
    };
    for (const Case& c : {Case{"00022000", "03 616263"}, Case{"00820000", "03 616263"}, Case{"00020000", "61626300"}}) {
        const auto in = hex(fixed_part(c.flags) + kUser + c.auth);
        const auto r = parse_handshake_response(in);
        ASSERT_TRUE(r) << c.flags;
        EXPECT_EQ(r->user, "root");
        EXPECT_EQ(as_text(r->auth_response), "abc");
        EXPECT_EQ(r->charset, 45);
        EXPECT_EQ(r->max_packet, 1U << 24);
    }
    // Over 250 bytes, as PARSEC or clear text may be.
    const auto in = hex(fixed_part("00022000") + kUser + "fc 0001" + std::string(512, '6'));
    EXPECT_EQ(parse_handshake_response(in)->auth_response.size(), 256U);
}

// Schema "db", plug-in "p", attributes a=1 and _pid=42, and a byte of zstd level behind them.
constexpr const char* kWhole = "03 616263 646200 7000 0c 0161 0131 045f706964 023432 03";
constexpr const char* kWholeFlags = "08823800";

TEST(Response, WholeWithAttributes) {
    const auto in = hex(fixed_part(kWholeFlags) + kUser + kWhole);
    const auto r = parse_handshake_response(in);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->schema, "db");
    EXPECT_EQ(r->auth_plugin, "p");
    EXPECT_EQ(attribute(r->attributes, "_pid"), "42");
    EXPECT_EQ(attribute(r->attributes, "a"), "1");
    EXPECT_EQ(attribute(r->attributes, "1"), "");
}

TEST(Response, EveryTruncation) {
    const auto in = hex(fixed_part(kWholeFlags) + kUser + kWhole);
    const std::size_t auth_end = 32 + 5 + 4;
    const std::size_t attributes = auth_end + 3 + 2;  // where their length stands
    for (std::size_t n = 0; n < in.size(); ++n) {
        const auto r = parse_handshake_response(Bytes(in).first(n));
        // Schema, plug-in and attributes may be missing or end with the packet; attributes that are there are whole.
        const bool readable = (n >= auth_end && n <= attributes) || n == in.size() - 1;
        EXPECT_EQ(r.has_value(), readable) << n;
        if (!r) {
            EXPECT_EQ(r.error().code, 1043) << n;
        }
        if (n == auth_end) {
            EXPECT_EQ(r->schema, "");  // announced, and not sent
        }
    }
}

TEST(Response, MalformedAttributesAreAnError) {
    for (const char* attributes : {"05 0161 0131 01", "03 0161 05", "01 61", "ff", "fc", "ff00000000"}) {
        const auto in = hex(fixed_part("00021000") + kUser + "00" + attributes);
        const auto r = parse_handshake_response(in);
        ASSERT_FALSE(r) << attributes;
        EXPECT_EQ(r.error().code, 1043);
    }
    EXPECT_TRUE(parse_handshake_response(hex(fixed_part("00021000") + kUser + "00" + "00")));
}

TEST(Response, ExtendedFlagsOfMariaDbClientsAreIgnored) {
    const auto in =
        hex("00020000 00000001 2d 00000000000000000000000000000000000000 1f000000" + std::string(kUser) + "61626300");
    const auto r = parse_handshake_response(in);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->user, "root");
}

TEST(Response, OlderThan41IsRefused) {
    const auto r = parse_handshake_response(hex("85240000006f6c6400"));
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, 1251);
}

TEST(Response, WrittenAndReadBackInEveryForm) {
    const auto secret = hex("00010203");  // not for the null-terminated form
    const auto plain = hex("616263");
    const auto pairs = hex("0161 0131");
    for (unsigned bits = 0; bits < 64; ++bits) {
        Capabilities flags = capability::protocol_41;
        if ((bits & 1) != 0) flags |= capability::plugin_auth_lenenc_data;
        if ((bits & 2) != 0) flags |= capability::secure_connection;
        if ((bits & 4) != 0) flags |= capability::connect_with_db;
        if ((bits & 8) != 0) flags |= capability::plugin_auth;
        if ((bits & 16) != 0) flags |= capability::connect_attrs;
        if ((bits & 32) != 0) flags |= capability::extended_metadata;
        const HandshakeResponse in{.capabilities = flags,
                                   .max_packet = 1 << 24,
                                   .charset = 33,
                                   .user = "app",
                                   .auth_response = (bits & 3) != 0 ? secret : plain,
                                   .schema = "shop",
                                   .auth_plugin = "caching_sha2_password",
                                   .attributes = pairs};
        std::vector<std::byte> out;
        write_handshake_response(in, 1, out);
        EXPECT_EQ(read_header(out).sequence, 1);
        const auto r = parse_handshake_response(Bytes(out).subspan(kHeaderSize));
        ASSERT_TRUE(r) << bits;
        EXPECT_EQ(r->capabilities, flags);
        EXPECT_EQ(r->user, "app");
        EXPECT_EQ(as_text(r->auth_response), as_text(in.auth_response));
        EXPECT_EQ(r->schema, (bits & 4) != 0 ? "shop" : "");
        EXPECT_EQ(r->auth_plugin, (bits & 8) != 0 ? "caching_sha2_password" : "");
        EXPECT_EQ(attribute(r->attributes, "a"), (bits & 16) != 0 ? "1" : "");
    }
}

// Whoever sets LONG_PASSWORD has no flags of MariaDB's, whatever stands in the reserved bytes.
TEST(Response, ExtendedFlagsOnlyWithoutLongPassword) {
    constexpr const char* kReserved = "00000001 2d 00000000000000000000000000000000000000 08000000";
    const auto without = parse_handshake_response(hex(std::string("01820000") + kReserved + kUser + "00"));
    const auto with = parse_handshake_response(hex(std::string("00820000") + kReserved + kUser + "00"));
    ASSERT_TRUE(without && with);
    EXPECT_EQ(without->capabilities & capability::extended_metadata, 0U);
    EXPECT_NE(with->capabilities & capability::extended_metadata, 0U);
}

TEST(SslRequest, WrittenAndRecognised) {
    std::vector<std::byte> out;
    write_ssl_request({.capabilities = capability::protocol_41, .max_packet = 7, .charset = 45}, 1, out);
    const Bytes payload = Bytes(out).subspan(kHeaderSize);
    EXPECT_TRUE(is_ssl_request(payload));
    EXPECT_EQ(peek_capabilities(payload), capability::protocol_41 | capability::ssl);
    EXPECT_FALSE(is_ssl_request(payload.first(31)));
    EXPECT_FALSE(is_ssl_request(hex(fixed_part("00020000"))));
    EXPECT_EQ(peek_capabilities(payload.first(3)), 0U);
}

TEST(ChangeUser, WholeAndEveryTruncation) {
    const Capabilities flags = capability::protocol_41 | capability::secure_connection | capability::plugin_auth |
                               capability::connect_attrs | capability::plugin_auth_lenenc_data;
    // user, response of one byte of length, schema, collation 0x0133, plug-in, attributes
    const auto in = hex("61707000 03 616263 64620033 01 7000 04 0161 0131");
    const auto r = parse_change_user(in, flags);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->capabilities, flags);
    EXPECT_EQ(r->user, "app");
    EXPECT_EQ(as_text(r->auth_response), "abc");
    EXPECT_EQ(r->schema, "db");
    EXPECT_EQ(r->charset, 0x0133);
    EXPECT_EQ(r->auth_plugin, "p");
    EXPECT_EQ(attribute(r->attributes, "a"), "1");
    for (std::size_t n = 0; n < in.size(); ++n) {
        const bool readable = n == 11 || (n >= 13 && n <= 15);  // without a collation; without plug-in or attributes
        EXPECT_EQ(parse_change_user(Bytes(in).first(n), flags).has_value(), readable) << n;
    }
}

TEST(Attribute, OfAMalformedBlockIsEmpty) {
    EXPECT_EQ(attribute(hex("0161 05 31"), "a"), "");
    EXPECT_EQ(attribute({}, "a"), "");
}

}  // namespace
}  // namespace tidegate::protocol
