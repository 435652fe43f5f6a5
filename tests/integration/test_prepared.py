"""Prepared statements of the binary protocol: a client's statements work on whichever connection runs them, and nobody can
tell. What holds a connection (cursors, long data, what cannot be prepared twice) is in test_prepared_pins.py."""
import datetime
import random
import re
import threading

import pymysql
import pytest

from harness.process import wait_until
from harness.raw import Capability, Client, Command, Err, MAX_PACKET, Ok, ResultSet, Statement

EOFS = [pytest.param(0, id="modern"), pytest.param(Capability.DEPRECATE_EOF | Capability.SESSION_TRACK, id="legacy")]


@pytest.fixture
def table(any_server, schema):
    any_server.sql(f"CREATE TABLE {schema}.t (id INT PRIMARY KEY, v VARCHAR(40))",
                   f"INSERT INTO {schema}.t VALUES (1, 'one'), (2, 'two'), (3, 'three')")
    return schema


@pytest.fixture
def gate_of(any_server, new_gate):
    def make(connections=1, **pool):
        return new_gate(any_server, budget={"max_connections": connections, "reserve": 0},
                        pool={"wait_timeout": "10s", **pool})
    return make


def prepared(client, text):
    statement = client.prepare(text)
    assert isinstance(statement, Statement), f"{text}: {statement}"
    return statement


def rows(client, statement, *values, **options):
    reply = client.execute(statement, values, **options)
    assert isinstance(reply, ResultSet) and not isinstance(reply.end, Err), f"{values}: {reply}"
    return reply.rows


def test_a_statement_holds_no_connection(gate_of, table):
    gate = gate_of(1)
    clients = [Client(gate.port, schema=table) for _ in range(20)]
    statements = [prepared(client, "SELECT v FROM t WHERE id = ?") for client in clients]
    for number in range(3):
        for client, statement in zip(clients, statements):
            assert rows(client, statement, number + 1) == [([b"one", b"two", b"three"][number],)]
    assert gate.api()["active"] == 0
    assert sum(gate.api()["work"]["pins"].values()) == 0


def test_the_same_text_is_prepared_once_a_connection(any_server, gate_of, table):
    gate = gate_of(2)
    before = any_server.status("Prepared_stmt_count")
    clients = [Client(gate.port, schema=table) for _ in range(10)]
    statements = [prepared(client, "SELECT COUNT(*) FROM t WHERE id < ?") for client in clients]
    for client, statement in zip(clients, statements):
        assert rows(client, statement, 3) == [(2,)]
    assert 1 <= any_server.status("Prepared_stmt_count") - before <= 2
    prepares = any_server.status("Com_stmt_prepare")
    for _ in range(5):
        for client, statement in zip(clients, statements):
            assert rows(client, statement, 2) == [(1,)]
    assert any_server.status("Com_stmt_prepare") - prepares <= 1  # the second connection may have come late


@pytest.mark.parametrize("without", EOFS)
def test_numbers_are_each_clients_own(gate_of, table, without):
    gate = gate_of(1)
    one, two = (Client(gate.port, schema=table, without=without) for _ in range(2))
    first = [prepared(one, f"SELECT {n}, v FROM t WHERE id = ?") for n in range(5)]
    second = [prepared(two, f"SELECT 'two', {n}") for n in range(5)]
    assert [each.id for each in first] == [each.id for each in second] == [1, 2, 3, 4, 5]
    assert [len(each.parameters) for each in first + second] == [1] * 5 + [0] * 5
    assert [len(each.columns) for each in first + second] == [2] * 10
    for n in (4, 0, 2, 2, 1, 3):
        assert rows(one, first[n], 1) == [(n, b"one")]
        assert rows(two, second[n]) == [(b"two", n)]
    one.close_statement(first[0])
    reply = one.execute(first[0], (1,))
    assert (reply.code, reply.state) == (1243, "HY000")
    assert "(1)" in reply.message
    assert rows(two, second[0]) == [(b"two", 0)]
    assert one.reset_statement(first[0]).code == 1243
    assert isinstance(one.reset_statement(first[1]), Ok)
    assert prepared(one, "SELECT 1").id == 6


