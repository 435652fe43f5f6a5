"""`tidegate status` and `tidegate kill`: what they show, how they get in, whom they end and whom never."""
import contextlib
import json
import os
import random
import re
import threading
import time

import pymysql
import pytest
from harness.process import alive, wait_until
from harness.watch import PHP, fill, is_full

pytestmark = pytest.mark.mariadb11


@pytest.fixture
def closing(new_schema):
    """Closes connections after the test, before their schemas are dropped, which would wait for their transactions."""
    held = []

    def keep(connection):
        held.append(connection)
        return connection

    yield keep
    for connection in held:
        with contextlib.suppress(pymysql.MySQLError):
            connection.close()


def small(new_server, kind="mariadb", **options):
    return new_server(kind, **{"max_connections": 15, **options})


KINDS = ["mariadb", "mariadb11", "mysql"]


# --- status

@pytest.mark.parametrize("kind", KINDS)
def test_status_shows_who_holds_what(new_server, new_watch, kind):
    server = small(new_server, kind)
    watch = new_watch(server)
    php = watch.sleepers(4)
    status = watch.json("status", "--max-idle", "0")
    assert status["usage"][0] | {"used": 0, "percent": 0} == {"of": "server", "limit_name": "max_connections", "used": 0,
                                                              "limit": 15, "percent": 0}
    assert status["connections"]["total"] >= 5
    worker = next(group for group in status["by_program"] if group["name"] == "php worker.php")
    assert (worker["total"], worker["sleeping"], worker["pids"]) == (4, 4, [php.pid])
    assert next(group for group in status["by_account"] if group["name"] == "app")["total"] == 4
    assert next(group for group in status["by_schema"] if group["name"] == "app")["total"] == 4
    text = watch.run("status", "--max-idle", "0")
    assert re.search(r"Current usage: \d+ / 15 \(\d+\.\d%\)", text.stdout)
    assert f"4 connections: php worker.php (pid {php.pid}), sleeping for" in text.stdout
    assert "Verdict: well" in text.stdout and text.returncode == 0


def test_status_is_critical_near_the_limit_and_says_what_to_do(new_server, new_watch):
    server = small(new_server)
    watch = new_watch(server)
    fill(server, watch)
    done = watch.run("status", "--max-idle", "0", user="admin")
    assert done.returncode == 2
    assert "Verdict: critical" in done.stdout and "tidegate status --kill-idle --max-idle 0" in done.stdout
    check = watch.run("status", "--check", "--max-idle", "0", user="admin")
    assert check.returncode == 2
    assert re.fullmatch(r"TIDEGATE CRITICAL - \d+ / 15 \(.*\| connections=\d+;12;14;0;15 .*refused=\d+c\n", check.stdout)


def test_an_accounts_own_limit_is_the_one_that_counts(new_server, new_watch):
    server = small(new_server, max_connections=100)
    server.sql("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 5")
    watch = new_watch(server, user="app")
    held = [server.connect() for _ in range(3)]
    done = watch.run("status")
    assert "Current usage: 4 / 5 (80.0%)" in done.stdout and done.returncode == 1
    held += [server.connect() for _ in range(2)]
    assert is_full(server)
    for connection in held:
        connection.close()


def test_long_statements_are_shown_longest_first(mariadb, new_watch):
    watch = new_watch(mariadb)
    connections = [mariadb.connect() for _ in range(2)]
    threads = [threading.Thread(target=lambda c=c, n=n: c.cursor().execute(f"SELECT SLEEP(20), {n}"))
               for n, c in enumerate(connections)]
    for thread in threads:
        thread.start()
        wait_until(lambda: sum("SLEEP(20)" in str(row["INFO"]) for row in mariadb.connections("app"))
                   == threads.index(thread) + 1, 10, "the statement to run")
        time.sleep(0.2)  # so that one is older
    statements = watch.json("status", "--long", "0")["long_statements"]
    shown = [each["statement"] for each in statements if "SLEEP(20)" in each["statement"]]
    assert shown == ["SELECT SLEEP(20), 0", "SELECT SLEEP(20), 1"]
    done = watch.run("kill", "--statement", "SELECT SLEEP(20)*", "--query")
    assert done.returncode == 0 and done.stdout.count("stopped the statement of") == 2
    for thread in threads:
        thread.join(10)
    for connection in connections:
        connection.cursor().execute("SELECT 1")  # only the statement was ended
        connection.close()


