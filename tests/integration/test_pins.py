"""Pins end with their cause; sessions that use what pins share a few connections all the same; and what a statement leaves
for the next one is never another client's."""
import os
import threading
import time

import pymysql
import pytest

from harness.load import Load
from harness.process import wait_until
from harness.raw import Client, Err

LONG = bool(os.environ.get("TIDEGATE_LONG"))

ENDS = {
    "a temporary table": (["CREATE TEMPORARY TABLE app.tmp_a (a INT)", "CREATE TEMPORARY TABLE app.tmp_b SELECT 1 AS a"],
                          ["DROP TABLE app.tmp_a", "DROP TEMPORARY TABLE IF EXISTS app.tmp_b"]),
    "a lock": (["SELECT GET_LOCK('pin', 0)", "SELECT GET_LOCK('pin', 0)"], ["SELECT RELEASE_LOCK('pin')", "DO RELEASE_LOCK('pin')"]),
    "all locks": (["SELECT GET_LOCK('pin', 0), GET_LOCK('pin2', 0)"], ["SELECT RELEASE_ALL_LOCKS()"]),
    "a lock of a computed name": (["SELECT GET_LOCK(CONCAT('pi', 'n'), 0)"], ["SELECT RELEASE_ALL_LOCKS()"]),
    "a handler": (["HANDLER mysql.user OPEN AS h", "HANDLER h READ FIRST"], ["HANDLER h CLOSE"]),
    "a prepared text": (["PREPARE p FROM 'SELECT 1'"], ["DEALLOCATE PREPARE p"]),
    "locked tables": (["LOCK TABLES mysql.user READ"], ["UNLOCK TABLES"]),
}


@pytest.mark.parametrize("cause", ENDS)
def test_a_pin_ends_with_the_last_of_its_causes(any_server, new_gate, cause):
    begin, end = ENDS[cause]
    if any_server.family == "mariadb":  # where mysql.user is a view
        begin = [text.replace("mysql.user", "mysql.global_priv") for text in begin]
    any_server.sql("GRANT SELECT, LOCK TABLES ON mysql.* TO app@'%'")
    gate = new_gate(any_server, budget={"max_connections": 1})
    client, other = Client(gate.port, timeout=60), Client(gate.port, timeout=60)
    for statement in [*begin, *end[:-1]]:
        assert not isinstance(client.query(statement), Err), statement
        assert gate.api()["active"] == 1, f"after {statement}"
    # The other one waits for the end of it, and not for the client's.
    other.send_query("SELECT 'mine'")
    wait_until(lambda: gate.api()["waiting"] == 1, 10, "the other one in line")
    assert not isinstance(client.query(end[-1]), Err)
    assert other.read_reply().rows == [(b"mine",)]
    assert gate.api()["active"] == 0
    client.quit()
    other.quit()


def test_a_lock_of_a_client_is_its_own_until_it_gives_it_back(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 2})
    first, second = Client(gate.port), Client(gate.port)
    assert first.value("SELECT GET_LOCK('one', 0)") == b"1"
    for _ in range(20):
        assert second.value("SELECT GET_LOCK('one', 0)") == b"0"
        second.value("SELECT 1")
    first.value("SELECT RELEASE_LOCK('one')")
    assert second.value("SELECT GET_LOCK('one', 0)") == b"1"
    first.quit()
    second.quit()


def framework(gate, number, rounds):
    """What web frameworks do in a request: settings, user variables, prepared statements, a lock, a temporary table."""
    client = Client(gate.port, schema="app", timeout=300)
    value = lambda statement: client.rows(statement)[0]  # noqa: E731
    client.query("SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci")
    client.query("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'")
    client.query(f"SET @user_id = {number}, @role = 'role {number}'")
    double = client.prepare("SELECT ? * 2")
    for turn in range(rounds):
        found = [value(f"SELECT GET_LOCK('framework {number}', 5)")]
        client.query("CREATE TEMPORARY TABLE cart (item INT, amount INT)")
        client.query(f"INSERT INTO cart VALUES ({number}, {turn}), (@user_id + 1, {turn + 1})")
        found.append(value("SELECT SUM(item), SUM(amount) FROM cart"))
        client.query("DROP TEMPORARY TABLE cart")
        found.append(value(f"SELECT RELEASE_LOCK('framework {number}')"))
        found.append(tuple(client.execute(double, [number + turn]).rows[0]))
        client.query(f"SELECT {turn} + @user_id INTO @seen")
        found.append(value("SELECT @@sql_mode, @@collation_connection, @user_id, @role, @seen"))
        wanted = [(b"1",), (str(2 * number + 1).encode(), str(2 * turn + 1).encode()), (b"1",), (2 * (number + turn),),
                  (b"NO_ENGINE_SUBSTITUTION", b"utf8mb4_unicode_ci", str(number).encode(), f"role {number}".encode(),
                   str(turn + number).encode())]
        if found != wanted:
            raise pymysql.err.InterfaceError(f"{found}, not {wanted}")
        time.sleep(0.01)  # the page is made
    client.quit()


