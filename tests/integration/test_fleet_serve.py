"""Fleets inside a running gate: started when the server is there, reloaded, steered, looked at, and ended with the gate."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from harness.gate import program
from harness.process import PATIENCE, wait_until

# Says its pid, works on jobs of 20 ms until SIGTERM, and says of each when it begins and ends.
WORKER = """
trap 'stop=1' TERM
echo "up $$"
while [ -z "$stop" ]; do sleep 0.02; echo "job done"; done
echo "down $$"
"""


def fleet(name="mail", workers=2, command=WORKER, **more):
    return {"name": name, "workers": workers, "command": command, "stop_timeout": "3s", **more}


def alive(pids):
    """Those that are processes and no zombies."""
    def is_alive(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    return [pid for pid in pids if is_alive(pid)]


class Fleets:
    """What the API says about the fleets of a gate."""

    def __init__(self, gate):
        self.gate = gate

    def __getitem__(self, name):
        return next((f for f in self.gate.api("/api/worker-stats")["fleets"] if f["name"] == name), None)

    def names(self):
        return [f["name"] for f in self.gate.api("/api/worker-stats")["fleets"]]

    def pids(self, name="mail"):
        return {w["id"]: w["pid"] for w in self[name]["list"] if w["pid"]}

    def running(self, name="mail"):
        return sum(w["state"] == "running" and w["pid"] is not None for w in self[name]["list"])

    def wait_running(self, count, name="mail"):
        wait_until(lambda: self[name] and self.running(name) == count and self[name]["stopping"] == 0, 20,
                   f"{count} workers of {name}")
        return self.pids(name)


@pytest.fixture
def new_fleets(new_gate, mariadb):
    def make(*fleets, server=mariadb, **config):
        return Fleets(new_gate(server, fleet=list(fleets), **config))
    return make


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_workers_run_beside_the_gate_and_are_shown(new_fleets):
    fleets = new_fleets(fleet(workers=3, job_line="^job done"), fleet("night", workers=1))
    pids = fleets.wait_running(3)
    assert sorted(pids) == [0, 1, 2] and len(alive(pids.values())) == 3
    log = fleets.gate.log_text()
    assert "Fleet mail: Batch 1/1: workers 0-2" in log and "Fleet night: Batch 1/1: worker 0" in log
    wait_until(lambda: f"\n[mail 1] up {pids[1]}\n" in fleets.gate.log_text(), 10, "its line")
    wait_until(lambda: fleets["mail"]["jobs_done"] > 3, 10, "some jobs")
    shown = fleets["mail"]
    assert (shown["state"], shown["why"], shown["workers"], shown["running"]) == ("running", None, 3, 3)
    worker = shown["list"][1]
    assert worker["pid"] == pids[1] and worker["jobs"] > 0 and worker["age_seconds"] > 0 and worker["restarts"] == 0
    wait_until(lambda: fleets["mail"]["list"][0]["rss_bytes"], 10, "its memory to be measured")

    stats = fleets.gate.api("/api/worker-stats")
    assert set(stats["connection_pool"]) == {"active", "idle", "waiting", "max", "peak", "last_update"}
    older = fleets.gate.api("/?page=api&action=worker-stats")
    assert set(older) == set(stats) and [f["name"] for f in older["fleets"]] == ["mail", "night"]
    metrics = fleets.gate.metrics()
    assert metrics['tidegate_fleet_workers{fleet="mail",state="running"}'] == 3
    assert metrics['tidegate_fleet_workers_wanted{fleet="night"}'] == 1
    assert metrics['tidegate_fleet_jobs_done_total{fleet="mail"}'] > 3
    assert metrics['tidegate_fleet_given_up{fleet="mail"}'] == 0


def test_a_gate_without_fleets_has_none(new_fleets):
    fleets = new_fleets()
    assert fleets.gate.api("/api/worker-stats")["fleets"] == []
    assert not any(name.startswith("tidegate_fleet") for name in fleets.gate.metrics())


def test_workers_work_through_the_gate_until_the_end(new_fleets, mariadb, tmp_path, new_schema):
    """At SIGTERM the workers finish their jobs first, through a gate that serves them; then the clients are drained."""
    schema = new_schema(mariadb)
    mariadb.sql(f"CREATE TABLE {schema}.done (id INT AUTO_INCREMENT PRIMARY KEY, half VARCHAR(10))")
    worker = tmp_path / "worker.py"
    worker.write_text(f"""
