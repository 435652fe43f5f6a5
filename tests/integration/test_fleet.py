"""`tidegate run` with workers: real processes, PHP among them, on a real server whose connections are few.

With TIDEGATE_LONG=1 with the figures of the incidents: 1000 workers on 151 connections, ten minutes of recycling.
"""
import contextlib
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import termios
import time

import pytest

from harness import reaper
from harness import plot
from harness.fleet import LONG, script
from harness.gate import program
from harness.process import PATIENCE, alive, wait_until


def children(pid):
    """The children of a process, with their states. The kernel may leave some out while others end."""
    found = {}
    try:
        for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                found[int(p)] = pathlib.Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        pass
    return found


# Says its pid, works on jobs of 20 ms until SIGTERM, and says of each when it begins and ends.
SHELL_WORKER = """
trap 'stop=1' TERM
echo "up $$"
i=0
while [ -z "$stop" ]; do
  i=$((i + 1)); echo "begin $$-$i"; sleep 0.02; echo "end $$-$i"
done
echo "down $$"
"""

PHP_ONCE = """<?php
mysqli_report(MYSQLI_REPORT_OFF);
$db = @new mysqli('127.0.0.1', 'app', 'app-secret', 'app', (int)getenv('DB_PORT'));
if ($db->connect_errno) { fwrite(STDERR, "refused {$db->connect_errno}\\n"); exit(1); }
$db->query('SELECT SLEEP(%s)') or exit(2);
echo "served {$argv[1]}\\n";
"""


def spread(server, run, tmp_path, workers, work, *arguments):
    """A fleet of PHP scripts that connect straight to the server; how long it took, and the run."""
    errors = server.status("Connection_errors_max_connections")
    worker = script(tmp_path, "once.php", PHP_ONCE % work)
    began = time.monotonic()
    fleet = run("--workers", workers, "--restart", "never", *arguments, command=["php", worker, "{id}"], server=server)
    code = fleet.wait(300)
    took = time.monotonic() - began
    print(f"\n{workers} workers {' '.join(map(str, arguments))}: {took:.1f} s, at most "
          f"{server.status('Max_used_connections')} of {server.variable('max_connections')} connections")
    assert code == 0, fleet.log
    assert "refused" not in fleet.log
    assert sorted(map(int, fleet.lines(r"served (\d+)"))) == list(range(workers))
    assert server.status("Connection_errors_max_connections") == errors
    return took, fleet