def test_the_same_errors_as_from_the_server(any_server, gate_of, table):
    """Of numbers that are nobody's, of types that were never sent, of cursors that are not open."""
    gate = gate_of(1)
    said = []
    for port in (any_server.port, gate.port):
        client = Client(port, schema=table)
        statement = prepared(client, "SELECT ? + 0")
        client.execute(prepared(client, "SELECT 1, ?"), (5,))
        client.command(Command.STMT_EXECUTE, (77).to_bytes(4, "little") + b"\0\1\0\0\0")
        replies = [client.read_reply(), client.ask(Command.STMT_RESET, (77).to_bytes(4, "little")),
                   client.ask(Command.STMT_FETCH, (77).to_bytes(4, "little") + b"\1\0\0\0"),
                   client.ask(Command.STMT_FETCH, statement.id.to_bytes(4, "little") + b"\1\0\0\0")]
        client.send_long_data(Statement(77, [], [], 0), 0, b"nobody's")
        client.close_statement(Statement(77, [], [], 0))
        assert client.ping().affected == 0
        said.append([(reply.code, reply.state, re.sub(r"\(\d+\)", "(n)", reply.message)) for reply in replies])
    assert said[0] == said[1]


def test_types_that_were_never_sent(any_server, gate_of, table):
    """Another client's types are not taken for them."""
    gate = gate_of(1)
    said = []
    for port in (any_server.port, gate.port):
        one, two = Client(port, schema=table), Client(port, schema=table)
        assert rows(one, prepared(one, "SELECT ?"), "text") == [(b"text",)]
        reply = two.execute(prepared(two, "SELECT ?"), (b"\4text",), types=False)
        said.append(reply.code if isinstance(reply, Err) else reply.rows)
        assert rows(one, prepared(one, "SELECT ?"), "text") == [(b"text",)]
        two.close()
    assert said[0] == said[1]


def test_another_clients_types_make_no_difference(any_server, gate_of, table):
    """MySQL makes a statement for the types that it is first executed with, and converts later ones: a text would be 0."""
    values = [5, (1 << 63) + 5, 2.5, "text", "7", datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, 4, 5), None]
    gate = gate_of(1)
    for text in ("SELECT ?", "SELECT ? + 1", "SELECT ? UNION ALL SELECT 9"):
        said = []
        for port in (any_server.port, gate.port):
            clients = [Client(port, schema=table) for _ in values]
            statements = [prepared(client, text) for client in clients]
            answers = []
            for types in (True, False, True):
                for client, statement, value in zip(clients, statements, values):
                    reply = client.execute(statement, (value,), types=types)
                    answers.append((reply.rows, [column.type for column in reply.columns]))
            for client, statement, value in zip(clients, statements, values):  # for NULL the type is that of before
                for each in (None, value):
                    reply = client.execute(statement, (each,))
                    answers.append((reply.rows, [column.type for column in reply.columns]))
            said.append(answers)
        assert said[0] == said[1], text


def test_types_are_put_in(gate_of, table):
    """Sent with the first execution only, as libmysqlclient does it; the statement's next connection never saw them."""
    gate = gate_of(1, max_prepared=1)
    one, two, three = (Client(gate.port, schema=table) for _ in range(3))
    text = "SELECT ?, ?, ?"
    number, string, other = prepared(one, text), prepared(two, text), prepared(three, "SELECT 'other'")
    moment = datetime.datetime(2024, 2, 29, 23, 59, 58)
    assert rows(one, number, 1, None, 2.5) == [(1, None, 2.5)]
    assert rows(two, string, "1", moment, None) == [(b"1", "2024-02-29 23:59:58", None)]
    for _ in range(3):
        assert rows(one, number, -7, None, 1.25, types=False) == [(-7, None, 1.25)]
        assert rows(two, string, "-7", moment, None, types=False) == [(b"-7", "2024-02-29 23:59:58", None)]
        assert rows(two, string, None, None, None, types=False) == [(None, None, None)]
        assert rows(three, other) == [(b"other",)]  # and pushes theirs out
        assert rows(two, string, "x", moment, None, types=False) == [(b"x", "2024-02-29 23:59:58", None)]
    assert rows(one, number, "now text", 2, None) == [(b"now text", 2, None)]
    assert rows(two, string, "y", moment, None, types=False) == [(b"y", "2024-02-29 23:59:58", None)]
    assert rows(one, number, "again", 3, None, types=False) == [(b"again", 3, None)]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 17, 300, 4096, 4097])
