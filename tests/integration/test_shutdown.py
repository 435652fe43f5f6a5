"""The gate's own end and its reloading: SIGTERM drains, SIGHUP changes limits under way, a second one on the same port
says so, and a gate that is killed leaves nothing behind at the server."""
import signal
import subprocess
import time

import pymysql
import pytest

from harness.gate import Gate, GateFailed, program
from harness.load import Load, short_work
from harness.process import wait_until
from harness.raw import Client, Err

SHUTDOWN = 1053


def asked_to_stop(gate, number=signal.SIGTERM):
    gate.signal(number)
    wait_until(lambda: "Stopping" in gate.log_text(), 10, "the gate to hear it")
    return time.monotonic()


def ended(gate, since, what, seconds=20.0):
    code = gate.process.wait(seconds)
    took = time.monotonic() - since
    print(f"\n{what}: ended with {code} after {took:.2f} s")
    assert code == 0, gate.tail()
    return took


def told(client):
    """The error packet that came unasked, as a server sends one before it closes."""
    client.sequence = 0
    error = client.read_reply()
    assert isinstance(error, Err) and (error.code, error.state) == (SHUTDOWN, "08S01"), error
    assert client.closed()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_idle_clients_are_told(any_server, new_gate, number):
    gate = new_gate(any_server)
    clients = [Client(gate.port) for _ in range(20)]
    for client in clients[:10]:
        client.query("SELECT 1")
    since = asked_to_stop(gate, number)
    for client in clients:
        told(client)
    assert ended(gate, since, "20 idle clients") < 10


def test_pinned_clients_that_do_nothing_are_told(any_server, new_gate, schema):
    """Prepared statements, temporary tables, session mode: they hold connections, but nothing is under way."""
    gate = new_gate(any_server, pool={"mode": "session"})
    prepared, table, named = (Client(gate.port) for _ in range(3))
    prepared.prepare("SELECT ?")
    table.query(f"CREATE TEMPORARY TABLE {schema}.t (a INT)")
    named.query("SELECT GET_LOCK('idle', 0)")
    assert gate.api()["active"] == 3
    since = asked_to_stop(gate)
    for client in (prepared, table, named):
        told(client)
    assert ended(gate, since, "three pinned clients") < 10


def test_a_transaction_is_finished(any_server, new_gate, schema):
    any_server.sql(f"CREATE TABLE {schema}.t (a INT)")
    gate = new_gate(any_server)
    client = Client(gate.port)
    client.query("BEGIN")
    client.query(f"INSERT INTO {schema}.t VALUES (1)")
    since = asked_to_stop(gate)
    with pytest.raises(OSError):
        Client(gate.port, timeout=2)
    time.sleep(0.5)
    assert client.query(f"INSERT INTO {schema}.t VALUES (2)").affected == 1
    assert client.query("COMMIT").status is not None
    told(client)
    ended(gate, since, "a transaction that went on for half a second")
    assert any_server.sql(f"SELECT a FROM {schema}.t ORDER BY a") == [(1,), (2,)]


def test_a_statement_under_way_is_finished(any_server, new_gate):
    gate = new_gate(any_server)
    client = Client(gate.port)
    client.send_query("SELECT SLEEP(1), 'done'")
    wait_until(lambda: gate.api()["active"] == 1, 10, "the statement")
    since = asked_to_stop(gate)
    reply = client.read_reply()
    assert reply.rows == [(b"0", b"done")]
    told(client)
    ended(gate, since, "a statement of a second")


def test_a_transaction_that_takes_too_long_is_rolled_back(any_server, new_gate, schema):
    any_server.sql(f"CREATE TABLE {schema}.t (a INT)")
    gate = new_gate(any_server, listen={"drain_timeout": "1s"})
    transaction, query = Client(gate.port), Client(gate.port)
    transaction.query("BEGIN")
    transaction.query(f"INSERT INTO {schema}.t VALUES (1)")
    query.send_query("SELECT SLEEP(60) AS cut_off")
    wait_until(lambda: gate.api()["active"] == 2, 10, "the statements")
    since = asked_to_stop(gate)
    took = ended(gate, since, "a transaction and a query beyond the grace time of 1 s")
    assert took >= 0.9
    assert transaction.closed() and query.closed()
    assert any_server.sql(f"SELECT a FROM {schema}.t FOR UPDATE") == []
    wait_until(lambda: not any("cut_off" in (row["INFO"] or "") for row in any_server.connections()), 10, "the query's end")


