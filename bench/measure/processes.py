"""The processes of a run: a private MariaDB, the relays, HAProxy, the gate. All die with the run (PDEATHSIG) and
everything lies in one temporary folder."""
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """Why something cannot be measured here; a row says it instead of a figure."""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(home):
    """No setting of whoever runs this may reach the gate."""
    return {k: v for k, v in os.environ.items() if not k.startswith("DB_")} | {"HOME": str(home)}


class Process:
    """A running program with its figures from /proc."""

    def __init__(self, command, log, **options):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                                            preexec_fn=die_with_parent, start_new_session=True, **options)
        self.pid = self.process.pid

    def running(self):
        return self.process.poll() is None

    def cpu(self):
        """User and system seconds so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """Bytes of its own: anonymous pages in memory (what the kernel keeps for sockets is not in them)."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
        raise Unavailable("the kernel does not report RssAnon")

    def stop(self, limit=20):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(limit)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def tail(self):
        return self.log.read_text(errors="replace")[-1500:]


def wait_until(done, limit, what, process=None):
    deadline = time.monotonic() + limit
    while not done():
        if process is not None and not process.running():
            raise Unavailable(f"{what}: it ended with {process.process.returncode}: {process.tail()}")
        if time.monotonic() > deadline:
            raise Unavailable(f"{what}: not within {limit} s")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A private MariaDB with sysbench's table; accounts bench (the load's) and monitor (the gate's)."""

    def __init__(self, folder, rows):
        self.folder = folder / "server"
        self.folder.mkdir()
        (self.folder / "tmp").mkdir()  # of its own: a MariaDB that starts removes the temporary tables that it finds
        self.port = free_port()
        self.socket = self.folder / "s"
        program = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            raise Unavailable("no mariadbd (scripts/setup bench)")
        places = [f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp"]
        as_root = ["--user=root"] if os.getuid() == 0 else []
        with open(self.folder / "install.log", "wb") as log:
            subprocess.run(["mariadb-install-db", "--no-defaults", *places, "--skip-test-db",
                            "--auth-root-authentication-method=normal", "--skip-name-resolve", *as_root],
                           check=True, stdout=log, stderr=log)
        self.process = Process([program, "--no-defaults", *places, f"--socket={self.socket}", f"--port={self.port}",
                                "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin",
                                f"--pid-file={self.folder}/pid", "--max-connections=3000", "--back-log=4096",
                                "--table-open-cache=8000", "--innodb-buffer-pool-size=256M", "--performance-schema=OFF",
                                "--innodb-flush-log-at-trx-commit=2", *as_root], self.folder / "log")
        wait_until(lambda: self.try_sql("DO 1"), 60, "MariaDB's start", self.process)
        self.sql("CREATE DATABASE sbtest; CREATE USER bench@'%' IDENTIFIED BY 'bench'; GRANT ALL ON *.* TO bench@'%';"
                 "REVOKE SUPER, CONNECTION ADMIN ON *.* FROM bench@'%';"
                 "CREATE USER monitor@'%' IDENTIFIED BY 'monitor'; GRANT SELECT ON mysql.* TO monitor@'%';"
                 "GRANT PROCESS, CONNECTION ADMIN, REPLICATION CLIENT ON *.* TO monitor@'%'")
        sysbench(self.port, "prepare", rows=rows)

    def command(self, text):
        return ["mariadb", "--no-defaults", "-uroot", f"--socket={self.socket}", "-N", "-B", "-e", text]

    def try_sql(self, text):
        return subprocess.run(self.command(text), capture_output=True).returncode == 0

    def sql(self, text):
        return subprocess.run(self.command(text), capture_output=True, text=True, check=True).stdout.strip()

    def status(self, name):
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split()[1])

    def version(self):
        return self.sql("SELECT VERSION()")


def sysbench(port, verb, rows, threads=1, seconds=None, events=0, prepared=False):
    command = ["sysbench", "oltp_point_select", "--mysql-host=127.0.0.1", f"--mysql-port={port}", "--mysql-user=bench",
               "--mysql-password=bench", "--tables=1", f"--table-size={rows}", f"--threads={threads}",
               f"--time={seconds or 0}", f"--events={events}"]
    if not prepared:
        command.append("--db-ps-mode=disable")
    run = subprocess.run([*command, verb], capture_output=True, text=True)
    if run.returncode != 0:
        raise Unavailable(f"sysbench: {(run.stderr or run.stdout).strip()[-300:]}")
    return run.stdout


class Direct:
    """The server itself, as one of those compared."""
    name = "direct"

    def __init__(self, server):
        self.port, self.process = server.port, server.process


class Relay:
    """A program that is started with a listening port and the server's."""

    def __init__(self, name, program, server, folder, *more):
        self.name, self.port = name, free_port()
        self.process = Process([program, self.port, server.port, *more], folder / f"{name}.log")
        wait_until(lambda: listens(self.port), 10, name, self.process)


class HAProxy:
    name = "haproxy"

    def __init__(self, server, folder):
        if not shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin"):
            raise Unavailable("no haproxy (scripts/setup bench)")
        self.port = free_port()
        config = folder / "haproxy.cfg"
        # Two descriptors a connection: what the system allows, less its own.
        most = min(3000, (os.sysconf("SC_OPEN_MAX") - 100) // 2)
        config.write_text(f"global\n nbthread 1\n maxconn {most}\ndefaults\n mode tcp\n timeout connect 10s\n"
                          f" timeout client 1h\n timeout server 1h\nlisten l\n bind 127.0.0.1:{self.port}\n"
                          f" server s 127.0.0.1:{server.port}\n")
        program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process = Process([program, "-db", "-f", config], folder / "haproxy.log")
        wait_until(lambda: listens(self.port), 10, "haproxy", self.process)


class Gate:
    """`tidegate serve` with so many server connections."""
    name = "gate"

    def __init__(self, program, server, folder, connections, wrapper=(), wait=True, **pool):
        self.port = free_port()
        self.folder = folder / f"gate-{self.port}"
        self.folder.mkdir()
        lines = [f'[server]\nurl = "mysql://monitor:monitor@127.0.0.1:{server.port}?tls=disabled"',
                 f"[budget]\nmax_connections = {connections}",
                 f'[listen]\naddress = "127.0.0.1:{self.port}"\nmax_clients = 19000',
                 "[pool]\nmax_waiting = 19000", *(f"{key} = {value}" for key, value in pool.items()),
                 *(['[passthrough]\nrsa = "never"'] if wrapper else []),  # an instrumented gate makes keys for half a minute
                 '[[user]]\nname = "bench"\npassword = "bench"', '[api]\naddress = "off"', '[log]\nlevel = "warn"']
        (self.folder / "tidegate.toml").write_text("\n".join(lines) + "\n")
        self.process = Process([*wrapper, program, "serve", "-c", self.folder / "tidegate.toml"], self.folder / "log",
                               env=clean_environment(self.folder), cwd=self.folder)
        if wait:
            wait_until(lambda: listens(self.port), 60 if wrapper else 10, "the gate", self.process)

    def stop(self):
        self.process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
