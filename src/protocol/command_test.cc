#include "protocol/command.h"

#include <gtest/gtest.h>

namespace tidegate::protocol {
namespace {

const CommandRule& rule(int byte) {
    return rule_of(static_cast<Command>(byte));
}

TEST(CommandRules, EveryByteHasARuleAndWhoeverRefusesSaysWhy) {
    for (int byte = 0; byte < 256; ++byte) {
        EXPECT_FALSE(rule(byte).name.empty()) << byte;
        EXPECT_EQ(rule(byte).treatment == Treatment::refuse, rule(byte).refusal.ends_with('.')) << byte;
    }
}

TEST(CommandRules, NoByteThatIsNoCommandIsPassedOn) {
    for (int byte = 0; byte < 256; ++byte) {
        const bool known = byte <= 0x21 || (byte >= 0xFA && byte <= 0xFD);
        EXPECT_EQ(rule(byte).name == "unknown command", !known) << byte;
        if (!known) {
            EXPECT_EQ(rule(byte).treatment, Treatment::refuse) << byte;
        }
    }
}

TEST(CommandRules, Treatments) {
    for (const int byte : {0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09, 0x0A, 0x0D, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1C}) {
        EXPECT_EQ(rule(byte).treatment, Treatment::relay) << rule(byte).name;
    }
    for (const int byte : {0x01, 0x0C, 0x0E, 0x11, 0x1B, 0x1F}) {
        EXPECT_EQ(rule(byte).treatment, Treatment::answer) << rule(byte).name;
    }
    for (const int byte : {0x08, 0x12, 0x13, 0x15, 0x1E, 0x20, 0x21, 0xFA}) {
        EXPECT_EQ(rule(byte).treatment, Treatment::refuse) << rule(byte).name;
    }
}

TEST(CommandRules, ThoseThatBeginWithAStatementId) {
    for (int byte = 0; byte < 256; ++byte) {
        const bool expected = (byte >= 0x17 && byte <= 0x1A) || byte == 0x1C || byte == 0xFA;
        EXPECT_EQ(rule(byte).prepared, expected) << byte;
    }
}

TEST(CommandRules, Shapes) {
    EXPECT_EQ(rule_of(Command::query).shape, ReplyShape::result);
    EXPECT_EQ(rule_of(Command::stmt_execute).shape, ReplyShape::result);
    EXPECT_EQ(rule_of(Command::process_info).shape, ReplyShape::result);
    EXPECT_EQ(rule_of(Command::stmt_prepare).shape, ReplyShape::prepare);
    EXPECT_EQ(rule_of(Command::stmt_fetch).shape, ReplyShape::rows);
    EXPECT_EQ(rule_of(Command::field_list).shape, ReplyShape::field_list);
    EXPECT_EQ(rule_of(Command::statistics).shape, ReplyShape::text);
    for (const Command c : {Command::quit, Command::stmt_close, Command::stmt_send_long_data}) {
        EXPECT_EQ(rule_of(c).shape, ReplyShape::none);
    }
}

}  // namespace
}  // namespace tidegate::protocol