def test_a_series_says_whether_connections_grow(mariadb, new_watch):
    watch = new_watch(mariadb)
    held = []
    going = threading.Event()

    def grow():
        while not going.wait(0.1):
            held.append(mariadb.connect())

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        done = watch.run("status", "--every", "200ms", "--for", "3s")
    finally:
        going.set()
        thread.join()
    assert re.search(r"growing: by \d+\.\d connections an hour", done.stdout), done.stdout
    for connection in held:
        connection.close()
    wait_until(lambda: not mariadb.connections("app"), 10, "the connections to go")
    done = watch.run("status", "--every", "100ms", "--for", "1s")
    assert "level: " in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_missing_privilege_hides_is_said(new_server, new_watch, kind):
    server = small(new_server, kind)
    server.sql("CREATE USER small@'%' IDENTIFIED BY 'small-secret'")
    watch = new_watch(server, user="small")
    done = watch.run("status")
    assert done.returncode == 0, done.stderr
    assert "GRANT PROCESS ON *.* TO 'small'@'%';" in done.stdout
    server.sql("GRANT PROCESS ON *.* TO 'small'@'%'")
    assert "GRANT PROCESS" not in watch.run("status").stdout


# --- getting in

def connected(server, user):
    """A connection; nothing while the server still counts one that has just been refused, or closed."""
    try:
        return server.connect(user)
    except pymysql.MySQLError as error:
        assert error.args[0] == 1040
        return None