import os, signal, sys, time, pymysql
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
while not stop:
    # A connection for each half of a job, as programs do that connect for every query.
    for half in ("first", "second"):
        c = pymysql.connect(host="127.0.0.1", port=int(sys.argv[1]), user="app", password="app-secret", autocommit=True)
        with c.cursor() as cursor:
            cursor.execute("INSERT INTO {schema}.done (half) VALUES (%s)", (half,))
        c.close()
        time.sleep(0.1)
""")
    fleets = new_fleets(listen={"drain_timeout": "20s"})
    gate = fleets.gate
    gate.configure(fleet=[fleet(workers=4, command=["/usr/bin/python3", str(worker), str(gate.port)], stop_timeout="10s")],
                   listen={"drain_timeout": "20s"})
    gate.sighup()
    pids = fleets.wait_running(4)
    count = lambda: mariadb.sql(f"SELECT COUNT(*) FROM {schema}.done")[0][0]  # noqa: E731
    wait_until(lambda: count() > 10, 20, "some work")
    other = gate.connect()
    assert gate.sigterm() == 0
    assert not alive(pids.values())
    halves = dict(mariadb.sql(f"SELECT half, COUNT(*) FROM {schema}.done GROUP BY half"))
    assert halves["first"] == halves["second"], "a job was cut off"
    log = gate.log_text()
    assert "Fleet mail: Stopping: 4 workers may take 10 s" in log and "killed" not in log
    with pytest.raises(Exception, match="1053|2013|2006|0"):
        other.query("SELECT 1")


def test_workers_wait_for_the_server(new_fleets, new_server):
    server = new_server()
    server.close()
    gate = new_fleets(fleet(), server=server, wait_ready=False).gate
    fleets = Fleets(gate)
    wait_until(lambda: gate.get("/healthz")[0] == 200, 10, "the gate")
    assert fleets["mail"]["state"] == "waiting" and "the server" in fleets["mail"]["why"]
    assert fleets["mail"]["list"] == []


def test_a_reload_adds_ends_scales_and_replaces(new_fleets):
    one, two, three = fleet("one"), fleet("two"), fleet("three")
    fleets = new_fleets(one, two, three)
    gate = fleets.gate
    before = {name: fleets.wait_running(2, name) for name in ("one", "two", "three")}
    gate.configure(fleet=[one, {**two, "workers": 4}, fleet("four", workers=1)])
    gate.sighup()
    wait_until(lambda: fleets.names() == ["one", "two", "four"], 20, "the fleets of the new configuration")
    fleets.wait_running(1, "four")
    scaled = fleets.wait_running(4, "two")
    assert fleets.pids("one") == before["one"], "a fleet that was not changed was touched"
    assert {0: scaled[0], 1: scaled[1]} == before["two"]
    assert not alive(before["three"].values())

    gate.configure(fleet=[{**one, "command": WORKER.replace("up", "new")}, {**two, "workers": 1}, fleet("four", workers=1)])
    gate.sighup()
    fleets.wait_running(1, "two")
    wait_until(lambda: fleets["one"]["recycled"] == 2 and fleets.running("one") == 2, 20, "both replaced")
    assert not alive(before["one"].values())
    new = fleets.pids("one")
    wait_until(lambda: all(f"[one {n}] new {pid}" in gate.log_text() for n, pid in new.items()), 10, "the new command")
    assert "one" in gate.log_text() and "The roll-over stops" not in gate.log_text()

    gate.configure(fleet=[{**one, "restart": "sometimes"}])
    gate.sighup()
    wait_until(lambda: "must be one of" in gate.log_text(), 10, "its complaint")
    assert fleets.names() == ["one", "two", "four"] and fleets.pids("one") == new


def test_a_fleet_may_come_with_a_reload_and_all_may_go(new_fleets):
    fleets = new_fleets()
    fleets.gate.configure(fleet=[fleet()])
    fleets.gate.sighup()
    pids = fleets.wait_running(2)
    fleets.gate.configure()
    fleets.gate.sighup()
    wait_until(lambda: fleets.names() == [], 20, "no fleets")
    assert not alive(pids.values())
    fleets.gate.configure(fleet=[fleet()])
    fleets.gate.sighup()
    fleets.wait_running(2)


def test_a_crash_loop_is_said_once_and_the_gate_goes_on(new_fleets):
    fleets = new_fleets(fleet("broken", command="echo no; exit 3"), fleet())
    wait_until(lambda: fleets["broken"]["state"] == "given up", 60, "the verdict")
    shown = fleets["broken"]
    assert "Crash loop" in shown["why"] and "exit code 3" in shown["why"]
    assert shown["failed"] > 0 or shown["running"] == 0
    assert fleets.gate.log_text().count("Fleet broken: Crash loop") == 1
    assert fleets.gate.metrics()['tidegate_fleet_given_up{fleet="broken"}'] == 1
    assert fleets.running("mail") == 2
    with fleets.gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    fleets.gate.configure(fleet=[fleet("broken"), fleet()])  # mended
    fleets.gate.sighup()
    fleets.wait_running(2, "broken")


def test_a_command_that_is_not_there_is_given_up_at_once(new_fleets):
    fleets = new_fleets(fleet("gone", command=["/no/such/program"]))
    wait_until(lambda: fleets["gone"]["state"] == "given up", 20, "the verdict")
    assert "cannot start /no/such/program" in fleets["gone"]["why"]


def test_a_gate_that_is_killed_leaves_no_worker(new_fleets):
    stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    fleets = new_fleets(fleet(), fleet("stubborn", command=stubborn, stop_timeout="1s"))
    pids = [*fleets.wait_running(2).values(), *fleets.wait_running(2, "stubborn").values()]
    fleets.gate.kill9()
    wait_until(lambda: not alive(pids), 15, "the keepers' work")


def test_a_worker_that_does_not_end_is_killed_with_the_gate(new_fleets):
    fleets = new_fleets(fleet("stubborn", command="trap '' TERM; echo up; while :; do sleep 0.05; done", stop_timeout="60s"),
                        listen={"drain_timeout": "1s"})
    pids = fleets.wait_running(2, "stubborn")
    assert "may take 1m to end" in fleets.gate.log_text()
    assert fleets.gate.sigterm() == 0
    assert not alive(pids.values())
    assert "Fleet stubborn: The time is over: 2 workers are cut off" in fleets.gate.log_text()


def test_workers_write_to_files(new_fleets, tmp_path):
    fleets = new_fleets(fleet(logs=str(tmp_path / "logs"), prefix=False))
    pids = fleets.wait_running(2)
    wait_until(lambda: f"up {pids[1]}\n" in (tmp_path / "logs/mail-1.log").read_text(), 10, "its line")
    assert "[mail" not in fleets.gate.log_text()


def test_one_name_on_one_host(new_fleets, run):
    name = f"fleet-test-{os.getpid()}"
    first = run("--single", name, command=["sh", "-c", WORKER])
    wait_until(lambda: "up" in first.out, 10, "the first")
    fleets = new_fleets(fleet(single=name))
    wait_until(lambda: "has it" in (fleets["mail"]["why"] or ""), 10, "its word")
    assert f"Fleet mail: Waits for the name \"{name}\": process {first.pid} " in fleets.gate.log_text()
    assert fleets["mail"]["list"] == []
    first.signal(signal.SIGTERM)
    first.wait()
    fleets.wait_running(2)
    second = run("--single", name, command=["true"])
    assert second.wait() == 0 and "runs already" in second.log


def test_workers_start_as_the_gate_has_room(new_fleets, mariadb):
    fleets = new_fleets(fleet(workers=6, batch="auto"), budget={"max_connections": 3}, pool={"wait_timeout": "20s"})
    fleets.wait_running(6)
    gate = fleets.gate
    holders = [gate.connect() for _ in range(4)]
    for holder in holders[:3]:
        holder.begin()
        holder.cursor().execute("SELECT 1")
    waiter = threading.Thread(target=lambda: holders[3].query("SELECT 1"), daemon=True)
    waiter.start()
    wait_until(lambda: gate.api()["waiting"] == 1, 10, "a client in line")
    gate.configure(fleet=[fleet(workers=8, batch="auto")], budget={"max_connections": 3}, pool={"wait_timeout": "20s"})
    gate.sighup()
    wait_until(lambda: "Fleet mail: No room for more for now: 1 clients are in line at the gate" in gate.log_text(), 10,
               "its word")
    assert fleets.running() == 6 and fleets["mail"]["waiting"] == 2
    for holder in holders[:3]:
        holder.rollback()
    waiter.join(20)
    fleets.wait_running(8)
    for holder in holders:
        holder.close()


# ---- tidegate ctl


def ctl(gate, *arguments, env=None):
    return subprocess.run([program(), "ctl", *map(str, arguments)], cwd="/", env=gate.env | (env or {}),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30 * PATIENCE)


def test_ctl_shows_scales_and_restarts(new_fleets):
    fleets = new_fleets(fleet(job_line="^job done"), fleet("night", workers=1))
    gate = fleets.gate
    before = fleets.wait_running(2)
    night = fleets.wait_running(1, "night")
    shown = ctl(gate, "fleets")
    assert shown.returncode == 0, shown.stderr
    assert "mail: running, 2 workers: 2 running\n" in shown.stdout and "pool: " in shown.stdout
    assert f" {before[1]} running " in shown.stdout
    assert [f["name"] for f in json.loads(ctl(gate, "fleets", "--json").stdout)["fleets"]] == ["mail", "night"]

    scaled = ctl(gate, "scale", "mail", 4)
    assert (scaled.returncode, scaled.stdout) == (0, "the fleet mail goes from 2 workers to 4\n")
    more = fleets.wait_running(4)
    assert {number: more[number] for number in before} == before
    gate.sighup()  # nothing has changed in the configuration, so what was ordered stays
    wait_until(lambda: "The configuration was read again" in gate.log_text(), 10, "the reload")
    assert ctl(gate, "scale", "mail", 1, "--json").returncode == 0
    assert fleets.wait_running(1) == {0: before[0]}

    rolled = ctl(gate, "restart", "mail")
    assert (rolled.returncode, rolled.stdout) == (0, "workers of the fleet mail that are replaced, a few at a time: 1\n")
    wait_until(lambda: fleets["mail"]["recycled"] == 1, 20, "the replacement")
    assert fleets.wait_running(1)[0] != before[0] and not alive(before.values())
    assert fleets.pids("night") == night


def test_ctl_begins_anew_what_was_given_up(new_fleets, tmp_path):
    fleets = new_fleets(fleet("gone", workers=1, command=[str(tmp_path / "later")]))
    wait_until(lambda: fleets["gone"]["state"] == "given up", 20, "the verdict")
    assert ctl(fleets.gate, "fleets").returncode == 1
    refused = ctl(fleets.gate, "scale", "gone", 3)
    assert refused.returncode == 2 and "was given up; begin anew with: tidegate ctl restart gone" in refused.stderr
    (tmp_path / "later").write_text("#!/bin/sh\n" + WORKER)
    (tmp_path / "later").chmod(0o755)
    assert ctl(fleets.gate, "restart", "gone").stdout == "the fleet gone begins anew\n"
    fleets.wait_running(1, "gone")


def test_ctl_reads_what_workers_print(new_fleets):
    fleets = new_fleets(fleet(workers=1, command="trap 'exit 0' TERM; for i in 1 2 3; do echo out $i; done; sleep 0.3;"
                                                 " echo bad >&2;"
                                                 " while :; do sleep 0.05; [ -e go ] && echo more && rm go; done"))
    gate = fleets.gate
    fleets.wait_running(1)
    wait_until(lambda: ctl(gate, "logs", "mail").stdout == "[0] out 1\n[0] out 2\n[0] out 3\n[0] bad\n", 10, "its lines")
    last = json.loads(ctl(gate, "logs", "mail", "-n", 1, "--json").stdout)
    assert (last["worker"], last["stream"], last["text"], last["number"]) == (0, "err", "bad", 4)
    following = subprocess.Popen([program(), "ctl", "logs", "mail", "-n", "1", "--follow"], env=gate.env, cwd="/",
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert following.stdout.readline() == "[0] bad\n"
        (gate.folder / "go").touch()
        assert following.stdout.readline() == "[0] more\n"
    finally:
        following.kill()
        following.wait()
        following.stdout.close()


def test_ctl_says_what_is_wrong(new_fleets, tmp_path):
    fleets = new_fleets(fleet(), fleet("night"))
    for words in (("scale", "post", "3"), ("restart", "post"), ("logs", "post")):
        missing = ctl(fleets.gate, *words)
        assert missing.returncode == 64 and "there is no fleet post; there are mail, night" in missing.stderr
    for words in ((), ("scale", "mail"), ("scale", "mail", "-1"), ("scale", "mail", "x"), ("logs", "../x"),
                  ("explode", "mail"), ("fleets", "--every", "soon")):
        assert ctl(fleets.gate, *words).returncode == 64, words
    nobody = ctl(fleets.gate, "fleets", env={"TIDEGATE_SLOTS": str(tmp_path / "empty")})
    assert nobody.returncode == 69 and f"no gate runs that has its control socket in {tmp_path}/empty" in nobody.stderr
    fleets.gate.sigterm()
    assert ctl(fleets.gate, "scale", "mail", 3).returncode == 69


def post(gate, path, token=None):
    request = urllib.request.Request(f"http://127.0.0.1:{gate.api_port}{path}", method="POST",
                                     headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_only_the_gates_own_user_steers(new_fleets):
    fleets = new_fleets(fleet())
    gate = fleets.gate
    fleets.wait_running(2)
    path = gate.folder / ".local/state/tidegate/slots/control.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    status, said = post(gate, "/api/fleets/mail/scale?workers=5")
    assert status == 403 and "tidegate ctl" in said
    assert gate.get("/api/fleets/mail/logs")[0] == 403
    if os.geteuid() == 0:  # somebody else, whom the modes of the files would let in
        for each in (path, *path.parents):
            if gate.folder in (each, *each.parents):
                each.chmod(0o777)
        code = ("import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
                "s.sendall(b'POST /api/fleets/mail/scale?workers=5 HTTP/1.0\\r\\n\\r\\n'); print(s.recv(100))")
        other = subprocess.run(["/usr/bin/python3", "-c", code, str(path)], capture_output=True, text=True, timeout=30)
        assert other.stdout.strip() == "b''" or "reset" in other.stderr or "Broken pipe" in other.stderr, other
    assert fleets["mail"]["workers"] == 2
    gate.sigterm()
    assert not path.exists()


def test_the_token_steers_over_tcp(new_gate, mariadb, tmp_path):
    (tmp_path / "token").write_text("sesame\n")
    (tmp_path / "token").chmod(0o600)
    gate = new_gate(mariadb, api={"token_file": str(tmp_path / "token")}, fleet=[fleet()])
    assert post(gate, "/api/fleets/mail/scale?workers=1")[0] == 401
    assert post(gate, "/api/fleets/mail/scale?workers=1", "sesam")[0] == 401
    api = ("--api", f"127.0.0.1:{gate.api_port}")
    refused = ctl(gate, "fleets", *api)
    assert refused.returncode == 64 and "token" in refused.stderr
    token = {"TIDEGATE_API_TOKEN": "sesame"}
    wait_until(lambda: "2 running" in ctl(gate, "fleets", *api, env=token).stdout, 20, "its workers")
    assert ctl(gate, "scale", "mail", 1, *api, env=token).returncode == 0
    wait_until(lambda: "1 workers: 1 running" in ctl(gate, "fleets").stdout, 20, "one worker")  # the socket needs no token


def test_a_gate_without_http_is_steered_all_the_same(new_gate, mariadb):
    gate = new_gate(mariadb, fleet=[fleet()])
    gate.configure(api={"address": "off"}, fleet=[fleet()])
    gate.sigterm()
    gate._answers = lambda *_: "Serving MySQL clients" in gate.log_text().rpartition("Stopping")[2]  # no page says so
    gate.start()
    wait_until(lambda: "2 running" in ctl(gate, "fleets").stdout, 20, "its workers")


def test_a_gate_after_one_that_was_killed_has_the_socket(new_fleets, tmp_path):
    folder = {"path": str(tmp_path / "slots")}
    first = new_fleets(fleet(workers=1), slots=folder)
    first.wait_running(1)
    first.gate.kill9()
    second = new_fleets(fleet("other", workers=1), slots=folder)
    second.wait_running(1, "other")
    assert "other: running" in ctl(second.gate, "fleets", env={"TIDEGATE_SLOTS": folder["path"]}).stdout
