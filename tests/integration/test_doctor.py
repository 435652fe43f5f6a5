"""tidegate doctor on real servers: it finds what was done to a badly set one, leaves a healthy one in peace, says what
an account may not see, and writes a script that mends and one that undoes. Beside it: mysqltuner on the same servers.

The table in docs/doctor.md is this test's: TIDEGATE_DOCTOR_TABLE=FILE writes it anew.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pymysql
import pytest

from harness import load
from harness.gate import program
from harness.process import wait_until

WELL, ATTENTION, CRITICAL, USAGE, UNREACHABLE = 0, 1, 2, 64, 69
ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is wrong with the bad server -> the check that must say so.
PLANTED = {
    "max_connections = 24, reached and refused": "limit-too-low",
    "a dozen connections that sleep": "idle-holders",
    "wait_timeout = 28800 with sleepers": "idle-timeout-too-long",
    "an account at its MAX_USER_CONNECTIONS": "account-limit-too-low",
    "an account that holds more than half": "account-without-limit",
    "thread_cache_size = 0 with many logins": "thread-cache-too-small",
    "back_log = 1": "back-log-too-small",
    "table_open_cache = 10 with 60 tables": "table-cache-too-small",
    "sort_buffer_size = 4 GB": "memory-beyond-machine",
    "wrong passwords": "aborted-connects",
    "programs that go without a goodbye": "aborted-clients",
    "skip_name_resolve = OFF": "name-resolution",
    "a transaction that sleeps in the way": "idle-transaction",
    "an UPDATE that waits for it": "lock-wait",
    "two imports": "runs-twice",
    "connections opened while the old ones sleep": "connection-leak",
}

# What mysqltuner says about connections: its words -> how docs/doctor.md calls the fault, the checks that say the same.
TUNER = [
    (r"Highest connection usage:", "the peak reached the limit", ["limit-too-low"]),
    (r"wait_timeout \(<", "wait_timeout is long", ["idle-timeout-too-long"]),
    (r"Reduce or eliminate persistent connections", "connections are held and not used", ["idle-holders"]),
    (r"Aborted connections:", "logins fail", ["aborted-connects"]),
    (r"Name resolution is active", "names are looked up at login", ["name-resolution"]),
    (r"Thread cache is disabled|Thread cache hit rate:", "threads are made for each login", ["thread-cache-too-small"]),
    (r"Table cache hit rate:", "tables are opened anew", ["table-cache-too-small"]),
    (r"Maximum possible memory usage:|possible memory usage with other process exceeded", "more memory than there is",
     ["memory-beyond-machine"]),
    (r"Open file limit|open_files_limit \(>", "few files may be open", ["open-files-too-few"]),
]


def url(server, user="monitor", host="127.0.0.1"):
    return f"mysql://{user}:{user}-secret@{host}:{server.port}"


def doctor(home, server, *arguments, user="monitor", look="2s"):
    """The run of `tidegate doctor`, and what it says as JSON (None when it does not)."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DB_", "XDG_", "TIDEGATE_"))}
    run = subprocess.run([program(), "doctor", "--server", url(server, user), *([] if "--look" in arguments else ["--look", look]), *arguments], cwd=home,
                         env={**env, "HOME": str(home)}, text=True, capture_output=True, timeout=120)
    assert "-secret" not in run.stdout + run.stderr
    return run, json.loads(run.stdout) if run.stdout.startswith("{") else None


def ids(said, *severities):
    return [each["id"] for each in said["findings"] if not severities or each["severity"] in severities]


def finding(said, name):
    return next(each for each in said["findings"] if each["id"] == name)


