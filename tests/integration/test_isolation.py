"""Nothing of one client's session reaches another's: whatever a client does on a connection, in whatever form, the next
client that gets this connection finds what it would find on a connection of its own.

Each effect is left behind on a gate with one server connection, by a client that then leaves, or resets its session,
or just idles; then another client looks into every corner of its session, and must see what a client sees that has
just logged in at the server itself. What holds the connection must hold it, what does not must not.
"""
import dataclasses
import itertools

import pytest

from harness.gate import Gate
from harness.process import wait_until
from harness.raw import Client, Command, Err, LoginRefused, ResultSet

MARIADB, MYSQL = ("mariadb",), ("mysql",)
BOTH = MARIADB + MYSQL


@dataclasses.dataclass
class Effect:
    """Statements that leave something behind; `mine` and `seen`: what the client itself goes on to see of it."""
    name: str
    statements: tuple
    mine: str = "DO 1"
    seen: tuple = ()
    families: tuple = BOTH
    pins: bool = True
    user: str = "app"
    sends: tuple = ("text", "prepared", "multi", "large", "procedure", "comment")


def effect(name, *statements, **more):
    return Effect(name, statements, **more)


def variable(name, statement, query, value, pins=False, **more):
    return Effect(name, (statement,), f"SELECT {query}", ((value.encode() if value is not None else None,),), pins=pins,
                  **more)


def user_variable(name, *statements, **more):
    return Effect("user variable: " + name, statements, "SELECT @x", ((b"7",),), **more)


TEXT = ("text",)

USER_VARIABLES = [
    user_variable("set", "SET @x = 7"),
    user_variable("assign", "SET @x := 7"),
    user_variable("quoted", "SET @`x` = 7"),
    user_variable("as a string", "SET @'x' = 7"),
    user_variable("second of several", "SET @a = 1, @x = 7"),
    user_variable("behind a system variable", "SET time_zone = '+03:00', @x = 7"),
    user_variable("in a select", "SELECT @x := 7"),
    user_variable("spaced", "SELECT @x\n := /* seven */ 7"),
    user_variable("into", "SELECT 7 INTO @x"),
    user_variable("into, from a table", "SELECT 7 FROM t LIMIT 1 INTO @x"),
    user_variable("in a do", "DO @x := 7"),
    user_variable("in a condition", "SELECT COUNT(*) FROM t WHERE (@x := 7)"),
    user_variable("in a derived table", "SELECT * FROM (SELECT @x := 7) q"),
    user_variable("in parentheses", "(SELECT @x := 7)"),
    user_variable("in with", "WITH q AS (SELECT @x := 7) SELECT * FROM q"),
    user_variable("in an insert", "INSERT INTO t (v) VALUES (@x := 7)"),
    user_variable("in an update", "UPDATE t SET v = (@x := 7)"),
    user_variable("in a delete", "DELETE FROM t WHERE v = 12345 AND 0 OR (@x := 7) = 8"),
    user_variable("in show", "SHOW TABLES WHERE (@x := 7)", sends=TEXT),
    user_variable("in values", "VALUES ROW(@x := 7)", families=MYSQL),
    user_variable("in get diagnostics", "SIGNAL SQLSTATE '01000' SET MYSQL_ERRNO = 7",
                  "GET DIAGNOSTICS CONDITION 1 @x = MYSQL_ERRNO", sends=TEXT),
    user_variable("explain analyze", "EXPLAIN ANALYZE SELECT @x := 7", families=MYSQL, sends=TEXT),
    user_variable("analyze", "ANALYZE SELECT @x := 7", families=MARIADB, sends=TEXT),
    user_variable("execute immediate", "EXECUTE IMMEDIATE 'SET @x = 7'", families=MARIADB),
    user_variable("execute", "PREPARE stmt FROM 'SET @x = 7'", "EXECUTE stmt", sends=("text", "multi")),
    user_variable("procedure", "CALL set_x()"),
    user_variable("out parameter", "CALL out_x(@x)"),
    user_variable("function", "SELECT fn_x()"),
    user_variable("function within an insert", "INSERT INTO t (v) VALUES (fn_x())"),
    user_variable("function of a schema", "SELECT {s}.fn_x()"),
    user_variable("quoted function", "SELECT `fn_x`()"),
    user_variable("view", "SELECT * FROM view_x"),
    user_variable("trigger", "INSERT INTO trigger_x VALUES (1)"),
    # Nothing tells of it: the connection is reset before somebody else gets it, and the variable is lost to all.
    effect("user variable: trigger of a failing insert", "INSERT INTO trigger_x VALUES (-1)", pins=None),
    effect("user variable: trigger, in a transaction that fails", "BEGIN", "INSERT INTO trigger_x VALUES (-1)",
           "ROLLBACK", pins=None),
    user_variable("failing function", "SELECT fn_fails()"),
    user_variable("compound", "BEGIN NOT ATOMIC SET @x = 7; END", families=MARIADB, sends=TEXT),
]

