"""The server dies, stops or throws a connection out under load. What was in flight ends with its connection (2013) and is never run
twice; plain reads wait and go on; nothing has to be restarted. TIDEGATE_LONG=1 stops the server for 20 s, not 6."""
import collections
import contextlib
import itertools
import os
import threading
import time

import MySQLdb
import pymysql
import pytest

from harness.load import Load, short_work
from harness.process import wait_until
from harness.raw import DEFAULT, Capability, Client, Err, LocalInfile

LONG = bool(os.environ.get("TIDEGATE_LONG"))
AWAY = 20 if LONG else 6
CLIENTS = 64
LOST = 2013  # as client libraries call it when their connection ends


def ends():
    """The connection ends without a word, as it would without a gate."""
    return pytest.raises((EOFError, ConnectionError))


class Ledger:
    """Which writes were sent, and which of them were acknowledged. Ids are the clients' own."""

    def __init__(self):
        self._ids = itertools.count(1)
        self.acknowledged = collections.defaultdict(set)  # by table
        self.unknown = collections.defaultdict(set)

    def next(self):
        return next(self._ids)


@contextlib.contextmanager
def write(ledger, *entries):
    try:
        yield
    except BaseException:
        for table, number in entries:
            ledger.unknown[table].add(number)
        raise
    for table, number in entries:
        ledger.acknowledged[table].add(number)


def kinds_of_work(schema, ledger):
    """What clients do; each is called with a connection that is theirs."""

    def insert(table):
        def work(connection):
            number = ledger.next()
            with write(ledger, (table, number)), connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO {schema}.{table} (id) VALUES (%s)", (number,))
        return work

    def transaction(connection):
        one, two = ledger.next(), ledger.next()
        with write(ledger, ("innodb", one), ("innodb", two)), connection.cursor() as cursor:
            connection.begin()
            cursor.execute(f"INSERT INTO {schema}.innodb (id) VALUES (%s)", (one,))
            cursor.execute("SELECT SLEEP(0.01)")
            cursor.execute(f"INSERT INTO {schema}.innodb (id) VALUES (%s)", (two,))
            connection.commit()

    def read(connection):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT a, b FROM {schema}.facts WHERE a BETWEEN 10 AND 30 ORDER BY a")
            rows = cursor.fetchall()
            if rows != tuple((n, n * n) for n in range(10, 31)):
                raise AssertionError(f"wrong rows: {rows}")

    return {"insert_innodb": insert("innodb"), "insert_myisam": insert("myisam"), "transaction": transaction,
            "read": read}


def make_tables(server, schema):
    # No unique key: a row that is written twice must show.
    server.sql(f"CREATE TABLE {schema}.innodb (id INT, INDEX (id)) ENGINE=InnoDB",
               f"CREATE TABLE {schema}.myisam (id INT, INDEX (id)) ENGINE=MyISAM",
               f"CREATE TABLE {schema}.facts (a INT PRIMARY KEY, b INT) ENGINE=InnoDB",
               f"INSERT INTO {schema}.facts VALUES {', '.join(f'({n}, {n * n})' for n in range(100))}")


def mixed_load(gate, schema, ledger):
    """64 clients, a quarter for each kind of work; a client whose connection is lost makes a new one and goes on."""
    kinds = list(kinds_of_work(schema, ledger).items())

    def work(number, load):
        kind, what = kinds[number % len(kinds)]
        connection = None
        while not load.stopping.is_set():
            if connection is None:
                with load.tally.counted("connect"):
                    connection = gate.connect(connect_timeout=60)
            if connection is None:
                time.sleep(0.05)
                continue
            failed = True
            with load.tally.counted(kind):
                what(connection)
                failed = False
            if failed:
                with contextlib.suppress(pymysql.MySQLError, OSError):
                    connection.close()
                connection = None
            time.sleep(0.002)
        if connection is not None:
            connection.close()

    return Load(CLIENTS, work)


def check_ledger(server, schema, ledger, lossless=("innodb",)):
    for table in ("innodb", "myisam"):
        known = ledger.acknowledged[table] | ledger.unknown[table]
        rows = server.sql(f"SELECT id, COUNT(*) FROM {schema}.{table} GROUP BY id")
        if table not in lossless:  # a table that was repaired after a crash has rubbish, too
            rows = [row for row in rows if row[0] in known]
        twice = [number for number, count in rows if count > 1]
        there = {number for number, _ in rows}
        missing = ledger.acknowledged[table] - there
        print(f"{table}: {len(ledger.acknowledged[table])} acknowledged, {len(ledger.unknown[table])} unknown, "
              f"{len(rows)} rows, {len(twice)} twice, {len(missing)} acknowledged but missing")
        assert twice == []
        assert there <= known
        if table in lossless:
            assert missing == set()


