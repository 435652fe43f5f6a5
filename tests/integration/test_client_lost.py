"""A client process is killed (-9) at the worst moments: its connection is free again, nothing of it is left, and the gate
held no more than a buffer for it."""
import os
import pathlib
import subprocess
import sys
import textwrap
import time

import pymysql
import pytest
from pymysql.constants import SERVER_STATUS

from harness.load import Load, short_work
from harness.process import wait_until
from harness.raw import Capability, Client, DEFAULT, LocalInfile, Ok

TESTS = pathlib.Path(__file__).resolve().parents[1]
LONG = bool(os.environ.get("TIDEGATE_LONG"))
MEGABYTE = 1 << 20
BUFFER = 64  # KiB a client that the gate may hold
SLACK = 8192  # KiB for all that is not a client's buffer: arenas of threads, logs, the monitor's and the pool's own
if os.environ.get("TIDEGATE_SANITIZE"):
    SLACK = 128 * 1024  # a sanitizer keeps what was freed
GENEROUS = 15


class Victim:
    """A client as a process of its own; `code` runs with `client`, a raw client, and says "ready" when it is time."""

    def __init__(self, gate, code, **arguments):
        program = textwrap.dedent("""
            import sys, time
            sys.path.insert(0, {tests!r})
            from harness.raw import *
            client = Client({port}, timeout=120, **{arguments!r})
            def ready():
                print("ready", flush=True)
        """).format(tests=str(TESTS), port=gate.port, arguments=arguments) + textwrap.dedent(code)
        self.process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def wait_ready(self):
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        return time.monotonic()


@pytest.fixture
def victims():
    made = []

    def make(*arguments, **named):
        made.append(Victim(*arguments, **named))
        return made[-1]

    yield make
    for victim in made:
        if victim.process.poll() is None:
            victim.kill9()


def free_again(gate, killed, what):
    """Waits until no lease is left; says how long that took."""
    wait_until(lambda: gate.api()["active"] == 0, GENEROUS, f"the connection to be free after {what}", pause=0.01)
    took = time.monotonic() - killed
    print(f"\nkilled in {what}: the connection was free again after {took * 1000:.0f} ms")
    return took


def check_clean(gate):
    """The next client gets a session without a trace of the one before."""
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @left, @@session.sql_mode = @@global.sql_mode, @@session.autocommit, "
                       "@@session.time_zone, DATABASE(), IS_USED_LOCK('of the victim')")
        assert cursor.fetchone() == (None, 1, 1, "SYSTEM", None, None)
        with pytest.raises(pymysql.err.ProgrammingError, match="app_left_behind"):
            cursor.execute("SELECT * FROM app.app_left_behind")
        cursor.execute("DO 1")
        assert not connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS


@pytest.fixture
def table(any_server, schema):
    any_server.sql(f"CREATE TABLE {schema}.t (id INT PRIMARY KEY, v VARCHAR(64)) ENGINE=InnoDB",
                   f"INSERT INTO {schema}.t VALUES (1, 'before'), (2, 'before')")
    return f"{schema}.t"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_killed_in_a_transaction(any_server, new_gate, table, victims, tls):
    # One connection: the next client gets the victim's.
    gate = new_gate(any_server, budget={"max_connections": 1})
    victim = victims(gate, f"""
        client.query("SET @left = 1"); client.query("SET time_zone = '+03:00'"); client.query("SELECT GET_LOCK('of the victim', 0)")
        client.query("SET SESSION sql_mode = 'ANSI'"); client.query("CREATE TEMPORARY TABLE app.app_left_behind (a INT)")
        client.query("SET autocommit = 0"); client.query("BEGIN")
        client.query("UPDATE {table} SET v = 'of the victim' WHERE id = 1"); client.query("INSERT INTO {table} VALUES (3, 'of the victim')")
        ready(); time.sleep(60)
    """, tls=tls).wait_ready()
    assert gate.api()["active"] == 1
    took = free_again(gate, victim.kill9(), "a transaction")
    rows = any_server.sql("SET innodb_lock_wait_timeout = 10", f"SELECT * FROM {table} ORDER BY id FOR UPDATE")
    assert rows == [(1, "before"), (2, "before")]
    check_clean(gate)
    assert took < GENEROUS


