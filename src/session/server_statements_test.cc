#include "session/server_statements.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sql/scanner.h"

namespace tidegate::session {
namespace {

class ServerStatementsTest : public testing::Test {
protected:
    Statement& client(std::string_view sql) {
        return mine.add(texts.intern(sql, state, sql::scan(sql, {})), 1);
    }
    // As the gate does it: room, then the server's answer.
    std::vector<std::uint32_t> prepare(const Statement& statement, std::uint32_t id, std::size_t limit = 3) {
        const auto closed = on_server.make_room(*statement.text, limit, room);
        on_server.add(statement.text, id);
        return {closed.begin(), closed.end()};
    }
    using Ids = std::vector<std::uint32_t>;

    States states;
    StatePtr state = states.intern({"app", {}});
    PreparedTexts texts;
    Statements mine;
    ServerStatements on_server;
    std::array<std::uint32_t, 4> room{};
};

TEST_F(ServerStatementsTest, OneForAllWithTheSameText) {
    const Statement one = client("SELECT ?");
    EXPECT_EQ(on_server.find(one), nullptr);
    EXPECT_EQ(prepare(one, 11), Ids());
    EXPECT_EQ(on_server.find(one)->id, 11U);
    EXPECT_EQ(on_server.find(client("SELECT ?"))->id, 11U);
    EXPECT_EQ(on_server.find(client("SELECT 2")), nullptr);
    EXPECT_EQ(prepare(one, 12), Ids{11}) << "prepared again, the one before is closed";
    EXPECT_EQ(on_server.find(one)->id, 12U);
    EXPECT_EQ(on_server.size(), 1U);
}

TEST_F(ServerStatementsTest, TheOneUsedLongestAgoIsPushedOut) {
    const Statement a = client("SELECT 'a'");
    const Statement b = client("SELECT 'b'");
    const Statement c = client("SELECT 'c'");
    const Statement d = client("SELECT 'd'");
    prepare(a, 1);
    prepare(b, 2);
    prepare(c, 3);
    EXPECT_NE(on_server.find(a), nullptr);
    EXPECT_EQ(prepare(d, 4), Ids{2});
    EXPECT_EQ(on_server.find(b), nullptr);
    EXPECT_EQ(on_server.size(), 3U);
}

TEST_F(ServerStatementsTest, AnyLimitHolds) {
    for (const std::size_t limit : {1U, 2U, 7U, 100U}) {
        ServerStatements some;
        std::vector<std::uint32_t> open;
        for (std::uint32_t id = 1; id <= 500; ++id) {
            const Statement one = client("SELECT " + std::to_string(id % 130));
            if (some.find(one) != nullptr) continue;
            for (const std::uint32_t closed : some.make_room(*one.text, limit, room)) {
                EXPECT_EQ(std::erase(open, closed), 1U);
            }
            some.add(one.text, id);
            open.push_back(id);
            ASSERT_EQ(some.size(), open.size());
            ASSERT_LE(some.size(), limit);
        }
        EXPECT_EQ(some.size(), limit);
    }
}

TEST_F(ServerStatementsTest, ALowerLimitIsReachedInSteps) {
    for (std::uint32_t id = 1; id <= 10; ++id) prepare(client("SELECT " + std::to_string(id)), id, 10);
    EXPECT_EQ(prepare(client("SELECT 'x'"), 11, 2), (Ids{1, 2, 3, 4}));
    EXPECT_EQ(prepare(client("SELECT 'y'"), 12, 2), (Ids{5, 6, 7, 8}));
    EXPECT_EQ(prepare(client("SELECT 'z'"), 13, 2), (Ids{9, 10, 11}));
    EXPECT_EQ(on_server.size(), 2U);
}

TEST_F(ServerStatementsTest, WithACursorItIsKeptForOneStatement) {
    Statement& reader = client("SELECT ?");
    prepare(reader, 1);
    on_server.keep(*on_server.find(reader), reader.id);
    reader.cursor = true;
    const Statement twin{.id = 99, .text = reader.text, .bound = {}};
    EXPECT_EQ(on_server.find(twin), nullptr) << "the same text, prepared twice by one client: executing the one must "
                                                "not end the other's cursor";
    EXPECT_EQ(prepare(twin, 2), Ids());
    EXPECT_EQ(on_server.find(reader)->id, 1U);
    EXPECT_EQ(on_server.find(twin)->id, 2U);
    for (std::uint32_t id = 3; id < 10; ++id) {
        for (const std::uint32_t closed : prepare(client("SELECT " + std::to_string(id)), id, 1)) EXPECT_NE(closed, 1U);
    }
    EXPECT_EQ(on_server.drop_all(), Ids{9});
    ServerStatement& kept = *on_server.find(reader);
    EXPECT_EQ(kept.id, 1U);
    EXPECT_TRUE(on_server.share(kept));
    reader.cursor = false;
    EXPECT_EQ(on_server.find(twin)->id, 1U);
}

TEST_F(ServerStatementsTest, SharingGivesWayToTheOneThatIsThere) {
    Statement& reader = client("SELECT ?");
    prepare(reader, 1);
    ServerStatement& kept = *on_server.find(reader);
    on_server.keep(kept, reader.id);
    const Statement twin{.id = 99, .text = reader.text, .bound = {}};
    prepare(twin, 2);
    EXPECT_FALSE(on_server.share(kept));
    on_server.remove(kept);
    EXPECT_EQ(on_server.find(twin)->id, 2U);
    EXPECT_EQ(on_server.size(), 1U);
}

TEST_F(ServerStatementsTest, AResetForgetsAll) {
    const Statement one = client("SELECT ?");
    prepare(one, 1);
    on_server.clear();
    EXPECT_EQ(on_server.find(one), nullptr);
    EXPECT_EQ(on_server.size(), 0U);
}

}  // namespace
}  // namespace tidegate::session
