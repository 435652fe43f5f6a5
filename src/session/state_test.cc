#include "session/state.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidegate::session {
namespace {

std::string restored(const State& from, const State& to) {
    return restoring_statement(from, to).value_or("(cannot be)");
}

TEST(States, EqualOnesAreOneObject) {
    States states;
    const StatePtr a = states.intern({"app", {{"sql_mode", "ANSI"}}});
    EXPECT_EQ(states.intern({"app", {{"sql_mode", "ANSI"}}}), a);
    EXPECT_NE(states.intern({"app", {{"sql_mode", ""}}}), a);
    EXPECT_NE(states.intern({"", {{"sql_mode", "ANSI"}}}), a);
    EXPECT_NE(states.intern({"app", {{"sql_mode", "ANSI"}}, true}), a);
    EXPECT_EQ(states.size(), 4U);
}

TEST(States, ComeToTheSameObjectByAnyWay) {
    States states;
    const StatePtr start = states.intern({});
    const Variable zone{"time_zone", "+03:00"};
    const Variable mode{"sql_mode", "ANSI"};
    const StatePtr one = states.with_variables(states.with_variables(start, {&zone, 1}), {&mode, 1});
    const StatePtr other = states.with_variables(states.with_variables(start, {&mode, 1}), {&zone, 1});
    EXPECT_EQ(one, other);
    EXPECT_TRUE(std::ranges::is_sorted(one->variables, {}, &Variable::name));
    EXPECT_EQ(states.with_variables(one, {&zone, 1}), one);
    EXPECT_EQ(states.with_variables(one, {}), one);
    EXPECT_EQ(states.with_schema(states.with_schema(one, "app"), ""), one);
    EXPECT_EQ(states.with_multi_statements(one, false), one);
    EXPECT_EQ(states.with_multi_statements(states.with_multi_statements(one, true), false), one);
}

TEST(RestoringStatement, WritesTextsForAConnectionOfWideCharacters) {
    const State wide{"app", {{"character_set_connection", "ucs2"}, {"collation_connection", "ucs2_general_ci"}}};
    State want = wide;
    want.variables.push_back({"default_storage_engine", "MEMORY"});
    want.variables.push_back({"sql_select_limit", "10"});
    EXPECT_EQ(restored(wide, want),
              "SET @@session.default_storage_engine=_utf8mb4'MEMORY',@@session.sql_select_limit=10");
}

TEST(States, HaveARole) {
    States states;
    const StatePtr none = states.intern({"app", {}});
    const StatePtr writer = states.with_role(none, "`writer`");
    EXPECT_NE(writer, none);
    EXPECT_EQ(states.with_role(writer, ""), none);
    EXPECT_EQ(states.with_role(writer, "`writer`"), writer);
    // A statement that was prepared with a role is prepared again with it, and the one that runs it has its own.
    EXPECT_NE(states.for_prepare(writer), states.for_prepare(none));
    EXPECT_EQ(states.preparing(none, states.for_prepare(writer)), writer);
}

TEST(States, WriteARoleAsSetRoleTakesIt) {
    using protocol::Flavour;
    EXPECT_EQ(role_clause(Flavour::mariadb, "NONE"), "NONE");
    EXPECT_EQ(role_clause(Flavour::mariadb, "writer"), "`writer`");
    EXPECT_EQ(role_clause(Flavour::mariadb, "it's"), "`it's`");
    EXPECT_EQ(role_clause(Flavour::mysql, "NONE"), "NONE");
    EXPECT_EQ(role_clause(Flavour::mysql, "`a`@`%`,`b`@`%`"), "`a`@`%`,`b`@`%`");
    for (const char* odd : {"", "a`b", "a\\b", "a\nb", "r\xC3\xB4le"})
        EXPECT_EQ(role_clause(Flavour::mariadb, odd), std::nullopt) << odd;
    EXPECT_EQ(role_clause(Flavour::mysql, std::string(2000, 'a')), std::nullopt);
}

TEST(States, ForgetsThoseThatNobodyHas) {
    States states;
    const StatePtr kept = states.intern({"kept", {}});
    for (int i = 0; i < 10'000; ++i) (void)states.intern({std::to_string(i), {}});
    EXPECT_LT(states.size(), 200U);
    EXPECT_EQ(states.intern({"kept", {}}), kept);
}

TEST(RestoringStatement, IsEmptyWhereNoVariableDiffers) {
    EXPECT_EQ(restored({}, {}), "");
    EXPECT_EQ(restored({"a", {}}, {"b", {}, true}), "") << "others change these";
}

TEST(RestoringStatement, SetsWhatDiffersAndNothingElse) {
    const State from{"", {{"autocommit", "ON"}, {"sql_mode", "ANSI"}, {"time_zone", "SYSTEM"}}};
    const State to{"", {{"autocommit", "OFF"}, {"sql_mode", "ANSI"}, {"wait_timeout", "60"}}};
    EXPECT_EQ(restored(from, to),
              "SET @@session.autocommit='OFF',@@session.time_zone=DEFAULT,@@session.wait_timeout=60");
}

TEST(RestoringStatement, CanSetEachCarriedVariableAndTakeItBack) {
    for (const std::string_view each : carried_variables()) {
        const std::string name(each);
        ASSERT_TRUE(is_carried(name));
        const State set{"", {{name, "7"}}};
        EXPECT_EQ(restored({}, set), "SET @@session." + name + "=7");
        // MySQL takes DEFAULT for the value that these two have.
        const bool global = name == "foreign_key_checks" || name == "unique_checks";
        EXPECT_EQ(restored(set, {}), "SET @@session." + name + "=" + (global ? "@@global." + name : "DEFAULT"));
    }
    for (const char* name : {"timestamp", "insert_id", "last_insert_id", "rand_seed1", "gtid_next", "sql_log_bin",
                             "profiling", "character_set_database", "pseudo_thread_id", ""}) {
        EXPECT_FALSE(is_carried(name)) << name;
    }
}

TEST(RestoringStatement, WritesValuesThatEverySqlModeReadsTheSame) {
    const auto set = [](std::string value) { return restored({}, {"", {{"sql_mode", std::move(value)}}}); };
    EXPECT_EQ(set(""), "SET @@session.sql_mode=''");
    EXPECT_EQ(set("-1.5"), "SET @@session.sql_mode=-1.5");
    EXPECT_EQ(set("1.2.3"), "SET @@session.sql_mode='1.2.3'");
    EXPECT_EQ(set("1."), "SET @@session.sql_mode='1.'");
    EXPECT_EQ(set("-"), "SET @@session.sql_mode='-'");
    for (const char* bad : {"a'b", "a\"b", "a\\b", "a\nb", "a\rb"}) EXPECT_EQ(set(bad), "(cannot be)") << bad;
    EXPECT_EQ(set(std::string("a\0b", 3)), "(cannot be)");
    EXPECT_EQ(set(std::string(kUnknown)), "(cannot be)");
}

TEST(RestoringStatement, SetsWhatIsUnknownAgain) {
    const State unknown{"", {{"time_zone", std::string(kUnknown)}}};
    EXPECT_EQ(restored(unknown, {"", {{"time_zone", "SYSTEM"}}}), "SET @@session.time_zone='SYSTEM'");
    EXPECT_EQ(restored(unknown, {}), "SET @@session.time_zone=DEFAULT");
}

State charsets(std::string charset, std::string collation) {
    return {"",
            {{"character_set_client", charset},
             {"character_set_connection", charset},
             {"character_set_results", charset},
             {"collation_connection", std::move(collation)}}};
}

// The number of the results' collation, which clients are told with each column, comes from NAMES alone.
TEST(RestoringStatement, SetsNamesWhereAllCharacterSetsAreOne) {
    EXPECT_EQ(restored(charsets("utf8mb4", "utf8mb4_bin"), charsets("latin1", "latin1_bin")),
              "SET NAMES 'latin1' COLLATE 'latin1_bin'");
    EXPECT_EQ(restored(charsets("utf8mb4", "utf8mb4_bin"), charsets("utf8mb4", "utf8mb4_general_ci")),
              "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci'");
    EXPECT_EQ(restored({}, charsets("binary", "binary")), "SET NAMES 'binary' COLLATE 'binary'");
    State from = charsets("latin1", "latin1_bin");
    from.variables.insert(from.variables.begin(), {"autocommit", "OFF"});
    State to = charsets("utf8mb4", "utf8mb4_bin");
    to.variables.push_back({"time_zone", "SYSTEM"});
    EXPECT_EQ(restored(from, to),
              "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin',@@session.autocommit=DEFAULT,@@session.time_zone='SYSTEM'");
}

TEST(RestoringStatement, SetsTheCollationBehindItsCharacterSet) {
    State mixed = charsets("latin1", "latin1_bin");
    mixed.variables[0].value = "utf8mb4";
    EXPECT_EQ(restored(charsets("utf8mb4", "utf8mb4_bin"), mixed),
              "SET @@session.character_set_connection='latin1',@@session.character_set_results='latin1',"
              "@@session.collation_connection='latin1_bin'");
    // A collation of another character set, which a collation that is not known yet may be.
    EXPECT_EQ(restored(charsets("utf8mb4", "utf8mb4_bin"), charsets("latin1", "utf8mb4_bin")),
              "SET @@session.character_set_client='latin1',@@session.character_set_connection='latin1',"
              "@@session.character_set_results='latin1',@@session.collation_connection='utf8mb4_bin'");
    EXPECT_EQ(restored(charsets("utf8mb4", "utf8mb4_bin"), charsets("latin1", std::string(kUnknown))), "(cannot be)");
}

TEST(RestoringStatement, NoCharacterSetOfResultsIsNull) {
    State none = charsets("utf8mb4", "utf8mb4_bin");
    none.variables[2].value = "";
    EXPECT_EQ(restored(charsets("utf8mb4", "utf8mb4_bin"), none),
              "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin',@@session.character_set_results=NULL");
    State other = charsets("utf8mb4", "utf8mb4_general_ci");
    other.variables[2].value = "";
    EXPECT_EQ(restored(other, none), "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin',@@session.character_set_results=NULL");
}

TEST(Variables, KnowsWhatServersReportByDefault) {
    for (const char* name :
         {"autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone"}) {
        EXPECT_TRUE(is_reported_by_default(name)) << name;
    }
    EXPECT_FALSE(is_reported_by_default("sql_mode"));
}

}  // namespace
}  // namespace tidegate::session