TEMPORARY_TABLES = [
    Effect("temporary table: " + name, statements, "SELECT * FROM tmp", ((b"1",),), families=families, sends=sends)
    for name, statements, families, sends in [
        ("plain", ("CREATE TEMPORARY TABLE tmp (a INT)", "INSERT INTO tmp VALUES (1)"), BOTH,
         ("text", "prepared", "multi", "large", "comment")),
        ("select", ("CREATE TEMPORARY TABLE tmp SELECT 1 AS a",), BOTH, Effect.sends),
        ("as select", ("CREATE TEMPORARY TABLE tmp AS SELECT 1 AS a",), BOTH, Effect.sends),
        ("if not exists", ("CREATE TEMPORARY TABLE IF NOT EXISTS tmp SELECT 1 AS a",), BOTH, TEXT),
        ("of a schema", ("CREATE TEMPORARY TABLE {s}.tmp SELECT 1 AS a",), BOTH, TEXT),
        ("commented", ("CREATE/**/TEMPORARY -- x\nTABLE tmp SELECT 1 AS a",), BOTH, TEXT),
        ("in an executable comment", ("CREATE /*!50000 TEMPORARY */ TABLE tmp SELECT 1 AS a",), BOTH, TEXT),
        ("like", ("CREATE TEMPORARY TABLE tmp LIKE one", "INSERT INTO tmp VALUES (1)"), BOTH, ("text", "prepared")),
        ("or replace", ("CREATE OR REPLACE TEMPORARY TABLE tmp (a INT)", "INSERT INTO tmp VALUES (1)"), MARIADB, TEXT),
        ("or replace, select", ("CREATE OR REPLACE TEMPORARY TABLE tmp SELECT 1 AS a",), MARIADB, Effect.sends),
        ("procedure", ("CALL make_tmp()",), BOTH, ("text", "prepared", "multi", "large")),
        ("procedure in procedure", ("CALL make_tmp_deep()",), BOTH, TEXT),
        ("function", ("SELECT fn_tmp()",), BOTH, ("text", "prepared", "multi")),
        ("execute immediate", ("EXECUTE IMMEDIATE 'CREATE TEMPORARY TABLE tmp SELECT 1 AS a'",), MARIADB, TEXT),
        ("execute", ("PREPARE stmt FROM 'CREATE TEMPORARY TABLE tmp SELECT 1 AS a'", "EXECUTE stmt",
                     "DEALLOCATE PREPARE stmt"), BOTH, TEXT),
        ("dropped and made again", ("CREATE TEMPORARY TABLE tmp SELECT 2 AS a", "DROP TEMPORARY TABLE tmp",
                                    "CREATE TEMPORARY TABLE tmp SELECT 1 AS a"), BOTH, ("text", "multi")),
    ]
]

LOCK_SPELLINGS = [
    "SELECT GET_LOCK('{l}', 0)", "SELECT get_lock ('{l}', 0)", "SELECT Get_Lock/**/('{l}', 0)", "DO GET_LOCK('{l}', 0)",
    "DO SLEEP(0), GET_LOCK('{l}', 0)", "SELECT 1 FROM DUAL WHERE GET_LOCK('{l}', 0)", "SET @y = GET_LOCK('{l}', 0)",
    "SET time_zone = IF(GET_LOCK('{l}', 0), '+00:00', '+00:00')", "INSERT INTO t (v) VALUES (GET_LOCK('{l}', 0))",
    "UPDATE one SET a = GET_LOCK('{l}', 0)", "SELECT * FROM (SELECT GET_LOCK('{l}', 0)) q", "CALL take({q})",
    "CALL take_deep({q})", "SELECT fn_take({q})", "CALL ignore_it(GET_LOCK('{l}', 0))",
    "SHOW TABLES WHERE GET_LOCK('{l}', 0)", "SELECT 1 UNION SELECT GET_LOCK('{l}', 0)",
    "WITH q AS (SELECT GET_LOCK('{l}', 0)) SELECT * FROM q", "SELECT IF(1, GET_LOCK('{l}', 0), 0)",
]
NAMED_LOCKS = [effect("lock: " + text, text, mine="SELECT IS_FREE_LOCK('{l}')", seen=((b"0",),),
                      sends=("text", "prepared", "multi", "large") if number < 4 else ("text", "prepared"))
               for number, text in enumerate(LOCK_SPELLINGS)]
NAMED_LOCKS += [
    effect("lock: execute immediate", "EXECUTE IMMEDIATE 'DO GET_LOCK({q}, 0)'".replace("{q}", "''{l}''"),
           mine="SELECT IS_FREE_LOCK('{l}')", seen=((b"0",),), families=MARIADB),
    effect("lock: execute", "PREPARE stmt FROM 'DO GET_LOCK(''{l}'', 0)'", "EXECUTE stmt",
           mine="SELECT IS_FREE_LOCK('{l}')", seen=((b"0",),), sends=TEXT),
]

