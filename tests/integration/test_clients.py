"""The clients for PHP and Node: slots with a gate and without one, and their pools, against a real server."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pymysql
import pytest
from harness.gate import program
from harness.process import wait_until
from harness.slots import Desk

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/drivers"))
from test_drivers import node_folder  # noqa: E402  (mysql2, fetched once and kept)

HOLD = {
    "php": """$slots = new Tidegate\\Slots(program: getenv('TIDEGATE'));
        try { $slot = $slots->acquireConnection((float) $argv[1]); } catch (Tidegate\\NoSlot $e) { fwrite(STDERR, $e->getMessage()); exit(75); }
        echo json_encode($slots->getStats()), "\\n"; fgets(STDIN); $slots->releaseConnection($slot); echo json_encode($slots->getStats()), "\\n";""",
    "node": """import {acquireConnection, releaseConnection, getStats, NoSlot} from "./slots.js";
        let slot; try { slot = await acquireConnection({wait: Number(process.argv[2])}); }
        catch (e) { if (!(e instanceof NoSlot)) throw e; console.error(e.message); process.exit(75); }
        console.log(JSON.stringify(await getStats())); for await (const _ of process.stdin) break;
        await releaseConnection(slot); console.log(JSON.stringify(await getStats())); process.exit(0);""",
}
POOL = {
    "php": """use Tidegate\\Db; if (!Db::testConnection()) exit(9); Db::query('DELETE FROM t');
        echo json_encode([Db::query('INSERT INTO t VALUES (?), (?)', [1, 2]), Db::query('SELECT a FROM t ORDER BY a')]), "\\n";
        $c = Db::getConnection(); $d = Db::getConnection();
        try { Db::getConnection(); } catch (Tidegate\\NoSlot $e) { echo json_encode($e->getMessage()), "\\n"; }
        Db::releaseConnection($d); Db::getPool(); if (($argv[1] ?? '') === 'stay') { sleep(60); } throw new Exception('left open');""",
    "node": """import {query, getConnection, getPool, testConnection} from "./index.js";
        if (!(await testConnection())) process.exit(9); await query("DELETE FROM t");
        console.log(JSON.stringify([(await query("INSERT INTO t VALUES (?), (?)", [1, 2])).affectedRows, await query("SELECT a FROM t ORDER BY a")]));
        const c = await getConnection(), d = await getConnection();
        const third = getConnection().then((e) => e.release());
        console.log(JSON.stringify("all 2 connections are in use")); await d.release(); await third; getPool();
        if (process.argv[2] === "stay") await new Promise((r) => setTimeout(r, 60000)); await c.release();""",
}


@pytest.fixture(params=["php", "node"])
def language(request):
    return request.param


@pytest.fixture
def client(language, tmp_path):
    """client(program, *arguments) -> the command that runs it with this project's client."""
    if language == "node":
        for file in ("index.js", "slots.js", "package.json"):
            shutil.copy(ROOT / "clients/node" / file, tmp_path)
        os.symlink(node_folder() / "node_modules", tmp_path / "node_modules")

    def command(text, *arguments):
        if language == "php":
            file = tmp_path / "program.php"
            file.write_text(f"<?php require '{ROOT}/clients/php/tidegate.php';\n{text}")
            return ["php", str(file), *map(str, arguments)]
        file = tmp_path / "program.mjs"
        file.write_text(text)
        return ["node", str(file), *map(str, arguments)]

    return command


@pytest.fixture(params=["gate", "file"])
def desk(request, new_gate, mariadb):
    gate = new_gate(mariadb, slots={"max": 1}) if request.param == "gate" else None
    one = Desk(gate)
    one.gate = gate
    one.env["TIDEGATE"] = program()
    if gate is not None:
        wait_until(lambda: os.path.exists(f"{one.slots_folder}/gate.sock"), 10, "the slots' socket")
    else:
        assert one.run("exec", "--slots", "1", "--", "true").returncode == 0
    yield one
    one.close()


