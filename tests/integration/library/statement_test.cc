// Statements and their values, against a real server.
#include <limits>

#include "fixture.h"

namespace tidegate {
namespace {

using std::chrono::year_month_day;

class StatementTest : public LibraryTest {
protected:
    Pool pool = make();
    Lease lease = must(pool.acquire());
};

constexpr auto kEverything = R"(SELECT 1 one, CAST(18446744073709551615 AS UNSIGNED) big, -2 negative, 1.50 exact,
    1.5e0 real_number, 'grüße 🐘' text, CAST(x'00ff' AS BINARY) bytes, CAST('2024-02-29' AS DATE) day,
    CAST('2024-02-29 12:30:01.250000' AS DATETIME(6)) moment, CAST('-100:00:01' AS TIME) span, NULL nothing, b'101' bits)";

void expect_everything(const Row& row) {
    EXPECT_EQ(row.get<int>("one"), 1);
    EXPECT_EQ(row.get<std::uint64_t>("big"), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(row.get<std::int64_t>("negative"), -2);
    EXPECT_EQ(row.get<std::string>("exact"), "1.50");
    EXPECT_EQ(row.get<double>("exact"), 1.5);
    EXPECT_EQ(row.get<double>("real_number"), 1.5);
    EXPECT_EQ(row.get<std::string_view>("text"), "grüße 🐘");
    EXPECT_EQ(row.get<std::vector<std::byte>>("bytes"), (std::vector{std::byte{0}, std::byte{255}}));
    EXPECT_EQ(row.get<year_month_day>("day"), year_month_day(std::chrono::year(2024) / 2 / 29));
    EXPECT_EQ(row.get<Timestamp>("moment"),
              std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + 12h + 30min + 1250ms);
    EXPECT_EQ(row.get<std::chrono::microseconds>("span"), -(100h + 1s));
    EXPECT_EQ(row.get<std::optional<int>>("nothing").value(), std::nullopt);
    EXPECT_EQ(row.get<int>("nothing").error().code, error_code::is_null);
}

TEST_F(StatementTest, BothProtocolsGiveTheSameValues) {
    const auto text = must(lease.query(kEverything));
    expect_everything(text.front());
    const auto binary = must(lease.execute(kEverything));
    expect_everything(binary.front());
    for (std::size_t i = 0; i < text.columns().size(); ++i) {
        EXPECT_EQ(text.front()[i], binary.front()[i]) << text.columns()[i].name;
    }
}

TEST_F(StatementTest, ParametersComeBackAsTheyWent) {
    must(
        lease.query("CREATE TEMPORARY TABLE kept (n BIGINT, u BIGINT UNSIGNED, d DOUBLE, s VARCHAR(100), b LONGBLOB, "
                    "t DATETIME(6), day DATE, span TIME(6), bits BIT(12), y YEAR) CHARACTER SET utf8mb4"));
    const std::vector blob(300'000, std::byte{0xAB});
    const auto moment = std::chrono::sys_days(std::chrono::year(2031) / 12 / 31) + 23h + 59min + 59s + 999'999us;
    const std::string quoted = "it's; \"quoted\" \\ ? 🐘";
    const auto put = must(lease.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                        std::numeric_limits<std::int64_t>::min(),
                                        std::numeric_limits<std::uint64_t>::max(), 0.1, quoted, blob, moment,
                                        year_month_day(std::chrono::year(1999) / 1 / 2), -(30h + 5us), 5, 2001));
    EXPECT_EQ(put.affected_rows(), 1U);
    const auto rows = must(lease.execute("SELECT * FROM kept WHERE n = ?", std::numeric_limits<std::int64_t>::min()));
    const auto row = rows.front();
    EXPECT_EQ(row.get<std::uint64_t>("u"), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(row.get<double>("d"), 0.1);
    EXPECT_EQ(row.get<std::string_view>("s"), quoted);
    EXPECT_EQ(row.get<std::vector<std::byte>>("b"), blob);
    EXPECT_EQ(row.get<Timestamp>("t"), moment);
    EXPECT_EQ(row.get<year_month_day>("day"), year_month_day(std::chrono::year(1999) / 1 / 2));
    EXPECT_EQ(row.get<std::chrono::microseconds>("span"), -(30h + 5us));
    EXPECT_EQ(row.get<int>("bits"), 5);
    EXPECT_EQ(row.get<int>("y"), 2001);
    const auto text = must(lease.query("SELECT * FROM kept"));
    for (std::size_t i = 0; i < row.size(); ++i) EXPECT_EQ(row[i], text.front()[i]) << rows.columns()[i].name;
}

TEST_F(StatementTest, NullsAndOptionals) {
    must(lease.query("CREATE TEMPORARY TABLE t (a INT, b VARCHAR(10))"));
    must(lease.execute("INSERT INTO t VALUES (?, ?), (?, ?)", std::nullopt, std::optional<std::string>(), 5,
                       std::optional<std::string>("")));
    const auto rows = must(lease.execute("SELECT a, b FROM t ORDER BY a IS NULL DESC"));
    EXPECT_EQ((rows[0].as<std::optional<int>, std::optional<std::string>>()),
              (std::tuple<std::optional<int>, std::optional<std::string>>()));
    EXPECT_EQ((rows[1].as<std::optional<int>, std::optional<std::string>>()), std::tuple(5, ""));
}

TEST_F(StatementTest, TellsWhatAStatementDid) {
    must(lease.query("CREATE TEMPORARY TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)"));
    const auto inserted = must(lease.query("INSERT INTO t (a) VALUES (1), (2), (3)"));
    EXPECT_EQ(inserted.affected_rows(), 3U);
    EXPECT_EQ(inserted.last_insert_id(), 1U);
    EXPECT_TRUE(inserted.empty());
    EXPECT_EQ(must(lease.execute("INSERT INTO t (a) VALUES (?)", 4)).last_insert_id(), 4U);
    EXPECT_EQ(must(lease.execute("UPDATE t SET a = a + 1 WHERE a > ?", 2)).affected_rows(), 2U);
    EXPECT_EQ(must(lease.query("SELECT 1 / 0")).warnings(), 1U);
}

TEST_F(StatementTest, TheServersErrorsComeThroughAndDoNotEndTheLease) {
    const auto id = lease.connection_id();
    const auto missing = lease.query("SELECT * FROM no_such_table");
    EXPECT_EQ(missing.error().code, 1146);
    EXPECT_EQ(missing.error().sqlstate, "42S02");
    EXPECT_EQ(lease.execute("SELEC ?", 1).error().code, 1064);
    EXPECT_EQ(lease.execute("SELECT ?", 1, 2).error().code, error_code::parameters);
    EXPECT_EQ(lease.execute("SELECT ?").error().message, "the statement has 1 question marks, and 0 values were given");
    EXPECT_EQ(lease.query("").error().code, 1065);
    EXPECT_EQ(lease.query("SELECT 1; SELECT 2").error().code, 1064);
    EXPECT_EQ(lease.query("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE x").has_value(), false);
    EXPECT_EQ(cell<std::uint64_t>(lease, "SELECT CONNECTION_ID()"), id);
}

TEST_F(StatementTest, ACallGivesItsFirstResult) {
    must(lease.query("CREATE PROCEDURE two_results() BEGIN SELECT 1 a UNION SELECT 2; SELECT 3 b; END"));
    EXPECT_EQ(must(lease.query("CALL two_results()")).size(), 2U);
    EXPECT_EQ(must(lease.execute("CALL two_results()")).size(), 2U);
    EXPECT_EQ(cell<int>(lease, "SELECT 7"), 7);
    must(lease.query("DROP PROCEDURE two_results"));
}

TEST_F(StatementTest, ManyTextsAreMoreThanTheCacheHolds) {
    pool = make([](Options& o) { o.statement_cache = 4; });
    lease = must(pool.acquire());
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 10; ++i) {
            const auto rows = must(lease.execute("SELECT ? + " + std::to_string(i), round));
            EXPECT_EQ(rows.front().get<int>(0), round + i);
        }
    }
    const auto count = must(lease.query("SHOW SESSION STATUS LIKE 'Com_stmt_close'"));
    EXPECT_EQ(count.front().get<int>(1), 3 * 10 - 4);
}

TEST_F(StatementTest, AStreamGivesRowsAsTheyCome) {
    const auto numbers =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
        "SELECT i, REPEAT('x', 1000) FROM n WHERE i > ?";
    auto stream = must(lease.stream(numbers, 100));
    EXPECT_EQ(stream.columns().size(), 2U);
    int expected = 101;
    for (;; ++expected) {
        auto row = must(stream.next());
        if (!row) break;
        ASSERT_EQ(row->get<int>("i"), expected);
        ASSERT_EQ(row->get<std::string_view>(1)->size(), 1000U);
        if (expected == 101) EXPECT_EQ(lease.query("SELECT 1").error().code, error_code::out_of_sync);
    }
    EXPECT_EQ(expected, 901);
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);
    auto rest = must(lease.stream(numbers, 0));
    must(rest.next());
    EXPECT_EQ(must(rest.drain()), 899U);
    EXPECT_EQ(cell<int>(lease, "SELECT 2"), 2);
}

TEST_F(StatementTest, AStreamThatIsLeftEndsItsConnectionAndNotTheProgram) {
    const auto id = lease.connection_id();
    {
        auto stream = must(lease.stream("SELECT REPEAT('x', 1000000) FROM information_schema.COLUMNS LIMIT 1000"));
        EXPECT_TRUE(must(stream.next()).has_value());
    }
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);  // on another connection: nothing was lost
    EXPECT_NE(lease.connection_id(), id);
    auto orphan = must(lease.stream("SELECT 1 UNION SELECT 2"));
    lease.release();
    EXPECT_EQ(orphan.next().error().code, error_code::gone);
}

}  // namespace
}  // namespace tidegate
