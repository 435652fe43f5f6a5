// A name in front of a parenthesis: a function of the server's own, something unknown, or no call at all.
#include "sql/scan_testing.h"

namespace tidegate::sql {
namespace {

bool unknown(std::string_view text, Mode mode = kMariadb) {
    return scan_all_ways(text, mode).pins.has(Pin::unknown_function);
}

TEST(Functions, ThatAreNotTheServersOwnPin) {
    for (const std::string_view text : {
             "SELECT f(1)",
             "SELECT f (1)",
             "SELECT f/**/(1)",
             "SELECT db.f(1)",
             "SELECT `f`(1)",
             "SELECT `db`.`f`(1)",
             "SELECT db . f(1)",
             "SELECT db.abs(1)",
             "SELECT 1f(1)",
             "SELECT \xa0get_lock('a', 1)",
             "SELECT a, f(1) FROM t",
             "SELECT (a), f(1)",
             "SELECT * FROM t WHERE a = f(1)",
             "SELECT * FROM t ORDER BY f(a)",
             "SELECT a FROM t GROUP BY a WITH ROLLUP HAVING f(a)",
             "SELECT 1 UNION SELECT f(1)",
             "INSERT INTO t VALUES (f(1))",
             "INSERT INTO t SELECT f(1)",
             "INSERT INTO t SET a = f(1)",
             "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = f(1)",
             "REPLACE t VALUES (f(1))",
             "UPDATE t SET a = f(1)",
             "DELETE FROM t WHERE f(a)",
             "SET time_zone = f(1)",
             "DO f(1)",
             "CREATE TABLE t SELECT f(1)",
             "CREATE TABLE t (a INT) AS SELECT f(a) FROM u",
             "EXPLAIN SELECT f(1)",
             "WITH a AS (SELECT f(1)) SELECT * FROM a",
             "WITH a AS (SELECT 1) SELECT 1, f(1)",
             "SHOW TABLES WHERE f(1)",
             "SELECT count (*) FROM t",  // without IGNORE_SPACE this is a stored function
             "SELECT columns(1)",
             "LOAD DATA INFILE 'x' INTO TABLE t SET a = f(1)",
             "KILL f(1)",
         }) {
        EXPECT_TRUE(unknown(text)) << text;
        EXPECT_TRUE(scan(text, kMariadb).asks.has(Ask::last_insert_id)) << text;
    }
}

TEST(Functions, OfTheServerDoNot) {
    for (const std::string_view text : {
             "SELECT COUNT(*), MAX(a), coalesce(a, b), IF(a, b, c), LEFT(a, 1), NOW(), REPLACE(a, 'b', 'c') FROM t",
             "SELECT CONCAT_WS(',', a), DATE_FORMAT(a, '%Y'), CAST(a AS DECIMAL(10, 2)), CONVERT(a, CHAR(20))",
             "SELECT upper (a), abs (1)",
             "SELECT GROUP_CONCAT(DISTINCT a ORDER BY b SEPARATOR ',') FROM t",
             "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b), RANK() OVER w FROM t WINDOW w AS (ORDER BY a)",
             "SELECT JSON_EXTRACT(a, '$.b'), a->>'$.c' FROM t",
             "SELECT ST_X(a), ST_DISTANCE_SPHERE(a, POINT(1, 2)) FROM t",
             "SELECT SLEEP(1), BENCHMARK(1, 1), RAND(), UUID(), VERSION(), DATABASE(), USER()",
             "SELECT CAST(a AS DATETIME(6)), TIMESTAMP(a), YEAR(b)",
             "SELECT EXISTS(SELECT 1), NOT(1), a IN(1), (1) AND(2), a BETWEEN(1) AND(2), CASE WHEN(1) THEN(2) ELSE(3) "
             "END",
             "SELECT a = ANY(SELECT 1), a > ALL (SELECT 1), INTERVAL(1, 2)",
             "SELECT MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE) FROM t",
             "SELECT * FROM (SELECT 1) AS x (a)",
             "SELECT * FROM (SELECT 1) x (a)",
             "SELECT * FROM a JOIN (b, c) USING(x) LEFT JOIN d ON(a.x = d.x)",
             "SELECT * FROM t USE INDEX (a) FORCE INDEX FOR ORDER BY (b) IGNORE KEY(c)",
             "SELECT * FROM t PARTITION (p0, p1)",
             "WITH RECURSIVE a (x, y) AS (SELECT 1, 2 UNION ALL SELECT x + 1, y FROM a), b (z) AS (SELECT 3), `c` (u) "
             "AS (SELECT 4) "
             "SELECT * FROM a, b, c",
             "INSERT INTO t(a) VALUES(1),(2) ON DUPLICATE KEY UPDATE a=VALUES(a)",
             "INSERT t (a) VALUES (1)",
             "INSERT IGNORE INTO `db`.`t`(`a`) SELECT `a` FROM `u`",
             "INSERT INTO db.t(a) VALUES (1)",
             "INSERT INTO t PARTITION (p0) (a) VALUES (1)",
             "INSERT INTO t (a) VALUES (1) AS new(b) ON DUPLICATE KEY UPDATE a = b",
             "INSERT INTO t (a) WITH x (b) AS (SELECT 1) SELECT * FROM x",
             "REPLACE INTO t(a) VALUES (1)",
             "EXPLAIN INSERT INTO t(a) VALUES (1)",
             "CREATE TABLE t(a INT(11), b VARCHAR(20) DEFAULT(uuid()), PRIMARY KEY(a), KEY k(b(10)), "
             "CONSTRAINT c FOREIGN KEY f(a) REFERENCES u(a)) ENGINE=InnoDB",
             "CREATE TABLE t (a DATE) PARTITION BY RANGE (TO_DAYS(a)) (PARTITION p0 VALUES LESS THAN "
             "(TO_DAYS('2026-01-01')), "
             "PARTITION p1 VALUES LESS THAN(MAXVALUE))",
             "ALTER TABLE t ADD COLUMN e ENUM('a','b'), ADD UNIQUE INDEX u(a(5)), ADD CONSTRAINT c CHECK(f(a))",
             "CREATE INDEX i ON t(a)",
             "CREATE VIEW v(a) AS SELECT f(1)",
             "GRANT SELECT(a), INSERT(b) ON t TO u",
             "LOAD DATA LOCAL INFILE 'x' INTO TABLE db.t FIELDS TERMINATED BY ',' LINES TERMINATED BY '\\n' (a, b)",
             "LOAD DATA LOCAL INFILE 'x' INTO TABLE t(a, b) SET c = UPPER(a)",
             "ANALYZE TABLE t PERSISTENT FOR COLUMNS(a) INDEXES(b)",
             "SELECT x.a FROM JSON_TABLE('[]', '$[*]' COLUMNS(a INT PATH '$.a', NESTED PATH '$.b' COLUMNS (c CHAR(5) "
             "PATH '$'))) AS x",
         }) {
        EXPECT_FALSE(unknown(text)) << text;
    }
}

TEST(Functions, BelongToTheirServer) {
    EXPECT_TRUE(unknown("SELECT ANY_VALUE(a) FROM t", kMariadb));
    EXPECT_FALSE(unknown("SELECT ANY_VALUE(a) FROM t", kMysql));
    EXPECT_FALSE(unknown("SELECT UUID_TO_BIN(UUID()), 1 MEMBER OF ('[1]') FROM t, LATERAL (SELECT 1) AS x", kMysql));
    EXPECT_FALSE(unknown("SELECT COLUMN_GET(a, 'b' AS CHAR), NVL(a, b), MEDIAN(a) OVER () FROM t", kMariadb));
    EXPECT_TRUE(unknown("SELECT NVL(a, b)", kMysql));
}

TEST(Functions, WithASpaceBehindTheirName) {
    constexpr Mode kIgnoreSpace{.ignore_space = true};
    EXPECT_TRUE(unknown("SELECT now ()"));
    EXPECT_FALSE(unknown("SELECT now()"));
    EXPECT_FALSE(unknown("SELECT now ()", kIgnoreSpace));
    EXPECT_FALSE(unknown("SELECT count (*) FROM t", kIgnoreSpace));
}

}  // namespace
}  // namespace tidegate::sql