def test_killed_in_a_transaction_while_others_want_its_rows(any_server, new_gate, table, victims):
    """No COMMIT of a half-done transaction, and no lock that stays: who waited for the row gets it."""
    gate = new_gate(any_server)
    victim = victims(gate, f"""
        client.query("BEGIN"); client.query("UPDATE {table} SET v = 'of the victim'"); ready(); time.sleep(60)
    """).wait_ready()
    with gate.connect(read_timeout=60) as connection, connection.cursor() as cursor:
        load = Load(1, lambda number, load: cursor.execute(f"UPDATE {table} SET v = CONCAT(v, '+') WHERE id = 1")).start()
        wait_until(lambda: gate.api()["active"] == 2, 10, "the one who waits for the row")
        killed = victim.kill9()
        tally = load.join()
        print(f"\nthe row was free {(time.monotonic() - killed) * 1000:.0f} ms after the kill")
        assert tally.errors == {}, str(tally)
    assert any_server.sql(f"SELECT v FROM {table} WHERE id = 1") == [("before+",)]


def statements(server):
    return [row["INFO"] for row in server.connections("app") if row["INFO"]]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_killed_in_a_long_query(any_server, new_gate, victims, tls):
    gate = new_gate(any_server, budget={"max_connections": 1})
    victim = victims(gate, """client.send_query("SELECT SLEEP(60)"); ready(); time.sleep(60)""", tls=tls).wait_ready()
    wait_until(lambda: any("SLEEP(60)" in text for text in statements(any_server)), 10, "the query")
    killed = victim.kill9()
    wait_until(lambda: not any("SLEEP(60)" in text for text in statements(any_server)), GENEROUS, "the query's end", pause=0.01)
    print(f"\nthe query was gone from the server after {(time.monotonic() - killed) * 1000:.0f} ms")
    free_again(gate, killed, "a long query")
    check_clean(gate)


def test_killed_in_a_long_write(any_server, new_gate, table, victims):
    """A statement that nobody waits for any more is ended and rolled back, not left to run."""
    gate = new_gate(any_server, budget={"max_connections": 1})
    victim = victims(gate, f"""
        client.send_query("UPDATE {table} SET v = SLEEP(30)"); ready(); time.sleep(60)
    """).wait_ready()
    wait_until(lambda: any("SLEEP(30)" in text for text in statements(any_server)), 10, "the write")
    free_again(gate, victim.kill9(), "a long write")
    wait_until(lambda: not any("SLEEP(30)" in text for text in statements(any_server)), GENEROUS, "the write's end")
    assert any_server.sql(f"SELECT DISTINCT v FROM {table}") == [("before",)]
    check_clean(gate)


def big_tables(server, schema):
    """1024 rows; crossed with themselves, 1 KiB each, 1 GiB."""
    server.sql(f"CREATE TABLE {schema}.n (a INT PRIMARY KEY) ENGINE=InnoDB",
               f"INSERT INTO {schema}.n VALUES {', '.join(f'({n})' for n in range(1024))}")
    return f"SELECT REPEAT('x', 1020) FROM {schema}.n a, {schema}.n b"


def level(gate, before, clients, what):
    grown = gate.memory()["private"] - before
    print(f"\n{what}: private memory {before} KiB, {grown:+d} KiB with {clients} clients")
    assert grown <= clients * BUFFER + SLACK
    return grown


def warmed(gate):
    """Buffers, frames and the log's arena are there already: what is measured then is what clients cost."""
    tally = Load(20, short_work(gate, ("SELECT REPEAT('x', 200000)",))).start().join()
    assert tally.errors == {}, str(tally)
    return gate.memory()["private"]


