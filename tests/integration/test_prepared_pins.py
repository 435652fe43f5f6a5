"""Prepared statements that hold their connection, each under its name, and only as long as it takes: open cursors, long
data, and statements that cannot be prepared a second time."""
import pytest

from harness.process import wait_until
from harness.raw import Capability, Client, Command, Ok, ResultSet, Statement, Status

EOFS = [pytest.param(0, id="modern"), pytest.param(Capability.DEPRECATE_EOF | Capability.SESSION_TRACK, id="legacy")]
THREE = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"


@pytest.fixture
def gate(any_server, new_gate):
    return new_gate(any_server, budget={"max_connections": 2, "reserve": 0}, pool={"wait_timeout": "10s", "max_prepared": 2})


@pytest.fixture
def connect(gate, schema):
    return lambda **options: Client(gate.port, schema=schema, **options)


def prepared(client, text):
    statement = client.prepare(text)
    assert isinstance(statement, Statement), f"{text}: {statement}"
    return statement


def pins(gate):
    return sorted(pin["name"] for client in gate.api("/api/clients")["clients"] for pin in client["pins"])


def held(gate):
    return gate.api()["active"]


def run_others(connect, count=4):
    """Other clients with statements of the same texts and others, through what connections are left."""
    for n in range(count):
        client = connect()
        for text in (THREE, "SELECT ?", f"SELECT {n}"):
            statement = prepared(client, text)
            assert isinstance(client.execute(statement, ("x",) * len(statement.parameters)), ResultSet)
        client.quit()


@pytest.mark.parametrize("without", EOFS)
@pytest.mark.parametrize("end", ["last row", "close", "reset", "execute", "reset connection", "quit", "vanish"])
def test_a_cursor_holds_until_its_end(any_server, gate, connect, without, end):
    if end == "execute" and any_server.family == "mysql":
        pytest.skip("MySQL 9.7 never ends its reply to that, with and without a gate")
    client = connect(without=without)
    statement = prepared(client, THREE)
    opened = client.execute(statement, cursor=1)
    assert opened.rows == [] and opened.status & Status.CURSOR_EXISTS
    assert pins(gate) == ["cursor"] and held(gate) == 1
    run_others(connect)
    assert client.fetch(statement, opened.columns, 2).rows == [(1,), (2,)]
    assert pins(gate) == ["cursor"]
    if end == "last row":
        last = client.fetch(statement, opened.columns, 2)
        assert last.rows == [(3,)] and last.status & Status.LAST_ROW_SENT
        assert client.ask(Command.STMT_FETCH, statement.id.to_bytes(4, "little") + b"\1\0\0\0").code == 1421
    elif end == "close":
        client.close_statement(statement)
        assert client.execute(statement).code == 1243
    elif end == "reset":
        assert isinstance(client.reset_statement(statement), Ok)
    elif end == "execute":
        assert client.execute(statement).rows == [(1,), (2,), (3,)]
    elif end == "reset connection":
        client.ask(Command.RESET_CONNECTION)
    else:
        client.quit() if end == "quit" else client.close()
        wait_until(lambda: held(gate) == 0, 10, "the lease's end")
        run_others(connect)
        return
    wait_until(lambda: held(gate) == 0, 10, "the lease's end")
    assert pins(gate) == []
    run_others(connect)
    if end in ("last row", "reset", "execute"):
        assert client.execute(statement).rows == [(1,), (2,), (3,)]


def test_two_cursors_of_one_text(gate, connect):
    """The same text prepared twice: to execute the one must not end the other's cursor."""
    client = connect()
    one, two = prepared(client, THREE), prepared(client, THREE)
    for statement in (one, two):
        assert client.execute(statement, cursor=1).rows == []
    assert client.fetch(one, one.columns, 1).rows == [(1,)]
    assert client.fetch(two, two.columns, 2).rows == [(1,), (2,)]
    third = prepared(client, THREE)
    assert client.execute(third).rows == [(1,), (2,), (3,)]
    assert client.fetch(one, one.columns, 5).rows == [(2,), (3,)]
    assert pins(gate) == ["cursor"]
    assert client.fetch(two, two.columns, 5).rows == [(3,)]
    wait_until(lambda: held(gate) == 0, 10, "the lease's end")
    for statement in (one, two, third):
        assert client.execute(statement).rows == [(1,), (2,), (3,)]


