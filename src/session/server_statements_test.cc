#include "session/server_statements.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "protocol/testing.h"
#include "sql/scanner.h"

namespace tidegate::session {
namespace {

class ServerStatementsTest : public testing::Test {
protected:
    Statement client(std::string_view sql) { return mine.add(texts.intern(sql, state, sql::scan(sql, {})), 1); }
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
    ServerStatements on_server{ServerStatements::Types::any};
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
        ServerStatements some(ServerStatements::Types::any);
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
    Statement reader = client("SELECT ?");
    prepare(reader, 1);
    on_server.keep(*on_server.find(reader), reader.id);
    reader.cursor = true;
    const Statement twin{.id = 99, .text = reader.text, .bound = {}, .made_for = {}};
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
    Statement reader = client("SELECT ?");
    prepare(reader, 1);
    ServerStatement& kept = *on_server.find(reader);
    on_server.keep(kept, reader.id);
    const Statement twin{.id = 99, .text = reader.text, .bound = {}, .made_for = {}};
    prepare(twin, 2);
    EXPECT_FALSE(on_server.share(kept));
    on_server.remove(kept);
    EXPECT_EQ(on_server.find(twin)->id, 2U);
    EXPECT_EQ(on_server.size(), 1U);
}

// MySQL, whose statements are made for types.
class TypedStatementsTest : public ServerStatementsTest {
protected:
    // Executes as the gate does it; gives the server's number of the statement that it ran on.
    std::uint32_t execute(Statement& statement, std::string_view bound) {
        const auto types = protocol::hex(bound);
        statement.bind(types);
        ServerStatement* there = typed.find(statement);
        if (there == nullptr) {
            EXPECT_TRUE(typed.make_room(*statement.text, 100, room).empty());
            there = &typed.add(statement.text, next_++);
        }
        there->bound = types;
        there->made_for = statement.made_for;
        return there->id;
    }

    ServerStatements typed{ServerStatements::Types::matter};

private:
    std::uint32_t next_ = 1;
};

TEST_F(TypedStatementsTest, EachOfTheTypesHasItsOwn) {
    Statement number = client("SELECT ?");
    Statement text = client("SELECT ?");
    EXPECT_EQ(execute(number, "01 0800"), 1U);
    EXPECT_EQ(execute(text, "01 fd00"), 2U) << "as a number it would be 0";
    EXPECT_EQ(execute(number, "01 0800"), 1U);
    EXPECT_EQ(execute(number, "01 0880"), 3U) << "unsigned is another type";
    EXPECT_EQ(execute(text, "01 fd00"), 2U);
}

TEST_F(TypedStatementsTest, NullHasTheTypeOfTheTimeBefore) {
    Statement one = client("SELECT ?, ?");
    Statement two = client("SELECT ?, ?");
    Statement three = client("SELECT ?, ?");
    EXPECT_EQ(execute(one, "01 0800 0600"), 1U);
    EXPECT_EQ(execute(one, "01 0600 0800"), 1U) << "what was always NULL is still open";
    EXPECT_EQ(execute(one, "01 0600 0600"), 1U);
    EXPECT_EQ(one.made_for, protocol::hex("01 0800 0800"));
    EXPECT_EQ(one.bound, protocol::hex("01 0600 0600"));
    EXPECT_EQ(execute(two, "01 0600 0600"), 2U) << "for this client no type is known";
    EXPECT_EQ(execute(two, "01 0800 0800"), 1U);
    EXPECT_EQ(execute(three, "01 fd00 0600"), 2U);
}

TEST_F(TypedStatementsTest, OneThatWasNotExecutedIsReplaced) {
    const Statement one = client("SELECT ?");
    typed.add(one.text, 1).bound = protocol::hex("01 0800");
    typed.add(one.text, 2);
    const auto closed = typed.make_room(*one.text, 100, room);
    EXPECT_EQ(Ids(closed.begin(), closed.end()), Ids{2});
    EXPECT_EQ(typed.size(), 1U);
    EXPECT_EQ(typed.find(one), nullptr) << "it has never said its types";
}

TEST_F(ServerStatementsTest, ThoseWithoutTypesGetOneWithoutTypes) {
    const Statement one = client("SELECT ?");
    on_server.add(one.text, 1).bound = protocol::hex("01 0800");
    EXPECT_EQ(on_server.find(one), nullptr);
    EXPECT_EQ(prepare(one, 2), Ids{1});
    EXPECT_EQ(on_server.find(one)->id, 2U);
}

TEST_F(ServerStatementsTest, AStrangeOneIsNobodysElse) {
    const Statement one = client("SELECT ?");
    prepare(one, 1);
    EXPECT_TRUE(on_server.share(*on_server.find(one)));
    on_server.find(one)->strange = true;
    EXPECT_FALSE(on_server.share(*on_server.find(one)));
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
