"""Whom `tidegate kill` never ends: replication on both sides, readers of the binary log, the event scheduler, a statement
under way, a gate's pool; and beside it, whom pt-kill would end."""
import os
import re
import shutil
import subprocess
import threading
import time

import pymysql
import pytest
from harness.process import wait_until
from harness.watch import Watch

ROUNDS = 10


@pytest.fixture
def stage(new_server, new_gate):
    """A source with everything that must be spared, its replica, and a gate before it."""
    made = []

    def make(kind):
        options = {"skip_log_bin": None, "log_bin": "binlog", "event_scheduler": "ON", "max_connections": 60}
        source = new_server(kind, server_id=1, **options)
        replica = new_server(kind, server_id=2, **options)
        if kind == "mysql":  # the copies of one data folder have one UUID, and replication wants two
            replica.stop()
            (replica.folder / "data/auto.cnf").unlink()
            replica.start()
        stage = Stage(source, replica, new_gate(source))
        made.append(stage)
        return stage

    yield make
    for each in made:
        each.close()


class Stage:
    def __init__(self, source, replica, gate):
        self.source, self.replica, self.gate = source, replica, gate
        self.done = threading.Event()
        self.mariadb = source.family == "mariadb"
        self.watch = {server: Watch(server, user="admin") for server in (source, replica)}
        self.replicate()
        self.start_event()
        self.start_reader()
        self.clients = [gate.connect() for _ in range(4)]
        for client in self.clients:
            client.begin()
            client.cursor().execute("SELECT 1")
        self.alter_error = None
        self.altering = threading.Thread(target=self.alter)
        self.altering.start()
        wait_until(self.alter_runs, 30, "the ALTER to run")

    def replicate(self):
        self.source.sql("CREATE USER repl@'%' IDENTIFIED BY 'repl-secret'", "GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        if self.mariadb:
            file, position = self.source.sql("SHOW MASTER STATUS")[0][:2]
            self.replica.sql(f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.source.port}, MASTER_USER='repl', "
                             f"MASTER_PASSWORD='repl-secret', MASTER_LOG_FILE='{file}', MASTER_LOG_POS={position}", "START SLAVE")
        else:
            file, position = self.source.sql("SHOW BINARY LOG STATUS")[0][:2]
            self.replica.sql(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={self.source.port}, "
                             f"SOURCE_USER='repl', SOURCE_PASSWORD='repl-secret', GET_SOURCE_PUBLIC_KEY=1, "
                             f"SOURCE_LOG_FILE='{file}', SOURCE_LOG_POS={position}", "START REPLICA")
        wait_until(self.replicates, 30, "replication to run")

    def replicates(self):
        rows = self.replica.sql("SHOW SLAVE STATUS" if self.mariadb else "SHOW REPLICA STATUS", dictionaries=True)
        names = ("Slave_IO_Running", "Slave_SQL_Running") if self.mariadb else ("Replica_IO_Running", "Replica_SQL_Running")
        return bool(rows) and all(rows[0][name] == "Yes" for name in names)

    def start_event(self):
        self.source.sql("CREATE TABLE app.beat (at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))",
                        "CREATE EVENT app.beats ON SCHEDULE EVERY 1 SECOND DO BEGIN DO SLEEP(0.4); "
                        "INSERT INTO app.beat VALUES (); END")
        wait_until(lambda: self.beats() > 0, 20, "the event's first beat")

    def beats(self):
        return self.source.value("SELECT COUNT(*) FROM app.beat")

    def start_reader(self):
        """A program that reads the binary log as a replica does."""
        self.reader = None
        if self.mariadb and shutil.which("mariadb-binlog"):
            file = self.source.sql("SHOW MASTER STATUS")[0][0]
            self.reader = subprocess.Popen(
                ["mariadb-binlog", "--no-defaults", "--read-from-remote-server", "--stop-never", "--raw", "-r", "/dev/null", "-h127.0.0.1",
                 f"-P{self.source.port}", "-urepl", "-prepl-secret", "--stop-never-slave-server-id=77", file],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: sum("Binlog Dump" in row["COMMAND"] for row in self.source.connections()) == 2, 20,
                       "the reader of the binary log")

    def alter(self):
        try:
            connection = self.source.connect("admin", database="app")
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE long_one (a INT PRIMARY KEY, b VARCHAR(200))")
            cursor.execute("INSERT INTO long_one WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 900) "
                           "SELECT x.a * 1000 + y.a, REPEAT('x', 200) FROM n x, n y LIMIT 300000")
            while not self.done.is_set():
                cursor.execute("ALTER TABLE long_one FORCE, ALGORITHM=COPY")
            connection.close()
        except pymysql.MySQLError as error:
            self.alter_error = error

    def alter_runs(self):
        assert self.alter_error is None, self.alter_error
        return any("ALTER TABLE long_one" in str(row["INFO"]) for row in self.source.connections("admin"))

    def protected(self):
        """What must be the same after ten rounds, by server: (id, user, command), but for the ALTER's statement."""
        def rows(server):
            found = server.sql("SELECT ID, USER, COMMAND FROM information_schema.PROCESSLIST")
            return {(row[0], row[1]) for row in found
                    if row[1] in ("system user", "repl") or "Binlog" in row[2] or "Slave" in row[2]
                    or (row[1] == "event_scheduler" and row[2] == "Daemon")}  # MySQL's events bear that name, too
        pool = set(self.gate.api("/api/clients")["server_connections"])
        return rows(self.source), rows(self.replica), pool

    def close(self):
        self.done.set()
        self.altering.join(60)
        for client in self.clients:
            client.close()
        if self.reader:
            self.reader.kill()
            self.reader.wait()
        for watch in self.watch.values():
            watch.close()


