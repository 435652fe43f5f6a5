#include "twin/idioms.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace tidegate::twin {
namespace {

constexpr unsigned kBoth = 3;
constexpr unsigned kMariaDB = 1;
constexpr unsigned kMySQL = 2;

struct Idiom {
    unsigned servers;
    std::string_view text;  // steps by "\n"; {c}: the client's number, {n}: a small number, {m}: another, {w}: a word
};

// A step is a statement, or begins with ! and one of: prepare N text, execute N values.., fetch N values.., close N,
// ping, reset, change_user, use schema.
constexpr Idiom kIdioms[] = {
    // User variables.
    {kBoth, "SET @a = {n}\nSELECT @a, @b"},
    {kBoth, "SET @a = '{w}', @b = @a\nSELECT @a, @b, @c"},
    {kBoth, "SELECT @c := {n} + 1\nSELECT @c, @c + 1"},
    {kBoth, "SELECT {n}, '{w}' INTO @a, @b\nSELECT @a, @b"},
    {kBoth, "SELECT @a, @b, @c"},
    {kBoth, "SET @a = NULL, @b = 1.5, @c = 0x41\nSELECT @a, @b, @c"},
    {kBoth, "SET @a = -{n}.50, @b = 1e{n}0, @C := CAST({n} AS UNSIGNED)\nSELECT @a, @b, @c, @a * 2, @c - 1"},
    {kBoth, "SET @a = {n}, @a = NULL\nSELECT @a\nSET @`d` = -9223372036854775808, @'e' = TRUE\nSELECT @d, @e"},
    {kBoth, "SET @d = 12345678901234567890123456789.0{n}0, @e = 0.1e0 + 0.2e0\nSELECT @d, @e, @D = @d, @e + 0"},
    {kBoth, "SET @b = 'größe {w}', @c = _latin1 X'E9' COLLATE latin1_bin\nSELECT @b, @c, COLLATION(@c), @c = 'É'"},
    {kBoth, "SET NAMES latin1\nSET @b = '{w}'\nSET NAMES utf8mb4\nSELECT @b, COLLATION(@b), CHARSET(@b)"},
    {kBoth, "SET @a = CURRENT_DATE, @b = JSON_OBJECT('k', {n}), @c = ''\nSELECT @a = CURRENT_DATE, @b, @c, LENGTH(@c)"},
    {kBoth, "SET @a = REPEAT('{w}', 400)\nSELECT LENGTH(@a), @b\nSET @a = 1"},
    {kBoth, "SET @n = 0\nSELECT @n := @n + 1, v FROM fixed ORDER BY id\nSELECT @n, FOUND_ROWS()\nSELECT @n"},
    {kBoth, "SELECT v INTO @a FROM fixed WHERE id = {n}\nSELECT ROW_COUNT()\nSELECT FOUND_ROWS()\nSELECT @a"},
    {kBoth, "SELECT id, v FROM fixed WHERE id < 3 INTO @a, @b\nSHOW WARNINGS\nSELECT @a, @b"},
    {kBoth, "UPDATE t{c} SET v = (@a := CONCAT(v, '{w}')) WHERE id < 3\nSELECT ROW_COUNT()\nSELECT @a"},
    {kBoth, "BEGIN\nSET @a = '{w}'\nINSERT INTO t{c} (v) VALUES (@a)\nROLLBACK\nSELECT @a"},
    {kBoth, "SET @m = (SELECT MAX(id) FROM fixed)\nSELECT @m"},
    {kBoth,
     "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */\nSELECT @@sql_mode\n/*!40101 SET "
     "SQL_MODE=@OLD_SQL_MODE */\nSELECT @@sql_mode = @old_sql_mode"},
    {kBoth,
     "INSERT INTO t{c} (v) VALUES ('a')\nSET @id = LAST_INSERT_ID()\nSELECT v, @id - LAST_INSERT_ID() FROM t{c} WHERE "
     "id = @id"},
    {kBoth, "SELECT CAST('x' AS SIGNED), @a := {n} FROM fixed LIMIT 1\nSHOW WARNINGS\nSELECT @a"},
    {kBoth, "SELECT @a := nonsense\nSET @b = nonsense\nSET @a.b = {n}\nSELECT @a.b, @b"},
    {kBoth, "SIGNAL SQLSTATE '01000' SET MYSQL_ERRNO = {n}\nGET DIAGNOSTICS CONDITION 1 @d = MYSQL_ERRNO\nSELECT @d"},
    {kBoth, "DO @a := {n}\nSELECT @a, @b IS NULL\nSELECT * FROM (SELECT @c := '{w}') q"},
    {kMariaDB, "SET @a = {n}\nFLUSH USER_VARIABLES\nSELECT @a"},
    {kMariaDB, "SET @p = POINT({n}, 1)\nSELECT ST_X(@p), @p IS NULL"},
    // Variables of the system.
    {kBoth, "SET sql_mode = 'ANSI_QUOTES'\nSELECT \"{w}\"\nSET sql_mode = ''\nSELECT \"{w}\""},
    {kBoth, "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'\nSELECT 'a\\b'\nSET sql_mode = DEFAULT"},
    {kBoth, "SET @@sql_mode = 'PIPES_AS_CONCAT'\nSELECT 'a' || '{w}'\nSET @@session.sql_mode = ''"},
    {kBoth, "SET time_zone = '+0{n}:00'\nSELECT @@time_zone, FROM_UNIXTIME(86400)"},
    {kBoth, "SET NAMES latin1\nSELECT @@character_set_client, @@collation_connection, 'é'\nSET NAMES utf8mb4"},
    {kBoth, "SET NAMES utf8mb4 COLLATE utf8mb4_bin\nSELECT 'a' = 'A', @@collation_connection"},
    {kBoth, "SET CHARACTER SET latin1\nSELECT @@character_set_results, @@collation_connection"},
    {kBoth,
     "SET character_set_results = NULL\nSELECT '{w}', @@character_set_results\nSET character_set_results = utf8mb4"},
    {kBoth, "SET SESSION group_concat_max_len = {n}4\nSELECT GROUP_CONCAT(v ORDER BY id) FROM t{c}\nSHOW WARNINGS"},
    {kBoth, "SET sql_select_limit = 1\nSELECT id FROM fixed\nSET sql_select_limit = DEFAULT"},
    {kBoth,
     "SET foreign_key_checks = 0, unique_checks = OFF\nSELECT @@foreign_key_checks, @@unique_checks\nSET "
     "foreign_key_checks = 1"},
    {kBoth, "SET sql_safe_updates = 1\nUPDATE t{c} SET v = 'x'\nSET sql_safe_updates = 0"},
    {kBoth, "SET timestamp = 1700000{n}00\nSELECT NOW(), UNIX_TIMESTAMP()\nSET timestamp = DEFAULT"},
    {kBoth, "SET sql_mode = 'NO_SUCH_MODE'\nSELECT @@sql_mode"},
    {kBoth, "SET no_such_variable = 1\nSET wait_timeout = 2{n}0\nSELECT @@wait_timeout"},
    {kBoth, "SET div_precision_increment = {n}\nSELECT 1 / 3"},
    {kBoth, "SET lc_time_names = 'de_DE'\nSELECT DAYNAME('2026-11-21')\nSET lc_time_names = 'en_US'"},
    {kBoth, "SET sql_auto_is_null = 1\nSELECT id FROM t{c} WHERE id IS NULL\nSET sql_auto_is_null = 0"},
    {kBoth, "SET sql_big_selects = 1, max_join_size = 1000{n}\nSELECT @@max_join_size, @@sql_big_selects"},
    {kBoth, "SET block_encryption_mode = 'aes-256-cbc'\nSELECT @@block_encryption_mode"},
    {kBoth,
     "SELECT @@sql_mode, @@time_zone, @@autocommit, @@character_set_client, @@collation_connection, "
     "@@sql_select_limit"},
    {kMariaDB, "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT \"id\" FROM fixed LIMIT 1\nSELECT @@sql_mode"},
    {kMariaDB, "SELECT @@tx_isolation, @@tx_read_only"},
    {kMySQL, "SELECT @@transaction_isolation, @@transaction_read_only"},
    // The schema.
    {kBoth, "USE app_twin2\nSELECT DATABASE(), name FROM here\nUSE app_twin\nSELECT DATABASE()"},
    {kBoth, "!use app_twin2\nSELECT DATABASE()\n!use app_twin"},
    {kBoth, "USE app_no_such_schema\nSELECT DATABASE()"},
    {kBoth, "!use app_no_such_schema\nSELECT DATABASE()"},
    // Transactions.
    {kBoth,
     "BEGIN\nINSERT INTO t{c} (v) VALUES ('{w}')\nSELECT COUNT(*) FROM t{c}\nROLLBACK\nSELECT COUNT(*) FROM t{c}"},
    {kBoth, "START TRANSACTION\nUPDATE t{c} SET v = '{w}' WHERE id = 1\nCOMMIT\nSELECT v FROM t{c} WHERE id = 1"},
    {kBoth, "START TRANSACTION READ ONLY\nINSERT INTO t{c} (v) VALUES ('x')\nCOMMIT"},
    {kBoth,
     "SET autocommit = 0\nINSERT INTO t{c} (v) VALUES ('{w}')\nROLLBACK\nSET autocommit = 1\nSELECT COUNT(*) FROM "
     "t{c}"},
    {kBoth,
     "SET autocommit = 0\nSAVEPOINT s\nUPDATE t{c} SET v = '{w}'\nROLLBACK TO SAVEPOINT s\nCOMMIT\nSET autocommit = 1"},
    {kBoth, "BEGIN\nSAVEPOINT a\nDELETE FROM t{c}\nROLLBACK TO a\nRELEASE SAVEPOINT a\nRELEASE SAVEPOINT a\nCOMMIT"},
    {kBoth, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE\nBEGIN\nSELECT COUNT(*) FROM t{c}\nCOMMIT"},
    {kBoth,
     "SET TRANSACTION READ ONLY\nBEGIN\nINSERT INTO t{c} (v) VALUES ('x')\nCOMMIT\nINSERT INTO t{c} (v) VALUES ('y')"},
    {kBoth,
     "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE\nSET TRANSACTION READ ONLY\nSELECT {n}\nSET @a = {n}\nBEGIN\nINSERT "
     "INTO "
     "t{c} (v) VALUES (@a)\nROLLBACK\nBEGIN\nINSERT INTO t{c} (v) VALUES ('w')\nROLLBACK"},
    {kBoth,
     "SET TRANSACTION READ ONLY\nSET autocommit = 0\nINSERT INTO t{c} (v) VALUES ('x')\nROLLBACK\nSET autocommit = 1"},
    {kBoth,
     "SET TRANSACTION READ ONLY\n!prepare 24 INSERT INTO t{c} (v) VALUES (?)\nBEGIN\n!execute 24 {n}\nCOMMIT\n!close "
     "24"},
    {kBoth, "SET TRANSACTION READ ONLY\nINSERT INTO t{c} (v) VALUES ('x')\nINSERT INTO t{c} (v) VALUES ('y')"},
    {kBoth,
     "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED\nBEGIN\nSELECT v FROM t{c} WHERE id = 2 FOR "
     "UPDATE\nCOMMIT"},
    {kBoth,
     "BEGIN\nINSERT INTO t{c} (v) VALUES ('{w}')\nCOMMIT AND CHAIN\nINSERT INTO t{c} (v) VALUES ('b')\nROLLBACK AND NO "
     "CHAIN"},
    {kBoth, "BEGIN\nINSERT INTO t{c} (id, v) VALUES (1, 'again')\nSELECT 1\nROLLBACK"},
    {kBoth, "BEGIN\nUPDATE t{c} SET v = 'x'\nSET autocommit = 1\nROLLBACK\nSELECT v FROM t{c} WHERE id = 1"},
    {kBoth, "XA START 'x{c}'\nINSERT INTO t{c} (v) VALUES ('xa')\nXA END 'x{c}'\nXA ROLLBACK 'x{c}'"},
    {kBoth,
     "LOCK TABLES t{c} WRITE, fixed READ\nINSERT INTO t{c} (v) VALUES ('l')\nSELECT * FROM here2\nUNLOCK "
     "TABLES\nSELECT COUNT(*) FROM t{c}"},
    {kBoth, "COMMIT\nROLLBACK\nSELECT @@in_transaction"},
    // What the statement before left.
    {kBoth, "INSERT INTO t{c} (v) VALUES ('{w}')\nSELECT LAST_INSERT_ID()\nSELECT LAST_INSERT_ID()"},
    {kBoth, "INSERT INTO t{c} (v) VALUES ('a'), ('b')\nSELECT LAST_INSERT_ID(), @@last_insert_id"},
    {kBoth, "INSERT INTO t{c} (id, v) VALUES (50{n}{m}, 'own')\nSELECT LAST_INSERT_ID()"},
    {kBoth, "SELECT LAST_INSERT_ID({n}{m})\nSELECT LAST_INSERT_ID()"},
    {kBoth, "SET last_insert_id = 7{n}\nSELECT LAST_INSERT_ID()"},
    {kBoth,
     "SET insert_id = 9{n}{m}\nINSERT INTO t{c} (v) VALUES ('i')\nSELECT LAST_INSERT_ID()\nSELECT MAX(id) FROM t{c}"},
    {kBoth, "SELECT LAST_INSERT_ID()"},
    {kBoth, "SELECT 1 / 0\nSHOW WARNINGS"},
    {kBoth, "SELECT CAST('{w}' AS SIGNED)\nSHOW COUNT(*) WARNINGS\nSHOW WARNINGS"},
    {kBoth, "SELECT CAST('x{n}' AS SIGNED)\nSELECT @@warning_count"},
    {kBoth, "SELECT nonsense FROM fixed\nSHOW ERRORS\nSHOW WARNINGS"},
    {kBoth, "DROP TABLE IF EXISTS no_such_{w}\nSHOW WARNINGS LIMIT 1"},
    {kBoth, "SELECT SQL_CALC_FOUND_ROWS id FROM fixed LIMIT {n}\nSELECT FOUND_ROWS()"},
    {kBoth, "SELECT id FROM fixed WHERE id > {n}\nSELECT FOUND_ROWS()"},
    {kBoth, "UPDATE t{c} SET v = CONCAT(v, '{n}')\nSELECT ROW_COUNT()"},
    {kBoth, "DELETE FROM t{c} WHERE id = 3\nSELECT ROW_COUNT()"},
    {kBoth, "INSERT IGNORE INTO t{c} (id, v) VALUES (1, 'i')\nSHOW WARNINGS\nSELECT ROW_COUNT()"},
    {kBoth, "REPLACE INTO t{c} (id, v) VALUES (2, '{w}')\nSELECT ROW_COUNT()"},
    // Temporary tables, locks, text PREPARE, HANDLER: with their ends, and without.
    {kBoth,
     "CREATE TEMPORARY TABLE tmp (a INT)\nINSERT INTO tmp VALUES ({n})\nSELECT * FROM tmp\nDROP TEMPORARY TABLE "
     "tmp\nSELECT * FROM tmp"},
    {kBoth, "CREATE TEMPORARY TABLE tmp{n} SELECT id FROM fixed\nSELECT COUNT(*) FROM tmp{n}"},
    {kBoth,
     "CREATE TEMPORARY TABLE IF NOT EXISTS fixed (a INT)\nSELECT * FROM fixed\nDROP TABLE fixed\nSELECT COUNT(*) FROM "
     "fixed"},
    {kBoth, "DROP TEMPORARY TABLE IF EXISTS tmp1, tmp2\nSELECT * FROM tmp{n}"},
    {kBoth,
     "SELECT GET_LOCK('l{c}', 0)\nSELECT IS_USED_LOCK('l{c}') = CONNECTION_ID()\nSELECT RELEASE_LOCK('l{c}')\nSELECT "
     "IS_FREE_LOCK('l{c}')"},
    {kBoth,
     "SELECT GET_LOCK('l{c}', 0), GET_LOCK('l{c}', 0)\nSELECT RELEASE_LOCK('l{c}')\nSELECT "
     "IS_FREE_LOCK('l{c}')\nSELECT RELEASE_ALL_LOCKS()"},
    {kBoth, "SELECT get_lock ('m{c}', 0)\nDO RELEASE_LOCK('m{c}')\nSELECT IS_FREE_LOCK('m{c}')"},
    {kBoth,
     "PREPARE p FROM 'SELECT {n} + ?'\nSET @x = {m}\nEXECUTE p USING @x\nDEALLOCATE PREPARE p\nEXECUTE p USING @x"},
    {kBoth, "PREPARE q FROM 'SELECT \"{w}\"'\nEXECUTE q"},
    {kBoth, "EXECUTE q"},
    {kMariaDB, "EXECUTE IMMEDIATE 'SET @a = {n}'\nSELECT @a"},
    {kBoth,
     "HANDLER fixed OPEN\nHANDLER fixed READ FIRST\nHANDLER fixed READ NEXT\nHANDLER fixed CLOSE\nHANDLER fixed READ "
     "FIRST"},
    // Routines.
    {kBoth, "CALL sets_variables({n})\nSELECT @from_procedure, @@sql_select_limit\nSET sql_select_limit = DEFAULT"},
    {kBoth, "CALL two_results({n})"},
    {kBoth, "SELECT plain_function({n})"},
    {kBoth, "CALL no_such_procedure()"},
    {kBoth, "CALL makes_table({n})\nSELECT * FROM made\nDROP TEMPORARY TABLE IF EXISTS made"},
    {kBoth, "CALL fails_in_transaction()\nSELECT COUNT(*) FROM fixed\nROLLBACK"},
    {kBoth, "CALL inserts({c}, {n}) /* t{c} */\nSELECT LAST_INSERT_ID()\nSELECT asks()"},
    {kBoth, "CALL changes({c}, {n}) /* t{c} */\nSELECT ROW_COUNT()"},
    {kBoth, "CALL changes({c}, {n}) /* t{c} */\nSELECT FOUND_ROWS()"},
    {kBoth, "CALL counts()\nSELECT FOUND_ROWS()\nSELECT twice({n}), looks_up({n})"},
    {kBoth, "SELECT 1 / 0\nCALL nothing()\nSHOW WARNINGS"},
    {kBoth, "CALL warns()\nSHOW WARNINGS\nSELECT ROW_COUNT()"},
    {kBoth, "SELECT 1 / 0\nSELECT looks_up({n})\nSHOW WARNINGS"},
    {kBoth, "CALL begins()\nUPDATE t{c} SET v = '{w}'\nROLLBACK"},
    {kBoth, "SELECT LAST_INSERT_ID({n}{m})\nSELECT twice(asks()), asks()"},
    {kBoth, "SELECT inserts_own({n})\nSELECT LAST_INSERT_ID()\nDO twice({n})\nSELECT asks()"},
    {kBoth,
     "INSERT INTO t{c} (v) VALUES (twice({n}))\nSELECT LAST_INSERT_ID()\nSELECT v FROM t{c} WHERE id > looks_up({n})"},
    {kBoth, "!prepare 21 SELECT twice(?), looks_up(?)\n!execute 21 {n} {m}\n!execute 21 {m} {n}\n!close 21"},
    {kBoth, "!prepare 22 CALL inserts(?, ?) /* t{c} */\n!execute 22 {c} {n}\nSELECT LAST_INSERT_ID()\n!close 22"},
    {kBoth, "SELECT into_variable({n})\nSELECT @from_function"},
    {kBoth, "CALL deep({n})\nSELECT * FROM made2\nDROP TEMPORARY TABLE IF EXISTS made2"},
    // Several statements at once.
    {kBoth, "SELECT {n}; SELECT '{w}', @a; SELECT 3"},
    {kBoth, "SET @a = {n}; SELECT @a; SELECT nonsense; SELECT 4"},
    {kBoth, "BEGIN; INSERT INTO t{c} (v) VALUES ('m'); COMMIT; SELECT LAST_INSERT_ID()"},
    {kBoth, "BEGIN; SELECT {n}\nSELECT 2; ROLLBACK"},
    // What other proxies have got wrong.
    {kMariaDB,
     "CREATE OR REPLACE TEMPORARY TABLE tmp (a INT)\nCREATE OR REPLACE TEMPORARY TABLE tmp SELECT 1 AS b\nSELECT * "
     "FROM tmp\nDROP TABLE tmp"},
    {kMariaDB, "EXECUTE IMMEDIATE 'CREATE TEMPORARY TABLE im (a INT)'\nSELECT * FROM im\nDROP TEMPORARY TABLE im"},
    {kMariaDB,
     "ALTER SEQUENCE s{c} RESTART\nSELECT NEXTVAL(s{c})\nSELECT LASTVAL(s{c})\nSELECT PREVIOUS VALUE FOR s{c}"},
    {kMariaDB, "BEGIN NOT ATOMIC DECLARE x INT DEFAULT {n}; SET @a = x; END\nSELECT @a"},
    {kMariaDB, "INSERT INTO t{c} (v) VALUES ('{w}') RETURNING id, v\nDELETE FROM t{c} WHERE id > 2 RETURNING id"},
    {kBoth, "SET ROLE twin_role\nSELECT CURRENT_ROLE()\nSET ROLE NONE\nSELECT CURRENT_ROLE()"},
    {kBoth, "SET ROLE twin_role\nSELECT CURRENT_ROLE(), {n}\n!reset\nSET NAMES utf8mb4\nSELECT CURRENT_ROLE()"},
    {kBoth, "SET ROLE twin_role\nSELECT COUNT(*) FROM twin_roles.t\nSET ROLE NONE\nSELECT COUNT(*) FROM twin_roles.t"},
    {kBoth,
     "SET ROLE twin_role\n!prepare 23 SELECT a, ? FROM twin_roles.t\n!execute 23 {n}\nSET ROLE NONE\n!execute 23 "
     "{n}\nSET "
     "ROLE twin_role\n!execute 23 {n}\n!close 23\nSET ROLE NONE"},
    {kBoth, "SET ROLE missing\nSELECT CURRENT_ROLE()"},
    {kBoth, "BEGIN\nSET ROLE twin_role\nSELECT CURRENT_ROLE()\nROLLBACK\nSELECT CURRENT_ROLE()"},
    {kBoth, "SELECT CURRENT_ROLE()"},
    {kBoth, "!prepare 11 SELECT LAST_INSERT_ID()\nINSERT INTO t{c} (v) VALUES ('p')\n!execute 11\n!close 11"},
    {kBoth,
     "!prepare 12 SELECT GET_LOCK('b{c}', 0)\n!execute 12\nSELECT IS_USED_LOCK('b{c}') = CONNECTION_ID()\nDO "
     "RELEASE_LOCK('b{c}')\n!close 12"},
    {kBoth,
     "!prepare 13 CREATE TEMPORARY TABLE bin (a INT)\n!execute 13\nSELECT * FROM bin\nDROP TEMPORARY TABLE bin\n!close "
     "13"},
    {kBoth,
     "!prepare 14 SELECT @a, @b, @@sql_mode\n!execute 14\nSET @a = {n}, sql_mode = 'ANSI'\n!execute 14\nSET sql_mode = "
     "''\n!execute 14"},
    {kBoth,
     "!prepare 15 SELECT * FROM gone{c}\nCREATE TABLE gone{c} (a INT)\n!prepare 15 SELECT * FROM gone{c}\n!execute "
     "15\nALTER TABLE gone{c} ADD b INT\n"
     "!execute 15\nDROP TABLE gone{c}\n!execute 15"},
    {kBoth,
     "!prepare 16 BEGIN\n!prepare 17 ROLLBACK\n!execute 16\nUPDATE t{c} SET v = 'in'\n!execute 17\nSELECT v FROM "
     "t{c}\n!close 16\n!close 17"},
    {kBoth, "!prepare 18 SELECT 1 / ?\n!execute 18 0\nSHOW WARNINGS\n!execute 18 {n}\n!close 18"},
    {kBoth, "!prepare 1 SELECT {n}\n!prepare 1 SELECT '{w}'\n!execute 1\n!reset\n!execute 1\nSET NAMES utf8mb4"},
    {kBoth, "!prepare 2 SELECT id FROM fixed WHERE id > ?\n!fetch 2 1\n!fetch 2 0\n!close 2\nSELECT 1"},
    {kBoth, "!prepare 3 SELECT REPEAT(?, 300), ?\n!execute 3 {w} {n}\n!execute 3 {w} NULL\n!execute 3 NULL {n}"},
    // MySQL converts a parameter to the type that it had first, as long as the statement is on one connection:
    // proxy.md.
    {kMariaDB, "!prepare 19 SELECT REPEAT(?, 300), ?\n!execute 19 {w} {n}\n!execute 19 {n} {w}"},
    {kMariaDB, "!prepare 20 SELECT ?, ?\n!execute 20 {n} {w}\n!execute 20 {w} NULL\n!execute 20 NULL {n}"},
    // Statements of the binary protocol.
    {kBoth, "!prepare 1 SELECT id, v FROM t{c} WHERE id < ?\n!execute 1 {n}\n!execute 1 3\n!close 1\n!execute 1 2"},
    {kBoth, "!prepare 2 SELECT ?, ?\n!execute 2 {n} {w}\n!execute 2 {n} NULL\n!execute 2 NULL {w}"},
    {kBoth,
     "!prepare 3 INSERT INTO t{c} (v) VALUES (?)\n!execute 3 {w}\nSELECT LAST_INSERT_ID()\n!execute 3 NULL\n!close 3"},
    {kBoth, "!execute 2 {n} {w}"},
    {kBoth, "!prepare 4 SELECT nonsense FROM fixed\n!execute 4"},
    {kBoth,
     "!prepare 5 UPDATE t{c} SET v = ? WHERE id = ?\nBEGIN\n!execute 5 {w} {n}\nROLLBACK\n!execute 5 {w} 1\nSELECT "
     "ROW_COUNT()"},
    {kBoth, "!prepare 6 SELECT id FROM fixed ORDER BY id\n!fetch 6\nSELECT {n}\n!execute 6\n!close 6"},
    {kBoth, "!prepare 7 SET @a = ?\n!execute 7 {n}\nSELECT @a\n!close 7"},
    {kBoth, "SET @e = {n}\n!prepare 15 SELECT @e, @e + ?\n!execute 15 {m}\nSET @e = '{w}'\n!execute 15 1\n!close 15"},
    {kBoth,
     "!prepare 8 SELECT DATABASE(), COUNT(*) FROM here\nUSE app_twin2\n!execute 8\nUSE app_twin\n!execute 8\n!close 8"},
    {kBoth, "!prepare 9 CALL two_results(?)\n!execute 9 {n}\n!close 9"},
    {kBoth, "!prepare 10 SELECT CAST(? AS SIGNED)\n!execute 10 x{w}\nSHOW WARNINGS\n!close 10"},
    // The connection itself.
    {kBoth, "!ping\nSELECT CONNECTION_ID()\nSELECT USER(), CURRENT_USER()"},
    {kBoth, "SET @a = 1, sql_mode = 'ANSI'\n!reset\nSELECT @a, @@sql_mode, DATABASE()\nSET NAMES utf8mb4"},
    {kBoth, "SET @b = 2\nBEGIN\n!change_user\nSELECT @b, DATABASE(), @@autocommit"},
    // Other things that applications say.
    {kBoth, "SELECT /*!40101 SQL_NO_CACHE */ {n}\n/* a comment */ SELECT 2 -- the end"},
    {kBoth, "SHOW VARIABLES LIKE 'sql_mode'\nSHOW SESSION VARIABLES LIKE 'autocommit'"},
    {kBoth, "SHOW TABLES LIKE 'fix%'\nDESCRIBE fixed\nSHOW CREATE TABLE fixed"},
    {kBoth, "EXPLAIN SELECT * FROM fixed WHERE id = {n}"},
    {kBoth, "SELECT REPEAT('{w}', 3000)\nSELECT ''"},
    {kBoth, "SELEC {n}\nSELECT 1"},
    {kBoth, "TRUNCATE TABLE no_such_table\nDO 1\nDO SLEEP(0)"},
    {kBoth,
     "SELECT * FROM fixed WHERE id = {n} LOCK IN SHARE MODE\nSELECT COUNT(*) FROM information_schema.SCHEMATA WHERE "
     "SCHEMA_NAME = 'app_twin'"},
};

std::vector<const Idiom*> of(Server server) {
    std::vector<const Idiom*> found;
    for (const auto& idiom : kIdioms)
        if ((idiom.servers & (server == Server::mariadb ? kMariaDB : kMySQL)) != 0) found.push_back(&idiom);
    return found;
}

const std::vector<const Idiom*>& idioms(Server server) {
    static const auto mariadb = of(Server::mariadb);
    static const auto mysql = of(Server::mysql);
    return server == Server::mariadb ? mariadb : mysql;
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> found;
    while (!text.empty()) {
        const auto end = text.find(' ');
        found.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return found;
}

Act act_of(const std::string& line) {
    using Kind = Act::Kind;
    if (!line.starts_with('!')) return {.text = line};
    static constexpr std::array<std::pair<std::string_view, Kind>, 8> kKinds{{{"prepare", Kind::prepare},
                                                                              {"execute", Kind::execute},
                                                                              {"fetch", Kind::fetch},
                                                                              {"close", Kind::close},
                                                                              {"ping", Kind::ping},
                                                                              {"reset", Kind::reset},
                                                                              {"change_user", Kind::change_user},
                                                                              {"use", Kind::use}}};
    auto parts = words(std::string_view(line).substr(1));
    for (const auto& [name, kind] : kKinds) {
        if (parts.front() != name) continue;
        if (kind == Kind::use) return {.kind = kind, .text = parts.at(1)};
        if (kind < Kind::prepare || kind > Kind::close) return {.kind = kind};
        Act act{.kind = kind, .slot = std::stoi(parts.at(1))};
        if (kind == Kind::prepare) act.text = line.substr(name.size() + parts[1].size() + 3);
        if (kind == Kind::execute || kind == Kind::fetch) act.values.assign(parts.begin() + 2, parts.end());
        return act;
    }
    return {.text = line};
}

}  // namespace

std::size_t idiom_count(Server server) {
    return idioms(server).size();
}

std::vector<Act> steps_of(Server server, std::size_t idiom, unsigned client, unsigned salt) {
    static constexpr std::array<std::string_view, 6> kWords{"tide", "gate", "O''Brien", "x", "3abc", "long-ish"};
    std::string text(idioms(server).at(idiom)->text);
    const auto put = [&text](std::string_view mark, std::string_view value) {
        for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
            text.replace(at, mark.size(), value);
    };
    put("{c}", std::to_string(client));
    put("{n}", std::to_string(1 + salt % 4));
    put("{m}", std::to_string(salt / 4 % 10));
    put("{w}", kWords.at(salt / 40 % kWords.size()));
    std::vector<Act> steps;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        steps.push_back(act_of(text.substr(at, end - at)));
        at = end + 1;
    }
    return steps;
}

}  // namespace tidegate::twin
