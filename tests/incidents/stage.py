"""The stage on which an incident happens: a server, programs that work with it, and a record of what came of it.

Programs say on their standard output, one line each, what they have done and what went wrong, with the time it took:

    done mail 12            a mail was sent, 12 ms
    error 1040 mail 3 Too many connections

and a web page answers with such a line. Once a second the server's own account of its connections is taken down.
"""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import reaper  # noqa: E402
from harness.gate import Gate, program  # noqa: E402
from harness.node import npm_folder, npm_trouble  # noqa: E402
from harness.process import PATIENCE, free_port, wait_until  # noqa: E402
from harness.servers import Unavailable  # noqa: E402

SAID = re.compile(r"^(?:\[\w+(?: \d+)?\] )?(done|error) (?:(\S+) )?(\w[\w-]*) (\d+)(?: (.*))?$")


def outcome(line):
    """(error or "", kind, milliseconds, message) of a line as above; nothing of any other line."""
    words = SAID.match(line)
    if not words or (words[1] == "error") != (words[2] is not None):
        return None
    return words[2] or "", words[3], int(words[4]), words[5] or ""


class Record:
    """What happened, second by second. Any thread may add to it."""

    def __init__(self, incident, mode, limit):
        self.about = {"incident": incident, "mode": mode, "limit": limit}
        self.samples = []
        self.notes = {}
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._done = collections.defaultdict(collections.Counter)
        self._errors = collections.defaultdict(collections.Counter)
        self._times = collections.defaultdict(list)
        self._messages = {}

    @property
    def now(self):
        return time.monotonic() - self._began

    def add(self, error, kind, milliseconds, message=""):
        with self._lock:
            if error:
                self._errors[int(self.now)][error] += 1
                self._messages.setdefault(error, f"{kind}: {message}")
            else:
                self._done[int(self.now)][kind] += 1
                self._times[kind].append(milliseconds)

    @staticmethod
    def _sum(by_second):
        return dict(sum(by_second.values(), collections.Counter()))

    @property
    def done(self):
        """Units of work that were completed, by kind."""
        with self._lock:
            return self._sum(self._done)

    @property
    def errors(self):
        """Errors by number (or name, where the driver gives none)."""
        with self._lock:
            return self._sum(self._errors)

    def done_since(self, second):
        with self._lock:
            return sum(sum(counts.values()) for at, counts in self._done.items() if at >= second)

    def errors_since(self, second):
        with self._lock:
            return sum(sum(counts.values()) for at, counts in self._errors.items() if at >= second)

    def time_of(self, kind, fraction):
        """A percentile of how long that work took, in milliseconds."""
        with self._lock:
            taken = sorted(self._times.get(kind, []))
        return taken[min(int(len(taken) * fraction), len(taken) - 1)] if taken else None

    def as_json(self):
        with self._lock:
            kinds = list(self._times)
        return {**self.about, "seconds": round(self.samples[-1]["second"] if self.samples else self.now, 1), "done": self.done,
                "errors": self.errors, "first_message": self._messages, "peak": self.notes.get("peak", 0),
                "milliseconds": {kind: {"p50": self.time_of(kind, 0.5), "p99": self.time_of(kind, 0.99)} for kind in kinds},
                "notes": self.notes, "samples": self.samples,
                "errors_by_second": {at: dict(counts) for at, counts in sorted(self._errors.items())},
                "done_by_second": {at: dict(counts) for at, counts in sorted(self._done.items())}}