def test_many_parameters(gate_of, table, count):
    """NULL bits of every length; more than 4096 parameters and the statement stays where it is."""
    gate = gate_of(1)
    one, two = Client(gate.port, schema=table), Client(gate.port, schema=table)
    text = "SELECT COALESCE(" + "?," * (count - 1) + "?)"
    mine = prepared(one, text)
    values = [None] * (count - 1) + ["last"]
    assert rows(one, mine, *values) == [(b"last",)]
    if count > 4096:
        assert [pin["name"] for client in gate.api("/api/clients")["clients"] for pin in client["pins"]] == ["prepared_statement"]
        one.close_statement(mine)
        one.ping()
        assert gate.api()["active"] == 0
        return
    theirs = prepared(two, text)
    assert rows(two, theirs, *["first"] * count) == [(b"first",)]
    assert rows(one, mine, *values, types=False) == [(b"last",)]


@pytest.mark.parametrize("size", [100, 20_000, 32 * 1024 - 30, 32 * 1024, 100_000, 1 << 20])
def test_large_values(gate_of, table, size):
    gate = gate_of(1, max_prepared=1)
    client, other = Client(gate.port, schema=table), Client(gate.port, schema=table)
    statement = prepared(client, "SELECT ?, LENGTH(?), ?")
    between = prepared(other, "SELECT 1")
    large = random.Random(size).randbytes(size)
    for types in (True, False, False):
        assert rows(client, statement, 5, large, "end", types=types) == [(5, size, b"end")]
        assert rows(other, between) == [(1,)]
    assert rows(client, statement, 5, None, "x" * size, types=False) == [(5, None, b"x" * size)]


@pytest.mark.parametrize("size", [MAX_PACKET - 40, MAX_PACKET - 27, MAX_PACKET - 20, MAX_PACKET, MAX_PACKET + 100,
                                  2 * MAX_PACKET - 25])
def test_values_of_several_packets(gate_of, table, size):
    """The types that are put in make the packets longer, over the border of 16 MB and not."""
    gate = gate_of(1, max_prepared=1)
    client, other = Client(gate.port, schema=table), Client(gate.port, schema=table)
    statement = prepared(client, "SELECT ?, LENGTH(?), ?")
    between = prepared(other, "SELECT 1")
    assert rows(client, statement, 5, b"short", "end") == [(5, 5, b"end")]
    large = random.Random(size).randbytes(1 << 16) * ((size >> 16) + 1)
    assert rows(other, between) == [(1,)]
    assert rows(client, statement, 5, large[:size], "end", types=False) == [(5, size, b"end")]
    assert rows(other, between) == [(1,)]
    assert client.idle()


def test_the_oldest_are_pushed_out(any_server, gate_of, table):
    gate = gate_of(1, max_prepared=3)
    before = any_server.status("Prepared_stmt_count")
    client = Client(gate.port, schema=table)
    statements = [prepared(client, f"SELECT {n}") for n in range(30)]
    assert any_server.status("Prepared_stmt_count") - before == 3
    for _ in range(3):
        for n, statement in enumerate(statements):
            assert rows(client, statement) == [(n,)]
    assert any_server.status("Prepared_stmt_count") - before == 3
    # In a transaction, where the connection stays, too.
    client.query("BEGIN")
    for n, statement in enumerate(statements):
        assert rows(client, statement) == [(n,)]
    client.query("COMMIT")
    assert any_server.status("Prepared_stmt_count") - before == 3
    for statement in statements:
        client.close_statement(statement)
    assert client.ping().affected == 0
    assert gate.api()["active"] == 0