def test_batches_keep_below_the_servers_limit(new_server, run, tmp_path):
    workers, size, limit, work = (1000, 150, 151, "1") if LONG else (45, 20, 45, "0.05")
    server = new_server(max_connections=limit)
    _, fleet = spread(server, run, tmp_path, workers, work, "--batch", size, "--batch-delay", "2s" if LONG else "1s")
    batches = -(-workers // size)
    for number in range(batches):
        last = min(workers, (number + 1) * size) - 1
        assert f"Batch {number + 1}/{batches}: workers {number * size}-{last}\n" in fleet.log
    # With the server's figures, unless its first answer was later than that.
    assert re.search(rf"Batch 1/{batches}: now \d+ running, \d+ done, 0 failed(, .*)?(; \d+ of {limit} connections)?\n", fleet.log)


def test_batches_that_follow_the_room_use_all_of_it_and_no_more(new_server, run, tmp_path):
    workers, limit, work = (1000, 151, "1") if LONG else (40, 20, "0.3")
    server = new_server(max_connections=limit)
    auto, _ = spread(server, run, tmp_path, workers, work, "--batch", "auto")
    if LONG:
        fixed, _ = spread(server, run, tmp_path, workers, work, "--batch", 150, "--batch-delay", "2s")
        assert auto < fixed


def test_batches_that_follow_the_room_leave_it_to_others(new_server, run, tmp_path):
    server = new_server(max_connections=20)
    others = [server.connect() for _ in range(10)]
    _, fleet = spread(server, run, tmp_path, 20, "0.2", "--batch", "auto")
    for other in others:
        other.close()
    most = server.status("Max_used_connections")
    assert most <= 18, "the reserve of 3 was used"


def test_batches_wait_for_room_and_say_so(new_server, run, tmp_path):
    server = new_server(max_connections=12)
    others = [server.connect() for _ in range(9)]
    worker = script(tmp_path, "once.php", PHP_ONCE % "0")
    fleet = run("--workers", 5, "--batch", "auto", command=["php", worker, "{id}"], server=server)
    wait_until(lambda: "No room for more for now: 10 of 12 connections, 3 of them kept free" in fleet.log, 20, "its word")
    assert fleet.out == ""
    for other in others:
        other.close()
    assert fleet.wait() == 0
    assert len(fleet.lines("served")) == 5


def test_room_needs_a_server_to_ask(run):
    fleet = run("--batch", "auto", command=["true"])
    assert fleet.wait() == 64
    assert "--batch auto asks the server for its room" in fleet.log


def test_output_has_its_workers_number(run, tmp_path):
    fleet = run("--workers", 3, command=["sh", "-c", "echo out {id}; echo err {id} >&2"])
    assert fleet.wait() == 0
    assert sorted(fleet.out.splitlines()) == ["[0] out 0", "[1] out 1", "[2] out 2"]
    assert re.findall(r"^\[(\d)\] err \1$", fleet.log, re.MULTILINE).sort() == ["0", "1", "2"].sort()
    assert fleet.log.count("] err") == 3
    files = run("--workers", 2, "--logs", tmp_path / "logs", "--no-prefix", command=["sh", "-c", "echo out {id}"])
    assert files.wait() == 0
    assert files.out == ""
    assert [(tmp_path / "logs" / f"worker-{n}.log").read_text() for n in (0, 1)] == ["out 0\n", "out 1\n"]


def test_a_command_that_is_not_there_ends_at_once(run):
    fleet = run("--workers", 5, "--restart", "always", command=["no-such-program-anywhere"])
    assert fleet.wait() == 2
    assert "cannot start no-such-program-anywhere: No such file or directory" in fleet.log


def test_a_crash_loop_ends_with_a_verdict(run):
    fleet = run("--workers", 20, "--restart", "always", command=["sh", "-c", "echo oops; exit 3"])
    assert fleet.wait() == 2
    assert "Crash loop: the last 20 starts of workers all ended within 10 s, the last one with exit code 3" in fleet.log


def test_sigterm_lets_jobs_end(run, tmp_path):
    worker = script(tmp_path, "worker.sh", SHELL_WORKER)
    fleet = run("--workers", 5, "--restart", "always", command=["sh", worker])
    wait_until(lambda: len(fleet.lines(r"end ")) > 20, 20, "jobs")
    fleet.signal(signal.SIGTERM)
    assert fleet.wait() == 0
    assert sorted(fleet.lines(r"begin (\S+)")) == sorted(fleet.lines(r"end (\S+)"))
    assert len(fleet.lines(r"down ")) == 5
    assert alive(map(int, fleet.lines(r"up (\d+)"))) == []


def test_a_worker_that_sigterm_would_cut_off_ends_its_job_first(run, tmp_path):
    worker = script(tmp_path, "worker.sh", 'while :; do echo "begin"; sleep 0.3; echo "end"; sleep 0.3; done')
    fleet = run("--workers", 3, "--restart", "always", "--job-line", "^end$", command=["sh", worker])
    wait_until(lambda: len(fleet.lines("begin")) >= 3, 20, "jobs")
    fleet.signal(signal.SIGTERM)
    assert fleet.wait() == 0
    assert len(fleet.lines("begin")) == len(fleet.lines("end"))


def test_whoever_does_not_end_is_killed_with_all_its_children(run, tmp_path):
    worker = script(tmp_path, "worker.sh", "trap '' TERM; sleep 300 & echo \"up $$\"; echo \"up $!\"; wait; sleep 300")
    fleet = run("--workers", 2, "--stop-timeout", "1s", command=["sh", worker])
    pids = wait_until(lambda: len(fleet.lines(r"up (\d+)")) == 4 and fleet.lines(r"up (\d+)"), 20, "the workers")
    fleet.signal(signal.SIGTERM)
    assert fleet.wait() == 1
    assert "did not end within 1 s: killed" in fleet.log
    assert alive(map(int, pids)) == []


def test_a_second_word_cuts_off(run, tmp_path):
    fleet = run("--workers", 2, command=["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"])
    wait_until(lambda: len(fleet.lines("up")) == 2, 20, "the workers")
    fleet.signal(signal.SIGTERM)
    wait_until(lambda: "Stopping: 2 workers" in fleet.log, 10, "the first word to be heard")
    fleet.signal(signal.SIGINT)
    assert fleet.wait(10) == 1


def test_children_that_outlive_their_worker_end_too(run, tmp_path):
    fleet = run(command=["sh", "-c", "sleep 300 & echo \"up $!\"; exit 0"])
    assert fleet.wait() == 0
    assert alive(map(int, fleet.lines(r"up (\d+)"))) == []


@pytest.mark.parametrize("heeds", [True, False], ids=["heeding SIGTERM", "ignoring SIGTERM"])
def test_nobody_outlives_a_supervisor_that_is_killed(run, tmp_path, heeds):
    trap = "trap 'exit 0' TERM" if heeds else "trap '' TERM"
    worker = script(tmp_path, "worker.sh", f"{trap}; sleep 300 & echo \"up $$\"; echo \"up $!\"; while :; do sleep 0.05; done")
    fleet = run("--workers", 10, "--restart", "always", "--stop-timeout", "2s", command=["sh", worker])
    pids = wait_until(lambda: len(fleet.lines(r"up (\d+)")) == 20 and fleet.lines(r"up (\d+)"), 20, "the workers")
    assert len(alive(map(int, pids))) == 20
    os.kill(fleet.pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: not alive(map(int, pids)), 10, "the end of all workers")
    print(f"\nthe last of 20 processes ended {time.monotonic() - killed:.2f} s after the supervisor (grace 2 s)")


def test_the_keeper_is_kept_too(run, tmp_path):
    fleet = run("--stop-timeout", "1s", command=["sh", "-c", "echo \"up $$\"; while :; do sleep 0.05; done"])
    pids = wait_until(lambda: fleet.lines(r"up (\d+)"), 20, "the worker")
    keeper = [p for p in children(fleet.pid) if "fleet-keeper" in pathlib.Path(f"/proc/{p}/comm").read_text()]
    os.kill(keeper[0], signal.SIGKILL)
    wait_until(lambda: "another one is started" in fleet.log, 10, "a new keeper")
    os.kill(fleet.pid, signal.SIGKILL)
    wait_until(lambda: not alive(map(int, pids)), 10, "the end of the worker")


def test_sighup_replaces_all_a_few_at_a_time(run, tmp_path):
    worker = script(tmp_path, "worker.sh", SHELL_WORKER)
    fleet = run("--workers", 4, "--restart", "always", command=["sh", worker])
    wait_until(lambda: len(fleet.lines("up")) == 4, 20, "the workers")
    first = set(fleet.lines(r"up (\d+)"))
    fleet.signal(signal.SIGHUP)
    def running():  # without the keeper
        return sum(state != "Z" for state in children(fleet.pid).values()) - 1

    least = 4
    deadline = time.monotonic() + 40 * PATIENCE
    while len(fleet.lines("up")) < 8 and time.monotonic() < deadline:
        least = min(least, max(running() for _ in range(3)))
        time.sleep(0.02)
    assert len(fleet.lines("up")) == 8
    wait_until(lambda: not alive(map(int, first)), 10, "the end of the first ones")
    assert least >= 3
    fleet.signal(signal.SIGTERM)
    assert fleet.wait() == 0
    assert sorted(fleet.lines(r"begin (\S+)")) == sorted(fleet.lines(r"end (\S+)"))


def test_sigttin_and_sigttou_add_and_remove_one(run, tmp_path):
    worker = script(tmp_path, "worker.sh", SHELL_WORKER)
    fleet = run("--workers", 1, "--restart", "always", command=["sh", worker])
    wait_until(lambda: len(fleet.lines("up")) == 1, 20, "the first")
    fleet.signal(signal.SIGTTIN)
    wait_until(lambda: len(fleet.lines("up")) == 2, 20, "the second")
    fleet.signal(signal.SIGTTOU)
    wait_until(lambda: len(fleet.lines("down")) == 1, 20, "the end of the second")
    assert fleet.lines(r"\[(\d+)\] down") == ["1"]
    fleet.signal(signal.SIGTERM)
    assert fleet.wait() == 0


def test_no_zombies(run, tmp_path):
    fleet = run("--workers", 20, "--restart", "always", "--max-jobs", 1, "--job-line", "done", "--batch", 1000,
                command=["sh", "-c", "sleep 0.1; echo done; sleep 0.05"])
    wait_until(lambda: len(fleet.lines("done")) > 60, 30, "a few rounds")
    for _ in range(20):
        zombies = [p for p, state in children(fleet.pid).items() if state == "Z"]
        wait_until(lambda: not set(zombies) & {p for p, s in children(fleet.pid).items() if s == "Z"}, 5, "their end")
    fleet.signal(signal.SIGTERM)
    fleet.wait()


PHP_WORKER = """<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
pcntl_async_signals(true);
$stop = false;
pcntl_signal(SIGTERM, function () use (&$stop) { $stop = true; });
$db = new mysqli('127.0.0.1', 'app', 'app-secret', getenv('DB_NAME'), (int)getenv('DB_PORT'));
$me = getmypid();
while (!$stop) {
    $db->query("INSERT INTO work (pid) VALUES ($me)");
    $id = $db->insert_id;
    usleep((int)getenv('WORK_US'));
    $db->query("UPDATE work SET done = 1 WHERE id = $id");
    echo "done $id\\n";
}
"""


def test_recycling_cuts_no_job_off_and_keeps_the_connections_level(new_server, new_schema, run, tmp_path):
    workers, jobs, age, seconds = (50, 100, "60s", 600) if LONG else (10, 20, "3s", 8)
    server = new_server(max_connections=151)
    schema = new_schema(server)
    server.sql(f"CREATE TABLE {schema}.work (id INT AUTO_INCREMENT PRIMARY KEY, pid INT, done INT NOT NULL DEFAULT 0)")
    worker = script(tmp_path, "worker.php", PHP_WORKER)
    fleet = run("--workers", workers, "--restart", "always", "--max-jobs", jobs, "--max-time", age, "--job-line",
                "^done", "--json", command=["php", worker], server=server,
                env={"DB_NAME": schema, "WORK_US": "200000" if LONG else "20000"})
    wait_until(lambda: server.value(f"SELECT COUNT(DISTINCT pid) FROM {schema}.work") >= workers, 30, "all workers")
    counts = []
    for _ in range(seconds * 2):
        counts.append(len(server.connections("app")))
        time.sleep(0.5)  # how often it is looked at
    fleet.signal(signal.SIGTERM)
    assert fleet.wait(60) == 0, fleet.log
    result = json.loads(fleet.out[fleet.out.index("{\n"):])
    by_pid = [count for _, count in server.sql(f"SELECT pid, COUNT(*) FROM {schema}.work GROUP BY pid")]
    print(f"\n{workers} workers, {seconds} s: connections {min(counts)} to {max(counts)}, {result['recycled']} replaced, "
          f"{result['jobs_done']} jobs, at most {max(by_pid)} by one process")
    if LONG:
        plot.draw(pathlib.Path(os.environ.get("TIDEGATE_PLOT", tmp_path)) / "fleet-connections.svg",
                  f"{workers} workers, --max-jobs {jobs} --max-time {age}: {result['jobs_done']} jobs, "
                  f"{result['recycled']} workers replaced", "connections at the server",
                  [(n / 2, count) for n, count in enumerate(counts)])
    assert server.value(f"SELECT COUNT(*) FROM {schema}.work WHERE NOT done") == 0, "a job was cut off"
    assert result["recycled"] >= workers
    assert result["killed"] == result["crashes"] == result["failed"] == 0
    assert max(counts) <= workers * 1.2 + 1, "more may be there while server threads end; one is the figures'"


PYTHON_NOTIFIER = """
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
s.send(b"READY=1\\nSTATUS=up")
for n in range(3):
    s.send(b"JOB=1")
s.send(b"JOB=0")
print("said", os.environ["TIDEGATE_WORKER"])
"""


def test_workers_speak_over_the_notify_socket(run, tmp_path):
    worker = script(tmp_path, "notify.py", PYTHON_NOTIFIER)
    fleet = run("--workers", 2, "--json", command=["/usr/bin/python3", worker], env={"NOTIFY_SOCKET": "/nowhere"})
    assert fleet.wait() == 0, fleet.log
    result = json.loads(fleet.out[fleet.out.index("{\n"):])
    assert (result["jobs_done"], result["jobs_failed"]) == (6, 2)


def test_a_worker_that_grows_is_replaced(run, tmp_path):
    worker = script(tmp_path, "grow.py", "import os, signal, sys, time\n"
                    "print('up', flush=True)\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
                    "kept = bytearray(os.urandom(40 << 20))\nwhile True: time.sleep(1)\n")
    fleet = run("--restart", "always", "--max-rss", "32M", command=["/usr/bin/python3", worker])
    wait_until(lambda: len(fleet.lines("up")) >= 2, 30, "the second")
    assert "it has grown too large" in fleet.log
    fleet.signal(signal.SIGTERM)
    assert fleet.wait() == 0


def test_single(run, tmp_path):
    name = f"test-{os.getpid()}-{time.monotonic_ns()}"
    first = run("--single", name, command=["sh", "-c", "echo up; sleep 300"])
    wait_until(lambda: first.lines("up"), 20, "the first")
    second = run("--single", name, command=["echo", "never"])
    assert second.wait() == 0
    assert second.out == "" and f"\"{name}\" runs already: process {first.pid} of " in second.log
    third = run("--single", name, "--wait", command=["echo", "third"])
    wait_until(lambda: "waiting for its end" in third.log, 10, "the third to wait")
    assert third.out == ""
    first.signal(signal.SIGKILL)
    first.wait()
    assert third.wait(60) == 0
    assert third.out == "[0] third\n"


def test_top_shows_the_workers_and_gives_the_terminal_back(tmp_path):
    """On a terminal of its own: a pseudo-terminal of 100 columns and 20 lines."""
    worker = script(tmp_path, "notify.py", "import os, socket, time\n"
                    "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                    "s.sendto(b'STATUS=at order 7', os.environ['NOTIFY_SOCKET'])\nwhile True: time.sleep(1)\n")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (20, 100))
    child = subprocess.Popen([program(), "run", "--workers", "2", "--top", "--logs", tmp_path / "logs",
                              "--stop-timeout", "1s", "--", "/usr/bin/python3", worker], cwd=tmp_path,
                             stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True,
                             env={**os.environ, "TERM": "xterm", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)})
    reaper.watch_process(child.pid)
    os.close(theirs)
    seen = ""

    def read():
        nonlocal seen
        try:
            seen += os.read(ours, 65536).decode(errors="replace")
        except OSError:  # the terminal's other end is closed
            return True
        return seen.count("at order 7") >= 2

    wait_until(read, 20, "both workers' words on the screen")
    assert "2 workers: 2 running" in seen and "\033[?1049h" in seen
    child.send_signal(signal.SIGTERM)
    wait_until(lambda: read() and child.poll() is not None, 20, "its end")
    reaper.forget_process(child.pid)
    os.close(ours)
    assert "\033[?1049l" in seen
    assert child.returncode == 1  # the workers had to be killed


@pytest.mark.parametrize("arguments, word", [
    (["--workers", "0"], "--workers takes a number from 1"),
    (["--batch", "many"], "--batch takes a number"),
    (["--batch-delay", "soon"], "--batch-delay takes a time"),
    (["--restart", "maybe"], "--restart takes always, on-failure or never"),
    (["--max-rss", "big"], "--max-rss takes a size"),
    (["--journal", "x"], "--journal belongs to --jobs"),
    (["--top", "--logs", "x"], "--top needs a terminal"),
    (["--wait"], "--wait belongs to --single NAME"),
    (["--api", "nowhere"], "--api"),
    (["--wrokers", "3"], "there is no flag --wrokers"),
])
def test_what_is_wrong_with_the_flags_is_said(run, arguments, word):
    fleet = run(*arguments, command=["true"])
    assert fleet.wait() == 64
    assert word in fleet.log
