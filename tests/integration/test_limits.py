"""The server's limits while clients are at work: they change, others use them up, and no client sees a refusal that it
could have waited out. What it does see when it cannot: 1040 with SQLSTATE 08004 and a sentence with figures."""
import re
import time

import pymysql
import pytest

from harness.load import Load, short_work
from harness.process import wait_until

CLIENTS = 1000
MONITOR = {"monitor_interval": "500ms"}


def storm(gate, change, learnt):
    """A thousand clients at once, each connecting, working and quitting; `change` is called in the middle, and they
    come again until the gate has `learnt` of it and has worked with it for a moment."""
    once = short_work(gate, ("SELECT {number}", "SELECT SLEEP(0.02)"))

    def work(number, load):
        while True:
            once(number, load)
            if load.stopping.is_set():
                return

    with Load(CLIENTS, work) as load:
        load.start()
        wait_until(lambda: load.tally.succeeded >= CLIENTS / 3, 60, "the first clients", pause=0.005)
        change()
        wait_until(learnt, 60, "the gate to learn of it")
        before = load.tally.succeeded
        wait_until(lambda: load.tally.succeeded >= before + CLIENTS / 3, 60, "work under the new limit")
        return load.stop(180)


def check_storm(gate, tally, what):
    stats = gate.api()
    print(f"\n{what}: {tally.succeeded} pieces of work of {CLIENTS} clients, p50 {tally.latency(.5):.2f} s, p99 {tally.latency(.99):.2f} s, "
          f"{tally.times and max(t[2] for t in tally.times) - tally.began:.1f} s in all, peak {stats['peak']}, refused by the "
          f"server and absorbed {stats['refused_by_server']}, limit {stats['limit']}")
    assert tally.errors == {}, str(tally)
    assert tally.succeeded >= CLIENTS
    assert stats["refused_clients"] == 0


def account(gate, name="app"):
    return next(one for one in gate.api()["accounts"] if one["name"] == name)


def test_max_connections_lowered_under_a_thousand_clients(new_server, new_gate):
    server = new_server(max_connections=151)
    gate = new_gate(server, server=MONITOR)
    wait_until(lambda: gate.api()["limit"]["max_connections"] == 151, 10, "the limit learnt")
    full = gate.api()["max"]
    assert full <= 151

    tally = storm(gate, lambda: server.sql("SET GLOBAL max_connections = 20"), lambda: gate.api()["max"] <= 20)
    check_storm(gate, tally, "SET GLOBAL max_connections = 20")

    learnt = wait_until(lambda: gate.api()["max"] <= 20 and gate.api(), 10, "the lower limit")
    assert learnt["limit"]["max_connections"] == 20
    wait_until(lambda: gate.api()["open"] <= 20, 10, "the pool to shrink")
    assert server.status("Threads_connected") <= 21  # and root's own

    server.sql("SET GLOBAL max_connections = 151")
    wait_until(lambda: gate.api()["max"] == full, 20, "the limit to grow back")
    tally = Load(100, short_work(gate, ("SELECT SLEEP(0.3)",))).start().join()
    assert tally.errors == {}, str(tally)
    assert gate.api()["peak"] > 20 and gate.api()["open"] > 20


def test_an_accounts_own_limit_lowered_under_a_thousand_clients(new_server, new_gate):
    server = new_server(max_connections=151)
    gate = new_gate(server, server=MONITOR)

    tally = storm(gate, lambda: server.sql("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 10"),
                  lambda: account(gate)["max"] <= 10)
    check_storm(gate, tally, "ALTER USER .. WITH MAX_USER_CONNECTIONS 10")

    wait_until(lambda: account(gate)["max"] == 10, 10, "the account's limit")
    wait_until(lambda: account(gate)["open"] <= 10, 10, "the account's connections to shrink")
    assert len(server.connections("app")) <= 10
    assert gate.api()["max"] > 10, "the limit of one account is not everybody's"

    server.sql("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 0")
    wait_until(lambda: account(gate)["max"] > 10, 20, "the limit to grow back")
    tally = Load(60, short_work(gate, ("SELECT SLEEP(0.3)",))).start().join()
    assert tally.errors == {}, str(tally)
    assert account(gate)["open"] > 10