NO_PROCEDURE = ("text", "prepared", "multi", "large", "comment")
OTHER_PINS = [
    effect("handler", "HANDLER one OPEN", mine="HANDLER one READ FIRST", seen=((b"1",),), sends=("text", "multi", "large")),
    effect("handler with an alias", "HANDLER one OPEN AS h", mine="HANDLER h READ FIRST", seen=((b"1",),), sends=TEXT),
    effect("prepare", "PREPARE stmt FROM 'SELECT 3'", mine="EXECUTE stmt", seen=((b"3",),),
           sends=("text", "multi", "large")),
    effect("prepare from a variable", "SET @sql = 'SELECT 3'", "PREPARE stmt FROM @sql", mine="EXECUTE stmt",
           seen=((b"3",),), sends=("text", "multi")),
    effect("lock tables, read", "LOCK TABLES one READ", mine="SELECT a FROM one", seen=((b"1",),),
           sends=("text", "multi", "large")),
    effect("lock tables, write", "LOCK TABLES one WRITE, t READ", mine="SELECT a FROM one", seen=((b"1",),), sends=TEXT),
    effect("lock table", "LOCK TABLE one WRITE", mine="SELECT a FROM one", seen=((b"1",),), sends=TEXT),
    effect("flush tables with read lock", "FLUSH TABLES WITH READ LOCK", user="admin", sends=("text", "prepared", "large")),
    effect("flush tables of one", "FLUSH TABLES {s}.one WITH READ LOCK", user="admin", sends=TEXT),
    effect("flush for export", "FLUSH TABLES {s}.one FOR EXPORT", user="admin", sends=TEXT),
    effect("backup lock", "LOCK INSTANCE FOR BACKUP", user="admin", families=MYSQL, sends=TEXT),
    effect("backup stage", "BACKUP STAGE START", user="admin", families=MARIADB, sends=TEXT),
    effect("backup lock and stage", "BACKUP STAGE START", "BACKUP LOCK {s}.one", "BACKUP UNLOCK", user="admin",
           families=MARIADB, sends=TEXT),
    effect("role", "SET ROLE tg_role", mine="SELECT CURRENT_ROLE()", seen=((b"tg_role",),), families=MARIADB,
           user="roles", pins=False),
    effect("role, quoted", "SET ROLE 'tg_role'", mine="SELECT CURRENT_ROLE()", seen=((b"tg_role",),), families=MARIADB,
           user="roles", sends=TEXT, pins=False),
    effect("role, by a procedure", "CALL take_role()", mine="SELECT CURRENT_ROLE()", seen=((b"tg_role",),),
           families=MARIADB, user="roles", sends=("text", "prepared", "multi")),
    effect("role, executed", "EXECUTE IMMEDIATE 'SET ROLE tg_role'", mine="SELECT CURRENT_ROLE()",
           seen=((b"tg_role",),), families=MARIADB, user="roles", sends=("text", "prepared")),
    effect("role", "SET ROLE tg_role", mine="SELECT CURRENT_ROLE()", seen=((b"`tg_role`@`%`",),), families=MYSQL,
           user="roles", pins=False),
    effect("role, executed", "PREPARE stmt FROM 'SET ROLE ALL'", "EXECUTE stmt", mine="SELECT CURRENT_ROLE()",
           seen=((b"`tg_role`@`%`",),), families=MYSQL, user="roles", sends=TEXT),
    effect("profiling", "SET profiling = 1", "SELECT 'secret'"),
    effect("profiling", "SET @@profiling = 1", "SELECT 'secret'", sends=TEXT),
    effect("profiling, and off again", "SET SESSION profiling = 1", "SELECT 'secret'", "SET profiling = 0", sends=TEXT),
    effect("profiling, by a procedure", "CALL profile_it()", sends=("text", "prepared")),
    effect("sequence", "SELECT NEXTVAL(seq)", mine="SELECT LASTVAL(seq) > 0", seen=((b"1",),),
           families=MARIADB, sends=TEXT),
    effect("sequence, in words", "SELECT NEXT VALUE FOR seq", mine="SELECT (PREVIOUS VALUE FOR seq) > 0", seen=((b"1",),),
           families=MARIADB, sends=TEXT),
    effect("set statement", "SET STATEMENT sort_buffer_size = 100000 FOR SELECT 1", families=MARIADB,
           sends=("text", "prepared", "large")),
    effect("resource", "SET sql_log_bin = 0", user="admin", sends=("text",)),
]

TRANSACTIONS = [
    effect("transaction", "BEGIN", "INSERT INTO t (v) VALUES (99)", mine="SELECT COUNT(*) FROM t WHERE v = 99",
           seen=((b"1",),), sends=("text", "multi", "large")),
    effect("transaction, read only", "START TRANSACTION READ ONLY", sends=("text", "multi")),
    effect("transaction, by a procedure", "CALL begin_it()", sends=("text", "prepared", "multi")),
    effect("transaction, by a procedure that fails", "CALL begin_and_fail()", sends=("text", "prepared", "multi")),
    effect("transaction, by a multi-statement that fails", "BEGIN; INSERT INTO t (v) VALUES (99); SELEKT", sends=TEXT),
    effect("autocommit off", "SET autocommit = 0", "INSERT INTO t (v) VALUES (99)",
           mine="SELECT COUNT(*) FROM t WHERE v = 99", seen=((b"1",),), sends=("text", "prepared", "multi", "large")),
    effect("savepoint", "SET autocommit = 0", "SAVEPOINT a", mine="ROLLBACK TO SAVEPOINT a", sends=("text",)),
    effect("savepoint in a transaction", "BEGIN", "SAVEPOINT a", mine="ROLLBACK TO SAVEPOINT a", sends=("text", "multi")),
    effect("xa", "XA START '{l}'", sends=("text", "multi")),
    effect("xa, ended", "XA START '{l}'", "INSERT INTO t (v) VALUES (99)", "XA END '{l}'", sends=TEXT),
    effect("commit and chain", "BEGIN", "INSERT INTO t (v) VALUES (98)", "COMMIT AND CHAIN", sends=TEXT),
    effect("select for update", "SET autocommit = 0", "SELECT * FROM one FOR UPDATE", sends=TEXT),
    effect("a consistent snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT", sends=TEXT),
]

