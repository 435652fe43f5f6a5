#include "protocol/proxy_header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tidegate::protocol {
namespace {

using namespace std::string_literals;

// Reads as a connection does: as much as was asked for, and no more. What was read is left in `read`.
ProxyHeader feed(const std::string& sent, std::size_t at_once, std::string& read) {
    read.clear();
    while (true) {
        const ProxyHeader header = parse_proxy_header(as_bytes(read));
        const auto* more = std::get_if<ProxyIncomplete>(&header);
        if (more == nullptr || read.size() == sent.size()) return header;
        EXPECT_GT(more->missing, 0U);
        read += sent.substr(read.size(), std::min(more->missing, at_once));
    }
}

void expect_client(const std::string& header, const std::string& host, std::uint16_t port) {
    for (const std::size_t at_once : {1U, 2U, 7U, 100'000U}) {
        std::string read;
        const ProxyHeader got = feed(header + "what follows", at_once, read);
        ASSERT_TRUE(std::holds_alternative<ProxyClient>(got)) << header;
        EXPECT_EQ(std::get<ProxyClient>(got).host, host);
        EXPECT_EQ(std::get<ProxyClient>(got).port, port);
        EXPECT_EQ(read, header) << "a byte of what follows was read";
    }
}

void expect_own(const std::string& header) {
    std::string read;
    EXPECT_TRUE(std::holds_alternative<ProxyOwn>(feed(header + "what follows", 100'000, read))) << header;
    EXPECT_EQ(read, header);
}

void expect_malformed(const std::string& header, std::string_view why) {
    for (const std::size_t at_once : {1U, 100'000U}) {
        std::string read;
        const ProxyHeader got = feed(header, at_once, read);
        ASSERT_TRUE(std::holds_alternative<ProxyMalformed>(got)) << header;
        EXPECT_EQ(std::get<ProxyMalformed>(got).why, why) << header;
    }
}

// Version 2: version and command, family and transport, and the block behind.
std::string binary(int command, int family, const std::string& block) {
    return "\r\n\r\n\0\r\nQUIT\n"s + static_cast<char>(command) + static_cast<char>(family) +
           static_cast<char>(block.size() >> 8) + static_cast<char>(block.size() & 0xFF) + block;
}

const std::string v4_block = "\xCB\x00\x71\x09\x0A\x00\x00\x01\xDB\xF2\x0C\xEA"s;
const std::string v6_block =
    "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x07"s + std::string(15, '\0') + "\x01"s + "\x00\x50\x0C\xEA"s;

TEST(ProxyHeader, LineNamesTheClient) {
    expect_client("PROXY TCP4 203.0.113.9 10.0.0.1 56324 3306\r\n", "203.0.113.9", 56324);
    expect_client("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "1.1.1.1", 1);
    expect_client("PROXY TCP6 2001:db8::7 ::1 65535 0\r\n", "2001:db8::7", 65535);
    expect_client("PROXY TCP6 :: :: 1 1\r\n", "::", 1);
    const std::string longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    expect_client("PROXY TCP6 " + longest + " " + longest + " 65535 65535\r\n", longest, 65535);
}

TEST(ProxyHeader, LineOfAnUnknownProtocolIsTheLoadBalancersOwn) {
    expect_own("PROXY UNKNOWN\r\n");
    const std::string longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    const std::string line = "PROXY UNKNOWN " + longest + " " + longest + " 65535 65535\r\n";
    ASSERT_EQ(line.size(), 107U);
    expect_own(line);
}

TEST(ProxyHeader, LineThatIsWrong) {
    expect_malformed("GET / HTTP/1.1\r\n", "begins like none");
    expect_malformed("PROXYTCP4 1.1.1.1 1.1.1.1 1 1\r\n", "begins like none");
    expect_malformed("\x16\x03\x01\x02", "begins like none");
    expect_malformed("PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n", "names a protocol that does not exist");
    expect_malformed("PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n", "has an address that is none");
    expect_malformed("PROXY TCP4 ::1 ::1 1 1 0000\r\n", "has an address that is none");
    expect_malformed("PROXY TCP4 1.1.1.1\0@ 1.1.1.1 1 1\r\n"s, "has an address that is none");
    expect_malformed("PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n", "has an address that is none");
    expect_malformed("PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n", "has a port that is none");
    expect_malformed("PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n", "has a port that is none");
    expect_malformed("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n", "has a port that is none");
    expect_malformed("PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", "has a port that is none");
    expect_malformed("PROXY UNKNOWN " + std::string(93, 'x'), "is a line without an end");
}

TEST(ProxyHeader, BinaryNamesTheClient) {
    expect_client(binary(0x21, 0x11, v4_block), "203.0.113.9", 56306);
    expect_client(binary(0x21, 0x21, v6_block), "2001:db8::7", 80);
    const std::string facts = "\x03\x00\x04\x11\x22\x33\x44"s + std::string(1000, '\x04');
    expect_client(binary(0x21, 0x11, v4_block + facts), "203.0.113.9", 56306);
    expect_client(binary(0x21, 0x21, v6_block + facts), "2001:db8::7", 80);
}

TEST(ProxyHeader, BinaryOfTheLoadBalancersOwn) {
    expect_own(binary(0x20, 0x00, ""));
    expect_own(binary(0x20, 0x11, v4_block));  // LOCAL: the addresses mean nothing
    expect_own(binary(0x20, 0xFF, "skipped"));
    expect_own(binary(0x21, 0x00, ""));
    expect_own(binary(0x21, 0x00, "skipped"));
    expect_own(binary(0x21, 0x12, v4_block));
    expect_own(binary(0x21, 0x31, std::string(216, 'u')));
}

TEST(ProxyHeader, BinaryThatIsWrong) {
    expect_malformed("\r\n\r\n\0\r\nQUIT\r"s, "begins like none");
    expect_malformed(binary(0x11, 0x11, v4_block), "is of a version or command that does not exist");
    expect_malformed(binary(0x22, 0x11, v4_block), "is of a version or command that does not exist");
    expect_malformed(binary(0x21, 0x41, v4_block), "is of a family that does not exist");
    expect_malformed(binary(0x21, 0x13, v4_block), "is of a family that does not exist");
    expect_malformed(binary(0x21, 0x11, v4_block.substr(1)), "is too short for its addresses");
    expect_malformed(binary(0x21, 0x21, v6_block.substr(1)), "is too short for its addresses");
}

TEST(ProxyHeader, ABeginningIsIncomplete) {
    for (const std::string& whole :
         {"PROXY TCP4 203.0.113.9 10.0.0.1 56324 3306\r\n"s, binary(0x21, 0x11, v4_block + "further facts")}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const ProxyHeader header = parse_proxy_header(as_bytes(whole).first(size));
            ASSERT_TRUE(std::holds_alternative<ProxyIncomplete>(header)) << size;
            EXPECT_LE(size + std::get<ProxyIncomplete>(header).missing, whole.size());
        }
    }
}

TEST(ProxyHeader, IsKnownByItsFirstFourBytes) {
    EXPECT_TRUE(resembles_proxy_header(as_bytes("PROX")));
    EXPECT_TRUE(resembles_proxy_header(as_bytes(binary(0x21, 0x11, v4_block))));
    EXPECT_FALSE(resembles_proxy_header(as_bytes("PRO")));
    EXPECT_FALSE(resembles_proxy_header(as_bytes("GET ")));
    EXPECT_FALSE(resembles_proxy_header(as_bytes("\x20\0\0\1"s)));
}

}  // namespace
}  // namespace tidegate::protocol