def chosen_by_pt_kill(server, idle):
    """The ids that pt-kill would end (with --print alone it ends none), as it prints them."""
    run = subprocess.run(["pt-kill", "--idle-time", str(idle), "--print", "--victims", "all", "--interval", "1", "--run-time", "3",
                          "--no-version-check", f"h=127.0.0.1,P={server.port},u=admin,p=admin-secret"],
                         capture_output=True, text=True, timeout=60, env={**os.environ, "PERCONA_TOOLKIT_UPDATE_CHECK": "0"})
    return {int(id) for id in re.findall(r"KILL (\d+)", run.stdout)}, run.stderr


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_ten_rounds_of_everything_that_is_idle_hit_nothing_that_must_live(stage, kind):
    all = stage(kind)
    before = all.protected()
    beats = all.beats()
    ended = 0
    for _ in range(ROUNDS):
        idle = [server.connect() for server in (all.source, all.replica) for _ in range(2)]
        for server in (all.source, all.replica):
            done = all.watch[server].run("kill", "--idle", 0)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "of a gate's pool" in done.stdout or server is all.replica
            ended += int(re.search(r"(\d+) ended", done.stdout)[1])
        for connection in idle:  # these were to be ended
            with pytest.raises(pymysql.MySQLError):
                connection.cursor().execute("SELECT 1")
    assert ended >= 4 * ROUNDS
    assert all.protected() == before
    assert all.alter_error is None and all.altering.is_alive()
    assert all.replicates()
    wait_until(lambda: all.beats() > beats, 10, "the event to go on")
    for client in all.clients:
        client.commit()
    assert all.reader is None or all.reader.poll() is None


def test_whom_pt_kill_would_end(stage):
    """Of what must live, pt-kill takes the gate's pool; the table in docs/watch.md says so."""
    if not shutil.which("pt-kill"):
        pytest.skip("no pt-kill (package percona-toolkit)")
    all = stage("mariadb")
    pool = set(all.gate.api("/api/clients")["server_connections"])
    idle = [all.source.connect() for _ in range(2)]
    time.sleep(2)
    ours = {row["id"] for row in all.watch[all.source].json("kill", "--dry-run", "--idle", 1)["would_end"]}
    assert ours >= {connection.thread_id() for connection in idle} and not ours & pool
    for seconds in (0, 1):
        theirs, said = chosen_by_pt_kill(all.source, seconds)
        print(f"pt-kill --idle-time {seconds} chose", sorted(theirs), "of the gate's pool", sorted(theirs & pool), said)
    assert theirs & pool, said
