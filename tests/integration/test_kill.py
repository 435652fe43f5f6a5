"""KILL with the gate's ids does what it should, and never hits another client's statement."""
import threading

import pymysql
import pytest

from harness.process import wait_until
from harness.raw import Client, Command, Err, Ok

ROUNDS = 400


@pytest.fixture
def gate(any_server, new_gate):
    return new_gate(any_server, budget={"max_connections": 3})


@pytest.fixture
def connect(gate):
    clients = []

    def make(user="app", **options):
        clients.append(Client(gate.port, user, f"{user}-secret", timeout=60, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def state(gate, client):
    return next((each["state"] for each in gate.api("/api/clients")["clients"] if each["id"] == client.greeting.thread_id), "gone")


def sleeps(server):
    return [row for row in server.connections() if (row["INFO"] or "").startswith("SELECT SLEEP")]


def test_the_greetings_id_is_connection_id(gate, connect):
    client, other = connect(), connect()
    for each in (client, other):
        assert each.value("SELECT CONNECTION_ID()") == str(each.greeting.thread_id).encode()
        assert each.value("SELECT CONNECTION_ID() AS id") == str(each.greeting.thread_id).encode()
    assert client.greeting.thread_id != other.greeting.thread_id
    client.query("BEGIN")
    assert client.value("SELECT CONNECTION_ID()") == str(client.greeting.thread_id).encode()


def test_kill_query_ends_the_statement_and_nothing_else(any_server, gate, connect):
    client, killer = connect(), connect()
    for text in ("SELECT SLEEP(600) FROM information_schema.ENGINES",
                 "SELECT SLEEP(600), '" + "x" * 100_000 + "' FROM information_schema.ENGINES"):
        client.send_query(text)
        wait_until(lambda: sleeps(any_server), 30, "the statement")
        assert isinstance(killer.query(f"KILL QUERY {client.greeting.thread_id}"), Ok)
        reply = client.read_reply()
        assert (reply if isinstance(reply, Err) else reply.end).code == 1317
        assert client.value("SELECT 'alive'") == b"alive"


def test_kill_query_of_a_prepared_statement(any_server, gate, connect):
    client, killer = connect(), connect()
    statement = client.prepare("SELECT SLEEP(?) FROM information_schema.ENGINES")
    client.send_execute(statement, (600,))
    wait_until(lambda: sleeps(any_server), 30, "the statement")
    assert isinstance(killer.query(f"KILL QUERY {client.greeting.thread_id}"), Ok)
    reply = client.read_reply(binary=True, known=statement.columns)
    assert (reply if isinstance(reply, Err) else reply.end).code == 1317
    assert client.value("SELECT 'alive'") == b"alive"


def test_kill_query_of_a_client_in_a_transaction_leaves_the_transaction(any_server, gate, connect):
    client, killer = connect(schema="app"), connect()
    client.query("CREATE TABLE IF NOT EXISTS app.killed (a INT)")
    client.query("DELETE FROM app.killed")
    client.query("BEGIN")
    client.query("INSERT INTO app.killed VALUES (1)")
    assert isinstance(killer.query(f"KILL QUERY {client.greeting.thread_id}"), Ok), "it runs nothing"
    client.send_query("SELECT SLEEP(600) FROM information_schema.ENGINES")
    wait_until(lambda: sleeps(any_server), 30, "the statement")
    assert isinstance(killer.query(f"KILL QUERY {client.greeting.thread_id}"), Ok)
    client.read_reply()
    assert client.value("SELECT COUNT(*) FROM app.killed") == b"1"
    assert isinstance(client.query("COMMIT"), Ok)
    assert killer.value("SELECT COUNT(*) FROM app.killed") == b"1"


def test_kill_query_of_a_client_in_line(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 1})
    holds, waits, killer = (Client(gate.port, timeout=60) for _ in range(3))
    holds.query("BEGIN")
    waits.send_query("SELECT 1")
    wait_until(lambda: gate.api()["waiting"] == 1, 10, "the line")
    assert isinstance(killer.query(f"KILL QUERY {waits.greeting.thread_id}"), Ok)
    assert waits.read_reply().code == 1317
    holds.query("COMMIT")
    assert waits.value("SELECT 1") == b"1"
    for client in (holds, waits, killer):
        client.quit()


@pytest.mark.parametrize("how", ["KILL {}", "KILL CONNECTION {}", "COM_PROCESS_KILL"])
@pytest.mark.parametrize("doing", ["nothing", "a statement", "a transaction"])
def test_kill_connection_ends_the_client(any_server, gate, connect, how, doing):
    client, killer = connect(schema="app"), connect()
    client.query("CREATE TABLE IF NOT EXISTS app.killed (a INT)")
    client.query("DELETE FROM app.killed")
    if doing == "a statement":
        client.send_query("SELECT SLEEP(600) FROM information_schema.ENGINES")
        wait_until(lambda: sleeps(any_server), 30, "the statement")
    elif doing == "a transaction":
        client.query("BEGIN")
        client.query("INSERT INTO app.killed VALUES (1)")
    id = client.greeting.thread_id
    reply = killer.query(how.format(id)) if "{}" in how else killer.ask(Command.PROCESS_KILL, id.to_bytes(4, "little"))
    assert isinstance(reply, Ok)
    assert client.closed(30), "its connection is closed"
    wait_until(lambda: state(gate, client) == "gone" and gate.api()["active"] == 0, 30, "the client's end")
    wait_until(lambda: not sleeps(any_server), 30, "the end of its statement")
    assert killer.value("SELECT COUNT(*) FROM app.killed") == b"0", "what it had begun is rolled back"
    assert killer.query(f"KILL {id}").code == 1094, "it is gone"


def test_kill_oneself(gate, connect):
    client = connect()
    assert client.query(f"KILL QUERY {client.greeting.thread_id}").code == 1317
    assert client.value("SELECT 1") == b"1"
    assert client.query(f"KILL {client.greeting.thread_id}").code == 1317
    assert client.closed()


def test_kill_of_another_account_and_of_nobody(gate, connect):
    client, other = connect(), connect("monitor")
    for text in ("KILL {}", "KILL QUERY {}"):
        assert client.query(text.format(other.greeting.thread_id)).code == 1095
        assert client.query(text.format(0x7FFF_FFFF)).code == 1094
    assert other.value("SELECT 1") == b"1"


# Trap 12: a KILL QUERY that comes when the statement has just ended must not hit whoever has the connection then.
@pytest.mark.parametrize("statements", [
    ["SELECT 1"],
    ["SELECT 1/0", "SHOW WARNINGS", "SHOW ERRORS"],
    ["SHOW WARNINGS"],
    ["SET sql_mode = 'ANSI'", "SELECT SQL_CALC_FOUND_ROWS 1 UNION SELECT 2 LIMIT 1", "SELECT FOUND_ROWS()", "SET sql_mode = ''"],
    ["SET @mine = 5", "SELECT @mine"],
    ["prepared"],
    ["SHOW PROCESSLIST"],
], ids=["plain", "warnings", "no warnings", "settings", "user variables", "prepared", "processlist"])
def test_a_kill_never_hits_the_other_client(any_server, new_gate, statements):
    gate = new_gate(any_server, budget={"max_connections": 1})
    victim, bystander, killer = (Client(gate.port, timeout=120) for _ in range(3))
    over = threading.Event()
    seen = {"victim": 0, "bystander": [], "killed": 0}

    def error(reply):
        return reply if isinstance(reply, Err) else getattr(reply, "end", None) if isinstance(getattr(reply, "end", None), Err) else None

    def suffer():
        statement = victim.prepare("SELECT ?")
        while not over.is_set():
            for text in statements:
                reply = victim.execute(statement, (5,)) if text == "prepared" and not isinstance(statement, Err) else victim.query(
                    "SELECT 1" if text == "prepared" else text)
                seen["victim"] += 1
                if failed := error(reply):
                    assert failed.code in (1317, 1105), failed
                    seen["killed"] += 1
                if isinstance(statement, Err):
                    statement = victim.prepare("SELECT ?")

    def look_on():
        for turn in range(ROUNDS):
            reply = bystander.query(f"SELECT {turn} FROM (SELECT SLEEP(0.003)) AS t")
            if error(reply) or reply.rows != [(str(turn).encode(),)]:
                seen["bystander"].append(reply)
        over.set()

    def shoot():
        while not over.is_set():
            assert isinstance(killer.query(f"KILL QUERY {victim.greeting.thread_id}"), Ok)

    errors = []

    def guarded(work):
        try:
            work()
        except BaseException as problem:  # noqa: BLE001: shown below
            errors.append(problem)
        finally:
            over.set() if work is not look_on else None

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (suffer, look_on, shoot)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert not errors, errors
    assert seen["bystander"] == [] and seen["victim"] > 0
    print(f"\n{seen['victim']} statements of the victim, {seen['killed']} of them killed; {ROUNDS} of the bystander, none")
    for client in (victim, bystander, killer):
        client.quit()


def test_drivers_cancel(any_server, new_gate):
    """As drivers do it: a second connection, KILL QUERY with the id that the driver knows."""
    gate = new_gate(any_server)
    running = gate.connect(read_timeout=60)
    seen = []

    def run():
        try:
            with running.cursor() as cursor:
                cursor.execute("SELECT SLEEP(600) FROM information_schema.ENGINES")
        except pymysql.MySQLError as error:
            seen.append(error.args[0])

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: sleeps(any_server), 30, "the statement")
    with gate.connect() as other:
        other.query(f"KILL QUERY {running.thread_id()}")
    thread.join(60)
    assert seen == [1317]
    running.close()


