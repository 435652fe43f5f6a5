#include "protocol/execute.h"

#include <gtest/gtest.h>

#include <vector>

#include "protocol/testing.h"

namespace tidegate::protocol {
namespace {

using std::size_t;

TEST(Execute, NumbersAreReadAndWrittenInPlace) {
    auto payload = hex("17 78563412 00 01000000");
    EXPECT_EQ(statement_id(payload), 0x12345678U);
    set_statement_id(payload, 0xA1B2C3D4U);
    EXPECT_EQ(payload, hex("17 d4c3b2a1 00 01000000"));
    EXPECT_EQ(statement_id(hex("19 ffffffff")), kLastPrepared);
    EXPECT_EQ(statement_id(hex("19 010203")), std::nullopt);
    EXPECT_EQ(statement_id({}), std::nullopt);
}

TEST(Execute, WithoutParametersThereAreNoTypes) {
    const auto head = read_execute(hex("17 01000000 00 01000000"), 0);
    ASSERT_TRUE(head);
    EXPECT_EQ(*head, ExecuteHead());
}

TEST(Execute, TypesStandBehindTheNulls) {
    // Nine parameters have two bytes of NULL bits.
    auto payload = hex("17 01000000 00 01000000 0001 01");
    for (int i = 0; i < 9; ++i) payload.insert(payload.end(), {std::byte{8}, std::byte{0x80}});
    const auto head = read_execute(payload, 9);
    ASSERT_TRUE(head);
    EXPECT_EQ(*head, (ExecuteHead{.bound_at = 12, .bound_size = 19}));
    EXPECT_EQ(execute_head_size(9), payload.size());
}

TEST(Execute, TypesMayBeLeftOut) {
    const auto head = read_execute(hex("17 01000000 00 01000000 00 00 2a00000000000000"), 1);
    ASSERT_TRUE(head);
    EXPECT_EQ(*head, ExecuteHead{.bound_at = 11});
}

TEST(Execute, WhatIsCutShortIsNotRead) {
    const auto whole = hex("17 01000000 00 01000000 00 01 0800 2a00000000000000");
    const size_t head = execute_head_size(1);
    for (size_t size = 0; size <= whole.size(); ++size) {
        EXPECT_EQ(read_execute(Bytes(whole).first(size), 1).has_value(), size >= head) << size;
    }
}

TEST(Execute, NullsGetTheTypesOfTheTimeBefore) {
    auto payload = hex("17 01000000 00 01000000 05 01 0600 0600 0600 2a");  // the first and the third are NULL
    const auto head = read_execute(payload, 3);
    ASSERT_TRUE(head);
    fill_in_types(payload, *head, hex("01 0880 fd00 0c00"));
    EXPECT_EQ(payload, hex("17 01000000 00 01000000 05 01 0880 0600 0c00 2a"));
}

TEST(Execute, CloseIsOnePacket) {
    std::vector<std::byte> out = hex("aa");
    write_statement_close(0x01020304, out);
    EXPECT_EQ(out, hex("aa 05000000 19 04030201"));
}

}  // namespace
}  // namespace tidegate::protocol
