"""Fleets inside a gate, as the API shows them and `tidegate ctl` steers them."""
import subprocess

from .gate import program
from .process import PATIENCE, wait_until

# Says its pid, works on jobs of 20 ms until SIGTERM, and says of each when it begins and ends.
WORKER = """
trap 'stop=1' TERM
echo "up $$"
while [ -z "$stop" ]; do sleep 0.02; echo "job done"; done
echo "down $$"
"""


def fleet(name="mail", workers=2, command=WORKER, **more):
    return {"name": name, "workers": workers, "command": command, "stop_timeout": "3s", **more}


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


def ctl(gate, *arguments, env=None):
    return subprocess.run([program(), "ctl", *map(str, arguments)], cwd="/", env=gate.env | (env or {}),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30 * PATIENCE)
