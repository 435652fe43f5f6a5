#include "protocol/wire.h"

#include <gtest/gtest.h>

#include "protocol/frame.h"
#include "protocol/testing.h"

namespace tidegate::protocol {
namespace {

TEST(Reader, IntegersAreLittleEndian) {
    const auto in = hex("01 0302 060504 0a090807 1211100f0e0d0c0b");
    Reader r(in);
    EXPECT_EQ(r.u8(), 0x01U);
    EXPECT_EQ(r.u16(), 0x0203U);
    EXPECT_EQ(r.u24(), 0x040506U);
    EXPECT_EQ(r.u32(), 0x0708090AU);
    EXPECT_EQ(r.u64(), 0x0B0C0D0E0F101112ULL);
    EXPECT_TRUE(r.ok());
    EXPECT_EQ(r.left(), 0U);
}

TEST(Reader, AfterAShortReadItIsFailedAndGivesZeros) {
    const auto in = hex("ffffff");
    Reader r(in);
    EXPECT_EQ(r.u32(), 0U);
    EXPECT_FALSE(r.ok());
    EXPECT_EQ(r.u8(), 0U);  // though a byte would have been there
    EXPECT_TRUE(r.rest().empty());
    EXPECT_TRUE(r.bytes(0).empty());
    EXPECT_FALSE(r.ok());
}

TEST(Reader, LengthThatIsNotThereFails) {
    for (const char* text : {"05 61626364", "fe ffffffffffffffff 61", "fc 01", "fb", "ff", ""}) {
        const auto in = hex(text);
        Reader r(in);
        EXPECT_TRUE(r.lenenc_bytes().empty()) << text;
        EXPECT_FALSE(r.ok()) << text;
    }
}

TEST(Reader, NullTerminated) {
    const auto in = hex("616200 63");
    Reader r(in);
    EXPECT_EQ(r.null_terminated(), "ab");
    EXPECT_EQ(r.null_terminated(), "");
    EXPECT_FALSE(r.ok());
}

TEST(Writer, LenencRoundTripsAtEveryBorder) {
    for (const std::uint64_t v : {0ULL, 250ULL, 251ULL, 255ULL, 256ULL, 0xFFFFULL, 0x10000ULL, 0xFFFFFFULL,
                                  0x1000000ULL, 0xFFFFFFFFFFFFFFFFULL}) {
        std::vector<std::byte> out;
        Writer(out).lenenc(v);
        EXPECT_EQ(out.size(), lenenc_size(v)) << v;
        Reader r(out);
        EXPECT_EQ(r.lenenc(), v);
        EXPECT_TRUE(r.ok());
        EXPECT_EQ(r.left(), 0U);
    }
}

TEST(Writer, Packet) {
    std::vector<std::byte> out;
    Writer w(out);
    const std::size_t at = w.begin_packet(7);
    w.null_terminated("ab");
    w.zeros(2);
    w.u64(0x0102030405060708);
    w.end_packet(at);
    EXPECT_EQ(out, hex("0d0000 07 616200 0000 0807060504030201"));
    EXPECT_EQ(read_header(out).length, 13U);
    EXPECT_EQ(read_header(out).sequence, 7U);
    EXPECT_FALSE(read_header(out).continues());
}

}  // namespace
}  // namespace tidegate::protocol
