// What is it: every kind of statement, in the spellings that clients use.
#include "sql/scan_testing.h"

namespace tidegate::sql {
namespace {

struct Case {
    std::string_view text;
    Kind kind;
};

TEST(Kind, IsSeenInEverySpelling) {
    const Case cases[] = {
        {"", Kind::empty},
        {"  \n\t", Kind::empty},
        {"/* nothing */ -- at all", Kind::empty},
        {";", Kind::empty},
        {"SELECT 1", Kind::select},
        {"select/**/1", Kind::select},
        {"(SELECT 1) UNION (SELECT 2)", Kind::select},
        {"((SELECT 1))", Kind::select},
        {"WITH a AS (SELECT 1) SELECT * FROM a", Kind::select},
        {"WITH a (x) AS (SELECT 1) UPDATE t, a SET t.x = a.x", Kind::update},
        {"WITH a AS (SELECT 1) DELETE t FROM t JOIN a", Kind::delete_},
        {"VALUES ROW(1, 2)", Kind::select},
        {"TABLE t", Kind::select},
        {"INSERT INTO t VALUES (1)", Kind::insert},
        {"REPLACE INTO t SET a = 1", Kind::replace},
        {"UPDATE t SET a = 1", Kind::update},
        {"DELETE FROM t", Kind::delete_},
        {"SET a = 1", Kind::set},
        {"USE `db`", Kind::use},
        {"BEGIN", Kind::begin},
        {"BEGIN WORK", Kind::begin},
        {"START TRANSACTION READ ONLY", Kind::begin},
        {"START /* a */ TRANSACTION", Kind::begin},
        {"COMMIT", Kind::commit},
        {"ROLLBACK", Kind::rollback},
        {"ROLLBACK WORK", Kind::rollback},
        {"ROLLBACK TO SAVEPOINT a", Kind::savepoint},
        {"ROLLBACK WORK TO a", Kind::savepoint},
        {"SAVEPOINT a", Kind::savepoint},
        {"RELEASE SAVEPOINT a", Kind::savepoint},
        {"CALL p()", Kind::call},
        {"SHOW TABLES", Kind::show},
        {"CREATE TABLE t (a INT)", Kind::ddl},
        {"ALTER TABLE t ADD b INT", Kind::ddl},
        {"DROP TABLE t", Kind::ddl},
        {"RENAME TABLE a TO b", Kind::ddl},
        {"TRUNCATE t", Kind::ddl},
        {"PREPARE s FROM 'SELECT 1'", Kind::prepare},
        {"EXECUTE s", Kind::execute},
        {"EXECUTE IMMEDIATE 'SELECT 1'", Kind::execute},
        {"DEALLOCATE PREPARE s", Kind::deallocate},
        {"DROP PREPARE s", Kind::deallocate},
        {"LOCK TABLES t READ", Kind::lock_tables},
        {"LOCK TABLE t READ", Kind::lock_tables},
        {"UNLOCK TABLES", Kind::unlock_tables},
        {"FLUSH STATUS", Kind::flush},
        {"HANDLER t OPEN", Kind::handler},
        {"XA START 'a'", Kind::xa},
        {"XA RECOVER", Kind::xa},
        {"DO SLEEP(1)", Kind::do_},
        {"KILL 1", Kind::kill},
        {"LOAD DATA INFILE 'a' INTO TABLE t", Kind::load_data},
        {"LOAD XML LOCAL INFILE 'a' INTO TABLE t", Kind::load_data},
        {"LOAD INDEX INTO CACHE t", Kind::other},
        {"EXPLAIN SELECT 1", Kind::explain},
        {"DESC t", Kind::explain},
        {"DESCRIBE t", Kind::explain},
        {"ANALYZE FORMAT=JSON SELECT 1", Kind::explain},
        {"ANALYZE TABLE t", Kind::other},
        {"ANALYZE LOCAL TABLE t", Kind::other},
        {"GRANT SELECT ON *.* TO a", Kind::grant},
        {"REVOKE ALL ON *.* FROM a", Kind::grant},
        {"SET PASSWORD = 'x'", Kind::grant},
        {"CREATE USER a", Kind::grant},
        {"CREATE OR REPLACE USER a@b", Kind::grant},
        {"CREATE ROLE a", Kind::grant},
        {"ALTER USER 'a'@'b' IDENTIFIED BY 'x'", Kind::grant},
        {"DROP USER IF EXISTS a@b", Kind::grant},
        {"DROP ROLE a", Kind::grant},
        {"RENAME USER a TO b", Kind::grant},
        {"OPTIMIZE TABLE t", Kind::other},
        {"GET DIAGNOSTICS @a = NUMBER", Kind::other},
        {"START SLAVE", Kind::other},
        {"LOCK INSTANCE FOR BACKUP", Kind::other},
        {"BINLOG 'x'", Kind::unknown},
        {"FROBNICATE t", Kind::unknown},
        {"(UPDATE t SET a = 1)", Kind::unknown},
        {"1", Kind::unknown},
        {"'SELECT'", Kind::unknown},
        {"`select` 1", Kind::unknown},
        {"LOCK", Kind::unknown},
        {"START", Kind::unknown},
        {"RELEASE x", Kind::unknown},
    };
    for (const Case& c : cases) {
        const Facts facts = scan_all_ways(c.text);
        EXPECT_EQ(name(facts.kind), name(c.kind)) << c.text;
        EXPECT_EQ(facts.pins.has(Pin::unknown_statement), c.kind == Kind::unknown) << c.text;
    }
}

TEST(Kind, OfSeveralStatementsIsTheFirsts) {
    const Facts facts = scan_all_ways("SET a = 1; SELECT @x; CREATE TEMPORARY TABLE t (a INT)", kMulti);
    EXPECT_EQ(facts.kind, Kind::set);
    EXPECT_EQ(facts.statements, 3);
    EXPECT_TRUE(facts.pins.has(Pin::user_variable));
    EXPECT_TRUE(facts.pins.has(Pin::temporary_table));
    EXPECT_FALSE(facts.set_only_carried);
}

TEST(Kind, ASemicolonAtTheEndIsNoSecondStatement) {
    for (const std::string_view text :
         {"SELECT 1;", "SELECT 1; ", "SELECT 1;;", "SELECT 1; -- done", "SELECT 1; /* done */ # x\n"}) {
        EXPECT_EQ(scan_all_ways(text, kMulti).statements, 1) << text;
    }
    EXPECT_EQ(scan_all_ways("SELECT ';'", kMulti).statements, 1);
    EXPECT_EQ(scan_all_ways("SELECT 1; SELECT 2", kMulti).statements, 2);
    EXPECT_EQ(scan_all_ways("SELECT 1 -- ;\n; SELECT 2", kMulti).statements, 2);
}

TEST(Kind, LocalInfileIsSeen) {
    EXPECT_TRUE(scan_all_ways("LOAD DATA LOCAL INFILE 'a' INTO TABLE t").local_infile);
    EXPECT_TRUE(scan_all_ways("load data concurrent local infile 'a' into table t").local_infile);
    EXPECT_FALSE(scan_all_ways("LOAD DATA INFILE 'local' INTO TABLE t").local_infile);
}

TEST(Kind, AccountsAndGlobalsMakeANewGeneration) {
    for (const std::string_view text :
         {"GRANT SELECT ON *.* TO a@b", "REVOKE SELECT ON *.* FROM a", "CREATE USER a@b", "ALTER USER a@b ACCOUNT LOCK",
          "DROP USER a", "RENAME USER a TO b", "CREATE ROLE r", "DROP ROLE r", "SET PASSWORD FOR a@b = PASSWORD('x')",
          "SET PASSWORD = 'x'", "SET GLOBAL max_connections = 20", "SET @@global.init_connect = 'SET @a = 1'",
          "SET PERSIST max_connections = 20", "SET @@PERSIST.max_connections = 20",
          "SET sql_mode = '', GLOBAL wait_timeout = 5", "SET GLOBAL TRANSACTION READ ONLY", "FLUSH PRIVILEGES",
          "SET DEFAULT ROLE r FOR a@b"}) {
        EXPECT_TRUE(scan_all_ways(text).new_generation) << text;
        EXPECT_FALSE(scan_all_ways(text).pins.has(Pin::user_variable)) << text;
    }
    EXPECT_TRUE(scan_all_ways("SELECT 1; GRANT SELECT ON *.* TO a", kMulti).new_generation);
    EXPECT_FALSE(scan_all_ways("SET SESSION wait_timeout = 5").new_generation);
    EXPECT_FALSE(scan_all_ways("SHOW GRANTS FOR a@b").new_generation);
}

TEST(Kind, KillIsReadOnlyWhereItNamesANumber) {
    struct KillCase {
        std::string_view text;
        Kill kill;
        std::uint64_t id;
    };
    const KillCase cases[] = {
        {"KILL 5", Kill::connection, 5},
        {"kill connection 17;", Kill::connection, 17},
        {"KILL QUERY 18446744073709551615", Kill::query, 18446744073709551615U},
        {"KILL HARD QUERY 5", Kill::query, 5},
        {"KILL SOFT 5", Kill::connection, 5},
        {"KILL /* a */ QUERY -- b\n 6", Kill::query, 6},
        {"KILL", Kill::other, 0},
        {"KILL QUERY 18446744073709551616", Kill::other, 0},
        {"KILL QUERY 5 + 1", Kill::other, 0},
        {"KILL 5e1", Kill::other, 0},
        {"KILL 5.0", Kill::other, 0},
        {"KILL CONNECTION_ID()", Kill::other, 0},
        {"KILL QUERY @x", Kill::other, 0},
        {"KILL QUERY ?", Kill::other, 0},
        {"KILL USER a", Kill::other, 0},
        {"KILL QUERY ID 5", Kill::other, 0},
        {"KILL (5)", Kill::other, 0},
        {"KILL 5 6", Kill::other, 0},
        {"SELECT 5", Kill::none, 0},
    };
    for (const KillCase& c : cases) {
        const Facts facts = scan_all_ways(c.text);
        EXPECT_EQ(facts.kill, c.kill) << c.text;
        EXPECT_EQ(facts.kill_id, c.id) << c.text;
    }
    EXPECT_TRUE(scan_all_ways("KILL HARD QUERY @x").kill_query);
    EXPECT_FALSE(scan_all_ways("KILL CONNECTION @x").kill_query);
    EXPECT_FALSE(scan_all_ways("KILL (SELECT query FROM t)").kill_query);
    EXPECT_FALSE(scan_all_ways("KILL QUERY @x; SELECT 1", kMulti).kill_query);
    EXPECT_EQ(scan_all_ways("KILL 5; SELECT 1", kMulti).kill, Kill::other);
    EXPECT_EQ(scan_all_ways("SELECT 1; KILL 5", kMulti).kill, Kill::other);
}

// MariaDB keeps its warnings over statements that touch no table.
TEST(Facts, KnowStatementsThatTouchNoTable) {
    for (const char* text : {"SELECT 1", "SELECT @@warning_count", "SELECT (SELECT 1), LAST_INSERT_ID()", "SET a = 1",
                             "DO 1", "USE x", "BEGIN", "COMMIT", "ROLLBACK TO a", "SAVEPOINT a", "UNLOCK TABLES",
                             "KILL 5", "PREPARE s FROM 'SELECT * FROM t'", "SELECT FROM_UNIXTIME(0)",
                             "SELECT 1 AS `from`, t.from", "BEGIN; COMMIT"}) {
        EXPECT_FALSE(scan_all_ways(text, kMulti).touches_tables) << text;
    }
    for (const char* text : {"SELECT * FROM t", "SELECT (SELECT a FROM t)", "SET a = (SELECT a FROM t)",
                             "DO (SELECT a FROM t)", "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t",
                             "REPLACE t VALUES (1)", "SHOW TABLES", "CALL p()", "EXECUTE s", "DROP TABLE t",
                             "FROBNICATE", "SELECT 1; UPDATE t SET a = 1", "UPDATE t SET a = 1; COMMIT"}) {
        EXPECT_TRUE(scan_all_ways(text, kMulti).touches_tables) << text;
    }
}

}  // namespace
}  // namespace tidegate::sql