def ways_that_failed(status):
    return " ".join(status["ways_that_failed"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_server_is_entered_at_the_administrators_port(new_server, new_watch, kind):
    server = small(new_server, kind)
    watch = new_watch(server)
    fill(server, watch)
    # The place of the privileged is taken, too: MariaDB and MySQL keep one.
    reserved = wait_until(lambda: connected(server, "admin"), 10, "the reserved connection")
    for arguments in ([], ["--admin", f"127.0.0.1:{server.admin_port}"]):  # found by itself, and told
        status = watch.json("status", "--max-idle", "0", *arguments, user="admin")
        assert "(1040)" in ways_that_failed(status), status["ways_that_failed"]
        assert "administrators' port" in status["way"]
    reserved.close()


def test_a_full_server_is_entered_with_the_reserved_connection(new_server, new_watch):
    server = small(new_server)
    watch = new_watch(server)
    fill(server, watch)
    status = watch.json("status", "--max-idle", "0", user="admin")
    assert status["ways_that_failed"] == [] and "as admin at" in status["way"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_server_is_entered_over_its_socket_as_root(new_server, new_watch, kind):
    if os.getuid() != 0:
        pytest.skip("only root is root over the socket")
    without = {"extra_port": 0} if kind.startswith("mariadb") else {"admin_address": None}
    server = small(new_server, kind, **without)
    watch = new_watch(server, user="app")
    fill(server, watch)
    status = watch.json("status", "--max-idle", "0")
    assert "(1040)" in ways_that_failed(status)
    assert "as root" in status["way"] and server.socket in status["way"]


def test_a_full_server_is_entered_through_the_gate(new_server, new_gate, new_watch):
    server = small(new_server)
    gate = new_gate(server)
    watch = new_watch(server, user="app", slots_folder=str(gate.folder / ".local/state/tidegate/slots"))
    fill(server, watch)
    status = watch.json("status", "--max-idle", "0")
    assert "(1040)" in ways_that_failed(status)
    assert "standing connection of the gate" in status["way"]
    assert any(group["name"] == "php worker.php" for group in status["by_program"])
    done = watch.run("status", "--kill-idle", "--max-idle", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not is_full(server)


def test_where_nothing_gets_in_the_emergency_text_says_what_to_do(new_server, new_watch):
    server = small(new_server, extra_port=0)
    server.sql("ALTER USER root@localhost IDENTIFIED BY 'root-secret'")
    watch = new_watch(server, user="app")
    scripts = fill(server, watch)
    done = watch.run("status")
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "1040" in said and "php worker.php" in said and str(scripts[0].pid) in said
    assert "tidegate kill --processes" in said


def test_a_wrong_password_is_told_at_once(mariadb, new_watch):
    watch = new_watch(mariadb)
    done = watch.run("status", user="nobody")
    assert done.returncode == 69 and "1045" in done.stderr and "nobody-secret" not in done.stdout + done.stderr


# --- killing

@pytest.mark.parametrize("kind", KINDS)
def test_idle_connections_are_ended_and_the_site_works_again(new_server, new_watch, kind):
    server = small(new_server, kind)
    watch = new_watch(server)
    watch.node(3)
    scripts = fill(server, watch)
    time.sleep(1.1)  # MySQL counts whole seconds
    assert is_full(server)
    dry = watch.run("status", "--kill-idle", "--dry-run", "--max-idle", "1", user="admin")
    assert "php worker.php" in dry.stdout and is_full(server)
    done = watch.run("status", "--kill-idle", "--max-idle", "1", user="admin")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"(pid {scripts[0].pid})" in done.stdout
    site = server.connect()
    with site.cursor() as cursor:
        cursor.execute("SELECT 1")
    site.close()
    log = open(f"{watch.folder}/.local/state/tidegate/kills.log").read()
    assert log.count(" ended by ") == done.stdout.count("\nended: ") >= 10
    assert "-secret" not in log + done.stdout
    assert "node import.js" in done.stdout
    assert alive([scripts[0].pid])  # its connections have ended, the program lives on


def test_filters_are_joined_by_and(mariadb, new_watch, new_schema, closing):
    watch = new_watch(mariadb)
    one, two = new_schema(mariadb), new_schema(mariadb)
    mariadb.sql(f"GRANT ALL ON {one}.* TO app@'%'", f"GRANT ALL ON {two}.* TO app@'%'")
    mariadb.sql(f"CREATE TABLE {one}.t (a INT)")
    a, b, c = (closing(mariadb.connect(database=name)) for name in (one, two, one))
    c.autocommit(False)
    with c.cursor() as cursor:
        cursor.execute(f"INSERT INTO {one}.t VALUES (1)")

    def listed(*filters):
        return {row["id"] for row in watch.json("kill", "--dry-run", *filters)["would_end"]}

    ids = [connection.thread_id() for connection in (a, b, c)]
    assert listed("--user", "app", "--schema", one, "--idle", 0) == {ids[0], ids[2]}
    assert listed("--user", "app", "--schema", one, "--schema", two) == set(ids)
    assert listed("--user", "app", "--schema", one, "--in-transaction", 0) == {ids[2]}
    assert listed("--user", "nobody", "--schema", one) == set()
    assert listed("--schema", one, "--program", "python3*") >= {ids[0], ids[2]}
    assert len(listed("--schema", one, "--victims", "oldest")) == 1
    assert len(listed("--user", "app", "--limit", 2)) == 2
    assert watch.run("kill").returncode == 64
    assert watch.run("kill", "--idle", "soon").returncode == 64
    done = watch.run("kill", "--schema", one, "--in-transaction", 0)
    assert "1 ended" in done.stdout and "in a transaction" in done.stdout
    with pytest.raises(pymysql.MySQLError):
        c.cursor().execute("SELECT 1")
    assert mariadb.value(f"SELECT COUNT(*) FROM {one}.t") == 0
    for connection in (a, b):
        connection.cursor().execute("SELECT 1")


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_has_woken_is_never_ended(new_server, new_watch, kind):
    """200 connections wake and sleep at random while those that are idle over 1 s are ended, again and again."""
    server = new_server(kind, max_connections=400)
    watch = new_watch(server, user="admin")
    done = threading.Event()
    ended, failed_at_work = [], []
    chance = random.Random(4)

    def client(seed):
        chance = random.Random(seed)
        connection = server.connect()
        while not done.is_set():
            time.sleep(chance.choice([0.05, 0.3, 0.9, 1.1, 1.6]))
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT SLEEP(0.02)")
                    if cursor.fetchall() != ((0,),):
                        failed_at_work.append("interrupted")
            except pymysql.MySQLError as error:
                # Killed in its sleep, it finds that out when it wakes: the server has not begun the statement.
                if error.args[0] in (2006, 2013) or "killed" in str(error).lower():
                    if error.args[0] == 1317:
                        failed_at_work.append(str(error))
                    ended.append(seed)
                else:
                    failed_at_work.append(str(error))
                connection = server.connect()
        connection.close()

    began = server.status("Questions")
    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(200)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    totals = {"ended": 0, "left alone": 0}
    for _ in range(8):
        said = watch.run("kill", "--user", "app", "--idle", 1).stdout
        counted = re.search(r"(\d+) ended, (\d+) left alone", said)
        totals["ended"] += int(counted[1])
        totals["left alone"] += int(counted[2])
        time.sleep(chance.uniform(0.1, 0.4))
    done.set()
    for thread in threads:
        thread.join(20)
    assert server.status("Questions") > began
    assert totals["ended"] > 0
    assert failed_at_work == []
    # Nobody was ended but those that the command said it ended.
    assert len(ended) <= totals["ended"]


def test_the_gates_pool_is_never_ended(mariadb, new_gate, new_watch):
    gate = new_gate(mariadb)
    clients = [gate.connect() for _ in range(5)]
    for client in clients:
        client.begin()
        with client.cursor() as cursor:
            cursor.execute("SELECT 1")
    watch = new_watch(mariadb, user="admin")
    straight = mariadb.connect()
    for _ in range(10):
        done = watch.run("kill", "--idle", 0)
        assert "of a gate's pool" in done.stdout
    for client in clients:
        client.commit()
        client.close()
    with pytest.raises(pymysql.MySQLError):
        straight.cursor().execute("SELECT 1")
    assert "killed" not in gate.log_text().lower()


# --- the standing rules of a gate

def test_a_rule_of_the_gate_ends_idle_ones_after_its_dry_run(new_server, new_gate, new_watch):
    server = small(new_server, max_connections=50)
    rule = {"name": "sleepers", "idle": "1s", "user": "app", "every": "1s", "dry_run": "1h"}
    gate = new_gate(server, kill=[rule])
    through = gate.connect()  # idle, too, but the gate's own
    watch = new_watch(server)
    php = watch.sleepers(3)
    wait_until(lambda: gate.log_text().count("Rule sleepers would end") == 3, 20, "the dry run's lines")
    assert f"php worker.php (pid {php.pid})" in gate.log_text()
    time.sleep(1.5)
    assert gate.log_text().count("Rule sleepers would end") == 3  # each is told of once
    assert len([row for row in server.connections("app") if row["COMMAND"] == "Sleep"]) >= 3
    gate.configure(kill=[{**rule, "dry_run": "off"}])
    gate.sighup()
    wait_until(lambda: gate.log_text().count("Rule sleepers ended") == 3, 20, "the rule to be in earnest")
    through.cursor().execute("SELECT 1")
    through.close()


# --- the API behind it

def test_clients_of_the_gate_are_shown_with_what_they_hold(mariadb, new_gate, new_watch):
    gate = new_gate(mariadb)
    idle, busy = gate.connect(), gate.connect()
    busy.begin()
    with busy.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        own = cursor.fetchone()[0]
    shown = {client["id"]: client for client in gate.api("/api/clients")["clients"]}
    assert shown[idle.thread_id()]["state"] == "idle" and shown[idle.thread_id()]["server_connection"] == 0
    assert shown[own]["state"] == "holding" and shown[own]["in_transaction"]
    ids = {row["ID"] for row in mariadb.connections()}
    pool = set(gate.api("/api/clients")["server_connections"])
    assert shown[own]["server_connection"] in pool and pool <= ids
    status, text = gate.get("/api/server/ask")
    assert status == 403 and "own socket" in text
    busy.commit()
    for connection in (idle, busy):
        connection.close()


def test_clients_of_the_gate_are_named_by_their_programs(mariadb, new_gate, new_watch):
    gate = new_gate(mariadb)
    watch = new_watch(mariadb, slots_folder=str(gate.folder / ".local/state/tidegate/slots"))
    child = watch.start("php", watch.script("shop.php", PHP), str(gate.port), "3")
    assert child.stdout.readline().strip() == "3"
    clients = [client for client in watch.json("status")["gate"]["clients"] if client["program"] == "php shop.php"]
    assert len(clients) == 3 and {client["pid"] for client in clients} == {child.pid}
    assert "3 clients: php shop.php" in watch.run("status").stdout


# --- validate

def test_validate_without_a_gate(mariadb, new_watch):
    watch = new_watch(mariadb)
    done = watch.run("validate", "--full")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok  ") == 10 and "all 10 steps are well" in done.stdout
    assert not [name for name in os.listdir(f"{watch.folder}/slots") if name.endswith(".slots")]


def test_validate_with_a_gate(mariadb, new_gate):
    gate = new_gate(mariadb)
    import subprocess
    from harness.gate import program
    done = subprocess.run([program(), "validate", "--full", "--json", "-c", str(gate.folder / "tidegate.toml")], env=gate.env,
                          cwd=gate.folder, capture_output=True, text=True, timeout=120)
    steps = json.loads(done.stdout)
    assert done.returncode == 0 and steps["ok"], done.stdout
    assert "through the gate" in steps["steps"][3]["says"] and "by the gate" in steps["steps"][3]["says"]


def test_validate_names_what_is_wrong(new_server, new_watch):
    server = small(new_server)
    watch = new_watch(server)
    server.stop()
    done = watch.run("validate")
    assert done.returncode == 2 and "FAIL  2. server and account" in done.stdout
    os.makedirs(f"{watch.folder}/slots", exist_ok=True)
    server.start()
    os.rename(f"{watch.folder}/slots", f"{watch.folder}/elsewhere")
    open(f"{watch.folder}/slots", "w").close()
    done = watch.run("validate")
    assert done.returncode == 2 and "FAIL  4. a connection and a slot" in done.stdout
    assert f"{watch.folder}/slots" in done.stderr + done.stdout
