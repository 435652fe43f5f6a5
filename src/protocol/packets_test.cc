#include "protocol/packets.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/frame.h"
#include "protocol/testing.h"

namespace tidegate::protocol {
namespace {

TEST(Ok, Plain) {
    const auto in = hex("00 03 fcf401 0200 0100");
    const auto ok = parse_ok(in, true);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->affected_rows, 3U);
    EXPECT_EQ(ok->last_insert_id, 500U);
    EXPECT_EQ(ok->status, status::autocommit);
    EXPECT_EQ(ok->warnings, 1U);
    EXPECT_TRUE(ok->info.empty());
    EXPECT_TRUE(ok->session_state.empty());
}

// info "Rows", then one schema tracker "ab".
constexpr const char* kTracked = "00 00 00 0240 0000 04526f7773 05 01 03 02 6162";

TEST(Ok, TrackersAreThereOnlyWhereTheyWereNegotiated) {
    const auto in = hex(kTracked);
    const auto with = parse_ok(in, true);
    ASSERT_TRUE(with);
    EXPECT_EQ(with->info, "Rows");
    EXPECT_EQ(with->session_state.size(), 5U);
    const auto without = parse_ok(in, false);
    ASSERT_TRUE(without);
    EXPECT_TRUE(without->session_state.empty());
}

TEST(Ok, WithoutSessionTrackInfoComesWithItsLengthOrFillsThePacket) {
    const auto with_length = hex("00 00 00 0200 0000 04526f7773");
    const auto plain = hex("00 00 00 0200 0000 526f7773");
    EXPECT_EQ(parse_ok(with_length, false)->info, "Rows");
    EXPECT_EQ(parse_ok(plain, false)->info, "Rows");
}

TEST(Ok, EveryTruncationIsRefusedOrShorter) {
    const auto in = hex(kTracked);
    for (std::size_t n = 0; n < in.size(); ++n) {
        const auto ok = parse_ok(Bytes(in).first(n), true);
        // Whole up to the warnings, up to info, and with info: a packet may end there. Nowhere else.
        EXPECT_EQ(ok.has_value(), n == 7 || n == 12) << n;
    }
}

TEST(Ok, OtherPacketsAreNone) {
    EXPECT_FALSE(parse_ok(hex("ff 1004"), true));
    EXPECT_FALSE(parse_ok(hex("01 00 00 0200 0000"), true));
    EXPECT_TRUE(parse_ok(hex("fe 00 00 0200 0000"), true));
}

TEST(TrackerReader, EachItem) {
    const auto in =
        hex("00 0f 0a6175746f636f6d6d6974 034f4646"  // autocommit=OFF
            "01 05 0474657374"                       // schema test
            "02 01 31"                               // state change
            "03 04 00 026162"                        // GTIDs ab
            "05 09 085f5f5f5f5f5f5f5f"               // transaction state
            "2a 03 010203");                         // of a later server
    TrackerReader r(in);
    auto item = r.next();
    ASSERT_TRUE(item);
    EXPECT_EQ(item->type, Tracker::system_variable);
    EXPECT_EQ(item->name, "autocommit");
    EXPECT_EQ(item->value, "OFF");
    item = r.next();
    EXPECT_EQ(item->type, Tracker::schema);
    EXPECT_EQ(item->value, "test");
    item = r.next();
    EXPECT_EQ(item->type, Tracker::state_change);
    EXPECT_EQ(item->value, "1");
    item = r.next();
    EXPECT_EQ(item->type, Tracker::gtids);
    EXPECT_EQ(item->value, "ab");
    item = r.next();
    EXPECT_EQ(item->type, Tracker::transaction_state);
    EXPECT_EQ(item->value, "________");
    item = r.next();
    EXPECT_EQ(static_cast<int>(item->type), 0x2A);
    EXPECT_EQ(item->data.size(), 3U);
    EXPECT_FALSE(r.next());
    EXPECT_TRUE(r.ok());
}

TEST(TrackerReader, ABlockMayHoldSeveralVariables) {
    const auto in = hex("00 08 0161 0131 0162 0132  02 01 31");
    TrackerReader r(in);
    EXPECT_EQ(r.next()->name, "a");
    EXPECT_EQ(r.next()->value, "2");
    EXPECT_EQ(r.next()->type, Tracker::state_change);
    EXPECT_FALSE(r.next());
    EXPECT_TRUE(r.ok());
}

TEST(TrackerReader, MalformedBlocksFail) {
    for (const char* text : {"00 05 0161 0331", "01 09 0474", "01 02 0474", "03 00", "02", "00 01 05"}) {
        const auto in = hex(text);
        TrackerReader r(in);
        while (r.next()) {
        }
        EXPECT_FALSE(r.ok()) << text;
    }
}

TEST(Err, WithAndWithoutSqlstate) {
    const auto with = hex("ff 1504 23 3238303030 6e6f");
    ASSERT_TRUE(parse_err(with));
    EXPECT_EQ(parse_err(with)->code, 1045);
    EXPECT_EQ(parse_err(with)->sqlstate, "28000");
    EXPECT_EQ(parse_err(with)->message, "no");
    const auto without = hex("ff 1004 546f6f206d616e79");
    EXPECT_EQ(parse_err(without)->to_error(), (Error{1040, "08004", "Too many"}));
    for (std::size_t n = 0; n < 3; ++n) EXPECT_FALSE(parse_err(Bytes(with).first(n))) << n;
    for (std::size_t n = 3; n < 9; ++n) EXPECT_TRUE(parse_err(Bytes(with).first(n))->sqlstate.empty()) << n;
}

TEST(Eof, Parse) {
    EXPECT_EQ(parse_eof(hex("fe 0100 0a00"))->status, 0x0A);
    EXPECT_EQ(parse_eof(hex("fe 0100 0a00"))->warnings, 1);
    EXPECT_TRUE(parse_eof(hex("fe")));
    for (const char* text : {"", "fe01", "fe010002", "00 0100 0200", "fe 00 00 0000 0000 00 00"}) {
        EXPECT_FALSE(parse_eof(hex(text))) << text;
    }
}

TEST(Write, WhatIsWrittenIsReadBack) {
    std::vector<std::byte> out;
    write_ok(1, {.affected_rows = 251, .last_insert_id = 7, .status = 0x4002, .warnings = 2, .info = "done"}, out);
    EXPECT_EQ(read_header(out).length, out.size() - kHeaderSize);
    const auto ok = parse_ok(Bytes(out).subspan(kHeaderSize), true);
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->affected_rows, 251U);
    EXPECT_EQ(ok->last_insert_id, 7U);
    EXPECT_EQ(ok->status, status::autocommit);  // no trackers, so no flag that announces them
    EXPECT_EQ(ok->info, "done");