def test_the_limit_for_every_account_lowered_under_a_thousand_clients(new_server, new_gate):
    server = new_server(max_connections=151, max_user_connections=1000)
    gate = new_gate(server, server=MONITOR)

    tally = storm(gate, lambda: server.sql("SET GLOBAL max_user_connections = 5"), lambda: account(gate)["max"] <= 5)
    check_storm(gate, tally, "SET GLOBAL max_user_connections = 5")

    wait_until(lambda: account(gate)["max"] == 5, 10, "the account's limit")
    wait_until(lambda: account(gate)["open"] <= 5, 10, "the account's connections to shrink")
    assert len(server.connections("app")) <= 5

    server.sql("SET GLOBAL max_user_connections = 1000")
    wait_until(lambda: account(gate)["max"] > 5, 20, "the limit to grow back")
    tally = Load(60, short_work(gate, ("SELECT SLEEP(0.3)",))).start().join()
    assert tally.errors == {}, str(tally)
    assert account(gate)["open"] > 5


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_refusals_alone_teach_the_limit(new_server, new_gate, kind):
    """A gate without a monitor learns from the server's refusals, and grows back by probing."""
    server = new_server(kind, max_connections=12)
    user = "app" if kind == "mariadb" else "sha"
    gate = new_gate(server, server={"url": f"mysql://127.0.0.1:{server.port}"},
                    user=[{"name": user, "password": f"{user}-secret"}])
    load = Load(80, short_work(gate, ("SELECT SLEEP(0.05)",), user=user)).start()
    tally = load.join()
    assert tally.errors == {}, str(tally)
    stats = gate.api()
    print(f"\nwithout a monitor: refused and absorbed {stats['refused_by_server']}, limit {stats['limit']}")
    assert stats["refused_by_server"]["1040"] > 0
    assert stats["open"] <= 12 and stats["limit"]["closed_by_refusals"]
    assert stats["max"] < 20, "the limit is near what the server takes, but for a probe"

    server.sql("SET GLOBAL max_connections = 200")
    tallies = []

    def grown():
        tallies.append(Load(80, short_work(gate, ("SELECT SLEEP(0.2)",), user=user)).start().join())
        return gate.api()["open"] > 24

    wait_until(grown, 60, "the pool to grow back")
    assert all(tally.errors == {} for tally in tallies), [str(t) for t in tallies]


def test_others_connections_are_counted(new_server, new_gate):
    server = new_server(max_connections=40)
    gate = new_gate(server, server=MONITOR, budget={"reserve": 2})
    wait_until(lambda: gate.api()["max"] >= 36, 10, "the limit learnt")
    others = [server.connect() for _ in range(25)]
    try:
        wait_until(lambda: gate.api()["limit"]["others"] == 25, 10, "the others to be counted")
        stats = gate.api()
        assert stats["max"] == 40 - 2 - 25
        tally = Load(200, short_work(gate)).start().join()
        assert tally.errors == {}, str(tally)
        assert gate.api()["open"] <= 13
    finally:
        for other in others:
            other.close()
    wait_until(lambda: gate.api()["limit"]["others"] == 0 and gate.api()["max"] == 38, 10, "their end to be seen")


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "unproved"])
def test_others_take_all_slots_and_give_them_back(new_server, new_gate, proved):
    """The server is full before the gate has a connection for its clients: they wait, and are served when there is
    room; those whose password has to be proved at the server first, too."""
    server = new_server(max_connections=20)
    gate = new_gate(server, server=MONITOR)
    if proved:
        gate.connect().close()
    wait_until(lambda: gate.api()["limit"]["max_connections"] == 20, 10, "the limit learnt")
    others = []
    while True:
        try:
            others.append(server.connect())
        except pymysql.MySQLError as error:
            assert error.args[0] == 1040
            break
    load = Load(30, short_work(gate)).start()
    wait_until(lambda: gate.api()["clients"]["connected"] == 30, 20, "the clients")
    wait_until(lambda: gate.api()["refused_by_server"]["1040"] >= 3, 20, "the server's refusals")
    if proved:
        wait_until(lambda: gate.api()["waiting"] == 30, 20, "the clients in line")
    assert load.tally.errors == {}, str(load.tally)
    for other in others:
        other.close()
    released = time.monotonic()
    tally = load.join()
    print(f"\nothers let go: the first was served {min(end for _, _, end in tally.times) - released:.2f} s later, "
          f"the last {max(end for _, _, end in tally.times) - released:.2f} s")
    assert tally.errors == {} and tally.succeeded == 30, str(tally)


