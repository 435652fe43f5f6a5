"""The program as an operator sees it: flags, errors, exit codes, reloading, stopping, systemd's notices, --ensure."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

from harness import reaper
from harness.gate import program
from harness.process import free_port, wait_until

USAGE, CRITICAL = 64, 2
NOBODY = "mysql://127.0.0.1:9"  # a server that is not there


@pytest.fixture
def home(tmp_path):
    return tmp_path


def environment(home, **more):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("DB_", "XDG_")) and name != "NOTIFY_SOCKET"}
    return {**clean, "HOME": str(home), **more}


def run(home, *arguments, **env):
    return subprocess.run([program(), *arguments], cwd=home, env=environment(home, **env), text=True,
                          capture_output=True, timeout=60)


@pytest.fixture
def spawn(home):
    """Starts `tidegate ARGUMENTS` and ends it after the test."""
    children = []

    def start(*arguments, **env):
        child = subprocess.Popen([program(), *arguments], cwd=home, env=environment(home, **env), text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        reaper.watch_process(child.pid)
        children.append(child)
        return child

    yield start
    for child in children:
        reaper.end_group(child.pid)
        child.wait()
        reaper.forget_process(child.pid)
        child.stdout.close()


def read_until(child, words):
    for line in child.stdout:
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}")


def serve(spawn, *arguments, **env):
    """A gate on free ports that has said it serves: (child, its line)."""
    child = spawn("serve", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", *arguments, **env)
    return child, read_until(child, "Serving MySQL clients")


def test_help_and_version(home):
    assert run(home, "--version").stdout.startswith("tidegate 0.")
    for arguments, words in ((["--help"], "Exit codes"), (["serve", "--help"], "--ensure"), (["demo", "--help"], "--clients")):
        answer = run(home, *arguments)
        assert answer.returncode == 0
        assert words in answer.stdout


@pytest.mark.parametrize("arguments, says", [
    ([], "a command is needed"),
    (["dance"], "dance"),
    (["serve", "--dance"], "--dance"),
    (["serve"], "no server is named"),
    (["serve", "--server", "mysql://u:hunter2@db:x"], "port between"),
    (["serve", "--sever", "mysql://u:hunter2@db"], "URL"),
    (["serve", "--server", NOBODY, "--listen", "6306"], "--listen"),
    (["serve", "--server", NOBODY, "--max-connections", "0"], "--max-connections"),
    (["serve", "--server", NOBODY, "--listen", "127.0.0.1:0", "--ensure"], "fixed port"),
    (["serve", "-c", "gone.toml"], "gone.toml: cannot be read"),
])
def test_usage_errors_are_one_sentence_and_64(home, arguments, says):
    answer = run(home, *arguments)
    assert answer.returncode == USAGE
    assert says in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert "hunter" not in answer.stderr + answer.stdout


def test_configuration_errors_name_file_line_and_key(home):
    (home / "tidegate.toml").write_text('[server]\nurl = "mysql://db"\n[pool]\nwait_timout = 3\nmode = "fast"\n')
    answer = run(home, "serve", "--check-config")
    assert answer.returncode == USAGE
    assert answer.stderr.splitlines() == [
        "tidegate: tidegate.toml:4:1: there is no setting `wait_timout` in [pool]; did you mean `wait_timeout`?",
        'tidegate: tidegate.toml:5:8: `mode` in [pool] must be one of "transaction" and "session"']


def test_check_config_starts_nothing(home):
    (home / "tidegate.toml").write_text('[server]\nurl = "mysql://db:3307"\n')
    answer = run(home, "serve", "--check-config")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "tidegate: tidegate.toml is good; the server is db:3307, from tidegate.toml\n"


def test_password_files_that_all_can_read_are_refused(home):
    (home / "pw").write_text("secret\n")
    (home / "tidegate.toml").write_text('[server]\nurl = "mysql://m@db"\npassword_file = "pw"\n')
    (home / "pw").chmod(0o644)
    assert "chmod 600" in run(home, "serve", "--check-config").stderr
    (home / "pw").chmod(0o600)
    assert run(home, "serve", "--check-config").returncode == 0


def test_the_server_comes_from_the_environment_and_dot_env(home):
    (home / ".env").write_text("DB_HOST=from-file\nDB_PORT=3310\n")
    assert "from-file:3310, from .env" in run(home, "serve", "--check-config").stdout
    assert "from-env:3310, from the environment" in run(home, "serve", "--check-config", DB_HOST="from-env").stdout


def test_packaged_configuration_is_good(home):
    sample = pathlib.Path(__file__).resolve().parents[2] / "packaging/tidegate.toml"
    answer = run(home, "serve", "--check-config", "-c", str(sample))
    assert answer.returncode == 0, answer.stderr


def test_a_password_does_not_stay_in_the_process_title(spawn):
    child, _ = serve(spawn, "--server", "mysql://app:hunter2@127.0.0.1:9/shop")
    title = pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes()
    assert b"hunter" not in title
    assert b"mysql://app:*******@127.0.0.1:9/shop" in title


def test_the_first_line_says_what_runs_and_where(spawn):
    _, line = serve(spawn, "--server", NOBODY, "--max-connections", "7")
    assert "127.0.0.1:9 (from --server)" in line
    assert "at most 7 server connections" in line
    api = line.split("API at ")[1].strip()
    with urllib.request.urlopen(f"{api}/healthz", timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{api}/readyz", timeout=10)
    assert refused.value.code == 503


def test_a_json_log_is_one_object_a_line(spawn):
    child, line = serve(spawn, "--server", NOBODY, "--log-format", "json")
    assert json.loads(line)["level"] == "info"
    child.send_signal(signal.SIGTERM)
    for rest in child.stdout:
        json.loads(rest)


def test_sigterm_ends_it_well(spawn):
    child, _ = serve(spawn, "--server", NOBODY)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0


def test_a_taken_address_is_named(home, spawn):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        answer = run(home, "serve", "--server", NOBODY, "--listen", address, "--api", "off")
        assert answer.returncode == CRITICAL
        assert address in answer.stderr and "in use" in answer.stderr
        answer = run(home, "serve", "--server", NOBODY, "--listen", "127.0.0.1:0", "--api", address)
        assert answer.returncode == CRITICAL
        assert address in answer.stderr and "in use" in answer.stderr


def test_sighup_reads_again_or_says_what_is_wrong(home, spawn):
    config = home / "tidegate.toml"
    config.write_text('[pool]\nwait_timeout = "2s"\n')
    child, _ = serve(spawn, "--server", NOBODY)
    config.write_text("[pool]\nwait_timeout = true\n")
    child.send_signal(signal.SIGHUP)
    assert "tidegate.toml:2:16" in read_until(child, "wait_timeout")
    config.write_text('[pool]\nwait_timeout = "3s"\n[listen]\nunix = "x.sock"\n')
    child.send_signal(signal.SIGHUP)
    assert "takes a restart" in read_until(child, "`unix` in [listen]")
    read_until(child, "read again")
    assert child.poll() is None


def test_systemd_is_told(home, spawn):
    path = str(home / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(path)
        notices.settimeout(20)
        child, _ = serve(spawn, "--server", NOBODY, NOTIFY_SOCKET=path)
        assert notices.recv(4096).startswith(b"READY=1\nSTATUS=Serving MySQL clients at 127.0.0.1:")
        child.send_signal(signal.SIGHUP)
        assert notices.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert notices.recv(4096) == b"READY=1"
        child.send_signal(signal.SIGTERM)
        assert notices.recv(4096).startswith(b"STOPPING=1")


@pytest.fixture
def background(home):
    """Runs `serve --ensure` as told, on one port; ends what it started."""
    port, started = free_port(), set()

    def call(*arguments, **env):
        answer = run(home, "serve", "--ensure", "--listen", f"127.0.0.1:{port}", "--api", "off", *arguments, **env)
        if ", pid " in answer.stdout and answer.stdout.startswith("tidegate: started"):
            pid = int(answer.stdout.split(", pid ")[1].split(",")[0])
            started.add(pid)
            reaper.watch_process(pid)
        return answer

    call.port = port
    call.log = home / f".local/state/tidegate/127.0.0.1_{port}.log"
    yield call
    for pid in started:
        reaper.end_group(pid)
        reaper.forget_process(pid)


def serves(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5):
            return True
    except OSError:
        return False


def test_ensure_starts_one_and_only_one(background):
    first = background("--server", NOBODY)
    assert first.returncode == 0, first.stderr
    pid = int(first.stdout.split(", pid ")[1].split(",")[0])
    assert serves(background.port)
    assert os.getsid(pid) == pid
    for _ in range(2):
        again = background("--server", NOBODY)
        assert (again.returncode, again.stdout) == (0, f"tidegate: already running at 127.0.0.1:{background.port}, pid {pid}\n")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not serves(background.port), 10, "the end of the first")
    third = background("--server", NOBODY)
    assert third.returncode == 0
    assert third.stdout.startswith("tidegate: started")
    assert "Serving MySQL clients" in background.log.read_text()
    assert background.log.stat().st_mode & 0o077 == 0


def test_ensure_called_many_times_at_once_starts_one(home, background):
    command = [program(), "serve", "--ensure", "--listen", f"127.0.0.1:{background.port}", "--api", "off", "--server", NOBODY]
    calls = [subprocess.Popen(command, cwd=home, env=environment(home), text=True, stdout=subprocess.PIPE) for _ in range(8)]
    said = [call.communicate(timeout=60)[0] for call in calls]
    started = [line for line in said if line.startswith("tidegate: started")]
    for line in started:
        pid = int(line.split(", pid ")[1].split(",")[0])
        reaper.watch_process(pid)
    try:
        assert [call.returncode for call in calls] == [0] * 8
        assert len(started) == 1
        assert all(line.startswith(("tidegate: started", "tidegate: already")) for line in said)
    finally:
        reaper.end_group(pid)
        reaper.forget_process(pid)


def test_ensure_says_why_it_could_not_start(background):
    with socket.create_server(("127.0.0.1", background.port)):
        answer = background("--server", NOBODY)
    assert answer.returncode == CRITICAL
    assert "in use" in answer.stderr and str(background.log) in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert background("--server", NOBODY).returncode == 0


def test_ensure_keeps_its_files_where_it_is_told(home, background):
    assert background("--server", NOBODY, XDG_STATE_HOME=str(home / "state")).returncode == 0
    assert (home / f"state/tidegate/127.0.0.1_{background.port}.lock").exists()
    (home / "blocked").write_text("")
    answer = background("--server", NOBODY, XDG_STATE_HOME=str(home / "blocked"))
    assert answer.returncode == CRITICAL
    assert "cannot be made" in answer.stderr


def test_what_runs_reaches_a_real_server(home, spawn, mariadb):
    """A gate that knows nothing but the address, as in the README's first line."""
    _, line = serve(spawn, "--server", f"mysql://127.0.0.1:{mariadb.port}")
    assert "not watched" in line
    api = line.split("API at ")[1].strip()

    def ready():
        try:
            with urllib.request.urlopen(f"{api}/readyz", timeout=10):
                return True
        except urllib.error.HTTPError:
            return False

    wait_until(ready, 20, "readiness")
    with urllib.request.urlopen(f"{api}/api/server", timeout=10) as answer:
        about = json.load(answer)
    assert about["state"] == "up"
    assert about["version"] == mariadb.value("SELECT VERSION()")