class Stage:
    """One run of one incident. `folder` has its programs; `server` is a harness server; what is started ends with it."""

    def __init__(self, folder, server, record, scratch, form):
        self.folder, self.server, self.record, self.scratch = pathlib.Path(folder), server, record, pathlib.Path(scratch)
        self.form = form
        self.gate = None
        self.zombies = []  # programs that have done their work and still run
        self._children = []
        self._listeners = []  # to the programs' output
        self._guests = []     # visitors, and cron
        self._stop = threading.Event()
        self._memory = {}

    # Programs.
    def environment(self, port=None, **more):
        """The programs' settings: an address and an account, and how fast time runs."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        path = f"{pathlib.Path(program()).parent}:{os.environ['PATH']}"
        own |= {"HOME": str(self.scratch), "TMPDIR": str(self.scratch), "PATH": path, "DB_HOST": "127.0.0.1", "DB_USER": "app",
                "DB_PORT": str(port or self.server.port), "DB_PASSWORD": "app-secret", "DB_NAME": "app"}
        own.pop("XDG_STATE_HOME", None)
        own |= {"TIDEGATE_SLOTS": f"{self.scratch}/slots"}
        return own | {name: str(value) for name, value in (self.form.get("environment", {}) | more).items() if value is not None}

    def start(self, *command, port=None, cwd=None, **more):
        """Starts a program in the incident's folder; what it says goes into the record, the rest into a file."""
        child = subprocess.Popen([str(word) for word in command], cwd=cwd or self.folder, env=self.environment(port, **more),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 errors="replace", start_new_session=True)
        reaper.watch_process(child.pid)
        self._children.append(child)
        self._thread(self._listeners, self._listen, child)
        return child

    def tidegate(self, *words, **keywords):
        return self.start(program(), *words, **keywords)

    def node_modules(self):
        """Node.js's driver, as the incident's package-lock.json has it; made once and kept."""
        if trouble := npm_trouble(self.folder):
            raise Unavailable(trouble)
        self.form.setdefault("environment", {})["NODE_PATH"] = str(npm_folder(self.folder) / "node_modules")

    def wait_said(self, text, seconds=60):
        wait_until(lambda: text in self.said, seconds, repr(text))

    def operator(self, *words, user="app", **keywords):
        """What somebody types at the same machine: `tidegate WORDS..`, to its end. What it wrote is kept."""
        environment = self.environment(DB_USER=user, DB_PASSWORD=f"{user}-secret")
        return subprocess.run([program(), *map(str, words)], env=environment, cwd=self.scratch, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=90 * PATIENCE, **keywords)

    def seconds_until_well(self, site, since, most=60):
        """When the site answers again: seconds from `since` on."""
        wait_until(lambda: not self.visit(site.address)[0], most, "the site to answer", pause=0.05)
        return round(time.monotonic() - since, 2)

    def run_sql(self, file):
        """The incident's tables, made by root in the programs' schema."""
        text = (self.folder / file).read_text()
        self.server.sql("USE app", *(part for part in re.split(r";\s*\n", text) if part.strip()))

    @staticmethod
    def _thread(among, work, *arguments):
        among.append(threading.Thread(target=work, args=arguments, daemon=True))
        among[-1].start()

    def _listen(self, child):
        with open(self.scratch / "said.log", "a", encoding="utf-8") as log:
            for line in child.stdout:
                if said := outcome(line.rstrip("\n")):
                    self.record.add(*said)
                else:
                    log.write(line)
                    log.flush()

    @property
    def said(self):
        """Whatever else the programs have written."""
        log = self.scratch / "said.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def site(self, *command, **keywords):
        """Starts a web site, the word PORT in its command being its port; a Site."""
        return Site(self, command, keywords)

    def visit(self, address, timeout=60):
        """One visitor: asks for a page; the line that it answers with, as outcome() gives it."""
        began = time.monotonic()
        try:
            with urllib.request.urlopen(address, timeout=timeout * PATIENCE) as answer:
                text = answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
        except OSError as error:
            return "http", "page", int((time.monotonic() - began) * 1000), str(error)
        said = next(filter(None, map(outcome, text.splitlines())), None)
        return said or ("http", "page", int((time.monotonic() - began) * 1000), text[:200])

    def visitors(self, site, count, pause):
        """So many visitors at once, each with that many seconds between two pages."""
        def come():
            while not self._stop.wait(pause):
                self.record.add(*self.visit(site.address))
        for _ in range(count):
            self._thread(self._guests, come)

    def cron(self, every, start):
        """Calls `start` again and again, as cron does: whether the last one has ended or not."""
        def ring():
            while not self._stop.wait(every):
                start()
        self._thread(self._guests, ring)

    def open_gate(self, **config):
        self.gate = Gate(self.server, **{"log": {"level": "info"}, **config})
        self.watch_memory("gate", self.gate.pid)
        return self.gate

    # What the server says.
    def watch_memory(self, name, pid):
        """Takes down the private memory of that process, and of all that it has started, with the samples."""
        self._memory[name] = pid

    def account(self):
        """The server's own account of its connections, over a connection that does not count."""
        rows = self._root_rows("SELECT USER, COMMAND, COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"
                               " AND COMMAND NOT IN ('Daemon') AND USER NOT IN ('system user', 'event_scheduler', 'root')"
                               " GROUP BY USER, COMMAND")
        by_account, by_state = collections.Counter(), collections.Counter()
        for user, command, count in rows:
            by_account[user] += count
            by_state["sleeping" if command == "Sleep" else "active"] += count
        return {"connections": sum(by_account.values()), "by_account": dict(by_account), "by_state": dict(by_state)}

    def _root_rows(self, statement):
        with self._root_lock:
            self._root.ping(reconnect=True)  # an operator who ends idle connections ends this one, too
            with self._root.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()

    def status(self, name):
        return int(self._root_rows(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    def _sample(self):
        while True:
            sample = {"second": round(self.record.now, 1), **self.account()}
            if self._memory and len(self.record.samples) % 5 == 0:
                sample["memory"] = {name: private_memory(pid) for name, pid in self._memory.items()}
            if self.gate is not None and self.gate.running:
                sample["clients"] = self.gate.api()["clients"]["connected"]
            self.record.samples.append(sample)
            if self._stop.wait(1):
                return

    def play(self, seconds=None, until=None, most=600):
        """Lets it happen: for so many seconds, or until a condition holds; then notes what the server has counted."""
        if until is not None:
            wait_until(until, most, "the incident's end", pause=0.2)
        else:
            time.sleep(seconds)

    def __enter__(self):
        # The servers keep one connection more for root; it is taken before the others come.
        self._root = self.server.root()
        self._root_lock = threading.Lock()
        self._root_rows("FLUSH STATUS")
        self.record._began = time.monotonic()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def end(self, *children, seconds=8):
        """SIGTERM, and SIGKILL for whatever is left of them after that time."""
        for child in children:
            if child.poll() is None and seconds:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds * PATIENCE
        for child in children:
            try:
                child.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            reaper.end_group(child.pid)
            child.wait()
            reaper.forget_process(child.pid)

    def __exit__(self, kind, *_):
        self.record.notes["server_peak"] = self.status("Max_used_connections") - 1  # without the one that looks
        self._stop.set()
        self._sampler.join()
        for thread in self._guests:
            thread.join(30 if kind is None else 0)
        self.end(*self._children, seconds=8 if kind is None else 0)
        for thread in self._listeners:
            thread.join(10)
        if self.gate is not None:
            self.gate.close()
        self._root.close()


class Site:
    """A web site of several processes, and where it is reached."""

    def __init__(self, stage, command, keywords):
        self._stage, self._command, self._keywords = stage, command, keywords
        self._child = None
        self.address = None
        self.recycle()

    def recycle(self):
        """New processes in place of the old ones, as hosts do it every so often. No visitor is turned away for it."""
        port, before = free_port(), self._child
        command = [str(word).replace("PORT", str(port)) for word in self._command]
        self._child = self._stage.start(*command, SITE_PORT=port, **self._keywords)
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: self._listens(f"{address}/up"), 20, "the web site")
        self.address = address
        if before is not None:
            time.sleep(1)  # for those who are with the old one
            self._stage.end(before)

    def _listens(self, page):
        assert self._child.poll() is None, self._stage.said
        try:
            urllib.request.urlopen(page, timeout=2).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


def descendants(pid):
    """The process and all that it has started, as far as they are still its own."""
    children = collections.defaultdict(list)
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                children[int(stat.read().rpartition(")")[2].split()[1])].append(int(name))
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += children[one]
    return found


def private_memory(pid):
    """KiB that are a process's own, and its descendants'."""
    total = 0
    for one in descendants(pid):
        try:
            with open(f"/proc/{one}/smaps_rollup") as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))
        except OSError:
            continue
    return total


def save(path, records):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records, indent=1) + "\n")