READ = """
    client.send_query({query!r})
    got = 0
    while True:
        data = client.socket.recv(1 << 20)
        assert data, "the gate closed the connection"
        got += len(data)
        if got >= {enough}:
            break
    ready(); {then}
"""


def test_a_big_result_passes_through(any_server, new_gate, schema):
    """256 MiB (1 GiB with TIDEGATE_LONG=1), by one client, while the gate's memory is watched."""
    rows = 1024 * 1024 if LONG else 256 * 1024
    query = big_tables(any_server, schema) + f" LIMIT {rows}"
    gate = new_gate(any_server)
    before = warmed(gate)
    client = Client(gate.port, timeout=120)
    began = time.monotonic()
    client.send_query(query)
    got, peak = 0, before
    while got < rows * 1027:  # rows of 1027 bytes: header, length, text
        data = client.socket.recv(4 * MEGABYTE)
        assert data
        got += len(data)
        if got // (32 * MEGABYTE) != (got - len(data)) // (32 * MEGABYTE):
            peak = max(peak, gate.memory()["private"])
    took = time.monotonic() - began
    print(f"\n{got / MEGABYTE:.0f} MiB in {took:.1f} s, {got / MEGABYTE / took:.0f} MiB/s; private memory {before} KiB, "
          f"{peak - before:+d} KiB at most")
    assert peak - before <= BUFFER + SLACK
    client.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("read", [1, 50], ids=["at its beginning", "after 50 MiB"])
def test_killed_in_a_result_of_a_gigabyte(any_server, new_gate, schema, victims, read, tls):
    query = big_tables(any_server, schema)
    gate = new_gate(any_server, budget={"max_connections": 1})
    before = warmed(gate)
    victim = victims(gate, READ.format(query=query, enough=read * MEGABYTE, then="time.sleep(60)"), tls=tls).wait_ready()
    level(gate, before, 1, f"a client that stopped reading a result of 1 GiB after {read} MiB")
    free_again(gate, victim.kill9(), f"a result of 1 GiB, after {read} MiB")
    wait_until(lambda: not statements(any_server), GENEROUS, "the query's end")
    level(gate, before, 0, "after its end")
    check_clean(gate)


def test_slow_readers_cost_a_buffer_each(any_server, new_gate, schema):
    """Thirty clients stop reading in the middle of big results; others are served, and the memory stays level."""
    query = big_tables(any_server, schema)
    gate = new_gate(any_server, budget={"max_connections": 40})
    before = warmed(gate)
    slow = []
    for _ in range(30):
        slow.append(Client(gate.port, timeout=120))
        slow[-1].send_query(query)
    wait_until(lambda: gate.api()["active"] == 30, 20, "their results")
    counted = -1
    while gate.api()["work"]["bytes_to_clients"] != counted:  # until all sockets are full
        counted = gate.api()["work"]["bytes_to_clients"]
        time.sleep(0.3)
    level(gate, before, 30, "thirty clients that stopped reading")
    tally = Load(100, short_work(gate)).start().join()
    assert tally.errors == {} and tally.succeeded == 100, str(tally)
    # One reads on: it gets all that it asked for.
    got = 0
    while got < 20 * MEGABYTE:
        data = slow[0].socket.recv(4 * MEGABYTE)
        assert data, "the gate closed the connection of a slow reader"
        got += len(data)
    for client in slow:
        client.close()
    free_again(gate, time.monotonic(), "thirty results at once")
    wait_until(lambda: not statements(any_server), GENEROUS, "the queries' end")


def test_killed_in_load_data_local(any_server, new_gate, table, victims):
    gate = new_gate(any_server, budget={"max_connections": 1})
    victim = victims(gate, f"""
        assert isinstance(client.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE {table} FIELDS TERMINATED BY ','"), LocalInfile)
        for start in range(10, 20000, 1000):
            client.send_packet("".join(f"{{n}},of the victim\\n" for n in range(start, start + 1000)).encode())
        ready(); time.sleep(60)
    """, capabilities=int(DEFAULT | Capability.LOCAL_FILES)).wait_ready()
    free_again(gate, victim.kill9(), "LOAD DATA LOCAL")
    wait_until(lambda: not statements(any_server), GENEROUS, "the statement's end")
    assert any_server.sql("SET innodb_lock_wait_timeout = 10", f"SELECT id FROM {table} FOR UPDATE") == [(1,), (2,)]
    check_clean(gate)


