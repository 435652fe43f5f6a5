// Calls of routines that are known to leave nothing behind: what they leave all the same, as statements do.
#include "session/test_stage.h"

namespace tidegate::session {
namespace {

using sql::Pin;

class KnownCalls : public SessionStage {
protected:
    explicit KnownCalls(protocol::Flavour flavour = protocol::Flavour::mariadb) : SessionStage(flavour) {
        sql::RoutineSource source;
        source.loadable_known = true;
        const auto add = [&](std::string name, bool procedure, std::string_view body) {
            const auto program = procedure ? sql::Program::procedure : sql::Program::function;
            source.routines.push_back({"app", std::move(name), procedure, sql::scan_routine(body, program, {}, {})});
        };
        add("p", true, "SELECT 1");
        add("nothing", true, "BEGIN END");
        add("f", false, "RETURN (SELECT 1)");
        known = sql::RoutineSet(source, {});
    }
};
class MysqlKnownCalls : public KnownCalls {
protected:
    MysqlKnownCalls() : KnownCalls(protocol::Flavour::mysql) {}
};

TEST_F(KnownCalls, DoNotPin) {
    run("CALL p()");
    run("SELECT f()", rows(1));
    EXPECT_EQ(session.hold(), Hold::none);
    run("CALL q()");
    EXPECT_TRUE(session.pins().has(Pin::call));
}

// A trigger of a table that they touch, say.
TEST_F(KnownCalls, PinWhenTheServerReportsAChange) {
    run("CALL p()", recorded::kStateChange);
    EXPECT_TRUE(session.pins().has(Pin::unknown_function));
}

// Trap 2: a procedure may have begun a transaction before it came to a table that is not there.
TEST_F(KnownCalls, AskForTheStatusAfterEveryErrorOfACall) {
    for (const int code : {1064, 1146, 1142, 1644})
        EXPECT_TRUE(run("CALL p()", error(static_cast<std::uint16_t>(code)))) << code;
    EXPECT_FALSE(run("SELECT f()", error(1146)));
    EXPECT_EQ(session.hold(), Hold::none);
    run("CALL p()", ok(status::autocommit | status::in_transaction));
    EXPECT_EQ(session.hold(), Hold::transaction);
}

TEST_F(KnownCalls, ChangeTheRowsFoundAsOnlyTheServerKnows) {
    run("CALL p()");
    EXPECT_EQ(session.results().found_rows_left(), Left::on_server);
    run("CALL nothing()");
    EXPECT_EQ(session.results().found_rows_left(), Left::as_before);
    run("SELECT f()", rows(1));
    EXPECT_EQ(session.results().found_rows_left(), Left::here);
}

// MariaDB keeps the warnings over a CALL, until a statement within it touches a table.
TEST_F(KnownCalls, MayLeaveTheWarningsOfBefore) {
    const Results& results = session.results();
    run("CALL p()");
    EXPECT_EQ(results.warnings_left(), Left::here) << "there were none";
    run("SELECT 1 / 0", rows(1, 1));
    run("CALL nothing()");
    EXPECT_EQ(results.warnings_left(), Left::as_before);
    run("CALL p()");
    EXPECT_EQ(results.warnings_left(), Left::on_server);
    run("UPDATE t SET a = 1");
    run("SELECT f()", rows(1));
    EXPECT_EQ(results.warnings_left(), Left::here);
}

TEST_F(MysqlKnownCalls, ClearTheWarnings) {
    run("SELECT 1 / 0", rows(1, 1));
    run("CALL nothing()");
    EXPECT_EQ(session.results().warnings_left(), Left::here);
}

}  // namespace
}  // namespace tidegate::session
