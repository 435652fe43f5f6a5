// For this folder's tests: a session whose statements are scanned and whose replies are walked, as in the gate.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocol/packets.h"
#include "protocol/testing.h"
#include "session/session.h"
#include "sql/lifted_calls.h"
#include "sql/scanner.h"

namespace tidegate::session {

namespace status = protocol::status;

// Replies as servers send them, recorded from MariaDB 10.11.19 and MySQL 9.7.4, whose sessions track as the gate tells
// them to.
namespace recorded {
inline constexpr std::string_view kMariadbSetNames =  // SET NAMES latin1
    "6b0000010000000240000000620020186368617261637465725f7365745f636f6e6e656374696f6e066c6174696e31001c14636861726163"
    "7465725f7365745f636c69656e74066c6174696e31001d156368617261637465725f7365745f726573756c7473066c6174696e31020131";
inline constexpr std::string_view kMysqlSetNames =
    "6b000001000000024000000062001c146368617261637465725f7365745f636c69656e74066c6174696e310020186368617261637465725f"
    "7365745f636f6e6e656374696f6e066c6174696e31001d156368617261637465725f7365745f726573756c7473066c6174696e31020131";
inline constexpr std::string_view kTimeZone =  // SET time_zone = '+03:00', on both
    "1f00000100000002400000001600110974696d655f7a6f6e65062b30333a3030020131";
inline constexpr std::string_view kUse = "12000001000000024000000009010403705f62020131";  // USE p_b, on both
inline constexpr std::string_view kAutocommitOff =                                        // on both
    "1d000001000000004000000014000f0a6175746f636f6d6d6974034f4646020131";
inline constexpr std::string_view kAutocommitOn = "1c000001000000024000000013000e0a6175746f636f6d6d6974024f4e020131";
inline constexpr std::string_view kMariadbIsolation =  // SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
    "2a000001000000024000000021001c0c74785f69736f6c6174696f6e0e524541442d434f4d4d4954544544020131";
inline constexpr std::string_view kMysqlIsolation =
    "3300000100000002400000002a0025157472616e73616374696f6e5f69736f6c6174696f6e0e524541442d434f4d4d495454454402013"
    "1";
inline constexpr std::string_view kMysqlBegin = "1400000100000003400000000b050908545f5f5f5f5f5f5f";
inline constexpr std::string_view kStateChange = "0c000001000000024000000003020131";  // SET @x = 1, on both
}  // namespace recorded

class SessionStage : public testing::Test {
protected:
    explicit SessionStage(protocol::Flavour flavour = protocol::Flavour::mariadb) : session(states, flavour) {
        walker_.set_sink(&session);
        start();
    }

    void start(bool session_mode = false) {
        session.start(states.intern({"app", {}}), "STRICT_TRANS_TABLES", session_mode);
    }

    using Bytes = std::vector<std::byte>;
    static Bytes ok(std::uint16_t flags = status::autocommit, std::uint64_t affected = 0, std::uint16_t warnings = 0) {
        Bytes packet;
        protocol::write_ok(1, {.affected_rows = affected, .status = flags, .warnings = warnings}, packet);
        return packet;
    }
    static Bytes error(std::uint16_t code) {
        Bytes packet;
        protocol::write_err(1, Error{code, "HY000", "no"}, packet);
        return packet;
    }
    // A result of one column, as a server with DEPRECATE_EOF sends it.
    static Bytes rows(unsigned count, std::uint16_t warnings = 0, std::uint16_t flags = status::autocommit) {
        Bytes reply = protocol::hex("01000001 01 17000002 03646566 00000001 31000c3f00010000000381 00000000");
        for (unsigned i = 0; i < count; ++i) add(reply, protocol::hex("02000003 0131"));
        Bytes end;
        protocol::write_ok(static_cast<std::uint8_t>(3 + count), {.status = flags, .warnings = warnings}, end);
        end[protocol::kHeaderSize] = std::byte{0xFE};
        return add(reply, end);
    }
    static Bytes& add(Bytes& to, const Bytes& more) {
        to.insert(to.end(), more.begin(), more.end());
        return to;
    }

    // A statement and its reply. True: the session wants to know the status.
    bool run(std::string_view text, Bytes reply) {
        sql::Facts facts = sql::scan(text, session.mode());
        sql::lift_calls(facts, text, session.mode(), session.state()->schema, known);
        session.before(facts, text);
        return session.after(facts, walk(std::move(reply), protocol::ReplyShape::result));
    }
    bool run(std::string_view text, std::string_view reply) { return run(text, protocol::hex(reply)); }
    bool run(std::string_view text) { return run(text, ok(session.status())); }

    Statement* prepare(std::string_view text, std::uint16_t parameters = 0) {
        protocol::ReplyWalker::Outcome outcome;
        outcome.statement_id = 77;  // the server's
        outcome.parameters = parameters;
        const sql::Facts facts = sql::scan(text, session.mode());
        return session.prepared(texts.intern(text, states.for_prepare(session.state()), facts), outcome);
    }

    [[nodiscard]] std::string value_of(std::string_view name) const {
        for (const Variable& each : session.state()->variables) {
            if (each.name == name) return each.value;
        }
        return "(default)";
    }

    sql::RoutineSet known;  // what the gate knows of the server's routines
    States states;
    PreparedTexts texts;
    Session session;

private:
    protocol::ReplyWalker::Outcome walk(Bytes reply, protocol::ReplyShape shape) {
        walker_.begin(shape, {});
        std::span<std::byte> left(reply);
        auto event = protocol::ReplyWalker::Event::part;
        while (event == protocol::ReplyWalker::Event::part) {
            const auto step = walker_.step(left);
            left = left.subspan(step.consumed);
            event = step.event;
        }
        EXPECT_EQ(event, protocol::ReplyWalker::Event::done);
        return walker_.outcome();
    }

    protocol::ReplyWalker walker_;
};

class MysqlSessionStage : public SessionStage {
protected:
    MysqlSessionStage() : SessionStage(protocol::Flavour::mysql) {}
};

}  // namespace tidegate::session
