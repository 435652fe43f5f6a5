#include "session/user_variables.h"

#include <gtest/gtest.h>

#include <array>

#include "session/test_stage.h"

namespace tidegate::session {
namespace {

constexpr std::uint8_t kDouble = 5;
constexpr std::uint8_t kLongLong = 8;
constexpr std::uint8_t kDecimal = 246;
constexpr std::uint8_t kMediumBlob = 250;
constexpr std::uint8_t kLongBlob = 251;
constexpr std::uint8_t kVarString = 253;
constexpr std::uint8_t kGeometry = 255;

struct Told {
    std::uint8_t type;
    const char* collation;
    const char* hex;  // nullptr: NULL
    const char* text;
    bool is_unsigned = false;
    bool too_long = false;
    std::uint32_t length = 20;
};

// What is to stand behind `@x =`; "(unset)": nothing; "(pins)": it cannot be carried.
std::string carried(const Told& told) {
    const auto value = [](const char* text) { return text ? std::optional<std::string_view>(text) : std::nullopt; };
    const std::array<AnswerColumn, kUserVariableColumns> answer{
        AnswerColumn{
            .type = told.type, .is_unsigned = told.is_unsigned, .length = told.length, .value = value(told.hex)},
        {.value = told.collation},
        {.value = value(told.hex)},
        {.value = value(told.text)},
        {.value = told.too_long ? "1" : "0"},
    };
    const auto found = user_variables_from(std::array{std::string("x")}, answer);
    if (!found) return "(pins)";
    if (found->empty()) return "(unset)";
    EXPECT_EQ(found->front().name, "@x");
    return found->front().value;
}

TEST(UserVariables, KeepTheirTypesAndValues) {
    EXPECT_EQ(carried({kLongLong, "binary", "5", "5"}), "5");
    EXPECT_EQ(carried({kLongLong, "binary", "FFFFFFFFFFFFFFFB", "-5"}), "-5");
    EXPECT_EQ(carried({kLongLong, "binary", "8000000000000000", "-9223372036854775808"}), "-9223372036854775807-1");
    EXPECT_EQ(carried({kLongLong, "binary", "5", "5", true}), "CAST(5 AS UNSIGNED)");
    EXPECT_EQ(carried({kDecimal, "binary", "2", "1.50"}), "1.50");
    EXPECT_EQ(carried({kDecimal, "binary", "2", "2"}), "2.");
    EXPECT_EQ(carried({kDouble, "binary", "2", "1.5"}), "1.5e0");
    EXPECT_EQ(carried({kDouble, "binary", "2", "1e300"}), "1e300");
    EXPECT_EQ(carried({kLongBlob, "utf8mb4_general_ci", "616263", "abc"}),
              "_utf8mb4 X'616263' COLLATE utf8mb4_general_ci");
    EXPECT_EQ(carried({kLongBlob, "utf8mb4_general_ci", "", ""}), "_utf8mb4 X'' COLLATE utf8mb4_general_ci");
    EXPECT_EQ(carried({kMediumBlob, "binary", "41", "A"}), "_binary X'41'");
}

TEST(UserVariables, ThatAreNullKeepTheTypeThatTheyHad) {
    EXPECT_EQ(carried({kLongLong, "binary", nullptr, nullptr}), "0,@`x`=NULL");
    EXPECT_EQ(carried({kDecimal, "binary", nullptr, nullptr}), "0.,@`x`=NULL");
    EXPECT_EQ(carried({kDouble, "binary", nullptr, nullptr}), "0e0,@`x`=NULL");
    EXPECT_EQ(
        carried({.type = kMediumBlob, .collation = "binary", .hex = nullptr, .text = nullptr, .length = 16'777'215}),
        "_binary X'',@`x`=NULL");
}

TEST(UserVariables, ThatWereNeverSetAreNotCarried) {
    EXPECT_EQ(
        carried({.type = kLongBlob, .collation = "binary", .hex = nullptr, .text = nullptr, .length = 16'777'216}),
        "(unset)");
    EXPECT_EQ(carried({.type = kVarString, .collation = "binary", .hex = nullptr, .text = nullptr, .length = 65535}),
              "(unset)");
}

TEST(UserVariables, PinWhereTheyCannotBeWritten) {
    EXPECT_EQ(carried({kGeometry, "binary", "00", "x"}), "(pins)");
    EXPECT_EQ(carried({.type = kLongBlob, .collation = "binary", .hex = nullptr, .text = nullptr, .too_long = true}),
              "(pins)");
    EXPECT_EQ(carried({kLongLong, "binary", "5", "\0005"}), "(pins)") << "a character set of two bytes";
    EXPECT_EQ(carried({kLongBlob, "b'in", "41", "A"}), "(pins)");
    EXPECT_FALSE(user_variables_from(std::array{std::string("x")}, {}));
}

TEST(UserVariables, AreToldByOneQuestion) {
    const std::string text = user_variables_question(std::array{std::string("a"), std::string("b")});
    EXPECT_TRUE(text.starts_with("SELECT IF(LENGTH(@`a`)>1024,NULL,@`a`),COLLATION(@`a`),")) << text;
    EXPECT_TRUE(text.ends_with(",LENGTH(@`b`)>1024 LIMIT 1")) << text;
}

TEST(UserVariables, AreRestoredWithTheSystemsAndOnlyAResetTakesThemAway) {
    const State none{"app", {{"sql_mode", "ANSI"}}};
    const State two{"app", {{"@a", "5"}, {"@b", "1.5e0"}, {"sql_mode", ""}}};
    const State other{"app", {{"@a", "6"}, {"sql_mode", ""}}};
    EXPECT_EQ(restoring_statement(none, two), "SET @`a`=5,@`b`=1.5e0,@@session.sql_mode=''");
    EXPECT_EQ(restoring_statement(other, two), "SET @`a`=5,@`b`=1.5e0");
    EXPECT_FALSE(has_other_user_variables(none, two));
    EXPECT_FALSE(has_other_user_variables(other, two));
    EXPECT_FALSE(has_other_user_variables(two, two));
    EXPECT_TRUE(has_other_user_variables(two, other));
    EXPECT_TRUE(has_other_user_variables(two, none));
}

class UserVariablesTest : public SessionStage {};

TEST_F(UserVariablesTest, HoldTheConnectionUntilTheyAreRead) {
    run("SET @a = 1, @B = 'x', time_zone = '+03:00'", recorded::kStateChange);
    EXPECT_EQ(session.hold(), Hold::user_variables);
    EXPECT_EQ(session.cleaning(), Cleaning::reset) << "nobody knows them yet";
    EXPECT_EQ(session.unread_variables(), (std::vector<std::string>{"a", "b"}));
    session.on_user_variables(std::vector<Variable>{{"@a", "1"}});
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_EQ(session.cleaning(), Cleaning::none);
    EXPECT_EQ(value_of("@a"), "1");
    EXPECT_EQ(value_of("@b"), "(default)");
}

TEST_F(UserVariablesTest, ReadingThemHoldsNothing) {
    run("SELECT @a, @b = 1", rows(1));
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(UserVariablesTest, OfAStatementThatFailedAreReadToo) {
    (void)run("SELECT @x := a FROM t WHERE b", error(1292));
    EXPECT_EQ(session.hold(), Hold::user_variables);
    start();
    (void)run("SET @x = nonsense", error(1054));
    EXPECT_EQ(session.hold(), Hold::none);
}

TEST_F(UserVariablesTest, GoWithAReset) {
    run("SET @a = 1", recorded::kStateChange);
    start();
    EXPECT_EQ(session.hold(), Hold::none);
    EXPECT_TRUE(session.unread_variables().empty());
}

TEST_F(UserVariablesTest, PinWhereTheyCannotBeCarried) {
    run("SET @a = 1", recorded::kStateChange);
    session.on_user_variables(std::nullopt);
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::user_variable));
    start();
    for (int i = 0; i <= static_cast<int>(kMostUserVariables); ++i)
        run("SET @v" + std::to_string(i) + " = 1", recorded::kStateChange);
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::user_variable)) << "too many";
    start();
    run("SET @a = (SELECT MAX(id) FROM v)", recorded::kStateChange);
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::user_variable)) << "a view may hide what it does";
    start();
    run("SET @a = 1", recorded::kStateChange);
    run("FLUSH USER_VARIABLES");
    EXPECT_EQ(session.hold(), Hold::user_variables) << "not yet carried";
    session.on_user_variables(std::vector<Variable>{{"@a", "1"}});
    run("FLUSH USER_VARIABLES");
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::user_variable));
}

TEST_F(UserVariablesTest, DoNotHideOtherPins) {
    run("SET @a = 1, sql_log_bin = 0");
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::variable));
    start();
    run("SELECT f() INTO @a");
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::unknown_function));
    start();
    run("SELECT a INTO @a FROM view_of_a_function", recorded::kStateChange);
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::unknown_function)) << "the server has told of something else";
}

TEST_F(UserVariablesTest, DoNotMatterToWhatIsPrepared) {
    const StatePtr before = session.state_for_prepare();
    run("SET @a = 1", recorded::kStateChange);
    session.on_user_variables(std::vector<Variable>{{"@a", "1"}});
    EXPECT_EQ(session.state_for_prepare(), before);
    prepare("SELECT @a");
    EXPECT_EQ(session.pins(), sql::Pins(sql::Pin::prepared)) << "MySQL keeps the type of the moment";
}

}  // namespace
}  // namespace tidegate::session