def report(what, tally, back):
    latest = {}
    for kind in sorted(tally.done):
        latest[kind] = tally.first_after(back, kind)
    print(f"\n{what}: {tally}\nfirst work begun and done after the server's return: "
          + ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in latest.items() if seconds is not None))


def all_back(load, back):
    """How long after `back` every one of the four kinds was done again by as many clients as there are."""
    def fresh():
        begun = [kind for kind, _, ended in load.tally.times[-4000:] if ended > back]
        counts = collections.Counter(begun)
        return all(counts[kind] >= CLIENTS // 4 for kind in ("insert_innodb", "insert_myisam", "transaction", "read"))
    wait_until(fresh, 60, "everybody at work again")
    return time.monotonic() - back


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_server_killed_under_load(new_server, new_gate, new_schema, kind):
    server = new_server(kind, innodb_flush_log_at_trx_commit=1, max_connections=100)
    schema = new_schema(server)
    make_tables(server, schema)
    if kind == "mariadb":
        server.sql(f"FLUSH TABLES {schema}.myisam")
    gate = new_gate(server)
    ledger = Ledger()
    with mixed_load(gate, schema, ledger) as load:
        load.start()
        wait_until(lambda: load.tally.succeeded > 1000, 60, "the load")
        server.kill9()
        killed = time.monotonic()
        time.sleep(5)
        away = gate.api()
        server.start()
        back = time.monotonic()
        took = all_back(load, back)
        time.sleep(1)
        tally = load.stop()
    report(f"kill -9 of {server.name}", tally, back)
    print(f"while it was away: {away['waiting']} waiting, {away['open']} open; everybody at work again {took:.2f} s after its "
          f"return; reads that waited: p100 {tally.latency(1, 'read'):.1f} s")
    assert away["waiting"] > 0 and away["open"] == 0 and away["active"] == 0
    assert set(tally.errors) <= {LOST}, str(tally)
    assert tally.errors_of("read") == {} and tally.errors_of("connect") == {}, str(tally)
    assert sum(tally.errors.values()) <= CLIENTS, "each client had one thing in flight at most"
    late = [(kind, f"begun {began - killed:.3f} s after the kill", error) for kind, began, _, error in tally.failures
            if began > killed]
    assert late == [], "what begins when the server is gone waits for it"
    assert took < 10
    # A crash may leave a MyISAM table marked; its rows are another matter.
    server.sql(f"REPAIR TABLE {schema}.myisam")
    check_ledger(server, schema, ledger)
    assert gate.api()["active"] == 0


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_server_stopped_under_load(new_server, new_gate, new_schema, kind):
    server = new_server(kind, max_connections=100)
    schema = new_schema(server)
    make_tables(server, schema)
    gate = new_gate(server)
    ledger = Ledger()
    with mixed_load(gate, schema, ledger) as load:
        load.start()
        wait_until(lambda: load.tally.succeeded > 1000, 60, "the load")
        newcomers = Load(10, short_work(gate, ("SELECT 1",)))
        server.sigstop()
        try:
            time.sleep(1)
            newcomers.start()
            time.sleep(AWAY - 1)
            away = gate.api()
        finally:
            server.sigcont()
        back = time.monotonic()
        took = all_back(load, back)
        late = newcomers.join()
        tally = load.stop()
    report(f"SIGSTOP of {server.name} for {AWAY} s", tally, back)
    print(f"while it stood: {away['waiting']} waiting, {away['active']} active; everybody at work again {took:.2f} s after it went on")
    assert tally.errors == {}, str(tally)
    assert late.errors == {} and late.succeeded == 10, str(late)
    assert took < 10
    check_ledger(server, schema, ledger, lossless=("innodb", "myisam"))


def gate_connections(server, user="app"):
    return [row for row in server.connections(user)]


def test_a_dba_kills_a_connection_at_work(mariadb, new_gate):
    gate = new_gate(mariadb)
    victim, other = Client(gate.port), Client(gate.port)
    victim.send_query("SELECT SLEEP(30) AS marked_for_death")
    row = wait_until(lambda: next((row for row in gate_connections(mariadb) if "marked_for_death" in (row["INFO"] or "")), None),
                     10, "the statement")
    other.query("SELECT 1")
    began = time.monotonic()
    mariadb.sql(f"KILL {row['ID']}")
    with ends():
        victim.read_reply()
    print(f"\nKILL seen after {time.monotonic() - began:.2f} s")
    assert other.value("SELECT 2") == b"2"
    wait_until(lambda: gate.api()["active"] == 0, 10, "the lease to end")
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 3")
        assert cursor.fetchone() == (3,)


def test_a_dba_kills_an_idle_connection(mariadb, new_gate):
    """Nobody notices; and a read whose connection goes at the last moment is not run on a guess either."""
    gate = new_gate(mariadb)
    client = Client(gate.port)
    for turn in range(20):
        assert client.value(f"SELECT {turn}") == str(turn).encode()
        for row in gate_connections(mariadb):
            with contextlib.suppress(pymysql.MySQLError):
                mariadb.sql(f"KILL {row['ID']}")
    assert client.value("SELECT 'still here'") == b"still here"
    client.quit()


def test_a_dba_kills_a_transaction(mariadb, new_gate, new_schema):
    """The client's next statement gets 2013: going on would commit half of its work."""
    schema = new_schema(mariadb)
    mariadb.sql(f"CREATE TABLE {schema}.t (a INT) ENGINE=InnoDB")
    gate = new_gate(mariadb)
    client = Client(gate.port)
    client.query("BEGIN")
    client.query(f"INSERT INTO {schema}.t VALUES (1)")
    row = wait_until(lambda: next(iter(gate_connections(mariadb)), None), 10, "the connection")
    mariadb.sql(f"KILL {row['ID']}")
    wait_until(lambda: not gate_connections(mariadb), 10, "its end")
    with ends():
        client.query(f"INSERT INTO {schema}.t VALUES (2)")
    assert client.closed()
    assert mariadb.sql(f"SELECT * FROM {schema}.t") == []


def test_an_idle_transaction_does_not_hold_a_dead_connection(new_server, new_gate):
    """Clients that sit in transactions over the server's end must not keep its successor's room from others."""
    server = new_server()
    gate = new_gate(server, budget={"max_connections": 4})
    held = [Client(gate.port) for _ in range(4)]
    for client in held:
        client.query("BEGIN")
        client.query("SELECT 1")
    assert gate.api()["active"] == 4
    server.kill9()
    wait_until(lambda: gate.api()["active"] == 0, 10, "the dead connections to be noticed")
    server.start()
    back = time.monotonic()
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    print(f"\nthe next client was served {time.monotonic() - back:.2f} s after the server's return")
    for client in held:
        with ends():
            client.query("SELECT 2")
        assert client.closed()


def test_the_server_closes_idle_connections(new_server, new_gate):
    """A low wait_timeout at the server: nobody notices."""
    server = new_server(wait_timeout=1, interactive_timeout=1)
    gate = new_gate(server)

    def work(number, load):
        with gate.connect() as connection, connection.cursor() as cursor:
            for turn in range(8):
                with load.tally.counted():
                    cursor.execute("SELECT %s", (turn,))
                    assert cursor.fetchone() == (turn,)
                time.sleep(0.9 + 0.01 * number)

    tally = Load(20, work).start().join()
    print(f"\nwait_timeout=1: {tally}; closed {gate.api()['closed']}")
    assert tally.errors == {} and tally.succeeded == 160, str(tally)
    closed = gate.api()["closed"]
    assert closed["server_closed"] + closed["retired_idle"] > 0


def test_a_read_in_flight_waits_for_the_server(new_server, new_gate):
    """One long plain read, cut off by the server's end before its first row: it is run again."""
    server = new_server()
    server.sql("CREATE TABLE app.numbers (a INT PRIMARY KEY) ENGINE=InnoDB",
               f"INSERT INTO app.numbers VALUES {', '.join(f'({n})' for n in range(1500))}")
    gate = new_gate(server)
    client = Client(gate.port)
    client.query("SELECT 1")
    time.sleep(1.5)  # the server's Uptime is in whole seconds
    heavy = "SELECT COUNT(*) FROM app.numbers x, app.numbers y, app.numbers z WHERE x.a + y.a + z.a < 0"
    client.send_query(heavy)
    wait_until(lambda: any("numbers" in (row["INFO"] or "") for row in gate_connections(server)), 10, "the read")
    server.kill9()
    time.sleep(1)
    server.start()
    server.sql("SET GLOBAL max_statement_time = 0")
    wait_until(lambda: any("numbers" in (row["INFO"] or "") for row in gate_connections(server)), 20, "the read, again")
    row = next(row for row in gate_connections(server) if "numbers" in (row["INFO"] or ""))
    server.sql(f"KILL QUERY {row['ID']}")
    reply = client.read_reply()
    error = reply if isinstance(reply, Err) else reply.end
    assert isinstance(error, Err) and error.code == 1317, reply
    assert client.value("SELECT 2") == b"2"
    client.quit()


def test_a_write_in_flight_is_told_and_not_repeated(new_server, new_gate):
    server = new_server()
    server.sql("CREATE TABLE app.w (a INT) ENGINE=MyISAM")
    gate = new_gate(server)
    client = Client(gate.port)
    client.send_query("INSERT INTO app.w SELECT SLEEP(30)")
    wait_until(lambda: any("app.w" in (row["INFO"] or "") for row in gate_connections(server)), 10, "the write")
    server.kill9()
    with ends():
        client.read_reply()
    server.start()
    assert server.sql("SELECT * FROM app.w") == []
    again = Client(gate.port)
    assert again.value("SELECT COUNT(*) FROM app.w") == b"0"
    again.quit()


def test_lost_before_a_write_of_a_transaction_is_sent(new_server, new_gate):
    """The gate is restoring LAST_INSERT_ID() for it: the client's connection ends, as the server's did, without an error packet."""
    server = new_server()
    server.sql("CREATE TABLE app.ids (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB")
    gate = new_gate(server, budget={"max_connections": 1})
    one, other = Client(gate.port), Client(gate.port)
    for client in (one, other):
        client.query("INSERT INTO app.ids VALUES ()")
    one.query("BEGIN")
    server.sigstop()
    one.send_query("INSERT INTO app.ids VALUES ()")
    time.sleep(0.5)  # sooner, the insert itself may be what is lost: the same for the client
    server.kill9()
    with ends():
        one.read_reply()
    server.start()
    assert server.sql("SELECT COUNT(*) FROM app.ids") == [(2,)]
    assert other.value("SELECT LAST_INSERT_ID()") == b"2"


def test_killed_in_the_middle_of_a_result(new_server, new_gate):
    """Rows are with the client already, so no error could be told and nothing is run again: its connection ends."""
    server = new_server()
    gate = new_gate(server)
    client = Client(gate.port)
    client.send_query("SELECT REPEAT('x', 1000) FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b, "
                      "information_schema.COLLATIONS c")
    got = len(client.socket.recv(100000))
    server.kill9()
    while data := client.socket.recv(1 << 20):
        got += len(data)
    print(f"\n{got} bytes, then the end")
    wait_until(lambda: gate.api()["active"] == 0, 10, "the lease to end")
    assert gate.api()["clients"]["ended"]["server_lost"] == 1


def test_killed_in_load_data_local(new_server, new_gate):
    """The client must say all of its file before it can notice that it was in vain: then its connection ends."""
    server = new_server()
    server.sql("CREATE TABLE app.l (a INT)")
    gate = new_gate(server)
    client = Client(gate.port, capabilities=DEFAULT | Capability.LOCAL_FILES)
    assert isinstance(client.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE app.l"), LocalInfile)
    lines = b"".join(b"%d\n" % n for n in range(10000))
    client.send_packet(lines)
    server.kill9()
    for _ in range(20):
        client.send_packet(lines)
    client.send_packet(b"")
    assert client.closed()
    assert gate.api()["clients"]["ended"]["server_lost"] == 1
    server.start()
    assert server.sql("SELECT COUNT(*) FROM app.l") == [(0,)]


def test_prepared_statements_over_the_servers_end(new_server, new_gate):
    """They are prepared again when the server is back. An open cursor is gone with the server, as without a gate: the next
    command says so, and only QUIT needs no answer."""
    server = new_server()
    gate = new_gate(server)
    one, two, other = Client(gate.port), Client(gate.port), Client(gate.port)
    statement = one.prepare("SELECT ?")
    cursors = [client.prepare("SELECT 1 UNION SELECT 2") for client in (two, other)]
    for client, cursor in zip((two, other), cursors):
        assert client.execute(cursor, cursor=1).rows == []
    server.kill9()
    wait_until(lambda: gate.api()["active"] == 0, 10, "the leases to end")
    server.start()
    assert one.execute(statement, [1]).rows == [(1,)]
    with ends():
        two.fetch(cursors[0], cursors[0].columns, 1)
    one.quit()
    other.quit()
    wait_until(lambda: gate.api()["clients"]["connected"] == 0, 10, "the clients' end")
    ended = gate.api()["clients"]["ended"]
    assert (ended["quit"], ended["server_lost"]) == (2, 1)


def test_clients_that_go_while_the_server_is_away(new_server, new_gate):
    """In the line, and waiting for their passwords to be proved."""
    server = new_server()
    gate = new_gate(server)
    asking = [Client(gate.port) for _ in range(5)]
    server.kill9()
    for client in asking:
        client.send_query("SELECT 1")
    wait_until(lambda: gate.api()["waiting"] == 5, 10, "the line")
    for client in asking:
        client.close()
    wait_until(lambda: gate.api()["clients"]["connected"] == 0, 10, "their end to be seen")

    unproved = new_gate(server, wait_ready=False, server={"url": f"mysql://127.0.0.1:{server.port}"},
                        user=[{"name": "app", "password": "app-secret"}])
    server.start()
    Client(unproved.port, login=False).close()  # there is a greeting now
    server.kill9()
    clients = [Client(unproved.port, login=False) for _ in range(5)]
    for client in clients:
        with contextlib.suppress(OSError):
            client.socket.settimeout(0.2)
            client.login("app", "app-secret")
    assert unproved.api()["clients"]["connected"] == 5
    for client in clients:
        client.close()
    wait_until(lambda: unproved.api()["clients"]["connected"] == 0, 10, "their end to be seen")


def test_clients_that_come_while_the_server_is_away(new_server, new_gate):
    server = new_server()
    gate = new_gate(server)
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    server.kill9()
    load = Load(50, short_work(gate)).start()
    time.sleep(2)
    assert gate.get("/healthz")[0] == 200
    server.start()
    back = time.monotonic()
    tally = load.join()
    print(f"\n50 newcomers: all served {max(end for _, _, end in tally.times) - back:.2f} s after the server's return")
    assert tally.errors == {} and tally.succeeded == 50, str(tally)
    assert max(end for _, _, end in tally.times) - back < 10


def test_a_gate_started_before_its_server(new_server, new_gate):
    server = new_server()
    server.stop()
    gate = new_gate(server, wait_ready=False)
    wait_until(lambda: gate.running and "Serving" in gate.log_text(), 20, "the gate")
    load = Load(5, short_work(gate)).start()
    time.sleep(1)
    server.start()
    tally = load.join()
    assert tally.errors == {} and tally.succeeded == 5, str(tally)


def test_connector_c_understands_what_became_of_its_server(new_server, new_gate):
    """It takes numbers of the client library's own in an error packet for garbage, and says 2027."""
    server = new_server()
    gate = new_gate(server, pool={"wait_timeout": "1s"})

    def connect():
        return MySQLdb.connect(host="127.0.0.1", port=gate.port, user="app", passwd="app-secret")

    with contextlib.closing(connect()) as connection, pytest.raises(MySQLdb.OperationalError) as error:
        cursor = connection.cursor()
        killer = threading.Timer(1, lambda: server.sql(*(f"KILL {row['ID']}" for row in gate_connections(server))))
        killer.start()
        cursor.execute("SELECT SLEEP(30)")
    killer.join()
    assert error.value.args[0] == LOST
    server.kill9()
    with pytest.raises(MySQLdb.OperationalError) as error:
        with contextlib.closing(connect()) as connection:
            connection.cursor().execute("SELECT 1")
    assert error.value.args[0] == 1040
    server.start()


def test_the_wait_for_a_server_that_stays_away_ends(new_server, new_gate):
    server = new_server()
    gate = new_gate(server, pool={"wait_timeout": "1s"})
    client = Client(gate.port)
    client.query("SELECT 1")
    server.kill9()
    began = time.monotonic()
    reply = client.query("SELECT 2")
    print(f"\nafter {time.monotonic() - began:.2f} s: {reply}")
    assert isinstance(reply, Err) and (reply.code, reply.state) == (1040, "08004")
    assert "cannot be reached" in reply.message
    server.start()
    assert client.value("SELECT 3") == b"3"
    client.quit()


def test_many_restarts_under_reads(new_server, new_gate):
    """Readers only, the server killed three times: not one of them fails."""
    server = new_server()
    gate = new_gate(server, budget={"max_connections": 10})
    stop = threading.Event()

    def work(number, load):
        with gate.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                with load.tally.counted("read"):
                    cursor.execute("SELECT %s", (number,))
                    assert cursor.fetchone() == (number,)
                time.sleep(0.01)

    load = Load(40, work).start()
    for _ in range(3):
        before = load.tally.succeeded
        wait_until(lambda: load.tally.succeeded > before + 400, 60, "reads")
        time.sleep(3)
        server.kill9()
        server.start()
    before = load.tally.succeeded
    wait_until(lambda: load.tally.succeeded > before + 400, 60, "reads")
    stop.set()
    tally = load.join()
    print(f"\nthree restarts: {tally}")
    assert tally.errors == {}, str(tally)
