"""MariaDB's extended metadata: definitions of columns that name json, uuid, point and their like, for the clients that
negotiate it (MariaDB's own connectors do). Through the gate they have them as from the server, whoever answers; a client
without them gets none, though both take turns on a pool of one connection."""
import pytest

from harness.gate import Gate
from harness.raw import Capability, Client

COLUMNS = "a INT DEFAULT 1, j JSON, u UUID, i INET6, p POINT, g GEOMETRY, t TEXT"
EXTENDED = {"without": Capability.MYSQL, "adding": Capability.EXTENDED_METADATA}


@pytest.fixture(scope="module")
def gates():
    """A gate with one connection for each server, started when it is asked for."""
    started = {}

    def gate_of(server):
        if server not in started:
            started[server] = Gate(server, budget={"max_connections": 1})
        return started[server]

    yield gate_of
    for gate in started.values():
        gate.close()


@pytest.fixture(params=["mariadb", "mariadb11"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def open_clients(gates, server, new_schema):
    """A function that opens a client directly and one through the gate, in a schema with a table."""
    schema, opened = new_schema(server), []
    server.sql(f"CREATE TABLE {schema}.t ({COLUMNS})", f"INSERT INTO {schema}.t (j, u, i) VALUES ('[]', UUID(), '::1')")

    def make(**more):
        opened.extend(Client(port, schema=schema, **more) for port in (server.port, gates(server).port))
        return opened[-2:]

    yield make
    for client in opened:
        client.close()


def names(columns):
    return {column.name: column.extended for column in columns}


def test_types_are_named_in_every_reply(open_clients):
    direct, through = open_clients(**EXTENDED)
    seen = []
    for client in (direct, through):
        statement = client.prepare("SELECT *, ? FROM t")
        seen.append([client.query("SELECT * FROM t"), client.query("SELECT j, NULL FROM t WHERE u IS NULL"),
                     client.query("SHOW COLUMNS FROM t"), client.field_list("t"),
                     statement.parameters, statement.columns, client.execute(statement, (1,)), client.execute(statement, (2,)),
                     client.query("EXPLAIN SELECT 1"), client.results("SELECT j FROM t; SELECT u FROM t")])
    assert seen[0] == seen[1]
    assert names(seen[1][0].columns) == {"a": {}, "j": {1: "json"}, "u": {0: "uuid"}, "i": {0: "inet6"}, "p": {0: "point"},
                                         "g": {}, "t": {}} | {"g": names(seen[0][0].columns)["g"]}


def test_clients_with_and_without_take_turns(open_clients):
    direct, without = open_clients()
    _, extended = open_clients(**EXTENDED)
    expected = direct.query("SELECT * FROM t").columns
    for _ in range(3):
        assert without.query("SELECT * FROM t").columns == expected
        assert names(extended.query("SELECT * FROM t").columns)["j"] == {1: "json"}


def test_what_the_gate_answers_itself(open_clients):
    """The count and the warnings come from its memory once another client has had the connection."""
    questions = ("SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SHOW WARNINGS", "SHOW ERRORS", "SELECT @@warning_count",
                 "SELECT @@error_count")
    for question in questions:
        direct, through = open_clients(**EXTENDED)
        _, other = open_clients(**EXTENDED)
        assert through.query("SELECT CONNECTION_ID()").columns == direct.query("SELECT CONNECTION_ID()").columns
        assert through.value("SELECT CONNECTION_ID()") == str(through.greeting.thread_id).encode()
        replies = []
        for client in (direct, through):
            client.query("SELECT 1/0, CAST('x' AS SIGNED)")
            if client is through:
                assert other.rows("SELECT 1") == [(b"1",)]
            replies.append(client.query(question))
        assert (replies[0].columns, replies[0].rows) == (replies[1].columns, replies[1].rows)


def test_user_variables_move_with_the_client(open_clients):
    _, through = open_clients(**EXTENDED)
    _, other = open_clients(**EXTENDED)
    through.query("SET @a = 18446744073709551615, @b = _utf8mb4'é', @c = 1.50, @d = NULL")
    other.query("SET @a = 1")
    assert through.rows("SELECT @a, @b, @c, @d") == [(b"18446744073709551615", "é".encode(), b"1.50", None)]
    assert other.rows("SELECT @a, @b") == [(b"1", None)]


def test_process_list(open_clients):
    direct, through = open_clients(**EXTENDED)
    assert through.query("SHOW PROCESSLIST").columns == direct.query("SHOW PROCESSLIST").columns


def test_change_user_keeps_it(open_clients):
    direct, through = open_clients(**EXTENDED)
    seen = []
    for client in (direct, through):
        client.change_user("app", "app-secret")
        seen.append(client.query("SELECT JSON_OBJECT() AS j, 1 AS a").columns)
    assert seen[0] == seen[1]


def test_mysql_has_none(mysql, gates):
    client = Client(gates(mysql).port, **EXTENDED)
    assert not client.has(Capability.EXTENDED_METADATA) and client.greeting.capabilities & Capability.MYSQL
    assert client.rows("SELECT 1") == [(b"1",)]
    client.close()


def test_the_console_too(mariadb, gates):
    rows = []
    for more in ({}, EXTENDED):
        client = Client(gates(mariadb).port, "monitor", "monitor-secret", schema="tidegate", **more)
        reply = client.query("SHOW VERSION")
        rows.append(reply.rows)
        assert client.has(Capability.EXTENDED_METADATA) == bool(more)
        assert all(column.extended == ({} if more else None) for column in reply.columns)
        client.close()
    assert rows[0] == rows[1]