def test_told_twice_it_does_not_wait(any_server, new_gate):
    gate = new_gate(any_server)
    client = Client(gate.port)
    client.query("BEGIN")
    client.query("SELECT 1")
    asked_to_stop(gate)
    time.sleep(0.3)
    assert gate.running
    since = time.monotonic()
    gate.signal(signal.SIGTERM)
    assert ended(gate, since, "a second SIGTERM") < 10


def test_who_waits_in_line_is_told(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 1})
    holder, waiter = Client(gate.port), Client(gate.port)
    holder.query("BEGIN")
    holder.query("SELECT 1")
    waiter.send_query("SELECT 2")
    wait_until(lambda: gate.api()["waiting"] == 1, 10, "the line")
    since = asked_to_stop(gate)
    reply = waiter.read_reply()
    assert isinstance(reply, Err) and (reply.code, reply.state) == (SHUTDOWN, "08S01")
    holder.query("COMMIT")
    ended(gate, since, "one in line")


def test_a_gate_under_load_ends_well(mariadb, new_gate):
    """What was begun is answered; nobody sees anything but 1053 or a closed connection."""
    gate = new_gate(mariadb, budget={"max_connections": 10})

    def work(number, load):
        with load.tally.counted("connect"):
            connection = gate.connect()
            with connection.cursor() as cursor:
                while not load.stopping.is_set():
                    with load.tally.counted("statement"):
                        cursor.execute("SELECT SLEEP(0.01)")
                    if load.tally.errors_of("statement") and not connection.open:
                        return
        load.stopping.wait(0.01)

    with Load(50, work) as load:
        load.start()
        wait_until(lambda: load.tally.succeeded > 300, 60, "the load")
        since = asked_to_stop(gate)
        ended(gate, since, "50 clients at work")
        tally = load.stop()
    print(tally)
    assert set(tally.errors) <= {SHUTDOWN, 2006, 2013, 0, "InterfaceError"}, str(tally)


def test_stopped_while_the_server_is_away(new_server, new_gate):
    """Clients in the line, at the door and in a lost transaction do not keep it."""
    server = new_server()
    gate = new_gate(server)
    idle, asking, transaction = (Client(gate.port) for _ in range(3))
    transaction.query("BEGIN")
    transaction.query("SELECT 1")
    server.kill9()
    asking.send_query("SELECT 1")
    with Load(5, short_work(gate)) as newcomers:  # whose passwords were proved already
        newcomers.start()
        wait_until(lambda: gate.api()["clients"]["connected"] == 8, 10, "the newcomers")
        since = asked_to_stop(gate)
        assert ended(gate, since, "the server away") < 15
    idle.close()


def test_stopped_while_logins_wait_for_the_server(new_server, new_gate):
    """Passwords that cannot be proved since the server has gone: the clients wait, but not beyond the gate's end."""
    server = new_server()
    gate = new_gate(server)
    server.kill9()
    with Load(5, short_work(gate)) as newcomers:
        newcomers.start()
        wait_until(lambda: gate.api()["clients"]["connected"] == 5, 10, "the newcomers")
        since = asked_to_stop(gate)
        assert ended(gate, since, "logins that wait for the server") < 15


def test_stopped_while_the_server_stands_still(new_server, new_gate):
    server = new_server()
    gate = new_gate(server, listen={"drain_timeout": "1s"})
    query, transaction, idle = (Client(gate.port) for _ in range(3))
    transaction.query("BEGIN")
    transaction.query("SELECT 1")
    idle.query("SELECT 1")
    query.send_query("SELECT SLEEP(60)")
    wait_until(lambda: gate.api()["active"] == 2, 10, "the statements")
    server.sigstop()
    try:
        time.sleep(0.5)
        since = asked_to_stop(gate)
        assert ended(gate, since, "a server that stands still") < 15
    finally:
        server.sigcont()


def test_sighup_changes_the_limit(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 2})
    assert gate.api()["max"] == 2
    slow = short_work(gate, ("SELECT SLEEP(0.3)",))
    assert Load(10, slow).start().join().errors == {}
    assert gate.api()["open"] == 2

    gate.configure(budget={"max_connections": 8})
    gate.sighup()
    wait_until(lambda: gate.api()["max"] == 8, 10, "the higher limit")
    assert Load(20, slow).start().join().errors == {}
    assert gate.api()["open"] == 8

    gate.configure(budget={"max_connections": 3}, pool={"wait_timeout": "1s"})
    with Load(3, short_work(gate, ("SELECT SLEEP(2)",))) as load:
        load.start()
        wait_until(lambda: gate.api()["active"] == 3, 10, "the sleepers")
        gate.sighup()
        wait_until(lambda: gate.api()["max"] == 3 and gate.api()["open"] == 3, 10, "the lower limit")
        client = Client(gate.port)
        reply = client.query("SELECT 1")
        client.close()
        assert isinstance(reply, Err) and reply.code == 1040 and "waited 1." in reply.message, reply
    assert load.tally.errors == {}


