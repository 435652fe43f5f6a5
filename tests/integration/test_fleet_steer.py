"""Fleets of a running gate steered from elsewhere: `tidegate ctl`, the control socket, the token; and workers that the gate
itself sees at rest."""
import json
import os
import stat
import subprocess
import urllib.error
import urllib.request

import pytest
from harness.fleets import WORKER, ctl, fleet
from harness.gate import program
from harness.process import alive, wait_until


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


# ---- workers that do not handle SIGTERM and tell of no jobs

# What a worker does with its connection through the gate comes as its argument.
UNAWARE = """
import os, sys, time, tomllib, pymysql
with open("tidegate.toml", "rb") as file:
    listen = tomllib.load(file)["listen"]
account = {"user": "app", "password": "app-secret", "autocommit": True}
over_tcp = {"host": "127.0.0.1", "port": int(listen["address"].split(":")[1])}
over_unix = {"unix_socket": os.path.abspath("clients.sock")}
connection = pymysql.connect(**(over_unix if sys.argv[1] == "unix" else over_tcp), **account)
cursor = connection.cursor()
if sys.argv[1] == "transaction":
    cursor.execute("BEGIN")
cursor.execute("SELECT 1")
print("at it", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", ["tcp", "unix"])
def test_a_worker_at_rest_in_its_connection_is_stopped(new_fleets, tmp_path, how):
    (tmp_path / "worker.py").write_text(UNAWARE)
    command = ["/usr/bin/python3", str(tmp_path / "worker.py"), how]
    fleets = new_fleets(fleet(command=command, stop_timeout="10m"), listen={"unix": "clients.sock", "drain_timeout": "10m"})
    gate = fleets.gate
    wait_until(lambda: gate.log_text().count("] at it") == 2, 20, "both at work")
    assert ctl(gate, "restart", "mail").returncode == 0
    wait_until(lambda: fleets["mail"]["recycled"] == 2, 60, "both replaced")
    assert {worker["last_exit"] for worker in fleets["mail"]["list"]} == {"signal 15"}
    wait_until(lambda: gate.log_text().count("] at it") == 4, 20, "the successors at work")
    assert gate.sigterm(60) == 0  # the same when the gate ends
    assert "killed" not in gate.log_text() and "cut off" not in gate.log_text()


def test_a_worker_in_a_transaction_is_not_stopped_before_its_time_is_over(new_fleets, tmp_path):
    (tmp_path / "worker.py").write_text(UNAWARE)
    command = ["/usr/bin/python3", str(tmp_path / "worker.py"), "transaction"]
    fleets = new_fleets(fleet(workers=1, command=command, stop_timeout="2s"))
    wait_until(lambda: "] at it" in fleets.gate.log_text(), 20, "it at work")
    assert ctl(fleets.gate, "restart", "mail").returncode == 0
    wait_until(lambda: fleets["mail"]["recycled"] == 1, 20, "the replacement")
    assert fleets["mail"]["list"][0]["last_exit"] == "signal 9" and fleets["mail"]["killed"] == 1
    assert "Fleet mail: Worker 0 did not end within 2 s: killed" in fleets.gate.log_text()


def test_a_worker_that_tells_of_jobs_is_not_stopped_by_its_connection(new_fleets, tmp_path):
    (tmp_path / "worker.py").write_text(UNAWARE)
    command = ["/usr/bin/python3", str(tmp_path / "worker.py"), "tcp"]
    fleets = new_fleets(fleet(workers=1, command=command, stop_timeout="2s", job_line="^job done"))
    wait_until(lambda: "] at it" in fleets.gate.log_text(), 20, "it at work")
    assert ctl(fleets.gate, "restart", "mail").returncode == 0
    wait_until(lambda: fleets["mail"]["recycled"] == 1, 20, "the replacement")
    assert fleets["mail"]["list"][0]["last_exit"] == "signal 9"