def run_framework(gate, clients, rounds):
    def work(number, load):
        with load.tally.counted():
            framework(gate, number, rounds)
    began = time.monotonic()
    tally = Load(clients, work).start().join(300)
    return tally, time.monotonic() - began


def test_two_hundred_clients_that_pin_on_ten_connections(any_server, new_gate):
    rounds = 10 if LONG else 3
    took = {}
    for mode in "transaction", "session":
        gate = new_gate(any_server, budget={"max_connections": 10}, pool={"mode": mode, "wait_timeout": "5m"})
        tally, took[mode] = run_framework(gate, 200, rounds)
        stats = gate.api()
        print(f"\n{mode} mode: 200 clients, {200 * rounds} requests in {took[mode]:.1f} s; the slowest client "
              f"{tally.latency(1.0):.1f} s; longest lease {stats['work']['longest_lease_seconds']} s; pins {stats['work']['pins']}, "
              f"pinned {stats['work']['pinned']}")
        assert tally.errors == {}, str(tally)
        assert stats["peak"] <= 10
        wait_until(lambda gate=gate: gate.api()["active"] == 0, 20, "the last lease's end")


def alternate(gate, rounds, *works):
    """Clients that take turns at one connection, as it comes."""
    wrong = []

    def run(number, work):
        client = Client(gate.port, schema="app", timeout=120)
        try:
            for turn in range(rounds):
                if said := work(client, number, turn):
                    wrong.append(f"client {number}, round {turn}: {said}")
                    return
        except Exception as error:  # a test's thread must not end in silence
            wrong.append(f"client {number}: {error!r}")
        finally:
            client.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def inserts(table):
    def work(client, number, turn):
        own = number * 10_000_000 + turn + 1
        client.query(f"INSERT INTO {table} (id, v) VALUES (NULL, {own})")
        found = client.rows(f"SELECT v, id = LAST_INSERT_ID() FROM {table} WHERE id = LAST_INSERT_ID()")
        bare = client.value("SELECT LAST_INSERT_ID()")
        return None if found == [(str(own).encode(), b"1")] and bare else f"{found}, {bare}"
    return work


def warns(client, number, turn):
    if number % 2:
        client.query("SELECT 1 / 0")
        shown = client.rows("SHOW WARNINGS")
        return None if [row[1] for row in shown] == [b"1365"] else shown
    client.query(f"SELECT CAST('{turn}x' AS SIGNED)")
    shown = client.rows("SHOW WARNINGS")
    return None if len(shown) == 1 and f"'{turn}x'".encode() in shown[0][2] else shown


def counts(client, number, turn):
    limit = 3 + (turn + number) % 5
    client.rows(f"SELECT SQL_CALC_FOUND_ROWS n FROM numbers WHERE n < {limit} LIMIT 1")
    found = client.value("SELECT FOUND_ROWS()")
    return None if found == str(limit).encode() else f"{found}, not {limit}"


@pytest.mark.parametrize("what", ["insert ids", "warnings", "found rows", "all of them"])
def test_one_connection_and_clients_that_ask_what_was_before(any_server, new_gate, new_schema, what):
    """With TIDEGATE_LONG=1 a hundred thousand rounds of each client."""
    rounds = 100_000 if LONG else 1500
    schema = new_schema(any_server)
    any_server.sql(f"CREATE TABLE {schema}.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v BIGINT) ENGINE=InnoDB",
                   "CREATE TABLE IF NOT EXISTS app.numbers (n INT PRIMARY KEY)",
                   f"REPLACE INTO app.numbers VALUES {', '.join(f'({n})' for n in range(20))}")
    gate = new_gate(any_server, budget={"max_connections": 1}, pool={"wait_timeout": "5m"})
    work = {"insert ids": [inserts(f"{schema}.t")] * 2, "warnings": [warns] * 2, "found rows": [counts] * 2,
            "all of them": [inserts(f"{schema}.t"), warns, counts]}[what]
    alternate(gate, rounds // (3 if what == "all of them" else 1), *work)
    assert gate.api()["peak"] == 1


def test_prepared_statements_of_two_hundred_clients(any_server, new_gate):
    """Each keeps its statement open from its beginning to its end, as drivers with a cache of them do."""
    gate = new_gate(any_server, budget={"max_connections": 10})

    def work(number, load):
        with load.tally.counted():
            client = Client(gate.port, schema="app", timeout=120)
            statement = client.prepare("SELECT ? * 2, CONNECTION_ID() > 0")
            for turn in range(20):
                reply = client.execute(statement, [number + turn])
                if reply.rows[0][0] != 2 * (number + turn):
                    raise pymysql.err.InterfaceError(f"{reply.rows} of {number + turn}")
            client.quit()

    tally = Load(200, work).start().join(300)
    assert tally.errors == {}, str(tally)
    assert gate.api()["peak"] <= 10
