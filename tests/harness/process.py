"""A program that the tests run: started in its own process group, stopped, paused, measured."""
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

from . import reaper

# How much longer everything may take: a gate under a sanitizer is slow. `make asan` and `make tsan` set it.
PATIENCE = float(os.environ.get("TIDEGATE_PATIENCE") or 1)


def alive(pids):
    """Those that are processes and no zombies."""
    def is_alive(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    return [pid for pid in pids if is_alive(pid)]


class Timeout(AssertionError):
    """Something that should have come did not."""


def wait_until(condition, seconds=10.0, what="the condition", pause=0.02):
    """Returns the first true value of condition(), or raises Timeout."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"{what} did not come within {seconds:g} s")
        time.sleep(pause)


def free_port():
    """A port that nobody listens on, below the range that the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(11000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Process:
    """One running program. Ends with the test process, whatever happens to that."""

    def __init__(self, command, output, env=None, cwd=None):
        with open(output, "ab") as sink:
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env,
                                           cwd=cwd, start_new_session=True)
        self.pid = self._child.pid
        reaper.watch_process(self.pid)

    @property
    def exit_code(self):
        """None while it runs; -N when signal N ended it."""
        code = self._child.poll()
        if code is not None:
            reaper.forget_process(self.pid)
        return code

    @property
    def running(self):
        return self.exit_code is None

    def signal(self, number):
        if self.running:
            os.kill(self.pid, number)

    def wait(self, seconds):
        """Its exit code; raises Timeout when it goes on running."""
        try:
            self._child.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Timeout(f"process {self.pid} goes on running after {seconds:g} s") from None
        return self.exit_code

    def kill9(self):
        reaper.end_group(self.pid)
        self._child.wait()
        return self.exit_code

    def terminate(self, seconds=30.0):
        """SIGTERM, and SIGKILL when that does not help within the time."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except Timeout:
            return self.kill9()

    def memory(self):
        """Memory in KiB as the kernel counts it: rss, pss, private."""
        figures = {}
        with open(f"/proc/{self.pid}/smaps_rollup") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if value.strip().endswith("kB"):
                    figures[name] = int(value.split()[0])
        return {"rss": figures["Rss"], "pss": figures["Pss"],
                "private": figures["Private_Clean"] + figures["Private_Dirty"]}

    def cpu_seconds(self):
        """User and system time of all its threads so far."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))