def test_preparing_again_leaves_a_transaction_alone(any_server, gate_of, table):
    """The statement was prepared in another schema, sql_mode and autocommit than those of the transaction that runs it."""
    any_server.sql(f"CREATE DATABASE {table}_b", f"CREATE TABLE {table}_b.t (v INT)", f"INSERT INTO {table}_b.t VALUES (77)")
    try:
        gate = gate_of(1, max_prepared=1)
        client = Client(gate.port, schema=table)
        client.query("SET sql_mode = 'ANSI_QUOTES'")
        statement = prepared(client, 'SELECT "v", DATABASE() FROM t WHERE id = ?')
        insert = prepared(client, "INSERT INTO t VALUES (?, ?)")
        client.query("SET sql_mode = ''")
        client.query(f"USE {table}_b")
        client.query("SET autocommit = 0")
        client.query("INSERT INTO t VALUES (78)")
        assert rows(client, statement, 2) == [(b"two", table.encode())]
        assert client.execute(insert, (9, "nine")).affected == 1
        assert rows(client, statement, 9) == [(b"nine", table.encode())]
        assert client.rows('SELECT "v", v, DATABASE() FROM t') == [(b"v", b"77", f"{table}_b".encode()),
                                                                  (b"v", b"78", f"{table}_b".encode())]
        assert any_server.sql(f"SELECT COUNT(*) FROM {table}.t") == [(3,)]
        client.query("ROLLBACK")
        assert any_server.sql(f"SELECT COUNT(*) FROM {table}.t", f"SELECT v FROM {table}_b.t") == [(77,)]
        assert any_server.sql(f"SELECT COUNT(*) FROM {table}.t") == [(3,)]
        client.query("SET autocommit = 1")
        assert rows(client, prepared(client, 'SELECT "v"')) == [(b"v",)]
        assert rows(client, statement, 3) == [(b"three", table.encode())]
    finally:
        any_server.sql(f"DROP DATABASE {table}_b")


def test_the_schema_is_that_of_the_prepare(any_server, gate_of, table):
    """Trap 6: the same text in another schema is another statement, also for the client that changes its schema."""
    any_server.sql(f"CREATE DATABASE {table}_b", f"CREATE TABLE {table}_b.t (id INT, v VARCHAR(9))",
                   f"INSERT INTO {table}_b.t VALUES (1, 'other')")
    try:
        gate = gate_of(1)
        one, two = Client(gate.port, schema=table), Client(gate.port, schema=f"{table}_b")
        text = "SELECT v FROM t WHERE id = ?"
        mine, theirs = prepared(one, text), prepared(two, text)
        for _ in range(3):
            assert rows(one, mine, 1) == [(b"one",)]
            assert rows(two, theirs, 1) == [(b"other",)]
        one.query(f"USE {table}_b")
        later = prepared(one, text)
        assert rows(one, later, 1) == [(b"other",)]
        assert rows(two, theirs, 1) == [(b"other",)]
        assert rows(one, mine, 1) == [(b"one",)]
        assert rows(one, later, 1) == [(b"other",)]
    finally:
        any_server.sql(f"DROP DATABASE {table}_b")


def test_the_server_prepares_again_in_another_state(any_server, gate_of, table):
    """After DDL the server does that by itself, and MySQL in the sql_mode of whoever executes it: not for others."""
    gate = gate_of(1)
    one, two = Client(gate.port, schema=table), Client(gate.port, schema=table)
    for client in (one, two):
        client.query("SET sql_mode = 'ANSI_QUOTES'")
    mine, theirs = (prepared(client, 'SELECT "v", id FROM t WHERE id = ?') for client in (one, two))
    assert rows(one, mine, 1) == rows(two, theirs, 1) == [(b"one", 1)]
    two.query("SET sql_mode = ''")
    for number in range(3):
        any_server.sql(f"ALTER TABLE {table}.t ADD c{number} INT")
        rows(two, theirs, 1)
        assert rows(one, mine, 1) == [(b"one", 1)]


def test_without_a_schema(any_server, gate_of, table):
    gate = gate_of(1, max_prepared=1)
    client, other = Client(gate.port), Client(gate.port)
    statement = prepared(client, f"SELECT v FROM {table}.t WHERE id = ?")
    client.query(f"USE {table}")
    client.query("BEGIN")
    assert rows(client, prepared(client, "SELECT DATABASE()")) == [(table.encode(),)]
    assert rows(client, statement, 1) == [(b"one",)]
    client.query("COMMIT")
    asked = prepared(other, "SELECT DATABASE()")
    other.query(f"USE {table}")
    direct = Client(any_server.port)
    same = prepared(direct, "SELECT DATABASE()")
    direct.query(f"USE {table}")
    assert rows(other, asked) == rows(direct, same)