def test_gone_in_load_data_local_that_waits_for_a_lock(any_server, new_gate, table):
    """The server does not read on, so the gate's socket to it is full when the client goes: noticed all the same. (But
    not while the client's own bytes still stand before its end, as it would be without a gate.)"""
    gate = new_gate(any_server, budget={"max_connections": 1})
    blocker = any_server.connect()
    blocker.begin()
    with blocker.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (50, 'of another')")
    client = Client(gate.port, capabilities=DEFAULT | Capability.LOCAL_FILES)
    # A statement that gave up its wait would read on for ever.
    assert isinstance(client.query("SET SESSION innodb_lock_wait_timeout = 600"), Ok)
    reply = client.query(f"LOAD DATA LOCAL INFILE 'x' INTO TABLE {table} FIELDS TERMINATED BY ','")
    assert isinstance(reply, LocalInfile)
    before, sent, number = gate.api()["work"]["bytes_from_clients"], 0, 10

    def stuck():
        seen = -1
        while (now := gate.api()["work"]["bytes_from_clients"] - before) != seen:
            if now == sent:
                return False
            seen = now
            time.sleep(0.2)
        return True

    while not stuck():
        assert sent < 100 * MEGABYTE, "the server reads on, whatever it is sent"
        data = "".join(f"{n},of the client\n" for n in range(number, number + 20000)).encode()
        client.send_packet(data)
        sent += 4 + len(data)
        number += 20000
    print(f"\nthe server took {sent} bytes and then no more")
    try:
        client.close()
        free_again(gate, time.monotonic(), "LOAD DATA LOCAL that waits for a lock")
    finally:
        blocker.rollback()
        blocker.close()
    check_clean(gate)


def test_load_data_local_memory(any_server, new_gate, schema):
    """20 MB of a local file (200 MB with TIDEGATE_LONG=1), streamed."""
    megabytes = 200 if LONG else 20
    any_server.sql(f"CREATE TABLE {schema}.big (a VARCHAR(1000)) ENGINE=InnoDB")
    gate = new_gate(any_server)
    before = warmed(gate)
    client = Client(gate.port, capabilities=DEFAULT | Capability.LOCAL_FILES, timeout=120)
    client.query("BEGIN")
    # Every line is skipped: it is the way that is tested, not the table.
    reply = client.query(f"LOAD DATA LOCAL INFILE 'x' INTO TABLE {schema}.big IGNORE 100000000 LINES")
    assert isinstance(reply, LocalInfile)
    chunk = (b"y" * 999 + b"\n") * 1000
    peak = before
    for turn in range(megabytes):
        client.send_packet(chunk)
        if turn % 10 == 9:
            peak = max(peak, gate.memory()["private"])
    client.send_packet(b"")
    assert isinstance(client.read_reply(), Ok)
    print(f"\n{megabytes} MB of LOAD DATA LOCAL: private memory {before} KiB, {peak - before:+d} KiB at most")
    assert peak - before <= BUFFER + SLACK
    client.query("ROLLBACK")
    client.quit()


def test_killed_in_a_large_statement(any_server, new_gate, table, victims):
    """Half of a statement of 8 MB has come when its client dies."""
    gate = new_gate(any_server, budget={"max_connections": 1})
    before = warmed(gate)
    victim = victims(gate, f"""
        text = b"\\x03INSERT INTO {table} VALUES (3, '" + b"x" * (8 << 20)
        client.send_bytes((len(text) + 100).to_bytes(3, "little") + b"\\0" + text)
        ready(); time.sleep(60)
    """).wait_ready()
    level(gate, before, 1, "half of a statement of 8 MB")
    free_again(gate, victim.kill9(), "a statement of 8 MB, half sent")
    check_clean(gate)


