#include "protocol/text_table.h"

#include <gtest/gtest.h>

#include "protocol/frame.h"
#include "protocol/reply_testing.h"

namespace tidegate::protocol {
namespace {

TextTable example() {
    using Type = TextTable::Type;
    return {.columns = {{"account"}, {"open", Type::integer}, {"oldest_wait", Type::decimal}},
            .rows = {{"shop", "12", "0.250"}, {"", "0", std::nullopt}}};
}

// The packets of a reply: their sequence numbers, and what they carry.
std::vector<std::string> packets(Bytes reply) {
    std::vector<std::string> found;
    std::uint8_t sequence = 1;
    while (reply.size() >= kHeaderSize) {
        const Header header = read_header(reply);
        EXPECT_EQ(header.sequence, sequence++);
        found.emplace_back(as_text(reply.subspan(kHeaderSize, header.length)));
        reply = reply.subspan(kHeaderSize + header.length);
    }
    EXPECT_TRUE(reply.empty());
    return found;
}

class ATextTable : public testing::TestWithParam<bool> {};

TEST_P(ATextTable, IsAReplyThatEndsWhereItShould) {
    std::vector<std::byte> reply;
    write_text_table(1, example(), GetParam() ? capability::deprecate_eof : 0, 2, reply);
    const Walked walked =
        walk(reply, ReplyShape::result, {.server_deprecate_eof = GetParam(), .client_deprecate_eof = GetParam()},
             [] { return std::size_t{1}; });
    EXPECT_EQ(walked.wrong, "");
    EXPECT_EQ(walked.last, ReplyWalker::Event::done);
    EXPECT_EQ(walked.consumed, reply.size());
    EXPECT_EQ(walked.outcome.rows, 2U);
    const auto found = packets(reply);
    const std::size_t rows = GetParam() ? 4 : 5;  // behind the number of columns, their definitions, perhaps an EOF
    ASSERT_EQ(found.size(), rows + 3);
    EXPECT_EQ(found[0], "\3");
    EXPECT_NE(found[1].find("account"), std::string::npos);
    EXPECT_EQ(found[rows], std::string("\4shop\2"
                                       "12\5"
                                       "0.250"));
    EXPECT_EQ(found[rows + 1], std::string("\0\1"
                                           "0\xFB",
                                           4));
    EXPECT_EQ(found[rows + 2].size(), GetParam() ? 7U : 5U);
}

INSTANTIATE_TEST_SUITE_P(BothForms, ATextTable, testing::Bool());

TEST(TextTable, CutsALongCellBetweenTwoCharacters) {
    TextTable table{.columns = {{"text"}}, .rows = {}};
    std::string text = "x";
    while (text.size() <= kMostOfCell) text += "\xC3\xA9";  // two bytes each
    table.rows.push_back({text});
    std::vector<std::byte> reply;
    write_text_table(1, table, capability::deprecate_eof, 2, reply);
    const auto found = packets(reply);
    ASSERT_EQ(found.size(), 4U);
    Reader row(as_bytes(found[2]));
    const std::string_view cell = row.lenenc_text();
    EXPECT_TRUE(row.ok());
    EXPECT_EQ(row.left(), 0U);
    EXPECT_LE(cell.size(), kMostOfCell);
    EXPECT_TRUE(cell.ends_with("\xC3\xA9..")) << cell.substr(cell.size() - 6);
}

TEST(TextTable, HasNoRowsWhereThereAreNone) {
    std::vector<std::byte> reply;
    write_text_table(1, {.columns = {{"name"}}, .rows = {}}, 0, 2, reply);
    EXPECT_EQ(packets(reply).size(), 4U);
}

}  // namespace
}  // namespace tidegate::protocol
