"""A session goes with its client, from connection to connection.

Clients take turns on a gate with one or two server connections, and the same clients, in the same order, on
connections of their own to the server itself: what each statement answers must be the same.
"""
import itertools
import os
import random
import re

import pytest

from harness.raw import Capability, Client, Command, Err, Ok, ResultSet

CLIENTS = 3
LASTING = 0x2003  # in a transaction, autocommit, read only


def answer(reply):
    """What a client can tell of a reply. (MySQL warns that FOUND_ROWS() is old; the gate's memory does not.)"""
    if isinstance(reply, ResultSet):
        names = [column.name for column in reply.columns]
        warnings = 0 if names == ["FOUND_ROWS()"] else getattr(reply.end, "warnings", None)
        end = reply.end.code if isinstance(reply.end, Err) else (reply.end.status & LASTING, warnings)
        return names, reply.rows, end
    if isinstance(reply, Ok):
        return reply.affected, reply.insert_id, reply.status & LASTING, reply.warnings, reply.info
    return reply.code, reply.state


def make_tables(server, schema):
    server.sql(f"CREATE TABLE {schema}.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT, s VARCHAR(60)) ENGINE=InnoDB",
               f"INSERT INTO {schema}.t (v, s) VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')",
               f"CREATE DATABASE {schema}_b CHARACTER SET latin1",
               f"CREATE TABLE {schema}_b.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT, s VARCHAR(60)) ENGINE=InnoDB")


class Universe:
    """Some clients, at the gate or at the server, in schemas of their own."""

    def __init__(self, server, port, schema, **options):
        self.server, self.port, self.schema, self.options = server, port, schema, options
        make_tables(server, schema)
        self.clients = [self.client() for _ in range(CLIENTS)]

    def client(self):
        return Client(self.port, schema=self.schema, **self.options)

    def ask(self, who, what):
        client = self.clients[who]
        if callable(what):
            return self.neutral(what(client))
        return [self.neutral(answer(reply)) for reply in client.results(what.replace("{s}", self.schema))]

    def neutral(self, found):
        """The same in all universes: the schema's name is left out."""
        return eval(repr(found).replace(self.schema, "SCHEMA"))

    def close(self):
        for client in self.clients:
            client.close()
        self.server.sql(f"DROP DATABASE IF EXISTS {self.schema}_b")


@pytest.fixture
def universes(any_server, new_gate, new_schema):
    made = []

    def make(pool=1, **options):
        gate = new_gate(any_server, budget={"max_connections": pool, "reserve": 0}, pool={"wait_timeout": "5s"})
        for port in (gate.port, any_server.port):
            made.append(Universe(any_server, port, new_schema(any_server), **options))
        return made[-2:]

    yield make
    for universe in made:
        universe.close()


def prepared(text, *values):
    """Runs a prepared statement, and closes it."""
    def run(client):
        statement = client.prepare(text)
        if isinstance(statement, Err):
            return statement.code
        reply = answer(client.execute(statement, values))
        client.close_statement(statement)
        return reply
    run.__name__ = f"prepared {text}"
    return run


def command(code, payload=b""):
    def run(client):
        reply = client.ask(code, payload)
        return (reply.code,) if isinstance(reply, Err) else (reply.affected, reply.insert_id, reply.status & LASTING)
    run.__name__ = f"command {code}"
    return run


def reset(client):
    client.ask(Command.RESET_CONNECTION)
    return "reset"


DISTURBANCES = ["SELECT 7", "INSERT INTO {s}_b.t (v) VALUES (1), (2)", "SELECT SQL_CALC_FOUND_ROWS * FROM {s}_b.t LIMIT 1",
                "SELEKT", "SET time_zone = '-07:00'", "USE {s}_b", "SELECT CAST('y' AS SIGNED) FROM t", "SET NAMES latin1",
                "UPDATE {s}_b.t SET v = v + 1", "SET sql_mode = 'ANSI'", "SELECT LAST_INSERT_ID(4711)",
                "BEGIN; INSERT INTO {s}_b.t (v) VALUES (9); COMMIT", "SELECT SLEEP(0)", "USE {s}"]

QUESTIONS = ["SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SHOW WARNINGS", "SHOW ERRORS", "SELECT LAST_INSERT_ID()",
             "SELECT @@warning_count", "SELECT @@error_count"]