def test_tables_that_change(any_server, gate_of, table):
    gate = gate_of(1, max_prepared=1)
    client, other = Client(gate.port, schema=table), Client(gate.port, schema=table)
    statement = prepared(client, "SELECT * FROM t WHERE id = ?")
    assert rows(client, statement, 1) == [(1, b"one")]
    any_server.sql(f"ALTER TABLE {table}.t ADD n INT DEFAULT 5")
    assert rows(client, statement, 1) == [(1, b"one", 5)]
    assert len(statement.columns) == 3
    assert rows(other, prepared(other, "SELECT 'between'")) == [(b"between",)]
    any_server.sql(f"ALTER TABLE {table}.t DROP v")
    assert rows(client, statement, 1) == [(1, 5)]
    any_server.sql(f"DROP TABLE {table}.t")
    for between in (False, True):
        if between:
            assert rows(other, prepared(other, "SELECT 'between'")) == [(b"between",)]
        reply = client.execute(statement, (1,))
        assert (reply.code, reply.state) == (1146, "42S02")
    assert [row[1:2] for row in client.rows("SHOW WARNINGS")] == [(b"1146",)]
    assert gate.api()["active"] == 0
    any_server.sql(f"CREATE TABLE {table}.t (id INT)", f"INSERT INTO {table}.t VALUES (1)")
    assert rows(client, statement, 1) == [(1,)]


def test_a_refusal_to_prepare_again_within_a_transaction(any_server, gate_of, table):
    gate = gate_of(1, max_prepared=1)
    client = Client(gate.port, schema=table)
    any_server.sql(f"CREATE TABLE {table}.gone (a INT)")
    statement = prepared(client, "SELECT * FROM gone")
    insert = prepared(client, "INSERT INTO t VALUES (?, ?)")
    any_server.sql(f"DROP TABLE {table}.gone")
    client.query("BEGIN")
    assert client.execute(insert, (4, "four")).affected == 1
    assert client.execute(statement).code == 1146
    assert client.execute(insert, (5, "five")).affected == 1
    client.query("COMMIT")
    assert any_server.value(f"SELECT COUNT(*) FROM {table}.t") == 5
    assert gate.api()["active"] == 0


def test_the_connection_is_killed_in_between(any_server, gate_of, table):
    gate = gate_of(1)
    client = Client(gate.port, schema=table)
    statement = prepared(client, "SELECT v FROM t WHERE id = ?")
    assert rows(client, statement, 1) == [(b"one",)]
    for number in range(3):
        for connection in any_server.connections("app"):
            any_server.sql(f"KILL {connection['ID']}")
        wait_until(lambda: not any_server.connections("app"), 10, "the connection's end")
        assert rows(client, statement, 2, types=False) == [(b"two",)], number


def test_the_server_is_restarted(new_server, new_gate):
    server = new_server()
    gate = new_gate(server)
    client = Client(gate.port)
    statement = prepared(client, "SELECT ? + 1")
    assert rows(client, statement, 5) == [(6,)]
    server.restart()
    assert rows(client, statement, 7, types=False) == [(8,)]


def test_reset_and_change_user(gate_of, table):
    gate = gate_of(1)
    client = Client(gate.port, schema=table)
    for how in ("reset", "change user"):
        statement = prepared(client, "SELECT 1")
        if how == "reset":
            assert isinstance(client.ask(Command.RESET_CONNECTION), Ok)
        else:
            client.change_user("app", "app-secret", table)
        assert client.execute(statement).code == 1243
        later = prepared(client, "SELECT 2")
        assert later.id != statement.id
        assert rows(client, later) == [(2,)]
        client.close_statement(statement)
        assert rows(client, later) == [(2,)]
    assert gate.api()["active"] == 0


def test_the_last_prepared(mariadb, new_gate, new_schema):
    """MariaDB's number -1, which its drivers send right behind the COM_STMT_PREPARE."""
    gate = new_gate(mariadb, budget={"max_connections": 1, "reserve": 0})
    for port in (mariadb.port, gate.port):
        client = Client(port, schema=new_schema(mariadb))
        execute = bytes([Command.STMT_EXECUTE]) + b"\xff\xff\xff\xff\0\1\0\0\0"
        for text, outcome in (("SELECT 41", (41,)), ("SELEKT", 1243), ("SELECT 42", (42,))):
            prepare = bytes([Command.STMT_PREPARE]) + text.encode()
            client.send_bytes(b"".join(len(p).to_bytes(3, "little") + b"\0" + p for p in (prepare, execute)))
            client.sequence = 1
            packet = client.read_packet()
            if packet[0] != 0xFF:
                client.read_packet()  # the one column's definition
            client.sequence = 1
            reply = client.read_reply(binary=True)
            assert (reply.code if isinstance(reply, Err) else reply.rows[0]) == outcome