def start(desk, command, env=None):
    child = subprocess.Popen(command, env=desk.env | (env or {}), cwd=desk.folder, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    desk.children.append(child)
    return child


def test_a_slot_is_held_given_back_and_lost_with_its_holder(desk, client, language):
    first = start(desk, client(HOLD[language], 30))
    stats = json.loads(first.stdout.readline())
    assert (stats["active"], stats["max"], stats["peak"]) == (1, 1, 1)
    second = start(desk, client(HOLD[language], 0.3))
    assert second.wait(30) == 75
    assert "no slot of 'default'" in second.stderr.read()
    first.stdin.write("\n")
    first.stdin.flush()
    assert json.loads(first.stdout.readline())["active"] == 0
    assert first.wait(30) == 0
    third = start(desk, client(HOLD[language], 30))
    assert json.loads(third.stdout.readline())["active"] == 1
    third.kill()
    assert desk.run("exec", "--wait", "10s", "--", "true").returncode == 0


KEEP = {
    "php": """$slots = new Tidegate\\Slots(); $slot = $slots->acquireConnection(5); echo "held\n"; fgets(STDIN);
        echo json_encode($slot->keep()), "\n"; fgets(STDIN); $slots->releaseConnection($slot); echo "released\n"; fgets(STDIN);""",
    "node": """import {acquireConnection, releaseConnection} from "./slots.js"; import {createInterface} from "node:readline";
        const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
        const slot = await acquireConnection({wait: 5}); console.log("held"); await lines.next();
        console.log(slot.number === 0); await lines.next(); await releaseConnection(slot); console.log("released"); await lines.next(); process.exit(0);""",
}


@pytest.mark.parametrize("desk", ["gate"], indirect=True)
@pytest.mark.parametrize("kept", [True, False])
def test_a_slot_is_taken_up_again_at_a_new_gate(desk, client, language, kept):
    """The gate is killed and comes back: the slot is its holder's all the while, and free as soon as it is released."""
    def tell(child):
        child.stdin.write("\n")
        child.stdin.flush()

    child = start(desk, client(KEEP[language]))
    assert child.stdout.readline() == "held\n", child.stderr.read()
    desk.gate.kill9()
    assert desk.run("exec", "--slots", "1", "--wait", "100ms", "--", "true").returncode == 75
    desk.gate.start()
    assert desk.run("exec", "--wait", "100ms", "--", "true").returncode == 75
    tell(child)
    assert child.stdout.readline() == "true\n", child.stderr.read()
    if not kept:  # and once more: then nobody asks before it is released
        desk.gate.kill9()
        desk.gate.start()
    tell(child)
    assert child.stdout.readline() == "released\n", child.stderr.read()
    wait_until(lambda: desk.pool()["active"] == 0, 20, "the slot")
    assert desk.run("exec", "--wait", "5s", "--", "true").returncode == 0
    assert child.poll() is None
    tell(child)
    assert child.wait(20) == 0


def connections_of(server, user="app"):
    return server.value(f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{user}'")


@pytest.mark.parametrize("end", ["error", "SIGTERM"])
def test_the_pool_keeps_its_limit_holds_slots_and_closes_itself(client, language, mariadb, new_schema, end):
    desk = Desk()
    try:
        desk.env["TIDEGATE"] = program()
        assert desk.run("exec", "--slots", "5", "--", "true").returncode == 0
        schema = new_schema(mariadb)
        mariadb.sql(f"CREATE TABLE {schema}.t (a INT)")
        pathlib.Path(desk.folder, ".env").write_text(
            f"# the application's\nDB_HOST=127.0.0.1\nDB_PORT={mariadb.port}\nDB_USERNAME=app\nDB_PASSWORD=\"app-secret\"\n"
            f"DB_DATABASE='{schema}'\nDB_CONNECTION_LIMIT=2 # per process\n")
        before = int(connections_of(mariadb))
        child = start(desk, client(POOL[language], "stay" if end == "SIGTERM" else ""))
        assert json.loads(child.stdout.readline())[1] == [{"a": 1}, {"a": 2}], child.stderr.read()
        assert "all 2 connections" in child.stdout.readline()
        if end == "SIGTERM":
            wait_until(lambda: desk.pool()["active"] == 2, 20, "two slots")
            assert int(connections_of(mariadb)) == before + 2
            child.send_signal(signal.SIGTERM)
        child.wait(30)
        wait_until(lambda: int(connections_of(mariadb)) == before, 20, "the end of its connections")
        wait_until(lambda: desk.pool()["active"] == 0, 20, "the return of its slots")
        assert desk.pool()["peak"] == 2
    finally:
        desk.close()


def test_a_full_server_is_tried_again(client, language, new_server):
    """1040 at the first connect: tried five times with pauses, and then it works."""
    server = new_server(max_connections=10)
    taken = []
    with pytest.raises(pymysql.err.OperationalError, match="1040"):
        while True:
            taken.append(pymysql.connect(host="127.0.0.1", port=server.port, user="app", password="app-secret"))

    def refused():
        with taken[0].cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Aborted_connects'")
            return int(cursor.fetchone()[1])

    before = refused()
    desk = Desk()
    try:
        ask = {"php": "echo json_encode(Tidegate\\Db::query('SELECT 1 AS one')), \"\\n\";",
               "node": "import {query} from './index.js'; console.log(JSON.stringify(await query('SELECT 1 AS one')));"}[language]
        env = {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.port), "DB_USER": "app", "DB_PASSWORD": "app-secret"}
        child = start(desk, client(ask), env)
        wait_until(lambda: refused() > before, 30, "the first refusal")
        for each in taken:
            each.close()
        taken.clear()
        said, error = child.communicate(timeout=30)
        assert json.loads(said) == [{"one": 1}], error
    finally:
        desk.close()
        for each in taken:
            each.close()