    std::vector<std::byte> trackers;
    write_tracker("time_zone", "+03:00", trackers);
    out.clear();
    write_ok(1, {.status = 2, .session_state = trackers}, out);
    // As both servers answer SET time_zone = '+03:00', but for the state change, which only the gate asks for.
    EXPECT_EQ(out, hex("1c000001 00 00 00 0240 0000 00 13 00 11 09 74696d655f7a6f6e65 06 2b30333a3030"));

    out.clear();
    const Error error{1040, "08004", "The line is full."};
    write_err(2, error, out);
    EXPECT_EQ(parse_err(Bytes(out).subspan(kHeaderSize))->to_error(), error);

    out.clear();
    write_eof(3, 2, 1, out);
    EXPECT_EQ(out, hex("050000 03 fe 0100 0200"));

    out.clear();
    write_command(3, "SELECT 1", out);
    EXPECT_EQ(out, hex("090000 00 03 53454c4543542031"));
}

TEST(Write, OneValue) {
    std::vector<std::byte> out;
    constexpr std::uint16_t kFlags = OneValue::kNotNull | OneValue::kBinary;
    write_one_value(1, {.column = "ROW_COUNT()", .value = ~0ULL, .is_signed = true, .flags = kFlags},
                    capability::deprecate_eof, 2, out);
    EXPECT_EQ(out, hex("010000 01 01"
                       "210000 02 03646566 00 00 00 0b 524f575f434f554e542829 00 0c 3f00 15000000 08 8100 00 0000"
                       "030000 03 02 2d31"
                       "070000 04 fe 00 00 0200 0000"));
    out.clear();
    write_one_value(5, {.column = "c", .value = ~0ULL}, 0, 2, out);
    EXPECT_EQ(out, hex("010000 05 01"
                       "170000 06 03646566 00 00 00 01 63 00 0c 3f00 15000000 08 a100 00 0000"
                       "050000 07 fe 0000 0200"
                       "150000 08 14 3138343436373434303733373039353531363135"
                       "050000 09 fe 0000 0200"));
    out.clear();
    write_one_value(1, {.column = "c", .value = 7}, capability::deprecate_eof | capability::extended_metadata, 2, out);
    EXPECT_EQ(out, hex("010000 01 01"
                       "180000 02 03646566 00 00 00 01 63 00 00 0c 3f00 15000000 08 a100 00 0000"
                       "020000 03 01 37"
                       "070000 04 fe 00 00 0200 0000"));
}

}  // namespace
}  // namespace tidegate::protocol
