"""PHP's persistent connections: a process keeps them from one script to the next, with whatever the script has left in the
session. Through the gate a script finds what it would find on a connection of its own, and other clients find nothing of it.

The scripts run in PHP's own web server, one process, once straight at the server and once through a gate with one connection.
"""
import contextlib
import os
import shutil
import urllib.request

import pytest

from harness.process import Process, free_port, wait_until
from harness.raw import Client

pytestmark = pytest.mark.skipif(not shutil.which("php"), reason="NO PHP (package php-cli)")

# Each step is one script's run: what it does, then what it prints of the session.
SCRIPT = r"""<?php
mysqli_report(MYSQLI_REPORT_OFF);
[$host, $port, $user, $password, $schema] = explode(',', getenv('PLACE'));
$steps = [
    'fresh' => [],
    'variables' => ["SET time_zone = '+05:00'", "SET sql_mode = 'ANSI'", "SET NAMES latin1", "SET @mine = 'kept'"],
    'asks' => [],
    'transaction' => ['START TRANSACTION', "INSERT INTO t VALUES (1)"],
    'rows' => [],
    'lock' => ["SELECT GET_LOCK('$schema', 0)"],
    'locked' => [],
    'temporary' => ['CREATE TEMPORARY TABLE mine (a INT)', 'INSERT INTO mine VALUES (7)'],
    'left' => [],
    'autocommit' => ['SET autocommit = 0', 'INSERT INTO t VALUES (2)'],
    'last' => [],
];
$asks = ['SELECT @@time_zone, @@sql_mode, @@character_set_client, @@collation_connection, @mine, DATABASE(), @@autocommit',
         'SELECT COUNT(*) FROM t', 'SELECT * FROM mine', 'SELECT 1'];
$name = trim($_SERVER['REQUEST_URI'], '/');
if ($name === 'ready') { echo 'yes'; return; }
if (getenv('WAY') === 'mysqli') {
    $link = mysqli_connect("p:$host", $user, $password, $schema, (int)$port);
    $ask = function ($text) use ($link) {
        $result = $link->query($text);
        return $result === false ? $link->errno : ($result === true ? $link->affected_rows : $result->fetch_all());
    };
} else {
    $link = new PDO("mysql:host=$host;port=$port;dbname=$schema;charset=utf8mb4", $user, $password,
                    [PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_SILENT]);
    $ask = function ($text) use ($link) {
        $result = $link->query($text);
        return $result === false ? $link->errorInfo()[1] : ($result->columnCount() ? $result->fetchAll(PDO::FETCH_NUM) : $result->rowCount());
    };
}
$said = [];
if ($name === 'nothing') $asks = ['SELECT 1'];
foreach ([...$steps[$name] ?? [], ...$asks] as $text) $said[] = [$text, $ask($text)];
echo json_encode($said);
"""
STEPS = ["fresh", "variables", "asks", "transaction", "rows", "lock", "locked", "temporary", "left", "autocommit", "last"]


@pytest.fixture
def web(tmp_path):
    """web(way, port, schema) -> a function that runs a script's step in a PHP process that persists."""
    (tmp_path / "index.php").write_text(SCRIPT)
    with contextlib.ExitStack() as ends:
        def start(way, port, schema):
            own = free_port()
            php = Process(["php", "-S", f"127.0.0.1:{own}", "index.php"], tmp_path / f"php-{own}", cwd=tmp_path,
                          env={**os.environ, "WAY": way, "PLACE": f"127.0.0.1,{port},app,app-secret,{schema}"})
            ends.callback(php.terminate)

            def get(step):
                with urllib.request.urlopen(f"http://127.0.0.1:{own}/{step}", timeout=60) as answer:
                    return answer.read().decode()

            def ready():
                with contextlib.suppress(OSError):
                    return get("ready") == "yes"
                return False

            wait_until(ready, 20, "PHP's web server")
            return get
        yield start


@pytest.mark.parametrize("way", ["mysqli", "pdo"])
def test_a_script_finds_what_the_last_one_left(any_server, new_gate, new_schema, web, way):
    """mysqli clears a persistent connection when it is taken again (COM_CHANGE_USER), PDO does not."""
    gate = new_gate(any_server, budget={"max_connections": 2, "reserve": 0})
    seen = []
    for port in (any_server.port, gate.port):
        schema = new_schema(any_server)
        any_server.sql(f"CREATE TABLE {schema}.t (a INT) ENGINE=InnoDB")
        script = web(way, port, schema)
        other = Client(port, schema="app")
        said = []
        for step in STEPS:
            said.append((step, script(step)))
            # Whatever the script has left, another client has a session of its own.
            other.query("SET time_zone = '-03:00'")
            assert other.rows("SELECT @@time_zone, @@sql_mode = @@global.sql_mode, @@character_set_client, @mine, @@autocommit") == [
                (b"-03:00", b"1", b"utf8mb4", None, b"1")], step
            assert other.query("SELECT * FROM mine").code == 1146
        other.quit()
        seen.append("\n".join(map(str, said)).replace(schema, "SCHEMA"))
    assert seen[1] == seen[0]


def test_what_a_script_leaves_ends_with_the_next_one(any_server, new_gate, new_schema, web):
    """mysqli: a lock or a temporary table holds the connection until the next script takes the link again, and not longer."""
    schema = new_schema(any_server)
    any_server.sql(f"CREATE TABLE {schema}.t (a INT) ENGINE=InnoDB")
    gate = new_gate(any_server, budget={"max_connections": 1, "reserve": 0})
    script = web("mysqli", gate.port, schema)
    for step in ("lock", "temporary", "transaction"):
        script(step)
        wait_until(lambda: gate.api()["active"] == 1, 10, f"the lease that {step} holds")
        script("nothing")
        wait_until(lambda: gate.api()["active"] == 0, 10, f"the end of the lease after {step}")
        other = Client(gate.port)
        assert other.value("SELECT 'free'") == b"free"
        other.quit()
