"""Private database servers for the tests: MariaDB (the host's), MariaDB11 and MySQL (unpacked in the cache).

    with MySQL(max_connections=20) as server:
        server.sql("CREATE TABLE app.t (a INT)")
        pymysql.connect(host="127.0.0.1", port=server.port, user="app", password="app-secret")

A data folder with the accounts below is made once and kept in the cache, by version; each server runs on a copy
in a temporary folder, so that a start takes about a second. Options are given as keywords: max_connections=20
becomes --max-connections=20, True a bare --option, None takes one of the defaults away.

Accounts: root without password (socket only); app/app-secret, ed/ed-secret (ed25519, MariaDB), sha/sha-secret
(caching_sha2_password, MySQL) with everything on schemas `app..`; monitor/monitor-secret with what a gate's
monitor needs; admin/admin-secret (127.0.0.1) with everything, which sql() uses when no connection is left.
"""
import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pymysql

from . import reaper
from .process import Process, free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parent
GET = HERE.parent / "servers" / "get"
RECIPE = "2"  # to be raised when templates are made differently


class Unavailable(Exception):
    """This server cannot be had on this machine; the text says why."""


def cache_folder():
    return pathlib.Path(os.environ.get("TIDEGATE_CACHE") or pathlib.Path.home() / ".cache" / "tidegate")


_missing = {}


def unpacked(name):
    """The folder of an unpacked server; fetched when it is not in the cache yet, tried once a test process."""
    folder = cache_folder() / "servers" / name
    if not (folder / "complete").exists() and name not in _missing:
        run = subprocess.run([str(GET), name], capture_output=True, text=True)
        if run.returncode != 0:
            _missing[name] = (run.stderr.strip().splitlines() or [f"tests/servers/get {name} failed"])[-1]
    if name in _missing:
        raise Unavailable(_missing[name])
    return folder


def run_as():
    """Servers refuse to run as root unless told so."""
    return ["--user=root"] if os.getuid() == 0 else []