def tuner(server, home):
    """What mysqltuner names as wrong with the server: its lines that are marked [!!], and its recommendations."""
    path = shutil.which("mysqltuner")
    if path is None:
        pytest.skip("NO MYSQLTUNER: scripts/setup test installs it")
    # Debian 12's dies (division by zero) on Debian 12's MariaDB, which has no buffer pool chunks any more: mended, so
    # that it comes to its recommendations.
    text = pathlib.Path(path).read_text().replace("!defined( $myvar{'innodb_buffer_pool_chunk_size'} )",
                                                  "!$myvar{'innodb_buffer_pool_chunk_size'}")
    (home / "mysqltuner.pl").write_text(text)
    run = subprocess.run(["perl", home / "mysqltuner.pl", "--host", "127.0.0.1", "--port", str(server.port), "--user", "admin",
                          "--pass", "admin-secret", "--forcemem", str(memory() >> 20), "--nocolor", "--skippassword",
                          "--nosysstat"], text=True, capture_output=True, timeout=300)
    assert "-------- Recommendations" in run.stdout, run.stdout + run.stderr
    found, _, recommended = run.stdout.partition("-------- Recommendations")
    return "\n".join([line for line in found.splitlines() if "[!!]" in line]) + recommended


def memory():
    """What the machine has, in bytes, as the doctor reads it."""
    total = int(re.search(r"MemTotal:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
    try:
        return min(total, int(pathlib.Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return total


class Ill:
    """A MariaDB with everything of PLANTED done to it; `with` ends the clients."""

    ROUNDS = 140

    def __init__(self, new_server, home):
        self.home = home
        self.server = new_server("mariadb", max_connections=24, thread_cache_size=0, table_open_cache=10,
                                 table_open_cache_instances=1, back_log=1, skip_name_resolve=None, wait_timeout=28800,
                                 interactive_timeout=28800, sort_buffer_size="4G", performance_schema="ON",
                                 max_user_connections=0)
        self.connections, self.programs = [], []
        self.stopping = threading.Event()
        self.threads = []

    def __enter__(self):
        try:
            self.plant()
            return self
        except BaseException:
            self.__exit__()
            raise

    def plant(self):
        server = self.server
        server.sql("CREATE USER few@'%' IDENTIFIED BY 'few-secret' WITH MAX_USER_CONNECTIONS 2",
                   "CREATE TABLE app.stock (id INT PRIMARY KEY, n INT)", "INSERT INTO app.stock VALUES (1, 1)",
                   *[f"CREATE TABLE app.t{n} (id INT PRIMARY KEY)" for n in range(60)])
        self.wrong_passwords()
        self.logins_without_goodbye()
        self.connections += [server.connect() for _ in range(10)] + [server.connect("few") for _ in range(2)]
        self.imports()
        self.open_tables()
        self.lock()
        self.reach_the_limit()

    def wrong_passwords(self):
        for _ in range(30):
            with pytest.raises(pymysql.err.OperationalError, match="1045"):
                self.server.connect(password="wrong")

    def logins_without_goodbye(self):
        for _ in range(self.ROUNDS):
            connection = self.server.connect()
            connection._sock.close()  # as a killed program leaves it
            connection._rfile.close()
        wait_until(lambda: self.server.status("Aborted_clients") >= self.ROUNDS - 2, 30, "the server to see them gone")

    def imports(self):
        """The same import twice, each by itself, and 60 tables read in a circle."""
        script = self.home / "import.py"
        script.write_text(f"import pymysql, sys\nc = pymysql.connect(host='127.0.0.1', port={self.server.port}, user='app', "
                          "password='app-secret')\nprint('in', flush=True)\nsys.stdin.read()\n")
        for _ in range(2):
            # Each has a shell of its own as its parent, as two crontab lines would have.
            child = subprocess.Popen(["/bin/sh", "-c", "/usr/bin/python3 import.py; :"], cwd=self.home, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.programs.append(child)
            assert child.stdout.readline() == "in\n"

    def open_tables(self):
        connection = self.server.connect()
        self.connections.append(connection)

        def read_them_all():
            with connection.cursor() as cursor:
                while not self.stopping.is_set():
                    for n in range(60):
                        cursor.execute(f"SELECT COUNT(*) FROM app.t{n}")
                        cursor.fetchall()
        self.start(read_them_all)

    def lock(self):
        holder, waiter = self.server.connect(autocommit=False), self.server.connect()
        self.connections += [holder, waiter]
        holder.cursor().execute("UPDATE app.stock SET n = 2")

        def wait():
            try:
                waiter.cursor().execute("SET innodb_lock_wait_timeout = 1000")
                waiter.cursor().execute("UPDATE app.stock SET n = 3")
            except (pymysql.MySQLError, OSError):
                pass  # its connection is ended with the test
        self.start(wait)
        # InnoDB's own tables are not read anew while somebody asks for them again and again.
        wait_until(lambda: self.server.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                                             " WHERE INFO = 'UPDATE app.stock SET n = 3'"), 30, "the one that waits")

    def reach_the_limit(self):
        """Fills the server until it refuses, and lets go of that again: the peak and the refusal stay."""
        more = []
        with pytest.raises(pymysql.err.OperationalError, match="1040"):
            while True:
                more.append(self.server.connect())
        for connection in more:
            connection.close()
        wait_until(lambda: self.server.status("Threads_connected") <= 20, 30, "the server to have room again")

    def leak(self):
        """Once the doctor has taken its first look, opens five connections and keeps them."""
        def open_more():
            # It rests between its samples, and only there.
            while not self.server.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'monitor'"
                                        " AND COMMAND = 'Sleep' AND TIME_MS > 40"):
                if self.stopping.wait(0.02):
                    return
            self.connections += [self.server.connect() for _ in range(5)]
        self.start(open_more)

    def start(self, work):
        thread = threading.Thread(target=work, daemon=True)
        self.threads.append(thread)
        thread.start()

    def __exit__(self, *_):
        self.stopping.set()
        for child in self.programs:
            child.stdin.close()
            child.stdout.close()
            child.wait()
        # The one that waits for a lock ends with it; the holder is closed by the server.
        for row in self.server.connections("app") + self.server.connections("few"):
            try:
                self.server.sql(f"KILL {row['ID']}")
            except pymysql.MySQLError:
                pass  # it has gone meanwhile
        for thread in self.threads:
            thread.join(30)


@pytest.fixture
def ill(new_server, tmp_path):
    with Ill(new_server, tmp_path) as made:
        yield made


def seconds_to_be_idle():
    """Long enough for the sleepers to be idle for a second."""
    time.sleep(1.2)


def test_every_planted_fault_is_found(ill, tmp_path):
    seconds_to_be_idle()
    ill.leak()
    run, said = doctor(tmp_path, ill.server, "--json", "--max-idle", "1", look="3s")
    missing = {fault: check for fault, check in PLANTED.items() if check not in ids(said)}
    assert not missing, f"not found: {missing}; said: {ids(said)}"
    assert run.returncode == CRITICAL and said["level"] == "critical"
    # Each with its evidence, its reason, something to do, and its page.
    for each in said["findings"]:
        assert each["evidence"] and each["reason"] and (each["fix"] or each["steps"]), each
        assert (ROOT / each["page"]).exists()
    order = ["critical", "attention", "info"]
    severities = [order.index(each["severity"]) for each in said["findings"]]
    assert severities == sorted(severities)
    assert "import.py" in str(finding(said, "runs-twice")["evidence"])
    holder = ill.server.value("SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE trx_state = 'RUNNING'"
                              " AND trx_rows_modified > 0")
    assert f"KILL {holder};" in str(finding(said, "idle-transaction")["steps"])


def test_the_text_is_for_a_person(ill, tmp_path):
    run, _ = doctor(tmp_path, ill.server)
    assert run.returncode in (ATTENTION, CRITICAL), run.stderr
    lines = run.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert re.match(r"(critical|attention): \d+", lines[-1]), lines[-1]
    assert "[limit-too-low]" in run.stdout and "docs/checks/limit-too-low.md" in run.stdout
    assert "SET GLOBAL thread_cache_size = " in run.stdout


def test_the_script_mends_and_its_undo_undoes(ill, tmp_path):
    seconds_to_be_idle()
    run, said = doctor(tmp_path, ill.server, "--json", "--max-idle", "1", "--fix-script", "fix.sql")
    fix, undo = (tmp_path / "fix.sql").read_text(), (tmp_path / "fix.sql.undo").read_text()

    def variables():
        return dict(ill.server.sql("SHOW GLOBAL VARIABLES"))

    def limits():
        return ill.server.sql("SELECT User, Host, max_user_connections FROM mysql.user ORDER BY User, Host")

    def execute(script):
        statements = [line for line in script.splitlines() if line and not line.startswith("--")]
        assert statements and all(re.match(r"(SET GLOBAL|ALTER USER|FLUSH HOSTS)", each) for each in statements), statements
        ill.server.sql(*statements)

    volatile = {"gtid_binlog_pos", "gtid_current_pos", "error_count", "timestamp", "rand_seed1", "rand_seed2"}
    before, limits_before = variables(), limits()
    assert int(before["max_connections"]) == 24 and run.returncode == CRITICAL
    execute(fix)
    after = variables()
    changed = {name for name in before if before[name] != after[name]} - volatile
    assert {"max_connections", "wait_timeout", "interactive_timeout", "thread_cache_size", "table_open_cache"} & changed >= {
        "wait_timeout", "interactive_timeout", "thread_cache_size", "table_open_cache"}, changed
    assert limits() != limits_before
    execute(undo)
    assert {name: value for name, value in variables().items() if name not in volatile} == {
        name: value for name, value in before.items() if name not in volatile}
    assert limits() == limits_before
    # What takes a restart is only told, for the option file.
    assert re.search(r"^-- +back_log = ", fix, re.MULTILINE)
    # Nothing was executed by the doctor itself.
    assert said["findings"]


def test_the_option_lines_are_the_servers_own(ill, tmp_path):
    """What is proposed for the option file is taken by a server that starts with it."""
    doctor(tmp_path, ill.server, "--json", "--fix-script", "fix.sql")
    text = (tmp_path / "fix.sql").read_text().partition("under [mysqld] (SET")[2]
    options = [line[2:].partition("#")[0].strip() for line in text.splitlines() if "=" in line]
    assert any(line.startswith("back_log") for line in options), options
    (tmp_path / "my.cnf").write_text("[mysqld]\n" + "\n".join(options) + "\n")
    run = subprocess.run([ill.server.program(), f"--defaults-file={tmp_path}/my.cnf", "--help", "--verbose", "--user=root"],
                         text=True, capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr
    for line in options:
        name, _, value = line.partition(" = ")
        shown = re.search(rf"^{name.replace('_', '-')}\s+(\S+)$", run.stdout, re.MULTILINE)
        if name != "open_files_limit":  # the system has the last word
            assert shown and shown[1].upper() in (value, "TRUE" if value == "ON" else value), (line, shown and shown[0])


def well_set(new_server, kind="mariadb"):
    return new_server(kind, max_connections=151, performance_schema="ON")


def short_load(server, way=None):
    """A real load of the usual kind, for a second or two: logins, reads and writes, and orderly ends; by `way`."""
    way = way or server
    server.sql("CREATE TABLE IF NOT EXISTS app.orders (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")

    def work(number, running):
        while not running.stopping.is_set():
            with running.tally.counted():
                connection = way.connect()
                try:
                    with connection.cursor() as cursor:
                        for _ in range(20):
                            cursor.execute("INSERT INTO app.orders (n) VALUES (%s)", (number,))
                            cursor.execute("SELECT COUNT(*), MAX(n) FROM app.orders WHERE id < 100")
                            cursor.fetchall()
                            running.stopping.wait(0.01)
                finally:
                    connection.close()
    return load.Load(8, work)


@pytest.mark.parametrize("kind", ["mariadb", "mariadb11", "mysql"])
def test_a_healthy_server_is_left_in_peace(new_server, tmp_path, kind):
    server = well_set(new_server, kind)
    with short_load(server).start() as running:
        wait_until(lambda: running.tally.succeeded >= 20, 60, "some work")
        run, said = doctor(tmp_path, server, "--json")
    assert ids(said, "attention", "critical") == [], said
    assert run.returncode == WELL and said["level"] == "well"
    assert said["unknown"] == [] or kind != "mysql"
    # Little's law, with its sum: the load was seen.
    assert re.search(r"so each takes \d+\.\d+ / \d+", str(finding(said, "pool-size")["evidence"]))


@pytest.mark.mariadb11
def test_what_an_account_may_not_see_is_said(any_server, tmp_path):
    any_server.sql("CREATE OR REPLACE USER least@'%' IDENTIFIED BY 'least-secret'" if any_server.family == "mariadb" else
                   "CREATE USER IF NOT EXISTS least@'%' IDENTIFIED BY 'least-secret'")
    run, said = doctor(tmp_path, any_server, "--json", user="least")
    assert run.returncode in (WELL, ATTENTION, CRITICAL), run.stderr
    grants = [re.search(r"GRANT .*? TO 'least'@'%';", each) for each in said["unknown"]]
    assert any(grant and "PROCESS" in grant[0] for grant in grants), said["unknown"]
    # They are statements: with them nothing is hidden any more (one may show what another is needed for).
    for _ in range(3):
        for grant in filter(None, grants):
            for part in grant[0].replace("; and ", ";|GRANT ").split("|"):
                any_server.sql(part if " TO " in part else f"{part.rstrip(';')} TO 'least'@'%'")
        _, said = doctor(tmp_path, any_server, "--json", user="least")
        grants = [re.search(r"GRANT .*? TO 'least'@'%';", each) for each in said["unknown"]]
        if not any(grants):
            break
    assert not any(grants), said["unknown"]
    any_server.sql("DROP USER least@'%'")


def test_only_the_checks_that_are_named(mariadb, tmp_path):
    run, said = doctor(tmp_path, mariadb, "--json", "--check", "back-log-too-small", "--check", "idle-timeout-too-long")
    assert run.returncode == WELL and said["checks"] == 2
    assert set(ids(said)) <= {"back-log-too-small", "idle-timeout-too-long"} and ids(said)
    run, said = doctor(tmp_path, mariadb, "--check", "back-log-to-small")
    assert run.returncode == USAGE and "did you mean back-log-too-small?" in run.stderr and said is None


@pytest.mark.parametrize("arguments, says", [(["--look", "soon"], "--look must be"), (["--memory", "much"], "--memory must be"),
                                             (["--max-idle", "-1"], "--max-idle must be")])
def test_what_is_wrong_on_the_command_line(mariadb, tmp_path, arguments, says):
    run, _ = doctor(tmp_path, mariadb, *arguments)
    assert run.returncode == USAGE and says in run.stderr


def test_a_server_that_is_not_there(tmp_path):
    run = subprocess.run([program(), "doctor", "--server", "mysql://app@127.0.0.1:9"], cwd=tmp_path, text=True,
                         capture_output=True, timeout=60, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    assert run.returncode == UNREACHABLE and run.stderr.startswith("tidegate: ")


def doctor_at_gate(home, gate):
    """The doctor with the gate's configuration, as one who may ask it over its control socket."""
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "TIDEGATE_SLOTS": str(gate.folder / ".local/state/tidegate/slots")}
    return subprocess.run([program(), "doctor", "-c", gate.folder / "tidegate.toml", "--json", "--look", "1s"], cwd=home,
                          env=env, text=True, capture_output=True, timeout=60)


def test_a_gate_that_is_well_is_left_in_peace(new_server, new_gate, tmp_path):
    server = well_set(new_server)
    gate = new_gate(server)
    with short_load(server, gate).start() as running:
        wait_until(lambda: running.tally.succeeded >= 20, 60, "some work")
        run = doctor_at_gate(tmp_path, gate)
    said = json.loads(run.stdout)
    assert ids(said, "attention", "critical") == [] and run.returncode == WELL, said
    # It was asked: without it a gate would be advised.
    assert "tidegate serve" not in run.stdout


def test_the_gate_is_asked(new_server, new_gate, tmp_path):
    """A gate that leaves nothing to others, refuses clients, and is passed by: asked over its control socket."""
    server = new_server("mariadb", max_connections=12)
    gate = new_gate(server, budget={"max_connections": 30, "reserve": 0}, pool={"wait_timeout": "1s"})
    past = [server.connect() for _ in range(6)]
    held = []
    with pytest.raises(pymysql.err.OperationalError, match="1040"):
        while True:
            held.append(gate.connect(autocommit=False))
            held[-1].cursor().execute("START TRANSACTION")
    assert held
    run = doctor_at_gate(tmp_path, gate)
    said = json.loads(run.stdout)
    assert {"gate-limit", "gate-refuses", "gate-bypassed"} <= set(ids(said)), (ids(said), run.stderr)
    assert "6 connections past it" in str(finding(said, "gate-bypassed")["evidence"])
    # The gate's own connections are nobody's fault.
    assert "idle-holders" not in ids(said, "attention", "critical")
    for connection in past + held:
        connection.close()


def test_it_gets_into_a_full_server(new_server, tmp_path):
    server = new_server("mariadb", max_connections=10)
    held = [server.connect() for _ in range(10)]
    with pytest.raises(pymysql.err.OperationalError, match="1040"):
        while True:
            held.append(server.connect())
    # As an account without privileges: by the server's side door, which is found.
    run, said = doctor(tmp_path, server, "--json", user="app")
    assert run.returncode == CRITICAL and said, run.stderr
    assert finding(said, "limit-too-low")["severity"] == "critical"
    # Every door shut: the side door, and the places kept for administrators at both.
    for enter in (lambda: server.connect(port=server.admin_port), server.root, lambda: server.connect("admin", port=server.admin_port)):
        with pytest.raises(pymysql.err.OperationalError, match="1040"):
            while True:
                held.append(enter())
    run, said = doctor(tmp_path, server, "--json", user="app")
    assert run.returncode == CRITICAL and said is None and "1040" in run.stderr, run.stdout + run.stderr
    for connection in held:
        connection.close()


def named_by_tuner(text):
    return [(words, checks) for pattern, words, checks in TUNER if re.search(pattern, text)]


def test_mysqltuner_names_no_more(ill, new_server, tmp_path):
    """On the bad server everything that mysqltuner says about connections, and more; on a healthy one no false alarm."""
    seconds_to_be_idle()
    theirs = named_by_tuner(tuner(ill.server, tmp_path))
    ill.leak()
    _, said = doctor(tmp_path, ill.server, "--json", "--max-idle", "1", look="3s")
    ours = ids(said)
    assert len(theirs) >= 5, theirs  # its words are understood
    for words, checks in theirs:
        assert set(checks) & set(ours), f"mysqltuner says {words}, the doctor does not: {ours}"
    also_theirs = {check for _, checks in theirs for check in checks}
    assert set(PLANTED.values()) - also_theirs, "nothing more than mysqltuner"

    healthy = well_set(new_server)
    with short_load(healthy).start() as running:
        wait_until(lambda: running.tally.succeeded >= 20, 60, "some work")
        _, said = doctor(tmp_path, healthy, "--json")
    false_alarms = named_by_tuner(tuner(healthy, tmp_path))
    assert ids(said, "attention", "critical") == []
    write_table(also_theirs, ours, false_alarms)


def write_table(theirs, ours, false_alarms):
    path = os.environ.get("TIDEGATE_DOCTOR_TABLE")
    if not path:
        return
    rows = ["| planted fault | `tidegate doctor` | `mysqltuner` |", "| --- | --- | --- |"]
    for fault, check in PLANTED.items():
        rows.append(f"| {fault} | {'[' + check + '](checks/' + check + '.md)' if check in ours else '-'} "
                    f"| {'yes' if check in theirs else '-'} |")
    found = sum(check in ours for check in PLANTED.values()), sum(check in theirs for check in PLANTED.values())
    rows.append(f"| found, of {len(PLANTED)} | {found[0]} | {found[1]} |")
    alarms = "; ".join(words for words, _ in false_alarms) or "none"
    rows.append(f"| on the healthy server, false alarms | none | {alarms} |")
    pathlib.Path(path).write_text("\n".join(rows) + "\n")
