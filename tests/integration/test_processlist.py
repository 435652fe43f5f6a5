"""SHOW PROCESSLIST through the gate is the server's, and says of the gate's connections who has them."""
import re

import pytest

from harness.process import wait_until
from harness.raw import Capability, Client, Err, ResultSet

ATTRIBUTES = {"program_name": "im*port.php"}


@pytest.fixture
def gate(any_server, new_gate):
    return new_gate(any_server, budget={"max_connections": 4})


@pytest.fixture
def connect(gate):
    clients = []

    def make(user="app", **options):
        clients.append(Client(gate.port, user, f"{user}-secret", adding=Capability.CONNECT_ATTRS, attributes=ATTRIBUTES, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def processes(client, statement="SHOW PROCESSLIST"):
    """The rows by the server's id, each by column."""
    reply = client.query(statement)
    assert isinstance(reply, ResultSet), reply
    names = [column.name for column in reply.columns]
    return {int(row[names.index("Id")]): dict(zip(names, row)) for row in reply.rows}


def lease(gate, client):
    return next(each["server_connection"] for each in gate.api("/api/clients")["clients"] if each["id"] == client.greeting.thread_id)


def without_notes(rows):
    """Of each row what does not move; the statements without notes."""
    return {id: (row["User"], row["db"], re.sub(rb"^/\* tidegate: .*? \*/ ?", b"", row["Info"] or b"")) for id, row in rows.items()}


@pytest.mark.parametrize("statement", ["SHOW PROCESSLIST", "show full processlist;"])
@pytest.mark.parametrize("without", [0, Capability.DEPRECATE_EOF], ids=["new protocol", "old protocol"])
def test_rows_say_whose_they_are(any_server, gate, connect, statement, without):
    asking, other = connect(without=without), connect()
    assert not isinstance(other.query("BEGIN"), Err)
    rows = processes(asking, statement)
    its = rows[lease(gate, other)]
    address = re.escape(f"127.0.0.1:{other.socket.getsockname()[1]}".encode())
    assert re.fullmatch(rb"/\* tidegate: client %d app@%s im\?port.php \*/" % (other.greeting.thread_id, address), its["Info"])
    own = [row["Info"] for row in rows.values() if b"SHOW PROCESSLIST" in (row["Info"] or b"").upper().replace(b"FULL ", b"")]
    assert len(own) == 1 and own[0].startswith(b"/* tidegate: client %d app@" % asking.greeting.thread_id), own
    assert own[0].endswith(b" */ " + statement.rstrip(";").encode()) or own[0].endswith(b" */ " + statement.encode())
    assert not isinstance(asking.query("SELECT 1"), Err), "the session goes on"


def test_idle_connections_and_the_gates_own(any_server, gate, connect):
    busy, second, asking = connect(), connect(), connect("monitor")
    assert not isinstance(busy.query("BEGIN"), Err)
    assert not isinstance(second.query("SELECT 1"), Err)
    api = gate.api("/api/clients")["server_connections"]
    rows = processes(asking, "SHOW FULL PROCESSLIST")
    notes = {id: rows[id]["Info"] or b"" for id in api}
    assert sum(note.startswith(b"/* tidegate: idle, for whoever comes next */") for note in notes.values()) == 1, notes
    assert sum(note.startswith(b"/* tidegate: the gate's own */") for note in notes.values()) == 1, notes
    # The address of an account's client is what the server shows of one; its program's name is that account's.
    note = notes[lease(gate, busy)]
    assert note.startswith(b"/* tidegate: client %d app@127.0.0.1:" % busy.greeting.thread_id) and b"im?port" not in note
    # Whoever does not come through the gate has no note, and all else is as the server says it.
    with any_server.connect("app") as direct:
        rows = processes(asking, "SHOW PROCESSLIST")
        assert not (rows[direct.thread_id()]["Info"] or b"").startswith(b"/* tidegate")
        with any_server.connect("monitor") as root, root.cursor() as cursor:
            cursor.execute("SHOW PROCESSLIST")
            names = [column[0] for column in cursor.description]
            straight = {row[0]: (row[1].encode(), row[3] and row[3].encode(), (row[7] or "").encode()) for row in cursor.fetchall()}
        shown = without_notes(rows)
        for id in set(straight) & set(shown) - {root.thread_id()}:
            if straight[id][2] == shown[id][2] or not straight[id][2]:
                assert straight[id][:2] == shown[id][:2], names


def test_an_account_sees_its_own_rows_only(any_server, gate, connect):
    any_server.sql("CREATE USER IF NOT EXISTS viewer IDENTIFIED BY 'viewer-secret'")  # app may see all processes
    others, viewer, second = connect(), connect("viewer"), connect("viewer")
    for client in (others, second):
        assert not isinstance(client.query("BEGIN"), Err)
    rows = processes(viewer)
    assert {row["User"] for row in rows.values()} == {b"viewer"}
    assert rows[lease(gate, second)]["Info"].endswith(b" im?port.php */")
    assert not any(b"app@" in (row["Info"] or b"") for row in rows.values())


def test_what_is_more_than_a_bare_question_is_the_servers_alone(any_server, gate, connect):
    client = connect()
    for text in ("SELECT ID, INFO FROM information_schema.PROCESSLIST", "SHOW PROCESSLIST; SELECT 1"):
        for result in client.results(text):
            assert all(b"tidegate:" not in (value or b"") for row in result.rows for value in row)
    statement = client.prepare("SHOW PROCESSLIST")
    if not isinstance(statement, Err):
        assert all(not str(row[7]).startswith("/* tidegate") for row in client.execute(statement).rows)


@pytest.mark.parametrize("charset", ["utf16", "ucs2", "utf32"])
def test_a_client_that_does_not_take_ascii_gets_the_reply_as_it_is(any_server, gate, connect, charset):
    client = connect()
    assert not isinstance(client.query(f"SET character_set_results = {charset}"), Err)
    reply = client.query("SHOW FULL PROCESSLIST")
    assert isinstance(reply, ResultSet) and reply.rows
    text = "tidegate".encode("utf-32-be" if charset == "utf32" else "utf-16-be")
    assert not any(b"tidegate" in (value or b"") or text in (value or b"") for row in reply.rows for value in row)


def test_a_large_reply_is_passed_on_as_it_is(any_server, gate, connect):
    any_server.sql("SET GLOBAL max_allowed_packet = 67108864")
    running, asking = connect(timeout=120), connect(timeout=120)
    running.send_query("SELECT SLEEP(600), '" + "x" * (20 << 20) + "'")
    wait_until(lambda: any(row["TIME"] is not None and (row["INFO"] or "").startswith("SELECT SLEEP") for row in any_server.connections()),
               30, "the long statement")
    rows = processes(asking, "SHOW FULL PROCESSLIST")
    long_one = rows[lease(gate, running)]["Info"]
    assert long_one.startswith(b"SELECT SLEEP(600), 'xxx") and len(long_one) > 20 << 20
    short = processes(asking)[lease(gate, running)]["Info"]
    assert short.startswith(b"/* tidegate: client %d " % running.greeting.thread_id)
    assert not isinstance(asking.query(f"KILL {running.greeting.thread_id}"), Err)


def test_an_error_is_the_servers(any_server, gate, connect):
    client = connect()
    assert not isinstance(client.query("BEGIN"), Err)
    assert client.query("SHOW PROCESSLIST WITHOUT SENSE").code == 1064
    before = lease(gate, client)
    assert lease(gate, client) in processes(client)
    assert lease(gate, client) == before, "the transaction goes on"
    assert not isinstance(client.query("ROLLBACK"), Err)