class Server:
    """What the three have in common. A subclass says which program it is and how its data folder is made."""

    name = ""        # as the tests call it: mariadb-10.11, ..
    family = ""      # mariadb or mysql
    has_tls = True

    defaults = {
        "bind_address": "127.0.0.1",
        "max_connections": 151,
        "back_log": 1024,
        "skip_log_bin": True,
        "skip_name_resolve": True,
        "innodb_flush_log_at_trx_commit": 2,
        "innodb_buffer_pool_size": "64M",
        "performance_schema": "OFF",
        "local_infile": 1,
        "secure_file_priv": "",
    }

    def __init__(self, tls=True, **options):
        template = self._template()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tidegate-{self.family}-"))
        reaper.watch_folder(self.folder)
        subprocess.run(["cp", "-a", "--reflink=auto", f"{template}/.", str(self.folder)], check=True)
        self.socket = str(self.folder / "s")
        self.ca = str(self.folder / "tls" / "ca.pem")
        self.version = (template / "version").read_text().strip()
        self.tls = tls
        self.options = {**self.defaults, **options}
        self.port = self.admin_port = 0
        self._process = None
        try:
            self._start_anywhere()
        except BaseException:
            self.close()
            raise

    # What a subclass gives.
    @classmethod
    def program(cls):
        raise NotImplementedError

    @classmethod
    def places(cls, datadir):
        """Options that say where its files are."""
        raise NotImplementedError

    @classmethod
    def initialise(cls, datadir, log):
        """Makes an empty data folder."""
        raise NotImplementedError

    @classmethod
    def accounts(cls):
        """Statements that make the accounts."""
        raise NotImplementedError

    def listeners(self):
        """Options for ports, the administrators' one, and TLS."""
        raise NotImplementedError

    # Life.
    def _start_anywhere(self):
        for attempt in range(5):
            self.port, self.admin_port = free_port(), free_port()
            try:
                return self.start()
            except RuntimeError:
                if attempt == 4 or "in use" not in self.log_text():
                    raise

    def start(self):
        """Starts it (again) on its port and data, and waits until it answers."""
        options = []
        for key, value in self.options.items():
            flag = "--" + key.replace("_", "-")
            if value is True:
                options.append(flag)
            elif value is not None:
                options.append(f"{flag}={value}")
        command = [self.program(), *self.places(self.folder / "data"), *self.listeners(), f"--socket={self.socket}",
                   f"--port={self.port}", f"--pid-file={self.folder}/pid", *run_as(), *options]
        self._process = Process(command, self.folder / "log")
        wait_until(self._answers, 60, f"{self.name}'s first answer")
        return self

    def _answers(self):
        if not self._process.running:
            raise RuntimeError(f"{self.name} ended while starting:\n{self.log_text()[-2000:]}")
        try:
            self.root().close()
            return True
        except pymysql.MySQLError as error:
            return error.args[0] == 1040

    def stop(self):
        """An orderly end."""
        self._process.terminate(60)

    def kill9(self):
        self._process.kill9()

    def restart(self):
        """Ends it if it runs, and starts it on the same port and data."""
        if self.running:
            self.stop()
        return self.start()

    def sigstop(self):
        self._process.signal(signal.SIGSTOP)

    def sigcont(self):
        self._process.signal(signal.SIGCONT)

    @property
    def running(self):
        return self._process is not None and self._process.running

    @property
    def pid(self):
        return self._process.pid

    @property
    def process(self):
        return self._process

    def close(self):
        """Ends it at once and removes its data."""
        if self.running:
            self._process.kill9()
        reaper.remove_folder(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Talking to it.
    def root(self, **arguments):
        """A connection as root over the socket."""
        arguments = {"user": "root", "unix_socket": self.socket, "charset": "utf8mb4", "autocommit": True,
                     "connect_timeout": 10, **arguments}
        return pymysql.connect(**arguments)

    def connect(self, user="app", password=None, **arguments):
        """A connection over TCP, past any gate."""
        arguments = {"host": "127.0.0.1", "port": self.port, "charset": "utf8mb4", "autocommit": True, **arguments}
        return pymysql.connect(user=user, password=f"{user}-secret" if password is None else password, **arguments)

    def sql(self, *statements, args=None, dictionaries=False):
        """Runs statements as root, each on its own; the rows of the last one, as tuples (or dictionaries)."""
        try:
            connection = self.root()
        except pymysql.MySQLError as error:
            if error.args[0] != 1040:
                raise
            connection = self.connect("admin", port=self.admin_port)
        kind = pymysql.cursors.DictCursor if dictionaries else pymysql.cursors.Cursor
        try:
            with connection.cursor(kind) as cursor:
                for statement in statements:
                    cursor.execute(statement, args)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def value(self, statement, args=None):
        """The first column of the first row."""
        rows = self.sql(statement, args=args)
        return rows[0][0] if rows else None

    def status(self, name):
        """A global status value, as a number where it is one. The asking connection counts among the threads."""
        value = dict(self.sql("SHOW GLOBAL STATUS LIKE %s", args=(name,)))[name]
        return int(value) if value.isdigit() else value

    def variable(self, name):
        return dict(self.sql("SHOW GLOBAL VARIABLES LIKE %s", args=(name,)))[name]

    def connections(self, user=None):
        """The process list without the asking connection and the server's own threads, as dictionaries."""
        rows = self.sql("SELECT * FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"
                        " AND COMMAND NOT IN ('Daemon') AND USER NOT IN ('system user', 'event_scheduler')",
                        dictionaries=True)
        return [row for row in rows if user in (None, row["USER"])]

    def log_text(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    # The template.
    @classmethod
    def version_text(cls):
        run = subprocess.run([cls.program(), "--no-defaults", "--version"], capture_output=True, text=True)
        return run.stdout.partition(" Ver ")[2].split()[0]

    @classmethod
    def _template(cls):
        """The folder to copy, made under a lock when it is not there; a new version or recipe makes a new one."""
        recipe = hashlib.sha256("\n".join([RECIPE, cls.version_text(), *cls.accounts()]).encode()).hexdigest()[:12]
        folder = cache_folder() / "templates" / f"{cls.name}-{recipe}"
        if not (folder / "version").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with open(f"{folder.parent}/{cls.name}.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (folder / "version").exists():
                    cls._make_template(folder)
        return folder

    @classmethod
    def _make_template(cls, folder):
        for old in folder.parent.glob(f"{cls.name}-*"):
            if time.time() - old.stat().st_mtime > 86400:  # a newer one may be another checkout's, which copies it just now
                shutil.rmtree(old, ignore_errors=True)
        # Made at a short path: the path of the server's socket must fit into 107 bytes.
        made = pathlib.Path(tempfile.mkdtemp(prefix="tidegate-new-"))
        reaper.watch_folder(made)
        log, process = made / "log", None
        try:
            (made / "data").mkdir()
            # A MariaDB that starts removes the temporary tables it finds, also those of another server, which then crashes.
            (made / "tmp").mkdir()
            make_certificates(made / "tls")
            cls.initialise(made / "data", log)
            command = [cls.program(), *cls.places(made / "data"), "--skip-networking", "--secure-file-priv=",
                       f"--socket={made}/s", f"--pid-file={made}/pid", *run_as()]
            process = Process(command, log)
            connection = wait_until(lambda: cls._first_login(process, made), 120, f"{cls.name}'s first start")
            with connection, connection.cursor() as cursor:
                for statement in cls.accounts():
                    cursor.execute(statement)
            process.terminate(60)
            log.unlink()
            (made / "version").write_text(cls.version_text())
            subprocess.run(["cp", "-a", str(made), f"{folder}.new"], check=True)
            os.rename(f"{folder}.new", folder)
        except Exception as error:
            text = log.read_text(errors="replace")[-3000:] if log.exists() else ""
            raise RuntimeError(f"{cls.name}: no data folder: {error}\n{text}") from error
        finally:
            if process is not None:
                process.kill9()
            reaper.remove_folder(made)

    @staticmethod
    def _first_login(process, folder):
        if not process.running:
            raise RuntimeError("the server ended")
        try:
            return pymysql.connect(user="root", unix_socket=f"{folder}/s")
        except pymysql.MySQLError:
            return None


def make_certificates(folder):
    """A certificate authority and a certificate for 127.0.0.1 and localhost, with openssl."""
    folder.mkdir()

    def openssl(*arguments, **kw):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, **kw)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "3650", "-subj",
            "/CN=Tidegate test authority")
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
            "-out", "cert.pem", "-days", "3650", "-extfile", "/dev/stdin",
            input=b"subjectAltName=IP:127.0.0.1,DNS:localhost\n")