# The next transaction only: until one has begun, whatever else runs.
ONE_SHOT = [effect(f"next transaction read only, then {then or 'nothing'}", start, *filter(None, [then]), families=families,
                   sends=sends)
            for start, families, sends in [("SET TRANSACTION READ ONLY", BOTH, ("text", "prepared", "multi", "large")),
                                           ("SET @@tx_read_only = 1", MARIADB, TEXT),
                                           ("SET @@transaction_read_only = 1", MYSQL, TEXT)]
            for then in ["", "SELECT 1", "DO 1", "SHOW TABLES", "SELECT * FROM myisam_t", "SET time_zone = '+00:00'",
                         "SET @@session.sql_mode = ''", "CHECK TABLE one", "ANALYZE TABLE one", "EXPLAIN SELECT * FROM t",
                         "INSERT INTO myisam_t VALUES (1)", "SELECT * FROM missing", "CREATE TEMPORARY TABLE tmp (a INT)"]]

VARIABLES = [
    variable(f"time_zone: {text}", text, "@@time_zone", "+03:00", sends=sends, pins=pins, families=families)
    for text, pins, families, sends in [
        ("SET time_zone = '+03:00'", False, BOTH, Effect.sends),
        ("SET SESSION time_zone = '+03:00'", False, BOTH, Effect.sends),
        ("SET LOCAL time_zone = '+03:00'", False, BOTH, TEXT),
        ("SET @@session.time_zone = '+03:00'", False, BOTH, Effect.sends),
        ("SET @@local.time_zone = '+03:00'", False, BOTH, TEXT),
        ("SET @@time_zone = '+03:00'", False, MYSQL, Effect.sends),
        ("SET @@time_zone = '+03:00'", True, MARIADB, Effect.sends),
        ("SET @@`time_zone` = '+03:00'", False, MYSQL, TEXT),
        ("SET @@`time_zone` = '+03:00'", True, MARIADB, TEXT),
        ("SET time_zone := '+03:00'", False, BOTH, TEXT),
        ("set Time_Zone='+03:00'", False, BOTH, TEXT),
        ("SET `time_zone` = '+03:00'", False, BOTH, TEXT),
        ("SET sql_mode = 'ANSI', time_zone = '+03:00', sql_select_limit = 5", False, BOTH, Effect.sends),
        ("SET sql_mode = DEFAULT, @@time_zone = '+03:00'", True, MARIADB, Effect.sends),
        ("SET SESSION sql_mode = 'ANSI', @@time_zone = '+03:00'", True, MARIADB, TEXT),
        ("SET time_zone = CONCAT('+03', ':00')", False, BOTH, ("text", "multi")),
        ("SET time_zone = '+04:00'; SET @@time_zone = '+03:00'", None, BOTH, TEXT),
        ("SELECT 1; SET @@time_zone = '+03:00'; SELECT 2", None, BOTH, TEXT),
        ("SET @@time_zone = '+03:00'; SELEKT", None, BOTH, TEXT),
        ("SET time_zone = '+03:00'; SELEKT", None, BOTH, TEXT),
        ("/*!50000 SET @@time_zone = '+03:00' */", None, BOTH, TEXT),
        ("SET /*!50000 @@time_zone = '+03:00' */", None, BOTH, TEXT),
        ("CALL set_zone()", True, BOTH, ("text", "prepared", "multi")),
        ("SELECT fn_zone()", True, BOTH, ("text", "prepared", "multi")),
    ]
]
VARIABLES += [
    variable("sql_mode", "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "@@sql_mode",
             "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"),
    variable("sql_mode, empty", "SET sql_mode = ''", "@@sql_mode", ""),
    variable("sql_select_limit", "SET sql_select_limit = 1", "@@sql_select_limit", "1"),
    variable("foreign_key_checks", "SET foreign_key_checks = 0", "@@foreign_key_checks", "0"),
    variable("unique_checks", "SET unique_checks = 0, foreign_key_checks = 0", "@@unique_checks", "0", sends=TEXT),
    variable("group_concat_max_len", "SET SESSION group_concat_max_len = 12345", "@@group_concat_max_len", "12345"),
    variable("wait_timeout", "SET wait_timeout = 1234", "@@wait_timeout", "1234"),
    variable("net_read_timeout", "SET net_read_timeout = 1234", "@@net_read_timeout", "1234", sends=TEXT),
    variable("optimizer_switch", "SET optimizer_switch = 'index_merge=off'",
             "INSTR(@@optimizer_switch, 'index_merge=off') > 0", "1", sends=TEXT),
    variable("auto_increment_increment", "SET auto_increment_increment = 3", "@@auto_increment_increment", "3"),
    variable("autocommit", "SET autocommit = 0", "@@autocommit", "0"),
    variable("autocommit off", "SET SESSION autocommit = OFF", "@@autocommit", "0", sends=TEXT),
    variable("autocommit", "SET @@autocommit = 0", "@@autocommit", "0", pins=None, sends=TEXT),
    variable("isolation", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "@@tx_isolation", "READ-COMMITTED",
             families=MARIADB),
    variable("isolation", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "@@transaction_isolation",
             "READ-COMMITTED", families=MYSQL),
    variable("isolation by name", "SET SESSION tx_isolation = 'SERIALIZABLE'", "@@tx_isolation", "SERIALIZABLE",
             families=MARIADB),
    variable("isolation by name", "SET SESSION transaction_isolation = 'SERIALIZABLE'", "@@transaction_isolation",
             "SERIALIZABLE", families=MYSQL),
    variable("read only", "SET SESSION TRANSACTION READ ONLY", "1", "1"),
    variable("names", "SET NAMES latin1", "@@collation_connection", "latin1_swedish_ci"),
    variable("names, quoted", "SET NAMES 'latin1'", "@@character_set_results", "latin1", sends=TEXT),
    variable("names and collation", "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "@@collation_connection", "utf8mb4_bin"),
    variable("names and collation, quoted", "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'",
             "@@collation_connection", "utf8mb4_unicode_ci", sends=TEXT),
    variable("character set", "SET CHARACTER SET latin1", "@@character_set_client", "latin1", pins=None),
    variable("charset", "SET CHARSET latin1", "@@character_set_results", "latin1", pins=None, sends=TEXT),
    variable("names default", "SET NAMES DEFAULT", "1", "1", pins=None, sends=TEXT),
    variable("results null", "SET character_set_results = NULL", "@@character_set_results", None),
    variable("collation alone", "SET collation_connection = 'utf8mb4_bin'", "@@collation_connection", "utf8mb4_bin",
             pins=None),
    variable("connection's set alone", "SET character_set_connection = latin1", "@@collation_connection",
             "latin1_swedish_ci", pins=None),
    variable("an unknown set's file system", "SET character_set_filesystem = latin1", "@@character_set_filesystem",
             "latin1", pins=None, families=MARIADB, sends=TEXT),
    variable("timestamp", "SET timestamp = 1000000000", "NOW() < '2002-01-01'", "1", pins=True),
    variable("timestamp", "SET @@timestamp = 1000000000", "NOW() < '2002-01-01'", "1", pins=True, sends=TEXT),
    variable("timestamp among others", "SET time_zone = '+00:00', timestamp = 1000000000", "NOW() < '2002-01-01'", "1",
             pins=True, sends=TEXT),
    variable("timestamp, default", "SET timestamp = DEFAULT", "NOW() > '2002-01-01'", "1", pins=True, sends=TEXT),
    variable("insert_id", "SET insert_id = 4000", "@@insert_id", "4000", pins=True),
    variable("last_insert_id", "SET last_insert_id = 77", "LAST_INSERT_ID()", "77", pins=True),
    variable("identity", "SET @@identity = 77", "LAST_INSERT_ID()", "77", pins=True, sends=TEXT),
    variable("seeds", "SET rand_seed1 = 5, rand_seed2 = 6", "1", "1", pins=True, sends=TEXT),
    variable("is null", "SET sql_auto_is_null = 1", "@@sql_auto_is_null", "1", pins=True, sends=TEXT),
    variable("default engine", "SET default_storage_engine = MyISAM", "@@default_storage_engine", "MyISAM"),
    variable("months", "SET lc_time_names = 'de_DE'", "MONTHNAME('2000-03-01')", "M\u00e4rz", sends=TEXT),
    variable("time limit", "SET max_statement_time = 1000", "@@max_statement_time", "1000.000000", families=MARIADB),
    variable("time limit", "SET max_execution_time = 100000", "@@max_execution_time", "100000", families=MYSQL),
    variable("trackers", "SET session_track_schema = 0", "@@session_track_schema", "0", pins=True, sends=TEXT),
    variable("all trackers", "SET session_track_system_variables = '*'", "@@session_track_system_variables", "*",
             pins=True, sends=TEXT),
    variable("warnings", "SET max_error_count = 0", "@@max_error_count", "0", families=MARIADB),
    variable("schema", "USE {s}_other", "DATABASE()", "{s}_other", sends=("text", "prepared", "multi", "large", "comment")),
    variable("default schema's set", "SET character_set_database = latin1", "@@character_set_database", "latin1",
             pins=True, families=MARIADB, sends=TEXT),
]

FORGOTTEN = [  # nothing holds the connection, but results of the last statement are there
    effect("last insert id", "INSERT INTO t (v) VALUES (5)", mine="SELECT LAST_INSERT_ID() > 0", seen=((b"1",),),
           pins=False, sends=("text", "prepared", "large")),
    effect("last insert id of a value", "SELECT LAST_INSERT_ID(77)", mine="SELECT LAST_INSERT_ID()", seen=((b"77",),),
           pins=False, sends=("text", "prepared", "multi", "large")),
    effect("last insert id of an update", "UPDATE one SET a = LAST_INSERT_ID(77)", mine="SELECT LAST_INSERT_ID()",
           seen=((b"77",),), pins=False, sends=("text", "prepared")),
    effect("found rows", "SELECT SQL_CALC_FOUND_ROWS * FROM three LIMIT 1", mine="SELECT FOUND_ROWS()", seen=((b"3",),),
           pins=False, sends=("text", "large")),
    effect("row count", "UPDATE three SET a = a + 1", mine="SELECT ROW_COUNT()", seen=((b"3",),), pins=False,
           sends=("text", "prepared", "large")),
    effect("warnings", "SELECT CAST('x' AS SIGNED)", mine="SHOW COUNT(*) WARNINGS", pins=False, sends=("text", "large")),
    effect("an error", "SELECT secret FROM missing", pins=False, sends=("text",)),
    effect("large inserts", "INSERT INTO t (v) VALUES (5)", pins=False, sends=("large",)),
    effect("ordinary statements", "SELECT * FROM t", "INSERT INTO t (v) VALUES (1), (2)", "UPDATE t SET v = v + 1 WHERE v < 50",
           "DELETE FROM t WHERE v = 3", "REPLACE INTO t (id, v) VALUES (1, 1)", "SELECT COUNT(*), MAX(v) FROM t GROUP BY v",
           "SHOW TABLES", "EXPLAIN SELECT * FROM t", "BEGIN", "INSERT INTO t (v) VALUES (4)", "COMMIT", "BEGIN",
           "INSERT INTO t (v) VALUES (4)", "ROLLBACK", "CREATE TABLE IF NOT EXISTS other (a INT)", pins=False,
           sends=("text", "large")),
]

EFFECTS = (USER_VARIABLES + TEMPORARY_TABLES + NAMED_LOCKS + OTHER_PINS + TRANSACTIONS + ONE_SHOT + VARIABLES + FORGOTTEN)


def prepare_schema(server, schema):
    """Tables and routines that the effects use, and an account with a role that is not its default."""
    routine = f"CREATE DEFINER = admin@'127.0.0.1' {{}} {schema}.{{}}"
    procedures = {
        "set_x()": "SET @x = 7", "out_x(OUT value INT)": "SET value = 7", "make_tmp()":
        "CREATE TEMPORARY TABLE tmp SELECT 1 AS a", "make_tmp_deep()": "CALL make_tmp()",
        "take(name VARCHAR(60))": "DO GET_LOCK(name, 0)", "take_deep(name VARCHAR(60))": "CALL take(name)",
        "ignore_it(value INT)": "DO 1", "begin_it()": "BEGIN START TRANSACTION; INSERT INTO t (v) VALUES (99); END",
        "begin_and_fail()": "BEGIN START TRANSACTION; INSERT INTO t (v) VALUES (99); SIGNAL SQLSTATE '45000'; END",
        "set_zone()": "SET time_zone = '+03:00'", "profile_it()": "BEGIN SET profiling = 1; SELECT 'secret'; END",
    }
    if server.family == "mariadb":
        procedures["take_role() SQL SECURITY INVOKER"] = "SET ROLE tg_role"
    functions = {
        "fn_x()": "BEGIN SET @x = 7; RETURN 1; END",
        "fn_fails()": "BEGIN SET @x = 7; SIGNAL SQLSTATE '45000'; RETURN 1; END",
        "fn_tmp()": "BEGIN CREATE TEMPORARY TABLE tmp SELECT 1 AS a; RETURN 1; END",
        "fn_take(name VARCHAR(60))": "RETURN GET_LOCK(name, 0)",
        "fn_zone()": "BEGIN SET time_zone = '+03:00'; RETURN 1; END",
    }
    server.sql(
        f"CREATE TABLE {schema}.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB",
        f"CREATE TABLE {schema}.one (a INT) ENGINE=InnoDB", f"INSERT INTO {schema}.one VALUES (1)",
        f"CREATE TABLE {schema}.three (a INT) ENGINE=InnoDB", f"INSERT INTO {schema}.three VALUES (1), (2), (3)",
        f"CREATE TABLE {schema}.myisam_t (a INT) ENGINE=MyISAM",
        f"CREATE TABLE {schema}.trigger_x (a INT) ENGINE=InnoDB",
        *(routine.format("PROCEDURE", name) + " " + body for name, body in procedures.items()),
        *(routine.format("FUNCTION", name.replace("()", "()")) + " RETURNS INT NOT DETERMINISTIC " + body
          for name, body in functions.items()),
        f"CREATE DEFINER = admin@'127.0.0.1' TRIGGER {schema}.trg BEFORE INSERT ON {schema}.trigger_x FOR EACH ROW BEGIN"
        " SET @x = 7; IF NEW.a < 0 THEN SIGNAL SQLSTATE '45000'; END IF; END",
        f"CREATE DEFINER = admin@'127.0.0.1' VIEW {schema}.view_x AS SELECT {schema}.fn_x() AS one",
        f"CREATE DATABASE IF NOT EXISTS {schema}_other",
        *([f"CREATE SEQUENCE {schema}.seq"] if server.family == "mariadb" else []),
        "CREATE ROLE IF NOT EXISTS tg_role", "CREATE USER IF NOT EXISTS roles@'%' IDENTIFIED BY 'roles-secret'",
        "GRANT ALL ON `app%`.* TO roles@'%'", "GRANT tg_role TO roles@'%'")


class World:
    """A server, a gate with one connection in front of it, and a schema, for all tests of this file."""

    def __init__(self, server):
        self.server = server
        self.gate = Gate(server, budget={"max_connections": 1, "reserve": 0}, pool={"wait_timeout": "60s"},
                         log={"level": "info"})
        self.schema = "app_isolation"
        self.drop()
        server.sql(f"CREATE DATABASE {self.schema} CHARACTER SET utf8mb4")
        prepare_schema(server, self.schema)
        self.clients = []
        self.names = {"s": self.schema, "l": self.schema + "_lock", "q": f"'{self.schema}_lock'"}

    def drop(self):
        self.server.sql(f"DROP DATABASE IF EXISTS {self.schema}", f"DROP DATABASE IF EXISTS {self.schema}_other",
                        "DROP USER IF EXISTS roles@'%'", "DROP ROLE IF EXISTS tg_role")

    def client(self, user="app", direct=False, schema=True):
        self.clients.append(Client(self.server.port if direct else self.gate.port, user, f"{user}-secret",
                                   schema=self.schema if schema else None))
        return self.clients[-1]

    def expand(self, text):
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def active(self):
        return self.gate.api()["active"]

    def at_rest(self):
        wait_until(lambda: self.active() == 0, 20, "the end of all leases")


_worlds = {}


@pytest.fixture(scope="module", autouse=True)
def _end_worlds():
    yield
    worlds = list(_worlds.values())
    _worlds.clear()
    for world in worlds:
        world.gate.close()
        world.drop()


@pytest.fixture
def world(any_server):
    if any_server.name not in _worlds:
        _worlds[any_server.name] = World(any_server)
    world = _worlds[any_server.name]
    try:
        world.at_rest()
    except AssertionError:
        world.gate.close()
        del _worlds[any_server.name]
        raise
    yield world
    for client in world.clients:
        client.close()
    world.clients.clear()


# What each connection has of its own, or what is the gate's and no client's.
NOT_COMPARED = {"pseudo_thread_id", "timestamp", "rand_seed1", "rand_seed2", "error_count", "warning_count", "last_gtid",
                "session_track_system_variables", "session_track_schema", "session_track_state_change",
                "session_track_transaction_info", "in_transaction", "statement_id", "skip_replication",
                "innodb_buffer_pool_load_now", "gtid_executed", "gtid_binlog_state", "uptime"}


def outcome(reply):
    """What a client can tell of a reply: rows, affected rows, or the number of an error."""
    if isinstance(reply, ResultSet):
        return reply.rows if not isinstance(reply.end, Err) else reply.end.code
    return reply.code if isinstance(reply, Err) else "ok"


def look_around(client, world):
    """Everything about a session that another session could have left in it. What is asked first is told as asked first."""
    lock = world.names["l"]
    seen = {"SHOW COUNT(*) WARNINGS": outcome(client.query("SHOW COUNT(*) WARNINGS"))}
    variables = client.rows("SHOW SESSION VARIABLES")
    seen["variables"] = {name.decode(): value for name, value in variables if name.decode() not in NOT_COMPARED}
    for query in ("SELECT @a, @x, @y, @sql", "SELECT DATABASE(), CURRENT_ROLE()",
                  f"SELECT IS_FREE_LOCK('{lock}')", "SELECT 1 FROM tmp", "HANDLER one READ FIRST", "HANDLER h READ FIRST",
                  "EXECUTE stmt", "SHOW PROFILES", "SELECT LAST_INSERT_ID(), @@identity",
                  "SELECT NOW() BETWEEN '2002-01-01' AND '2100-01-01'", "SELECT COUNT(*) FROM t WHERE v = 99",
                  "INSERT INTO t (v) VALUES (1)", "UPDATE one SET a = 1", "SELECT COUNT(*) FROM three, myisam_t",
                  "SELECT 1 UNION SELECT 2", "XA END 'x'", "RELEASE SAVEPOINT a"):
        seen[query] = outcome(client.query(query))
    status = client.query("DO 1").status
    seen["status"] = status & 0x2001 if status is not None else None
    if world.server.family == "mariadb":
        seen["LASTVAL"] = outcome(client.query("SELECT LASTVAL(seq)"))
    return seen


def assert_same(found, expected, what):
    for query, value in expected.items():
        if query != "variables":
            assert found[query] == value, f"{what}: {query}"
    differing = {name: (found["variables"].get(name), value) for name, value in expected["variables"].items()
                 if found["variables"].get(name) != value}
    assert not differing, f"{what}: (found, expected) {differing}"


_sent = itertools.count()

PADDING = "/* " + "long " * 16000 + "*/ "  # more than the gate holds at once


def send(client, world, statement, way):
    """Sends one statement in some form; False where it has no such form."""
    if way == "text":
        client.results(statement)
    elif way == "large":
        first, _, rest = statement.partition(" ")
        client.results(f"{first} {PADDING}{rest}")
    elif way == "multi":
        client.results(f"DO 1; {statement}; DO 2")
    elif way == "comment":
        client.results(f"/*!40000 {statement} */")
    elif way == "prepared":
        prepared = client.prepare(statement)
        if isinstance(prepared, Err):
            return False
        client.send_execute(prepared)
        client.read_results(binary=True)
        client.close_statement(prepared)
    elif way == "procedure":
        # Another name each time: one that is changed past the gate counts for a while as what it was (proxy.md).
        name = f"{world.schema}.sent_{next(_sent)}"
        try:
            world.server.sql(f"CREATE DEFINER = admin@'127.0.0.1' PROCEDURE {name}() SQL SECURITY INVOKER {statement}")
        except Exception:
            return False
        client.results(f"CALL {name}()")
    return True


def play(client, world, each, way):
    for statement in each.statements:
        if not send(client, world, world.expand(statement), way):
            return False
    return True


def check_mine(client, world, each, what):
    if each.seen:
        expected = [tuple(world.expand(v.decode()).encode() if v is not None else None for v in row) for row in each.seen]
        assert outcome(client.query(world.expand(each.mine))) == expected, f"{what}: its own"


def fresh(world, user):
    client = world.client(user, direct=True)
    try:
        return look_around(client, world)
    finally:
        client.quit()


def ids(effects):
    return [f"{each.name} ({'/'.join(each.families)})" if each.families != BOTH else each.name for each in effects]


@pytest.mark.parametrize("each", EFFECTS, ids=ids(EFFECTS))
def test_the_next_client_sees_nothing(world, each):
    if world.server.family not in each.families:
        pytest.skip(f"{each.name} is not {world.server.family}'s")
    for way in each.sends:
        what = f"{each.name}, {way}"
        one = world.client(each.user)
        if not play(one, world, each, way):
            assert way in ("prepared", "procedure"), f"{what}: cannot be sent"
            one.quit()
            continue
        one.ping()
        if way == "text" and each.pins is not None:
            held = world.active()
            assert held == (1 if each.pins else 0), f"{what}: {held} leases"
        one.quit()
        two = world.client(each.user)
        found = look_around(two, world)
        two.quit()
        assert_same(found, fresh(world, each.user), f"{what}, after quit")
        world.at_rest()


@pytest.mark.parametrize("each", EFFECTS, ids=ids(EFFECTS))
def test_however_the_client_goes(world, each):
    if world.server.family not in each.families:
        pytest.skip(f"{each.name} is not {world.server.family}'s")
    expected = None
    for way in ("vanish", "reset", "change user", "idle"):
        what = f"{each.name}, {way}"
        one = world.client(each.user)
        play(one, world, each, "text")
        if way != "idle":
            check_mine(one, world, each, what)
        one.ping()
        if way == "idle" and world.active() == 1:
            one.quit()
            continue
        if way == "vanish":
            one.close()
        elif way == "reset":
            one.ask(Command.RESET_CONNECTION)
            assert outcome(one.query("SELECT @x, @a, LAST_INSERT_ID(), @@time_zone")) == [(None, None, b"0", b"SYSTEM")]
            one.ask(Command.RESET_CONNECTION)
        elif way == "change user":
            one.change_user(each.user, f"{each.user}-secret")
            assert outcome(one.query("SELECT @x, DATABASE(), LAST_INSERT_ID(), @@time_zone")) == [
                (None, None, b"0", b"SYSTEM")]
            one.ask(Command.RESET_CONNECTION)
        two = world.client(each.user)
        found = look_around(two, world)
        two.quit()
        expected = expected or fresh(world, each.user)
        assert_same(found, expected, what)
        if way == "idle" and each.name != "row count":  # which COM_PING sets to 0
            check_mine(one, world, each, what + ", afterwards")
        if way != "vanish":
            one.quit()
        world.at_rest()


def test_a_login_that_fails_leaves_nothing(world):
    one = world.client()
    one.query("SET time_zone = '+03:00'")
    with pytest.raises(LoginRefused):
        Client(world.gate.port, schema="app_missing")
    two = world.client()
    assert two.value("SELECT @@time_zone") == b"SYSTEM"
    assert one.value("SELECT @@time_zone") == b"+03:00"
    one.quit()
    two.quit()


# What a client asks that had not asked anything before: the last statement's results are then another client's.
FIRST = ["INSERT INTO t (v) VALUES (1)", "SELECT ROW_COUNT()", "SELECT ROW_COUNT() + 0", "SELECT FOUND_ROWS()",
         "SELECT FOUND_ROWS() + 0", "SHOW WARNINGS", "SHOW WARNINGS LIMIT 5", "SHOW ERRORS", "SHOW ERRORS LIMIT 5",
         "SHOW COUNT(*) WARNINGS", "SHOW COUNT(*) ERRORS", "SELECT @@warning_count", "SELECT @@warning_count + 0",
         "SELECT @@error_count", "SELECT @@session.error_count + 0", "SELECT LAST_INSERT_ID()", "SELECT @@last_insert_id",
         "SELECT @@session.identity", "SELECT LAST_INSERT_ID() + 0 FROM one", "SHOW VARIABLES LIKE 'last_insert_id'",
         "UPDATE t SET v = LAST_INSERT_ID() WHERE 0", "SELECT @x", "SELECT DATABASE()", "SELECT @@time_zone"]

BEFORE = {
    "rows": ["SELECT SQL_CALC_FOUND_ROWS * FROM three LIMIT 1"], "changes": ["UPDATE three SET a = a + 1"],
    "warnings": ["SELECT CAST('secret' AS SIGNED)"], "an error": ["SELECT secret FROM missing"],
    "an error that is found late": ["INSERT INTO t (id, v) VALUES (1, 1), (1, 2)"],
    "an id": ["INSERT INTO t (v) VALUES (5)"], "an id of its own": ["SELECT LAST_INSERT_ID(77)"],
    "an id that was named": ["INSERT INTO t (v) VALUES (5)", "REPLACE INTO t (id, v) VALUES (500, 5)"],
    "a zone": ["SET time_zone = '+03:00'"],
    **{f"read only, then {then}": ["SET TRANSACTION READ ONLY", then] for then in [
        "DO 1", "SELECT 1", "SHOW TABLES", "SELECT * FROM myisam_t", "SELECT * FROM missing", "SELEKT",
        "INSERT INTO myisam_t VALUES (1)", "SET time_zone = '+00:00'", "USE {s}", "UNLOCK TABLES", "SAVEPOINT a",
        "SELECT COUNT(*) FROM information_schema.TABLES", "KILL QUERY 999999"]},
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("leave", ["quit", "idle", "reset"])
def test_the_first_statement_sees_nothing(world, before, leave):
    expected = {}
    for first in FIRST:
        new = world.client(direct=True)
        expected[first] = outcome(new.query(first))
        new.quit()
    for prepared in (False, True):
        for first in FIRST:
            one = world.client()
            for statement in BEFORE[before]:
                one.query(world.expand(statement))
            one.ping()
            pinned = world.active() > 0
            if leave == "reset" and not pinned:
                one.ask(Command.RESET_CONNECTION)
                two = one
            else:
                if leave == "quit" or pinned:
                    one.quit()
                two = world.client()
            if prepared:
                statement = two.prepare(first)
                if isinstance(statement, Err) and statement.code == 1295:
                    continue  # MySQL does not prepare this
                reply = two.execute(statement) if not isinstance(statement, Err) else statement
                found = outcome(reply)
                if isinstance(found, list):
                    found = [tuple(v if v is None or isinstance(v, bytes) else str(v).encode() for v in row)
                             for row in found]
            else:
                found = outcome(two.query(first))
            what = f"{first} as the first {'prepared ' if prepared else ''}statement"
            if "FOUND_ROWS" in first:  # MariaDB itself says 0 or 1
                assert found in ([(b"0",)], [(b"1",)]), what
            else:
                assert found == expected[first], what
            two.quit()
            one.close()
