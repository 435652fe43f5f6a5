"""The program under test as a process: `tidegate serve` in front of a server, with a configuration from a dict.

    gate = Gate(server, pool={"wait_timeout": "2s"}, user=[{"name": "app", "password": "app-secret"}])
    pymysql.connect(host="127.0.0.1", port=gate.port, ..)
    gate.api()["waiting"]
    gate.close()          # SIGTERM; raises GateFailed unless it ended as it should
"""
import json
import os
import pathlib
import re
import signal
import tempfile
import urllib.error
import urllib.request

import pymysql

from . import reaper
from .process import Process, Timeout, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORTS = re.compile(r"(ERROR|WARNING): (Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:"
                     r"|terminate called|Assertion .* failed")


class GateFailed(AssertionError):
    """The gate broke: a signal, a sanitizer's report, a wrong exit code, or it did not end."""


def program():
    path = pathlib.Path(os.environ.get("TIDEGATE") or ROOT / "build/release/bin/tidegate").resolve()
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built (cmake --preset release && ninja -C build/release)")
    return str(path)


def toml(tables):
    """A dict of tables (or lists of tables) of plain values, as TOML."""
    lines = []
    for name, content in tables.items():
        for table in content if isinstance(content, list) else [content]:
            lines.append(f"[[{name}]]" if isinstance(content, list) else f"[{name}]")
            # JSON's strings, numbers, booleans and arrays of these are TOML's too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None]
            lines.append("")
    return "\n".join(lines)


class Gate:
    """One running gate. A table given as keyword is laid over the defaults; a key set to None is left out."""

    def __init__(self, server=None, /, wait_ready=True, arguments=(), env=None, **config):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tidegate-gate-"))
        reaper.watch_folder(self.folder)
        self.server = server
        self.log_file = self.folder / "log"
        self.arguments = list(arguments)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        self.env |= {"HOME": str(self.folder), **(env or {})}
        self._expected_end = False
        self._process = None
        try:
            for attempt in range(3):
                self.configure(**config)
                if self._try_start(wait_ready, last=attempt == 2):
                    break
        except BaseException:
            self._discard()
            raise

    def configure(self, **config):
        """Writes the configuration (for the next start, or for sighup). Ports stay once they are chosen."""
        if not hasattr(self, "port"):
            self.port = self.api_port = free_port()
            while self.api_port == self.port:
                self.api_port = free_port()
        # A thousand clients in one Python process may answer late.
        tables = {"server": {}, "listen": {"address": f"127.0.0.1:{self.port}", "drain_timeout": "3s", "login_timeout": "60s"},
                  "api": {"address": f"127.0.0.1:{self.api_port}"}, "log": {"level": "debug"}}
        if self.server is not None:
            tables["server"]["url"] = f"mysql://monitor:monitor-secret@127.0.0.1:{self.server.port}"
        for name, table in config.items():
            tables[name] = {**tables.get(name, {}), **table} if isinstance(table, dict) else table
        file = self.folder / "tidegate.toml"
        file.touch(mode=0o600)
        file.write_text(toml({n: t for n, t in tables.items() if t}))

    def _try_start(self, wait_ready, last):
        try:
            self.start(wait_ready)
            return True
        except GateFailed:
            # Somebody took a port between the choice and the start.
            if last or "in use" not in self.log_text():
                raise
            del self.port
            return False

    def start(self, wait_ready=True):
        self._expected_end = False
        self._process = Process([program(), "serve", "-c", str(self.folder / "tidegate.toml"), *self.arguments],
                                self.log_file, env=self.env, cwd=self.folder)
        page = "/readyz" if wait_ready else "/healthz"  # without a server it still listens
        try:
            wait_until(lambda: self._answers(page, wait_ready), 20, f"the gate's {page}")
        except Timeout as error:
            raise GateFailed(f"{error}\n{self.tail()}") from None
        return self

    def _answers(self, page, must_run):
        if not self._process.running:
            if not must_run:
                return True  # as the test has it
            raise GateFailed(f"the gate ended with {self._process.exit_code} while starting:\n{self.tail()}")
        try:
            return self.get(page, 2)[0] == 200
        except OSError:
            return False

    # What it says.
    def get(self, path, timeout=10):
        """The answer to an HTTP request: (status, text)."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def api(self, path="/api/connection-pool-stats"):
        status, text = self.get(path)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)

    def metrics(self):
        """The metrics by name with labels as the text format has them: {'tidegate_x{a="b"}': 1.0, ..}."""
        status, text = self.get("/metrics")
        assert status == 200, f"/metrics: {status}"
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def log_text(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def tail(self, lines=60):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def connect(self, user="app", password=None, **arguments):
        """A PyMySQL connection through the gate."""
        arguments = {"host": "127.0.0.1", "port": self.port, "charset": "utf8mb4", "autocommit": True, **arguments}
        return pymysql.connect(user=user, password=f"{user}-secret" if password is None else password, **arguments)

    # What it costs.
    @property
    def pid(self):
        return self._process.pid

    @property
    def process(self):
        return self._process

    @property
    def running(self):
        return self._process is not None and self._process.running

    def memory(self):
        return self._process.memory()

    def cpu_seconds(self):
        return self._process.cpu_seconds()

    # How it ends.
    def signal(self, number):
        self._process.signal(number)

    def sighup(self):
        self.signal(signal.SIGHUP)

    def sigterm(self, seconds=30.0):
        """Asks it to stop, and waits; its exit code."""
        self.signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def restart(self, seconds=20.0):
        """An orderly end and a new start on the same ports."""
        code = self.sigterm(seconds)
        if code != 0:
            raise GateFailed(f"the gate ended with {code}\n{self.tail()}")
        return self.start()

    def kill9(self):
        self._expected_end = True
        return self._process.kill9()

    def reports(self):
        """What sanitizers or the run-time library said, from the first such line on."""
        lines = self.log_text().splitlines()
        first = next((n for n, line in enumerate(lines) if REPORTS.search(line)), None)
        return "" if first is None else "\n".join(lines[first:first + 60])

    def close(self, seconds=20.0):
        """Ends it and checks that it was well until the end."""
        try:
            if self._process is None or self._expected_end:
                return
            try:
                code = self.sigterm(seconds)
            except Timeout:
                self._process.kill9()
                raise GateFailed(f"the gate did not end within {seconds:g} s of SIGTERM\n{self.tail()}") from None
            if self.reports():
                raise GateFailed(f"the gate broke (exit code {code}):\n{self.reports()}")
            if code < 0:
                raise GateFailed(f"the gate was ended by {signal.Signals(-code).name}\n{self.tail()}")
            if code != 0:
                raise GateFailed(f"the gate ended with {code}\n{self.tail()}")
        finally:
            self._discard()

    def _discard(self):
        if self.running:
            self._process.kill9()
        reaper.remove_folder(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