class MariaDB(Server):
    """The host's MariaDB, of the packages mariadb-server-core and mariadb-client-core."""

    name = "mariadb-10.11"
    family = "mariadb"
    # A server started with 0 refuses SET GLOBAL max_user_connections for good.
    defaults = {**Server.defaults, "max_user_connections": 100000, "extra_max_connections": 5,
                "innodb_log_file_size": "16M"}

    @classmethod
    def program(cls):
        program = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if not program:
            raise Unavailable("no mariadbd on this machine (package mariadb-server-core)")
        return program

    @classmethod
    def share(cls):
        return "/usr/share/mysql"

    @classmethod
    def plugins(cls):
        """The folder of its plug-ins, or None: the core package comes without them."""
        for folder in ("/usr/lib/mysql/plugin", cache_folder() / "servers/mariadb10-plugins/root/usr/lib/mysql/plugin"):
            if os.path.exists(f"{folder}/auth_ed25519.so"):
                return str(folder)
        try:
            return str(unpacked("mariadb10-plugins") / "root/usr/lib/mysql/plugin")
        except Unavailable:
            return None

    @classmethod
    def has_ed25519(cls):
        return cls.plugins() is not None

    @classmethod
    def places(cls, datadir):
        plugins = cls.plugins()
        return ["--no-defaults", f"--datadir={datadir}", f"--tmpdir={datadir.parent}/tmp", f"--lc-messages-dir={cls.share()}",
                f"--character-sets-dir={cls.share()}/charsets", *([f"--plugin-dir={plugins}"] if plugins else [])]

    @classmethod
    def initialise(cls, datadir, log):
        script = ["CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket=NULL;", "SET @skip_auth_anonymous=1;"]
        for part in ("system_tables.sql", "performance_tables.sql", "system_tables_data.sql",
                     "maria_add_gis_sp_bootstrap.sql", "sys_schema.sql"):
            files = [f for stem in (f"mariadb_{part}", f"mysql_{part}", part) if os.path.exists(f := f"{cls.share()}/{stem}")]
            if not files:
                raise Unavailable(f"no {part} in {cls.share()}")
            script.append(pathlib.Path(files[0]).read_text())
        with open(log, "ab") as sink:
            subprocess.run([cls.program(), *cls.places(datadir), *run_as(), "--bootstrap", "--enforce-storage-engine=",
                            "--max-allowed-packet=8M", "--innodb-log-file-size=16M"], check=True,
                           input="\n".join(script).encode(), stdout=sink, stderr=sink)

    @classmethod
    def accounts(cls):
        native = "IDENTIFIED VIA mysql_native_password USING PASSWORD"
        statements = [
            "CREATE DATABASE app CHARACTER SET utf8mb4",
            "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost')",
            "FLUSH PRIVILEGES",
            f"CREATE USER app@'%' {native}('app-secret')",
            f"CREATE USER monitor@'%' {native}('monitor-secret')",
            f"CREATE USER admin@'127.0.0.1' {native}('admin-secret')",
            "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION",
            "GRANT SELECT ON mysql.* TO monitor@'%'",
            "GRANT PROCESS, CONNECTION ADMIN, REPLICATION CLIENT ON *.* TO monitor@'%'",
        ]
        users = ["app"]
        if cls.has_ed25519():
            statements += ["INSTALL SONAME 'auth_ed25519'",
                           "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-secret')"]
            users.append("ed")
        for user in users:
            statements += [f"GRANT ALL ON `app%`.* TO {user}@'%'", f"GRANT PROCESS ON *.* TO {user}@'%'"]
        return statements

    def listeners(self):
        tls = ["--skip-ssl"]
        if self.tls:
            tls = [f"--ssl-{kind}={self.folder}/tls/{kind}.pem" for kind in ("ca", "cert", "key")]
        return [f"--extra-port={self.admin_port}", *tls]


