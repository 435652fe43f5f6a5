"""`tidegate exec` and `tidegate slots` as tests use them: in a folder of their own, ended with the test."""
import json
import os
import signal
import subprocess
import tempfile

from . import reaper
from .gate import program
from .process import PATIENCE, wait_until


class Desk:
    """Runs the program with slots in a folder of its own, or in that of a gate (harness.gate.Gate)."""

    def __init__(self, gate=None):
        self.folder = tempfile.mkdtemp(prefix="tidegate-slots-")
        reaper.watch_folder(self.folder)
        os.chmod(self.folder, 0o755)
        self.slots_folder = os.path.join(self.folder, "slots")
        if gate is not None:
            self.slots_folder = str(gate.folder / ".local/state/tidegate/slots")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        self.env |= {"HOME": self.folder, "TIDEGATE_SLOTS": self.slots_folder}
        self.children = []

    def start(self, *arguments, env=None, **popen):
        child = subprocess.Popen([program(), *map(str, arguments)], cwd=self.folder, env=self.env | (env or {}),
                                 stdin=subprocess.DEVNULL, start_new_session=True, **popen)
        reaper.watch_process(child.pid)
        self.children.append(child)
        return child

    def exec(self, *options, command, **popen):
        return self.start("exec", *options, "--", *command, **popen)

    def run(self, *arguments, env=None):
        return subprocess.run([program(), *map(str, arguments)], cwd=self.folder, env=self.env | (env or {}),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * PATIENCE)

    def pool(self, name="default"):
        pools = json.loads(self.run("slots", "--json").stdout)["pools"]
        return next((pool for pool in pools if pool["name"] == name), None)

    def wait_waiting(self, count, name="default"):
        wait_until(lambda: self.pool(name)["waiting"] == count, 20, f"{count} in line")

    def close(self):
        for child in self.children:
            reaper.end_group(child.pid)
            child.wait()
            reaper.forget_process(child.pid)
        reaper.remove_folder(self.folder)


def holders_of(witness):
    """The pids of the commands that hold a connection to the witness, or are about to."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0] == b"perl" and witness.path.encode() in words:
            found.append(int(pid))
    return found


def kill(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def cpu_of(children):
    ticks = 0
    for child in children:
        with open(f"/proc/{child.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
