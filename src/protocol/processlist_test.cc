#include "protocol/processlist.h"

#include <gtest/gtest.h>

#include "protocol/frame.h"
#include "protocol/packets.h"

namespace tidegate::protocol {
namespace {

using Row = std::vector<std::optional<std::string>>;

// A text result set as servers send it.
class Reply {
public:
    Reply(std::initializer_list<const char*> columns, bool deprecate_eof) : deprecate_eof_(deprecate_eof) {
        packet([&](Writer& out) { out.lenenc(columns.size()); });
        for (const char* name : columns) {
            packet([&](Writer& out) {
                for (const char* text : {"def", "", "", ""}) out.lenenc_text(text);
                out.lenenc_text(name);
                out.lenenc_text("");
                out.zeros(13);
            });
        }
        if (!deprecate_eof) eof();
    }
    Reply& row(const Row& values) {
        packet([&](Writer& out) {
            for (const auto& value : values) {
                if (value)
                    out.lenenc_text(*value);
                else
                    out.u8(0xFB);
            }
        });
        return *this;
    }
    Reply& eof() {
        write_eof(sequence_++, 2, 0, bytes_);
        return *this;
    }
    Reply& raw(std::size_t size, char fill) {  // a packet of this size
        packet([&](Writer& out) { out.text(std::string(size, fill)); });
        return *this;
    }
    [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }
    [[nodiscard]] bool deprecate_eof() const { return deprecate_eof_; }

private:
    template <class Fill>
    void packet(Fill fill) {
        Writer out(bytes_);
        const std::size_t at = bytes_.size();
        out.zeros(kHeaderSize);
        fill(out);
        write_header(std::span(bytes_).subspan(at),
                     {.length = static_cast<std::uint32_t>(bytes_.size() - at - kHeaderSize), .sequence = sequence_++});
    }

    bool deprecate_eof_;
    std::uint8_t sequence_ = 1;
    std::vector<std::byte> bytes_;
};

std::string note(std::uint64_t id, std::string_view user) {
    return id < 10 ? "/* " + std::string(user) + " " + std::to_string(id) + " */" : std::string();
}

std::vector<std::byte> noted(const Reply& reply) {
    return with_process_notes(reply.bytes(), reply.deprecate_eof(), note);
}

const std::initializer_list<const char*> kColumns{"Id", "User", "Host", "Info", "Progress"};

TEST(Processlist, TheNoteStandsBeforeTheStatement) {
    for (const bool deprecate_eof : {true, false}) {
        const std::string long_text(400, 'x');
        const Reply reply = Reply(kColumns, deprecate_eof)
                                .row({"7", "shop", "a", "SELECT 1", "0.000"})
                                .row({"8", "root", "b", std::nullopt, "0.000"})
                                .row({"70", "shop", "c", "SELECT 2", std::nullopt})
                                .row({"9", "shop", "d", long_text, "0.000"})
                                .eof();
        const Reply expected = Reply(kColumns, deprecate_eof)
                                   .row({"7", "shop", "a", "/* shop 7 */ SELECT 1", "0.000"})
                                   .row({"8", "root", "b", "/* root 8 */", "0.000"})
                                   .row({"70", "shop", "c", "SELECT 2", std::nullopt})
                                   .row({"9", "shop", "d", "/* shop 9 */ " + long_text, "0.000"})
                                   .eof();
        EXPECT_EQ(noted(reply), expected.bytes());
    }
}

TEST(Processlist, OtherRepliesStayAsTheyAre) {
    std::vector<std::byte> error;
    write_err(1, Error{1227, "42000", "Access denied"}, error);
    EXPECT_EQ(with_process_notes(error, true, note), error);
    const Reply without_info = Reply({"Id", "User"}, true).row({"7", "shop"}).eof();
    EXPECT_EQ(noted(without_info), without_info.bytes());
    EXPECT_TRUE(with_process_notes({}, true, note).empty());
}

TEST(Processlist, WhatIsNotUnderstoodStaysAsItIs) {
    const Reply odd = Reply(kColumns, true)
                          .row({"seven", "shop", "a", "SELECT 1", ""})
                          .row({std::nullopt, "shop", "a", "SELECT 1", ""})
                          .row({std::string("\0\67", 2), "shop", "a", "SELECT 1", ""})  // utf16
                          .row({"7", "shop"})
                          .raw(3, '\xFE')
                          .eof();
    EXPECT_EQ(noted(odd), odd.bytes());
    // A reply that is cut anywhere is not read beyond its end, and loses nothing.
    const Reply whole = Reply(kColumns, false).row({"70", "shop", "a", "SELECT 1", ""}).eof();
    for (std::size_t size = 0; size < whole.bytes().size(); ++size) {
        const std::vector<std::byte> cut(whole.bytes().begin(),
                                         whole.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(with_process_notes(cut, false, note), cut);
    }
}

TEST(Processlist, ARowOfSeveralPacketsStaysAsItIs) {
    const Reply reply =
        Reply(kColumns, true).raw(kMaxPayload, '\1').raw(0, ' ').row({"7", "shop", "a", "SELECT 1", ""}).eof();
    const Reply expected = Reply(kColumns, true)
                               .raw(kMaxPayload, '\1')
                               .raw(0, ' ')
                               .row({"7", "shop", "a", "/* shop 7 */ SELECT 1", ""})
                               .eof();
    EXPECT_TRUE(noted(reply) == expected.bytes());
    const Reply large = Reply(kColumns, true).row({"7", "shop", "a", std::string(kMaxPayload - 20, 'x'), ""}).eof();
    EXPECT_TRUE(noted(large) == large.bytes()) << "it would not fit a packet any more";
}

}  // namespace
}  // namespace tidegate::protocol