class MariaDB11(MariaDB):
    """MariaDB 11.8 or later, unpacked from Debian trixie."""

    name = "mariadb-11.8"

    @classmethod
    def program(cls):
        return str(unpacked("mariadb11") / "bin/mariadbd")

    @classmethod
    def share(cls):
        return str(unpacked("mariadb11") / "root/usr/share/mariadb")

    @classmethod
    def plugins(cls):
        folder = unpacked("mariadb11") / "root/usr/lib/mysql/plugin"
        return str(folder) if (folder / "auth_ed25519.so").exists() else None

    @classmethod
    def places(cls, datadir):
        return [*super().places(datadir), f"--basedir={unpacked('mariadb11')}/root/usr"]


class MySQL(Server):
    """MySQL 9, unpacked from Debian sid."""

    name = "mysql-9.7"
    family = "mysql"
    defaults = {**Server.defaults, "mysqlx": "OFF", "innodb_redo_log_capacity": "32M", "admin_address": "127.0.0.1",
                "log_error_verbosity": 2}

    @classmethod
    def program(cls):
        return str(unpacked("mysql") / "bin/mysqld")

    @classmethod
    def client(cls):
        """The command-line client of the same version."""
        return str(unpacked("mysql") / "bin/mysql")

    @classmethod
    def has_ed25519(cls):
        return False

    @classmethod
    def places(cls, datadir):
        root = unpacked("mysql") / "root/usr"
        return ["--no-defaults", f"--basedir={root}", f"--datadir={datadir}", f"--tmpdir={datadir.parent}/tmp",
                f"--plugin-dir={root}/lib/mysql/plugin", f"--lc-messages-dir={root}/share/mysql",
                f"--character-sets-dir={root}/share/mysql/charsets"]

    @classmethod
    def initialise(cls, datadir, log):
        with open(log, "ab") as sink:
            subprocess.run([cls.program(), *cls.places(datadir), *run_as(), "--initialize-insecure",
                            "--innodb-redo-log-capacity=32M"], check=True, stdout=sink, stderr=sink)

    @classmethod
    def accounts(cls):
        statements = ["CREATE DATABASE app CHARACTER SET utf8mb4"]
        for user, host in (("app", "%"), ("sha", "%"), ("monitor", "%"), ("admin", "127.0.0.1")):
            statements.append(f"CREATE USER {user}@'{host}' IDENTIFIED WITH caching_sha2_password BY '{user}-secret'")
        for user in ("app", "sha"):
            statements += [f"GRANT ALL ON `app%`.* TO {user}@'%'", f"GRANT PROCESS ON *.* TO {user}@'%'"]
        return statements + [
            "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION",
            "GRANT SELECT ON mysql.* TO monitor@'%'",
            "GRANT SELECT ON performance_schema.* TO monitor@'%'",
            "GRANT PROCESS, REPLICATION CLIENT, CONNECTION_ADMIN, SHOW_ROUTINE ON *.* TO monitor@'%'",
        ]

    def listeners(self):
        if self.tls:
            tls = [f"--ssl-{kind}={self.folder}/tls/{kind}.pem" for kind in ("ca", "cert", "key")]
        else:
            tls = ["--tls-version="]
        return [f"--admin-port={self.admin_port}", *tls]


ALL = {kind.name: kind for kind in (MariaDB, MariaDB11, MySQL)}