SCRIPTS = {
    "variables": [
        "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'", "SELECT 'a' || \"s\" FROM t ORDER BY id",
        "SET time_zone = '+05:30'", "SELECT FROM_UNIXTIME(0), @@time_zone", "SET sql_mode = DEFAULT", "SELECT 'a' || 'b'",
        "SET sql_select_limit = 2", "SELECT * FROM t", "SET sql_select_limit = DEFAULT", "SELECT * FROM t",
        "SET group_concat_max_len = 5", "SELECT GROUP_CONCAT(s ORDER BY id) FROM t", "SET div_precision_increment = 9",
        "SELECT 1 / 7", "SET lc_time_names = 'fr_FR'", "SELECT MONTHNAME('2001-02-01')",
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_ZERO_DATE')", "SELECT @@sql_mode LIKE '%NO_ZERO_DATE%'"],
    "character sets": [
        "SET NAMES latin1", "SELECT @@character_set_client, @@collation_connection, @@character_set_results",
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SELECT @@collation_connection, 'A' = 'a'",
        "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", "SELECT @@collation_connection, 'A' = 'a'", "SET NAMES utf8mb4",
        "SELECT @@collation_connection", "SET character_set_results = NULL", "SELECT @@character_set_results",
        "SET character_set_results = latin1", "SELECT 'x', @@character_set_results", "SET NAMES binary",
        "SELECT @@collation_connection", "SET collation_connection = utf8mb4_bin",
        "SELECT @@character_set_connection, @@collation_connection, 'A' = 'a'", "SET NAMES utf8mb4"],
    "schema": [
        "SELECT DATABASE()", "USE {s}_b", "SELECT DATABASE(), @@character_set_database, @@collation_database",
        "INSERT INTO t (v) VALUES (77)", "USE {s}", "SELECT COUNT(*), @@character_set_database FROM t", "USE nowhere_at_all",
        "SELECT DATABASE()", prepared("SELECT DATABASE()"), "CREATE DATABASE {s}_c", "USE {s}_c", "SELECT DATABASE()",
        "DROP DATABASE {s}_c", "SELECT DATABASE()", "SELECT * FROM t", "CREATE DATABASE {s}_c", "SELECT DATABASE()",
        "USE {s}_c", "SELECT DATABASE()", "DROP DATABASE {s}_c", "USE {s}", "SELECT COUNT(*) FROM t"],
    "transactions": [
        "SET autocommit = 0", "SELECT @@autocommit", "SELECT COUNT(*) FROM t; INSERT INTO t (v) VALUES (5); ROLLBACK",
        "SELECT @@autocommit, COUNT(*) FROM t; COMMIT", "SET autocommit = 1", "SELECT @@autocommit, COUNT(*) FROM t",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN; SELECT COUNT(*) FROM t; COMMIT",
        "SHOW VARIABLES LIKE 't%_isolation'", "SET SESSION TRANSACTION READ ONLY", "INSERT INTO t (v) VALUES (1)",
        "SET SESSION TRANSACTION READ WRITE", "INSERT INTO t (v) VALUES (1)",
        "START TRANSACTION; INSERT INTO t (v) VALUES (1); SELECT COUNT(*) FROM t; ROLLBACK", "SELECT COUNT(*) FROM t"],
    "insert ids": [
        "INSERT INTO t (v) VALUES (10)", "SELECT LAST_INSERT_ID()", "INSERT INTO t (v) VALUES (10), (11), (12)",
        "SELECT LAST_INSERT_ID()", "INSERT INTO t (id, v) VALUES (500, 10)", "SELECT LAST_INSERT_ID()",
        "SELECT LAST_INSERT_ID(77)", "SELECT LAST_INSERT_ID(), @@identity, @@last_insert_id",
        "UPDATE t SET v = LAST_INSERT_ID(v + 100) WHERE id = 1", "SELECT LAST_INSERT_ID()",
        "INSERT INTO t (id, v) VALUES (1, 1)", "SELECT LAST_INSERT_ID()", "DELETE FROM t WHERE id = 500",
        "INSERT INTO t (v) SELECT v FROM t LIMIT 2", "SELECT LAST_INSERT_ID()", "INSERT IGNORE INTO t (id) VALUES (1)",
        "SELECT LAST_INSERT_ID()", prepared("INSERT INTO t (v) VALUES (?)", 5), prepared("SELECT LAST_INSERT_ID()"),
        "SELECT LAST_INSERT_ID()", "REPLACE INTO t (id, v) VALUES (2, 2)", "SELECT LAST_INSERT_ID()",
        "INSERT INTO t (id, v) VALUES (3, 3) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), v = 9",
        "SELECT LAST_INSERT_ID()", "INSERT INTO t (v) VALUES (LAST_INSERT_ID())", "SELECT v FROM t ORDER BY id DESC LIMIT 1",
        "BEGIN; INSERT INTO t (v) VALUES (1); ROLLBACK", "SELECT LAST_INSERT_ID()", "SELECT * FROM t WHERE id = LAST_INSERT_ID()",
        "SHOW VARIABLES LIKE 'last_insert_id'", reset, "SELECT LAST_INSERT_ID()"],
    "warnings": [
        "SELECT CAST('x' AS SIGNED) FROM t LIMIT 1", "SHOW WARNINGS", "SHOW WARNINGS", "SHOW ERRORS",
        "SELECT CAST('x' AS SIGNED), CAST('y' AS SIGNED) FROM t", "SELECT @@warning_count", "SELECT secret FROM nowhere",
        "SHOW WARNINGS", "SHOW ERRORS", "SELECT @@error_count", "INSERT INTO t (id) VALUES (1)", "SHOW ERRORS",
        "SELECT * FROM t LIMIT 1", "SHOW WARNINGS", "DROP TABLE IF EXISTS nothing_here", "SHOW WARNINGS",
        "SET sql_mode = ''", "INSERT INTO t (v, s) VALUES ('x', REPEAT('x', 100))", "SHOW WARNINGS",
        "UPDATE t SET v = 'y' WHERE id = 1", "SHOW WARNINGS", "SELECT COUNT(*) FROM t", "SHOW WARNINGS"],
    "rows": [
        "SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", "SELECT FOUND_ROWS()", "SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1",
        "SHOW WARNINGS", "SELECT FOUND_ROWS()", "SELECT * FROM t LIMIT 2", "SELECT FOUND_ROWS()",
        "SELECT SQL_CALC_FOUND_ROWS *, CAST('x' AS SIGNED) FROM t LIMIT 1", "SHOW WARNINGS", "SELECT FOUND_ROWS()",
        "SELECT FOUND_ROWS()", "UPDATE t SET v = 50", "SELECT ROW_COUNT()", "SELECT ROW_COUNT()", "UPDATE t SET v = 50",
        "SELECT ROW_COUNT()", "INSERT INTO t (v) VALUES (1), (2)", "SELECT ROW_COUNT()", "DELETE FROM t WHERE v < 3",
        "SELECT ROW_COUNT()", "SELECT * FROM t", "SELECT ROW_COUNT()", "SELEKT", "SELECT ROW_COUNT()", "SET time_zone = '+01:00'",
        "SELECT ROW_COUNT()", "SHOW TABLES", "SELECT FOUND_ROWS()", "CREATE TABLE u AS SELECT * FROM t", "SELECT ROW_COUNT()",
        "INSERT INTO u SELECT * FROM t", "SELECT ROW_COUNT()", "DROP TABLE u", "SELECT ROW_COUNT()", "BEGIN; COMMIT",
        "SELECT ROW_COUNT()", "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", "SELECT FOUND_ROWS()",
        "UPDATE t SET v = 51; UPDATE t SET v = 51", "SELECT ROW_COUNT()", "SELECT * FROM t WHERE 0", "SELECT FOUND_ROWS()"],
    "commands": [
        command(Command.PING), command(Command.INIT_DB, b"mysql_missing"), "SELECT DATABASE()", "SET time_zone = '+02:00'",
        reset, "SELECT @@time_zone, DATABASE()", command(Command.SET_OPTION, b"\x01\0"), "SELECT 1; SELECT 2",
        command(Command.SET_OPTION, b"\x00\0"), "SELECT 1; SELECT 2", reset, "SELECT LAST_INSERT_ID()"],
}


@pytest.mark.parametrize("plain", [False, True], ids=["deprecate-eof", "eof"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_statement_by_statement(universes, script, plain):
    """One client's work, with others in between on the same connection."""
    pair = universes(without=Capability.DEPRECATE_EOF | Capability.SESSION_TRACK if plain else 0)
    others = itertools.cycle(DISTURBANCES)
    done = []
    for statement in SCRIPTS[script]:
        for who, what in ((0, statement), (1, next(others)), (2, next(others))):
            done.append(f"{who}: {getattr(what, '__name__', what)}")
            gate, server = (universe.ask(who, what) for universe in pair)
            assert gate == server, "after\n" + "\n".join(done[-12:])


BAD_SCHEMA = command(Command.INIT_DB, b"mysql_missing")
RANDOM = sorted({s for script in SCRIPTS.values() for s in script if isinstance(s, str)} | set(DISTURBANCES)) + [
    command(Command.PING), BAD_SCHEMA, command(Command.SET_OPTION, b"\0\0"),
    command(Command.SET_OPTION, b"\1\0"), prepared("SELECT v FROM t WHERE id < ?", 3), prepared("SELECT secret FROM nowhere"),
    prepared("INSERT INTO t (v) VALUES (?)", 6), prepared("SELECT 1; SELECT 2")]
LEFT_OUT = {"CREATE DATABASE {s}_c", "DROP DATABASE {s}_c", "CREATE TABLE u AS SELECT * FROM t", "DROP TABLE u",
            "SET autocommit = 0"}  # one connection is not enough for two transactions at once
# What changes FOUND_ROWS() though it is no SELECT and no SHOW: both servers by accident, and each differently.
MAY_FIND_ROWS = ("UPDATE", "INSERT INTO t (v) SELECT", "INSERT INTO u SELECT", "REPLACE", "DELETE")


def finds_rows(what):
    return isinstance(what, str) and (what.startswith(("SELECT", "SHOW")) and what not in ("SHOW WARNINGS", "SHOW ERRORS"))


@pytest.mark.parametrize("seed", range(60 if os.environ.get("TIDEGATE_LONG") else 4))
@pytest.mark.parametrize("pool", [1, 2])
def test_any_order(any_server, universes, pool, seed):
    """Whatever the order, and with questions about the statement before at any time."""
    pair = universes(pool=pool)
    choice = random.Random(seed)
    statements = [s for s in RANDOM if s not in LEFT_OUT]
    # Before its first SELECT a session of MariaDB has whatever the server's thread found last, for another session.
    may_find = [any_server.family == "mariadb"] * CLIENTS
    warned_of_age = [False] * CLIENTS
    done = []

    def ask(who, what):
        done.append(f"{who}: {getattr(what, '__name__', what)}")
        gate, server = (universe.ask(who, what) for universe in pair)
        assert gate == server, f"seed {seed}, after\n" + "\n".join(done[-25:])
        return gate

    for _ in range(400):
        who = choice.randrange(CLIENTS)
        what = choice.choice(QUESTIONS) if choice.random() < 0.3 else choice.choice(statements)
        if what == "SELECT FOUND_ROWS()" and may_find[who]:
            continue
        if any_server.family == "mysql" and what is BAD_SCHEMA:
            continue  # its error is added to the warnings of the statement before, wherever these are
        if warned_of_age[who] and re.search("warn|error", str(what), re.I):
            continue  # MySQL's warning that FOUND_ROWS() is old, which the gate's memory does not give
        reply = ask(who, what)
        if isinstance(what, str):
            may_find[who] = what.startswith(MAY_FIND_ROWS) or (may_find[who] and not finds_rows(what))
            warned_of_age[who] = any_server.family == "mysql" and what == "SELECT FOUND_ROWS()"
            if what.startswith(("BEGIN", "START")) and isinstance(reply[-1][0], int) and len(reply[-1]) == 2:
                ask(who, "ROLLBACK")  # it has failed in its middle, and a transaction is open


ERRORS = [
    "SELEKT", "SELECT v v v FROM t", "SELECT nothing_here(1 FROM t", "INSERT INTO t (id) VALUES (1)", "SELECT * FROM nowhere",
    "SELECT secret FROM t", "SELECT @x := v FROM nowhere", "CREATE TEMPORARY TABLE u SELECT * FROM nowhere", "SET nosuch = 1",
    "SET sql_mode = 'bogus'", "SET @@sql_mode = 'bogus'", "SET time_zone = '+01:00', sql_mode = 'bogus'", "SET NAMES bogus",
    "SET @x = (SELECT a FROM nowhere)", "SELECT GET_LOCK('a', 0) FROM nowhere", "PREPARE s FROM 'SELEKT'", "EXECUTE nothing",
    "HANDLER nowhere OPEN", "LOCK TABLES nowhere READ", "UPDATE nowhere SET v = (@x := 1)", "USE nowhere_at_all",
    "BEGIN WORK WORK", prepared("SELEKT"), prepared("SELECT * FROM nowhere"), prepared("INSERT INTO t (id) VALUES (?)", 1),
    command(Command.INIT_DB, b"mysql_missing")]


def test_errors_hold_no_connection(universes):
    """Whoever makes a mistake does not keep others waiting for it: there is one connection for all."""
    gate, server = universes()
    for mistake in ERRORS:
        found = gate.ask(0, mistake)
        assert found == server.ask(0, mistake), mistake
        assert gate.ask(1, "SELECT 7") == [(["7"], [(b"7",)], (2, 0))], f"{mistake} keeps its connection"


def test_last_insert_id_is_of_the_last_insert(universes):
    """Two connections have had inserts of this client: the older value is not taken for the newer."""
    for universe in universes(pool=2):
        a, b, c = universe.clients
        assert a.query("INSERT INTO t (v) VALUES (5)").insert_id == 5   # on one connection
        b.query("BEGIN")                                                # which others have next
        assert a.query("INSERT INTO t (v) VALUES (6)").insert_id == 6   # on the other
        b.query("COMMIT")
        a.query("SELECT 7")
        c.query("BEGIN")                                                # and that, too: the first one is left
        assert a.value("SELECT LAST_INSERT_ID()") == b"6"
        c.query("COMMIT")