def test_cursors_are_not_pushed_out(gate, connect):
    client = connect()
    readers = [prepared(client, f"SELECT {n} UNION ALL SELECT 'end'") for n in range(4)]
    for reader in readers:
        assert client.execute(reader, cursor=1).rows == []
    for n in range(10):  # max_prepared is 2
        assert client.execute(prepared(client, f"SELECT 'more', {n}")).rows == [(b"more", n)]
    for n, reader in enumerate(readers):
        assert client.fetch(reader, reader.columns, 5).rows == [(str(n).encode(),), (b"end",)]
    wait_until(lambda: held(gate) == 0, 10, "the lease's end")


def test_a_cursor_without_rows_to_keep(gate, connect):
    """What opens no cursor holds nothing, whatever was asked for."""
    client = connect()
    client.query("CREATE TABLE c (a INT)")
    insert = prepared(client, "INSERT INTO c VALUES (?)")
    assert client.execute(insert, (1,), cursor=1).affected == 1
    assert pins(gate) == [] and held(gate) == 0


@pytest.mark.parametrize("end", ["execute", "close", "reset", "reset connection", "quit"])
def test_long_data(gate, connect, end):
    client, other = connect(), connect()
    client.query("CREATE TABLE l (a INT, b LONGBLOB)")
    statement = prepared(client, "INSERT INTO l VALUES (?, ?)")
    same = prepared(other, "INSERT INTO l VALUES (?, ?)")
    assert client.execute(statement, (0, b"before")).affected == 1
    client.send_long_data(statement, 1, b"begin\0")
    client.send_long_data(statement, 1, b"x" * 100_000)
    assert client.ping().affected == 0
    assert pins(gate) == ["long_data"] and held(gate) == 1
    assert other.execute(same, (1, b"other")).affected == 1
    if end == "execute":
        assert client.execute(statement, (2, None), long_data=(1,)).affected == 1
        assert client.value("SELECT b FROM l WHERE a = 2") == b"begin\0" + b"x" * 100_000
    elif end == "close":
        client.close_statement(statement)
        client.ping()
    elif end == "reset":
        assert isinstance(client.reset_statement(statement), Ok)
    elif end == "reset connection":
        client.ask(Command.RESET_CONNECTION)
    else:
        client.quit()
    wait_until(lambda: held(gate) == 0, 10, "the lease's end")
    assert pins(gate) == []
    for number in range(4):  # nothing of it is left for others
        assert other.execute(same, (5, b"%d" % number)).affected == 1
        assert other.value(f"SELECT COUNT(*) FROM l WHERE a = 5 AND b = '{number}'") == b"1"
    if end in ("execute", "reset"):
        assert client.execute(statement, (6, b"whole")).affected == 1
        assert client.value("SELECT b FROM l WHERE a = 6") == b"whole"


@pytest.mark.parametrize("first", ["typed", "untyped"])
def test_long_data_and_types_left_out(any_server, gate, connect, first):
    client, other = connect(), connect()
    client.query("CREATE TABLE l (a INT, b LONGBLOB)")
    statement, same = (prepared(each, "INSERT INTO l VALUES (?, ?)") for each in (client, other))
    if first == "typed":
        assert client.execute(statement, (1, b"x")).affected == 1
        for number in range(2):
            other.execute(same, ("7", 5.5))
            other.execute(prepared(other, f"SELECT {number}"))
    client.send_long_data(statement, 1, b"long")
    reply = client.execute(statement, (2, None), types=first != "typed", long_data=(1,))
    assert reply.affected == 1
    assert client.value("SELECT b FROM l WHERE a = 2") == b"long"
    assert held(gate) == 0


def test_long_data_for_a_table_that_is_gone(any_server, gate, connect, schema):
    """There is no reply to long data: what went wrong is the execution's to tell, and once."""
    client = connect()
    client.query("CREATE TABLE l (a INT, b LONGBLOB)")
    statement = prepared(client, "INSERT INTO l VALUES (?, ?)")
    for connection in any_server.connections("app"):
        any_server.sql(f"KILL {connection['ID']}")
    wait_until(lambda: not any_server.connections("app"), 10, "the connections' end")
    any_server.sql(f"DROP TABLE {schema}.l")
    client.send_long_data(statement, 1, b"lost")
    client.send_long_data(statement, 1, b"y" * 100_000)
    assert client.ping().affected == 0
    assert client.execute(statement, (1, None), long_data=(1,)).code == 1146
    assert held(gate) == 0
    client.query("CREATE TABLE l (a INT, b LONGBLOB)")
    assert client.execute(statement, (1, b"now")).affected == 1
    assert client.idle()