def test_killed_while_it_waits_in_line(any_server, new_gate, victims):
    gate = new_gate(any_server, budget={"max_connections": 1})
    holder = Client(gate.port)
    holder.query("BEGIN")
    holder.query("SELECT 1")
    waiting = [victims(gate, """client.send_query("SELECT 1"); ready(); time.sleep(60)""") for _ in range(3)]
    for victim in waiting:
        victim.wait_ready()
    wait_until(lambda: gate.api()["waiting"] == 3, 10, "the line")
    for victim in waiting:
        victim.kill9()
    wait_until(lambda: gate.api()["waiting"] == 0, GENEROUS, "the line to empty")
    assert gate.api()["clients"]["connected"] == 1
    assert holder.value("SELECT 2") == b"2"
    holder.query("COMMIT")
    holder.quit()
    check_clean(gate)


def test_a_hundred_clients_killed_at_once(any_server, new_gate, table, victims):
    """One process with a hundred connections, a third of them each idle, in a transaction, and in a query."""
    gate = new_gate(any_server, budget={"max_connections": 80})
    victim = victims(gate, f"""
        others = [Client(client.socket.getpeername()[1]) for _ in range(99)]
        for number, each in enumerate(others):
            if number % 3 == 1:
                each.query("BEGIN"); each.query(f"INSERT INTO {table} VALUES ({{100 + number}}, 'of the victim')")
            elif number % 3 == 2:
                each.send_query("SELECT SLEEP(60)")
        ready(); time.sleep(60)
    """).wait_ready()
    wait_until(lambda: gate.api()["active"] == 66, 20, "their leases")
    killed = victim.kill9()
    free_again(gate, killed, "a hundred sessions at once")
    wait_until(lambda: gate.api()["clients"]["connected"] == 0, GENEROUS, "the clients' end")
    wait_until(lambda: not statements(any_server), GENEROUS, "the queries' end")
    print(f"all gone from the server after {time.monotonic() - killed:.2f} s")
    assert any_server.sql("SET innodb_lock_wait_timeout = 10", f"SELECT id FROM {table} FOR UPDATE") == [(1,), (2,)]
    tally = Load(100, short_work(gate)).start().join()
    assert tally.errors == {}, str(tally)


@pytest.mark.skipif(not LONG, reason="a minute of churn; TIDEGATE_LONG=1 runs it")
def test_memory_after_many_lost_clients(mariadb, new_gate):
    """Clients come and vanish in every state for a minute: memory, descriptors and leases are as before."""
    gate = new_gate(mariadb, budget={"max_connections": 20})
    deadline = time.monotonic() + 60

    def work(number, load):
        turn = number
        while time.monotonic() < deadline:
            turn += 1
            with load.tally.counted():
                client = Client(gate.port)
                if turn % 4 == 1:
                    client.query("BEGIN")
                    client.query("SELECT 1")
                elif turn % 4 == 2:
                    client.send_query("SELECT SLEEP(5)")
                elif turn % 4 == 3:
                    client.send_query("SELECT REPEAT('x', 1000000)")
                client.close()

    warm = Load(50, short_work(gate)).start().join()
    assert warm.errors == {}, str(warm)
    before, files = gate.memory()["private"], gate.process.open_files()
    tally = Load(20, work).start().join()
    wait_until(lambda: gate.api()["active"] == 0 and gate.api()["clients"]["connected"] == 0, 30, "quiet")
    print(f"\n{tally.succeeded} clients vanished: private memory {gate.memory()['private'] - before:+d} KiB, "
          f"{gate.process.open_files() - files:+d} descriptors")
    assert tally.errors == {}, str(tally)
    assert gate.memory()["private"] - before < 4096
    assert gate.process.open_files() - files <= 20