def refused(gate, **arguments):
    """What a client gets instead of its answer."""
    with pytest.raises(pymysql.MySQLError) as caught:
        connection = gate.connect(**arguments)
        try:
            connection.query("SELECT 1")
        finally:
            connection.close()
    return caught.value.args


def state_of(gate):
    """SQLSTATE and text of the refusal, as they are on the wire."""
    from harness.raw import Client, Err
    client = Client(gate.port)
    try:
        reply = client.query("SELECT 1")
    finally:
        client.close()
    assert isinstance(reply, Err)
    return reply


def test_wait_timeout_is_told_with_figures(new_server, new_gate):
    server = new_server()
    gate = new_gate(server, budget={"max_connections": 1}, pool={"wait_timeout": "1s"})
    with gate.connect() as holder:
        holder.begin()
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1")
        began = time.monotonic()
        reply = state_of(gate)
        waited = time.monotonic() - began
        print(f"\nafter {waited:.2f} s: {reply.code} ({reply.state}) {reply.message}")
        assert (reply.code, reply.state) == (1040, "08004")
        assert waited >= 0.9
        assert re.search(r"waited \d+\.\d s", reply.message) and "'app'" in reply.message
        assert "limit 1" in reply.message and "longest lease" in reply.message
        assert gate.api()["refused_clients"] == 1
        with holder.cursor() as cursor:
            cursor.execute("SELECT 2")  # the holder has not noticed
            assert cursor.fetchone() == (2,)
        holder.rollback()
    with gate.connect() as after, after.cursor() as cursor:
        cursor.execute("SELECT 3")
        assert cursor.fetchone() == (3,)


def test_a_client_may_go_on_after_its_refusal(new_server, new_gate):
    from harness.raw import Client, Err
    gate = new_gate(new_server(), budget={"max_connections": 1}, pool={"wait_timeout": "500ms"})
    holder, other = Client(gate.port), Client(gate.port)
    holder.query("BEGIN")
    holder.query("SELECT 1")
    assert isinstance(other.query("SELECT 2"), Err)
    holder.query("COMMIT")
    assert other.value("SELECT 3") == b"3"
    holder.quit()
    other.quit()


def test_a_full_line_refuses_at_once(new_server, new_gate):
    server = new_server()
    gate = new_gate(server, budget={"max_connections": 1}, pool={"wait_timeout": "20s", "max_waiting": 5})
    with gate.connect() as holder:
        holder.begin()
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1")
        load = Load(5, short_work(gate, ("SELECT 1",))).start()
        wait_until(lambda: gate.api()["waiting"] == 5, 20, "the line to fill")
        began = time.monotonic()
        reply = state_of(gate)
        waited = time.monotonic() - began
        print(f"\nafter {waited:.2f} s: {reply.code} ({reply.state}) {reply.message}")
        assert (reply.code, reply.state) == (1040, "08004")
        assert waited < 10
        assert "5 waiting" in reply.message and "line is full" in reply.message
        holder.rollback()
        tally = load.join()
    assert tally.errors == {} and tally.succeeded == 5, str(tally)


def test_a_client_that_leaves_the_line_is_forgotten(new_server, new_gate):
    from harness.raw import Client
    gate = new_gate(new_server(), budget={"max_connections": 1})
    holder, waiter = Client(gate.port), Client(gate.port)
    holder.query("BEGIN")
    holder.query("SELECT 1")
    waiter.send_query("SELECT 2")
    wait_until(lambda: gate.api()["waiting"] == 1, 10, "the line")
    waiter.close()
    wait_until(lambda: gate.api()["waiting"] == 0, 10, "the line to empty")
    holder.query("ROLLBACK")
    wait_until(lambda: gate.api()["active"] == 0, 10, "the lease to end")
    assert gate.api()["cancelled"] == 1
    holder.quit()


def test_max_clients(new_server, new_gate):
    gate = new_gate(new_server(), listen={"max_clients": 3})
    held = [gate.connect() for _ in range(3)]
    code, message = refused(gate)
    assert code == 1040 and "max_clients" in message and "3 clients" in message
    held.pop().close()
    wait_until(lambda: gate.api()["clients"]["connected"] == 2, 10, "the client's end")
    held.append(gate.connect())
    for connection in held:
        connection.close()