def test_long_data_on_a_connection_that_is_killed(any_server, gate, connect):
    client = connect()
    client.query("CREATE TABLE l (a INT, b LONGBLOB)")
    statement = prepared(client, "INSERT INTO l VALUES (?, ?)")
    client.send_long_data(statement, 1, b"lost")
    client.ping()
    for connection in any_server.connections("app"):
        any_server.sql(f"KILL {connection['ID']}")
    wait_until(lambda: held(gate) == 0, 10, "the lease's end")
    with pytest.raises((EOFError, ConnectionError)):
        client.execute(statement, (1, None), long_data=(1,))
    assert client.closed()


@pytest.mark.parametrize("text", ["SELECT ROW_COUNT()", "SHOW WARNINGS", "SELECT FOUND_ROWS(), ?", "SELECT '%s'" % ("x" * 40_000)],
                         ids=lambda text: text[:20])
def test_what_cannot_be_prepared_twice(any_server, gate, connect, text):
    if text == "SHOW WARNINGS" and any_server.family == "mysql":
        pytest.skip("MySQL does not prepare it")
    client = connect()
    statement = prepared(client, text)
    assert pins(gate) == ["prepared_statement"] and held(gate) == 1
    run_others(connect)
    for n in range(5):
        assert client.execute(prepared(client, f"SELECT {n}")).rows == [(n,)]
    assert isinstance(client.execute(statement, (1,) * len(statement.parameters)), ResultSet)
    client.close_statement(statement)
    client.ping()
    if len(text) < 1000:  # of a long text it is not known what it has done
        wait_until(lambda: held(gate) == 0, 10, "the lease's end")
        assert pins(gate) == []
    client.quit()
    wait_until(lambda: held(gate) == 0, 10, "the lease's end")


def test_questions_by_prepared_statements(any_server, gate, connect, schema):
    """As on a connection of one's own, while others work. (MySQL prepares no question about warnings.)"""
    any_server.sql(f"CREATE TABLE {schema}.q (a INT)", f"INSERT INTO {schema}.q VALUES (1), (2), (3)")
    client = connect()
    count, found = prepared(client, "SELECT ROW_COUNT()"), prepared(client, "SELECT FOUND_ROWS()")
    warnings = prepared(client, "SHOW WARNINGS") if any_server.family == "mariadb" else None
    update, bad = prepared(client, "UPDATE q SET a = a + ?"), prepared(client, "SELECT CAST(? AS SIGNED) FROM q")
    for _ in range(3):
        assert client.execute(update, (1,)).affected == 3
        run_others(connect, 1)
        assert client.execute(count).rows == [(3,)]
        assert client.execute(bad, ("5x",)).rows == [(5,)] * 3
        run_others(connect, 1)
        if warnings:
            assert [row[1] for row in client.execute(warnings).rows] == [1292] * 3
        assert client.execute(found).rows == [(3,)]


def test_connection_id_by_a_prepared_statement(gate, connect):
    """The server's own id is told: from then on the connection stays."""
    client = connect()
    statement = prepared(client, "SELECT CONNECTION_ID()")
    first = client.execute(statement).rows
    assert pins(gate) == ["asked"]
    run_others(connect)
    assert client.execute(statement).rows == first


def test_the_metric_counts_them(gate, connect):
    client = connect()
    prepared(client, "SELECT ROW_COUNT()")
    statement = prepared(client, THREE)
    client.execute(statement, cursor=1)
    blob = prepared(client, "SELECT ?")
    client.send_long_data(blob, 0, b"x")
    client.ping()
    assert pins(gate) == ["cursor", "long_data", "prepared_statement"]
    counted = gate.api()["work"]["pins"]
    assert (counted["cursor"], counted["long_data"], counted["prepared_statement"]) == (1, 1, 1)
    assert gate.metrics()['tidegate_pins_total{cause="cursor"}'] == 1