def test_kill_by_an_expression(any_server, gate, connect):
    """The server works out whom it means; a gate's id reaches that client and nobody else."""
    client, bystander, killer = connect(), connect(), connect()
    number = client.greeting.thread_id
    killer.query(f"SET @id = {number}, @near = {number} - 1")
    client.send_query("SELECT SLEEP(600) FROM information_schema.ENGINES")
    bystander.send_query("SELECT SLEEP(0.01), 'by'")
    wait_until(lambda: sleeps(any_server), 30, "the statement")
    assert isinstance(killer.query("KILL QUERY @near + 1"), Ok)
    reply = client.read_reply()
    assert (reply if isinstance(reply, Err) else reply.end).code == 1317
    assert bystander.read_reply().rows == [(b"0", b"by")]
    assert client.value("SELECT 'alive'") == b"alive"
    assert isinstance(killer.query(f"KILL CONNECTION (SELECT {number})"), Ok)
    assert client.closed(30)
    assert bystander.value("SELECT 'alive'") == killer.value("SELECT 'alive'") == b"alive"


def test_kill_by_an_expression_leaves_what_a_kill_leaves(any_server, gate, connect):
    for number, statement in ((None, "KILL (SELECT {})"), (1 << 40, "KILL 0 + {}"), (0x7F000000, "KILL QUERY (SELECT {})")):
        victim, killer, direct = connect(), connect(), Client(any_server.port)
        for each in (killer, direct):
            each.query("SELECT 1/0")
        found = number or victim.greeting.thread_id
        if number is None:
            known = Client(any_server.port)
            replies = [killer.query(statement.format(found)), direct.query(statement.format(known.greeting.thread_id))]
            assert victim.closed(30) and known.closed(30)
            assert [type(each) for each in replies] == [Ok, Ok] and replies[0].warnings == replies[1].warnings
        else:
            replies = [each.query(statement.format(found)) for each in (killer, direct)]
            assert replies[0] == replies[1] and replies[0].code == 1094
        assert killer.value("SELECT ROW_COUNT()") == direct.value("SELECT ROW_COUNT()")
        if number is not None:
            assert killer.rows("SHOW WARNINGS") == direct.rows("SHOW WARNINGS")
        direct.close()


def test_kill_by_an_expression_knows_whose_client_it_is(any_server, gate, connect):
    other = connect("admin")
    reply = connect().query(f"KILL 0 + {other.greeting.thread_id}")
    assert isinstance(reply, Err) and reply.code == 1095
    assert other.value("SELECT 'alive'") == b"alive"
    killer = connect()
    killer.query(f"SET @me = {killer.greeting.thread_id}")
    assert killer.query("KILL QUERY @me").code == 1317
    assert killer.value("SELECT 'alive'") == b"alive"
    assert killer.query("KILL @me").code == 1317
    assert killer.closed(30)