def test_sighup_under_load(mariadb, new_gate):
    """The limit goes up and down all the time: nobody sees an error, and connections follow it."""
    gate = new_gate(mariadb, budget={"max_connections": 20})
    once = short_work(gate, ("SELECT SLEEP(0.01)",) * 3)

    def work(number, load):
        while not load.stopping.is_set():
            once(number, load)

    with Load(60, work) as load:
        load.start()
        for limit in (3, 30, 1, 15, 2, 25):
            gate.configure(budget={"max_connections": limit})
            gate.sighup()
            wait_until(lambda: gate.api()["max"] == limit and gate.api()["open"] <= limit, 20, f"the limit of {limit}")
            before = load.tally.succeeded
            wait_until(lambda: load.tally.succeeded > before + 20, 60, "work")
        tally = load.stop()
    assert tally.errors == {}, str(tally)


def test_a_configuration_that_is_wrong_changes_nothing(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 4})
    held = Client(gate.port)
    held.query("BEGIN")
    gate.configure(budget={"max_conections": 8})
    gate.sighup()
    wait_until(lambda: "max_conections" in gate.log_text(), 10, "the complaint")
    assert "tidegate.toml:" in gate.tail(3)
    assert gate.api()["max"] == 4
    assert held.value("SELECT 1") == b"1"
    held.quit()


def test_sighup_reads_accounts_again(mariadb, new_gate):
    """The account's new password at the server and in the configuration: new clients need it, old ones stay."""
    mariadb.sql("CREATE OR REPLACE USER changing@'%' IDENTIFIED BY 'first'")
    try:
        gate = new_gate(mariadb, user=[{"name": "changing", "password": "first"}])
        old = Client(gate.port, "changing", "first")
        assert old.value("SELECT 1") == b"1"
        mariadb.sql("ALTER USER changing@'%' IDENTIFIED BY 'second'")
        gate.configure(user=[{"name": "changing", "password": "second"}])
        gate.sighup()
        wait_until(lambda: "read again" in gate.log_text(), 10, "the reload")
        with gate.connect("changing", "second") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 2")
        with pytest.raises(pymysql.err.OperationalError, match="1045"):
            gate.connect("changing", "first")
        old.quit()
    finally:
        mariadb.sql("DROP USER changing@'%'")


def test_a_second_gate_on_the_same_port(any_server, new_gate):
    gate = new_gate(any_server)
    run = subprocess.run([program(), "serve", "-c", str(gate.folder / "tidegate.toml")], capture_output=True, text=True,
                         timeout=60)
    said = (run.stdout + run.stderr).strip().splitlines()[-1]
    print(f"\n{said} (exit code {run.returncode})")
    assert run.returncode not in (0, None) and run.returncode > 0
    assert str(gate.port) in said and "in use" in said and "another tidegate" in said
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'the first one still serves'")


def test_a_gate_whose_api_port_is_taken(any_server, new_gate):
    gate = new_gate(any_server)
    with pytest.raises(GateFailed, match=rf"cannot listen on .*{gate.api_port}.*in use"):
        other = Gate(any_server, wait_ready=False, api={"address": f"127.0.0.1:{gate.api_port}"})
        other.process.wait(20)
        other._answers("/readyz", True)


def test_a_killed_gate_leaves_nothing_at_the_server(new_server, new_gate):
    server = new_server()
    server.sql("CREATE TABLE app.t (a INT) ENGINE=InnoDB")
    gate = new_gate(server)
    writer, idle = Client(gate.port), Client(gate.port)
    writer.query("BEGIN")
    writer.query("INSERT INTO app.t VALUES (1)")
    idle.query("SELECT 1")
    gate.kill9()
    killed = time.monotonic()
    assert writer.closed() and idle.closed()
    wait_until(lambda: not server.connections("app") and not server.connections("monitor"), 15, "the connections' end")
    print(f"\nthe server had no connection of the gate any more after {time.monotonic() - killed:.2f} s")
    assert server.sql("SELECT a FROM app.t FOR UPDATE") == []
    gate.start()
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM app.t")
        assert cursor.fetchone() == (0,)