def test_numbers_of_mysql_have_no_last(mysql, new_gate, new_schema):
    gate = new_gate(mysql, budget={"max_connections": 1, "reserve": 0})
    client = Client(gate.port, schema=new_schema(mysql))
    prepared(client, "SELECT 1")
    client.command(Command.STMT_EXECUTE, b"\xff\xff\xff\xff\0\1\0\0\0")
    assert client.read_reply().code == 1243


def test_bulk_execution_is_refused(mariadb, new_gate, new_schema):
    """It is not offered to clients, so that drivers do without."""
    gate = new_gate(mariadb, budget={"max_connections": 1, "reserve": 0})
    client = Client(gate.port, schema=new_schema(mariadb))
    statement = prepared(client, "SELECT ?")
    reply = client.ask(0xFA, statement.id.to_bytes(4, "little") + b"\x80\0\x08\0\0\1\0\0\0\0\0\0\0")
    assert reply.code == 1047
    assert rows(client, statement, 5) == [(5,)]


def test_effects_on_the_session(any_server, gate_of, table):
    """What a prepared statement does to its session is carried over, or holds, as if it were text."""
    gate = gate_of(1)
    one, two = Client(gate.port, schema=table), Client(gate.port, schema=table)
    assert isinstance(one.execute(prepared(one, "SET time_zone = ?"), ("+05:30",)), Ok)
    asked = prepared(two, "SELECT @@time_zone, DATABASE()")
    mine = prepared(one, "SELECT @@time_zone, DATABASE()")
    for _ in range(2):
        assert rows(two, asked) == [(b"SYSTEM", table.encode())]
        assert rows(one, mine) == [(b"+05:30", table.encode())]
    begin, commit = prepared(one, "BEGIN") if any_server.family == "mariadb" else None, prepared(one, "COMMIT")
    insert = prepared(one, "INSERT INTO t VALUES (?, 'x')")
    if begin:
        one.execute(begin)
    else:
        one.query("BEGIN")
    one.execute(insert, (50,))
    assert gate.api()["active"] == 1
    one.execute(commit)
    assert gate.api()["active"] == 0
    assert any_server.value(f"SELECT v FROM {table}.t WHERE id = 50") == "x"
    one.execute(prepared(one, "SELECT GET_LOCK(?, 1)"), ("mine",))
    assert gate.api("/api/clients")["clients"][0]["pins"] or gate.api("/api/clients")["clients"][1]["pins"]
    assert gate.api()["active"] == 1
    one.quit()
    assert rows(two, asked) == [(b"SYSTEM", table.encode())]


