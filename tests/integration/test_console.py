"""The administrator's console: the account of [server] url, with its password, in schema `tidegate` at the clients' port. From any
MySQL client, without a server connection, and so also while the server is full or away."""
import os
import subprocess
import threading
import time

import pymysql
import pytest

from harness.process import free_port, wait_until
from harness.raw import Capability, Client, Command, Err, LoginRefused, Ok, ResultSet
from harness.servers import Unavailable, unpacked
from harness.terminal import Terminal
from test_proxy_protocol import line, preceded_by

SHOWS = ["POOLS", "CLIENTS", "SERVERS", "SERVER", "STATS", "SLOTS", "HOLDERS", "FLEETS", "WORKERS", "CONFIG", "VERSION", "HELP"]


class Console:
    """A console over PyMySQL; rows are dictionaries."""

    def __init__(self, gate, user="monitor", password="monitor-secret", **more):
        self.connection = gate.connect(user, password, database="tidegate", cursorclass=pymysql.cursors.DictCursor, **more)

    def __call__(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def error(self, statement):
        with pytest.raises(pymysql.MySQLError) as raised:
            self(statement)
        return raised.value.args

    def row(self, show, **wanted):
        """The one row of SHOW that has these values; None: there is none."""
        found = [row for row in self(f"SHOW {show}") if all(row[key] == value for key, value in wanted.items())]
        assert len(found) < 2, found
        return found[0] if found else None

    def figure(self, show, name):
        return self.row(show, name=name)["value"]

    def close(self):
        self.connection.close()


@pytest.fixture
def console():
    """console(gate) -> Console, closed after the test."""
    made = []

    def make(*arguments, **keywords):
        made.append(Console(*arguments, **keywords))
        return made[-1]

    yield make
    for each in made:
        if each.connection.open:
            each.close()


def is_console(gate, **login):
    connection = gate.connect(**login)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@version_comment")
            return "Tidegate" in cursor.fetchone()[0]
    finally:
        connection.close()


def in_background(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_shows_what_the_gate_does(any_server, new_gate, console):
    gate = new_gate(any_server, budget={"max_connections": 5, "reserve": 0}, pool={"wait_timeout": "7s"})
    worker = gate.connect(database="app", program_name="import.php")
    number = worker.thread_id()
    with worker.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1")
        cursor.execute("SELECT CONNECTION_ID() + 0")  # the server's
        at_server = cursor.fetchone()[0]
    admin = console(gate, program_name="operator")
    granted = gate.api()["granted"]
    for show in SHOWS:
        admin(f"SHOW {show}")
    shown = admin.row("CLIENTS", id=number)
    assert (shown["account"], shown["program"], shown["state"], shown["held_by"]) == ("app", "import.php", "holding", "pinned")
    assert shown["in_transaction"] == "yes" and shown["server_connection"] == at_server
    server = admin.row("SERVERS", id=at_server)
    assert (server["account"], server["state"], server["client"]) == ("app", "active", number)
    assert admin.row("SERVERS", state="watching")
    pool = admin.row("POOLS", account="app")
    assert (pool["mode"], pool["clients"], pool["active"]) == ("transaction", 1, 1)
    assert admin.row("POOLS", account="(all)")["limit"] == 5
    assert admin.row("CLIENTS", id=admin.connection.thread_id())["state"] == "console"
    assert admin.figure("SERVER", "state") == "up" and admin.figure("SERVER", "limit.configured") == "5"
    assert admin.figure("STATS", "clients.connected") == "2"
    setting = admin.row("CONFIG", key="[pool] wait_timeout")
    assert (setting["value"], setting["default"]) == ("7s", "30s")
    assert [row["name"] for row in admin("SHOW STATS LIKE 'line.wait_p__'")] == ["line.wait_p50", "line.wait_p90", "line.wait_p99"]
    assert gate.api()["granted"] == granted  # all without a server connection
    worker.close()
    assert admin.error("SELECT * FROM clients")[0] == 1064
    assert "POOLS" in admin.error("SHOW POOL")[1]


def test_says_why_a_client_is_pinned(any_server, new_gate, console):
    gate = new_gate(any_server)
    client = gate.connect(database="app")
    with client.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('secret', 0)")
    admin = console(gate)
    shown = admin.row("CLIENTS", id=client.thread_id())
    assert shown["held_by"] == "pinned"
    assert shown["pins"].startswith("named_lock (") and "SELECT GET_LOCK(?, ..); " in shown["pins"] and "secret" not in shown["pins"]
    with client.cursor() as cursor:
        cursor.execute("DO RELEASE_LOCK('secret')")
    wait_until(lambda: admin.row("CLIENTS", id=client.thread_id())["pins"] is None, 10, "the pin's end")
    client.close()


def test_pause_and_resume(any_server, new_gate, console):
    gate = new_gate(any_server, pool={"wait_timeout": "60s"})
    client = gate.connect()
    number = client.thread_id()
    admin = console(gate)
    admin("PAUSE")
    assert gate.api()["paused"] and gate.get("/readyz")[0] == 503
    wait_until(lambda: admin.row("POOLS", account="(all)")["open"] == 0, 20, "the server connections to be closed")
    assert admin.row("POOLS", account="(all)")["mode"] == "paused"
    answers = []

    def ask():
        with client.cursor() as cursor:
            cursor.execute("SELECT 41 + 1")
            answers.append(cursor.fetchone()[0])

    asking = in_background(ask)
    wait_until(lambda: admin.row("CLIENTS", id=number)["state"] == "waiting", 20, "the client in line")
    assert console(gate).row("POOLS", account="app")["waiting"] == 1 and not answers  # a second console gets in, too
    admin("RESUME")
    asking.join(20)
    assert answers == [42] and not gate.api()["paused"]
    client.close()


def test_reload(any_server, new_gate, console):
    gate = new_gate(any_server, pool={"wait_timeout": "7s"})
    admin = console(gate)
    gate.configure(pool={"wait_timeout": "8s"})
    admin("RELOAD")
    assert admin.row("CONFIG", key="[pool] wait_timeout")["value"] == "8s"
    gate.configure(pool={"wait_timeouts": "9s"})
    said = admin.error("RELOAD")[1]
    assert "wait_timeouts" in said and "stays as it was" in said
    assert admin.row("CONFIG", key="[pool] wait_timeout")["value"] == "8s"


def test_kill_ends_any_accounts_client(any_server, new_gate, console):
    gate = new_gate(any_server)
    admin = console(gate)
    client = gate.connect(database="app")
    errors = []

    def sleep():
        try:
            with client.cursor() as cursor:
                cursor.execute("SELECT 'x' FROM information_schema.TABLES WHERE SLEEP(60) LIMIT 1")
            errors.append(None)  # MySQL's SLEEP() returns 1 and goes on
        except pymysql.MySQLError as error:
            errors.append(error.args[0])

    sleeping = in_background(sleep)
    wait_until(lambda: any_server.sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%WHERE SLEEP(60)%'"
                                      " AND ID <> CONNECTION_ID()")[0][0] == 1, 20, "the statement at the server")
    admin(f"KILL QUERY {client.thread_id()}")
    sleeping.join(20)
    assert errors == [1317]
    with client.cursor() as cursor:
        cursor.execute("SELECT 1")  # it is connected still
    admin(f"KILL {client.thread_id()}")
    with pytest.raises(pymysql.MySQLError) as raised, client.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert raised.value.args[0] in (2006, 2013)
    wait_until(lambda: admin.row("CLIENTS", id=client.thread_id()) is None, 10, "the client's end")
    assert gate.api()["clients"]["ended"]["killed"] == 1
    assert admin.error(f"KILL {client.thread_id()}")[0] == 1094
    with pytest.raises(pymysql.MySQLError):
        admin(f"KILL {admin.connection.thread_id()}")


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_gets_in_while_the_server_is_full(new_server, new_gate, console, kind):
    server = new_server(kind, max_connections=8)
    gate = new_gate(server, pool={"wait_timeout": "60s"})
    holder, blocked = Client(gate.port), Client(gate.port)
    holder.query("BEGIN")
    holder.rows("SELECT 1")
    others = []
    with pytest.raises(pymysql.MySQLError) as raised:
        for _ in range(20):
            others.append(server.connect())
    assert raised.value.args[0] == 1040
    blocked.send_query("SELECT 1")
    admin = console(gate)
    wait_until(lambda: admin.row("POOLS", account="app")["waiting"] == 1, 20, "the client in line")
    for show in SHOWS:
        admin(f"SHOW {show}")
    assert admin.row("CLIENTS", id=blocked.greeting.thread_id)["state"] == "waiting"
    for each in others:
        each.close()
    assert isinstance(blocked.read_reply(), ResultSet)
    holder.close()
    blocked.close()


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_gets_in_while_the_server_is_away(new_server, new_gate, console, kind):
    server = new_server(kind)
    gate = new_gate(server)
    server.stop()
    admin = console(gate)
    wait_until(lambda: admin.figure("SERVER", "state") == "down", 20, "the gate to notice")
    assert admin.figure("SERVER", "last_error")
    for show in SHOWS:
        admin(f"SHOW {show}")
    server.start()
    wait_until(lambda: admin.figure("SERVER", "state") == "up", 30, "the gate to notice")


def test_gets_in_where_the_server_was_never_seen(new_gate, console):
    nobody = free_port()
    gate = new_gate(None, wait_ready=False, server={"url": f"mysql://monitor:monitor-secret@127.0.0.1:{nobody}"}, pool={"wait_timeout": "300ms"})
    admin = console(gate)
    assert admin.figure("SERVER", "state") == "down"
    assert admin("SELECT VERSION() AS v")[0]["v"].endswith("-tidegate")
    with pytest.raises(pymysql.MySQLError) as raised:  # everybody else hears what is wrong
        gate.connect(database="app")
    assert raised.value.args[0] == 1040 and "cannot be reached" in raised.value.args[1]
    with pytest.raises(pymysql.MySQLError) as raised:
        console(gate, password="wrong")
    assert raised.value.args[0] == 1045


def test_waiting_for_a_server_is_no_slow_login(new_server, new_gate):
    server = new_server()
    server.stop()
    gate = new_gate(server, wait_ready=False, listen={"login_timeout": "3s"}, pool={"wait_timeout": "60s"})
    answers = []

    def connect():
        try:
            with gate.connect() as client, client.cursor() as cursor:
                cursor.execute("SELECT 1")
                answers.append(cursor.fetchone()[0])
        except pymysql.MySQLError as error:
            answers.append(error)

    waiting = in_background(connect)
    time.sleep(4)  # longer than login_timeout
    server.start()
    waiting.join(60)
    assert answers == [1]


def test_gets_in_when_max_clients_are_connected(any_server, new_gate, console):
    gate = new_gate(any_server, listen={"max_clients": 2})
    held = [gate.connect() for _ in range(2)]
    with pytest.raises(pymysql.MySQLError) as raised:
        gate.connect()
    assert raised.value.args[0] == 1040 and "max_clients" in raised.value.args[1]
    admin = console(gate)
    assert admin.figure("STATS", "clients.connected") == "3"
    with pytest.raises(pymysql.MySQLError) as raised:
        gate.connect()
    assert raised.value.args[0] == 1040
    admin(f"KILL {held[0].thread_id()}")
    admin.close()
    wait_until(lambda: gate.api()["clients"]["connected"] == 1, 10, "room")
    gate.connect().close()


def test_is_for_the_account_of_the_url_alone(any_server, new_gate, new_schema, console):
    gate = new_gate(any_server)
    assert is_console(gate, user="monitor", database="tidegate")
    for password in ("", "app-secret", "monitor-secreT"):
        with pytest.raises(pymysql.MySQLError) as raised:
            console(gate, password=password)
        assert raised.value.args[0] == 1045
    assert gate.api()["clients"]["login_failures"] == 3
    # The same account elsewhere is the server's, and so is everybody else's schema of that name.
    assert not is_console(gate, user="monitor")
    with pytest.raises(pymysql.MySQLError) as raised:
        gate.connect(database="tidegate")
    assert raised.value.args[0] in (1044, 1049)
    any_server.sql("CREATE DATABASE tidegate", "CREATE TABLE tidegate.t AS SELECT 5 AS a", "GRANT ALL ON tidegate.* TO app@'%'")
    try:
        assert not is_console(gate, user="app", database="tidegate")
        with gate.connect(database="tidegate") as client, client.cursor() as cursor:
            cursor.execute("SELECT a FROM t")
            assert cursor.fetchone()[0] == 5
    finally:
        any_server.sql("REVOKE ALL ON tidegate.* FROM app@'%'", "DROP DATABASE tidegate")


def test_needs_a_password_that_the_gate_has(any_server, new_gate):
    gate = new_gate(any_server, server={"url": f"mysql://127.0.0.1:{any_server.port}"})
    with pytest.raises(pymysql.MySQLError) as raised:  # it goes to the server, which has no such schema
        gate.connect("monitor", database="tidegate")
    assert raised.value.args[0] in (1044, 1049)
    assert not is_console(gate, user="monitor")


def test_can_be_switched_off(any_server, new_gate):
    gate = new_gate(any_server, listen={"console": False})
    with pytest.raises(pymysql.MySQLError) as raised:
        gate.connect("monitor", database="tidegate")
    assert raised.value.args[0] in (1044, 1049)


def test_an_account_for_local_clients_has_it_only_there(any_server, new_gate, monkeypatch):
    """The server takes admin@127.0.0.1 only for local; the client comes from afar as the PROXY header says."""
    def gate(**more):
        made = new_gate(any_server, server={"url": f"mysql://admin:admin-secret@127.0.0.1:{any_server.port}"},
                        listen={"proxy_protocol_from": ["127.0.0.1"]}, **more)
        wait_until(lambda: made.api("/api/server")["limit"]["others"] is not None, 20, "the first look at the server")
        return made

    def ask(gate, header):
        with preceded_by(monkeypatch, header):
            client = Client(gate.port, "admin", "admin-secret", schema="tidegate")
        client.rows("SHOW POOLS")
        client.quit()

    strict = gate()
    ask(strict, line("127.0.0.1"))
    with pytest.raises(LoginRefused) as raised:
        ask(strict, line("203.0.113.9"))
    assert raised.value.error.code == 1045
    ask(gate(passthrough={"allow_remote": ["admin"]}), line("203.0.113.9"))


def test_shows_no_password(any_server, new_gate, console, tmp_path):
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("token-secret")
    gate = new_gate(any_server, api={"token_file": str(token)}, user=[{"name": "app", "password": "app-secret"}],
                    fleet=[{"name": "mail", "command": ["sleep", "600", "--password=fleet-secret"], "workers": 1}])
    admin = console(gate)
    for show in SHOWS:
        assert "-secret" not in str(admin(f"SHOW {show}"))
    assert admin.row("CONFIG", key="[[user]] app: password")["value"] == "(given, not shown)"
    assert admin.row("CONFIG", key="[api] token_file")["value"] == "(given, not shown)"
    assert admin.row("CONFIG", key="[[fleet]] mail: command")["value"] == "sleep .. (2 arguments)"
    assert admin.row("CONFIG", key="[server] url")["value"] == f"mysql://monitor@127.0.0.1:{any_server.port}"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("plugin", ["mysql_native_password", "caching_sha2_password"])
def test_lets_in_by_every_plugin(any_server, new_gate, plugin, tls):
    gate = new_gate(any_server)
    client = Client(gate.port, "monitor", "monitor-secret", schema="tidegate", plugin=plugin, tls=tls)
    assert client.rows("SHOW POOLS LIKE 'nobody'") == []
    client.quit()
    with pytest.raises(LoginRefused) as raised:
        Client(gate.port, "monitor", "wrong", schema="tidegate", plugin=plugin, tls=tls)
    assert raised.value.error.code == 1045


@pytest.mark.parametrize("without", [0, Capability.DEPRECATE_EOF], ids=["ok", "eof"])
def test_every_command_has_an_answer(any_server, new_gate, without):
    gate = new_gate(any_server)
    client = Client(gate.port, "monitor", "monitor-secret", schema="tidegate", without=without)
    assert isinstance(client.ping(), Ok)
    assert isinstance(client.query("SET NAMES utf8mb4"), Ok)
    assert isinstance(client.ask(Command.RESET_CONNECTION), Ok)
    assert isinstance(client.ask(Command.INIT_DB, b"tidegate"), Ok)
    assert client.ask(Command.INIT_DB, b"app").code == 1049
    assert client.field_list("pools") == []
    assert client.statistics().startswith("Uptime: ")
    client.ask(Command.SET_OPTION, b"\0\0")
    assert client.ask(Command.PROCESS_KILL, (5).to_bytes(4, "little")).code == 1094
    assert client.prepare("SHOW POOLS").code == 1295
    client.command(Command.STMT_CLOSE, (1).to_bytes(4, "little"))  # no answer
    assert client.ask(Command.BINLOG_DUMP, b"").code == 1047
    assert client.ask(0x7E).code == 1047
    assert client.query("").code == 1065
    assert client.rows("SHOW DATABASES") == [("tidegate",)] or client.rows("SHOW DATABASES") == [(b"tidegate",)]
    client.send_bytes((5).to_bytes(3, "little") + b"\7" + b"\x03SHOW")  # out of order
    client.sequence = 1
    try:
        assert isinstance(client.read_reply(), Err)
    finally:
        assert client.closed()
    client.close()


def test_a_change_of_user_is_refused(any_server, new_gate):
    gate = new_gate(any_server)
    client = Client(gate.port, "monitor", "monitor-secret", schema="tidegate")
    with pytest.raises(LoginRefused) as raised:
        client.change_user("app", "app-secret")
    assert raised.value.error.code == 1047
    client.close()
    # Nor does one lead to it: that is a login at the server.
    client = Client(gate.port)
    with pytest.raises(LoginRefused) as raised:
        client.change_user("monitor", "monitor-secret", "tidegate")
    assert raised.value.error.code in (1044, 1049)
    client.close()


def command_line(program):
    if program == "mariadb":
        return ["mariadb", "--no-defaults", "--skip-ssl"]
    try:
        return [str(unpacked("mysql") / "bin/mysql"), "--no-defaults", "--commands"]
    except Unavailable as reason:
        pytest.skip(f"NO {program}: {reason}")


@pytest.mark.parametrize("program", ["mariadb", "mysql"])
def test_the_command_line_clients(any_server, new_gate, program):
    gate = new_gate(any_server)
    talk = r"""
status
SHOW POOLS;
SHOW CLIENTS\G
use tidegate
SHOW TABLES;
SELECT DATABASE();
PAUSE;
RESUME;
SHOW STAT;
SHOW VERSION;
"""
    command = [*command_line(program), "--protocol=tcp", "--host=127.0.0.1", f"--port={gate.port}", "--user=monitor", "--auto-rehash",
               "--force", "--table", "tidegate"]
    done = subprocess.run(command, input=talk.encode(), capture_output=True, env={"MYSQL_PWD": "monitor-secret", "PATH": "/usr/bin:/bin"},
                          timeout=60)
    said, errors = done.stdout.decode(), done.stderr.decode()
    assert "| account" in said and "(all)" in said, said + errors
    assert "account: monitor" in said and "state: console" in said
    assert "| workers" in said  # of SHOW TABLES
    assert "Uptime:" in said and "Waiting: 0" in said and "Current user:" in said
    assert "Tidegate 0" in said
    assert "no SHOW STAT;" in errors and "ERROR 1064" in errors
    assert not gate.api()["paused"]


def test_an_open_console_does_not_keep_the_gate_from_ending(mariadb, new_gate, console):
    gate = new_gate(mariadb)
    admin = console(gate)
    admin("PAUSE")
    assert gate.sigterm() == 0
    with pytest.raises(pymysql.MySQLError):
        admin("SHOW POOLS")


@pytest.mark.parametrize("program", ["mariadb", "mysql"])
def test_a_command_line_client_at_a_terminal(mariadb, new_gate, program):
    """There it asks for tables and their columns by itself."""
    gate = new_gate(mariadb)
    command = [*command_line(program), "--protocol=tcp", "--host=127.0.0.1", f"--port={gate.port}", "--user=monitor", "tidegate"]
    with Terminal(command, width=120, height=40, env={**os.environ, "MYSQL_PWD": "monitor-secret"}) as terminal:
        terminal.wait_for("mysql>" if program == "mysql" else "[tidegate]>")
        terminal.type(r"SHOW VERSION\g")
        terminal.press("Enter")
        terminal.wait_for("Tidegate 0")
        terminal.type("use tidegate")
        terminal.press("Enter")
        terminal.wait_for("Database changed")
        terminal.type("exit")
        terminal.press("Enter")
        terminal.wait_for("ended with 0")
    assert gate.api()["clients"]["ended"]["quit"] == 1