def test_insert_ids(any_server, gate_of, schema):
    any_server.sql(f"CREATE TABLE {schema}.n (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
    gate = gate_of(1)
    clients = [Client(gate.port, schema=schema) for _ in range(2)]
    inserts = [prepared(client, "INSERT INTO n (v) VALUES (?)") for client in clients]
    asks = [prepared(client, "SELECT LAST_INSERT_ID()") for client in clients]
    for _ in range(50):
        ids = [client.execute(insert, (1,)).insert_id for client, insert in zip(clients, inserts)]
        assert [rows(client, ask)[0][0] for client, ask in zip(clients, asks)] == ids


@pytest.fixture
def narrow(any_server, new_server, new_gate):
    """A server that holds thirty prepared statements, a gate, and a client that has gone past it and takes the rest."""
    server = new_server(any_server.family, max_prepared_stmt_count=30)
    gate = new_gate(server, budget={"max_connections": 5, "reserve": 0})
    direct, theirs = Client(server.port), []

    def fill():
        while not isinstance(statement := direct.prepare("SELECT 'direct'"), Err):
            theirs.append(statement)
        assert statement.code == 1461
    return server, gate, direct, theirs, fill


def test_half_of_the_servers_statements_are_left_to_others(narrow):
    server, gate, *_ = narrow
    clients = [Client(gate.port) for _ in range(5)]
    for n, client in enumerate(clients):
        client.query("BEGIN")  # so that each has its own connection
        for m in range(10):
            assert rows(client, prepared(client, f"SELECT {n}, {m}")) == [(n, m)]
    assert server.status("Prepared_stmt_count") == 15


def test_a_full_server_has_room_for_what_the_gate_can_close(narrow):
    """1461 is not the client's to hear while the gate keeps statements that nobody is using."""
    server, gate, direct, theirs, fill = narrow
    clients = [Client(gate.port) for _ in range(3)]
    for n, client in enumerate(clients):
        client.query("BEGIN")
        for m in range(3):
            prepared(client, f"SELECT {n}, {m}")
    for client in clients:
        client.query("COMMIT")
    mine = prepared(clients[0], "SELECT 'mine'")
    fill()
    for n in range(20):
        assert rows(clients[n % 3], prepared(clients[n % 3], f"SELECT 'new', {n}")) == [(b"new", n)]
        assert rows(clients[0], mine) == [(b"mine",)]


def test_a_full_server_says_so(narrow):
    """Nothing is left that could be closed: the server's own words, in place of the reply, and it works again later."""
    server, gate, direct, theirs, fill = narrow
    reader, other = Client(gate.port), Client(gate.port)
    mine = prepared(other, "SELECT 'mine'")
    cursor = prepared(reader, "SELECT 'one' UNION ALL SELECT 'two'")
    assert reader.execute(cursor, cursor=1).rows == []
    keep = [each["server_connection"] for each in gate.api("/api/clients")["clients"] if [pin["name"] for pin in each["pins"]] == ["cursor"]]
    for connection in server.connections("app"):
        if connection["ID"] not in keep and connection["COMMAND"] == "Sleep" and connection["ID"] != direct.greeting.thread_id:
            server.sql(f"KILL {connection['ID']}")
    wait_until(lambda: len(server.connections("app")) == 2, 10, "the idle ones' end")
    fill()
    assert len(theirs) == 28  # with the cursor's, and what was prepared on its connection before
    reply = other.execute(mine)
    assert (reply.code, reply.state) == (1461, "42000")
    reply = other.prepare("SELECT 'no room'")
    assert (reply.code, reply.state) == (1461, "42000")
    assert gate.api()["active"] == 1, "the cursor's"
    direct.close_statement(theirs.pop())
    direct.ping()
    assert rows(other, mine) == [(b"mine",)]
    assert reader.fetch(cursor, cursor.columns, 5).rows == [(b"one",), (b"two",)]


def test_two_clients_take_turns(gate_of, table):
    """A pool of one, statements with the same texts and with different ones, for many rounds: no answer is mixed up."""
    gate = gate_of(1, max_prepared=4)
    wrong = []

    def work(name):
        draw = random.Random(name)
        client = Client(gate.port, schema=table)
        texts = ["SELECT ?, 'same'", f"SELECT ?, '{name}'", "SELECT ?, v FROM t WHERE id = 2", "SELECT ?, 'a'", "SELECT ?, 'b'"]
        ends = [b"same", name.encode(), b"two", b"a", b"b"]
        statements = [prepared(client, text) for text in texts]
        bound = [None] * len(texts)
        for round_ in range(1500):
            at = draw.randrange(len(texts))
            if draw.random() < 0.05:
                client.close_statement(statements[at])
                statements[at], bound[at] = prepared(client, texts[at]), None
            kind = draw.choice((int, str, float))
            value = kind(round_) if kind is not str else f"{name}-{round_}"
            reply = rows(client, statements[at], value, types=bound[at] is not kind)
            bound[at] = kind
            expected = value.encode() if kind is str else value
            if reply != [(expected, ends[at])]:
                wrong.append((name, round_, texts[at], value, reply))
                return
        client.quit()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("first", "second", "third")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert gate.api()["clients"]["ended"]["quit"] == 3


def test_plain_clients_are_not_disturbed(gate_of, table):
    """Text between prepared statements, and the answers that a statement leaves behind."""
    gate = gate_of(1, max_prepared=1)
    one, two = Client(gate.port, schema=table), Client(gate.port, schema=table)
    divide, count = prepared(one, "SELECT CAST(? AS SIGNED) FROM t WHERE id = 1"), prepared(two, "SELECT id FROM t")
    for _ in range(5):
        assert rows(one, divide, "5x") == [(5,)]
        assert rows(two, count) == [(1,), (2,), (3,)]
        assert two.rows("SELECT FOUND_ROWS()") == [(b"3",)]
        warnings = one.rows("SHOW WARNINGS")
        assert [row[1] for row in warnings] == [b"1292"]
        with pymysql.connect(host="127.0.0.1", port=gate.port, user="app", password="app-secret", database=table) as third:
            with third.cursor() as cursor:
                cursor.execute("UPDATE t SET v = v WHERE id = %s", (1,))
