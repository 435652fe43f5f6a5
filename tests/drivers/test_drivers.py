"""Every driver does the same work straight at the server and through the gate, and must not see a difference.

Where a driver does not get on with the server itself (KNOWN) there is nothing to compare: that test is skipped and
gives the driver's reason. Any other failure straight at the server fails the test.
"""
import json
import os
import pathlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.node import built, npm_trouble
from harness.servers import MySQL, cache_folder

HERE = pathlib.Path(__file__).resolve().parent
CONNECTOR_J = "/usr/share/java/mariadb-java-client.jar"
PYTHON = "/usr/bin/python3"

DRIVERS = {
    "php-mysqli": ["php", "-d", "mysqli.allow_local_infile=1", "php/mysqli.php"],
    "php-pdo-emulated": ["php", "php/pdo.php", "emulated"],
    "php-pdo-native": ["php", "php/pdo.php", "native"],
    "node-mysql2": ["node", "node/work.js"],
    "python-pymysql": [PYTHON, "python/pymysql_work.py"],
    "python-mysqlclient": [PYTHON, "python/mysqlclient_work.py"],
    "go": ["go"],
    "go-interpolate": ["go", "interpolate"],
    "perl-dbd-mysql": ["perl", "perl/work.pl", "mysql"],
    "perl-dbd-mysql-native": ["perl", "perl/work.pl", "mysql", "native"],
    "perl-dbd-mariadb": ["perl", "perl/work.pl", "MariaDB"],
    "perl-dbd-mariadb-native": ["perl", "perl/work.pl", "MariaDB", "native"],
    "ruby-mysql2": ["ruby", "ruby/work.rb"],
    "java-connector-j": ["java", "text"],
    "java-connector-j-binary": ["java", "binary"],
    "cli-mariadb": [PYTHON, "cli/work.py", "mariadb"],
    "cli-mysql": [PYTHON, "cli/work.py", "mysql"],
}
# (driver, family of the server): why it fails straight at the server.
KNOWN = {
    ("cli-mysql", "mariadb"): "MySQL's client has no mysql_native_password any more (and see the test below)",
    ("java-connector-j-binary", "mysql"): "Connector/J 2.7 sends COM_STMT_EXECUTE in a form that MySQL 9 refuses (1835)",
}
STEPS = {"connect", "insert", "text", "transaction", "errors", "many", "large", "infile", "database", "session", "close"}


def checked(command, **arguments):
    done = subprocess.run(command, capture_output=True, text=True, **arguments)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}"


def go_program():
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                   "GOCACHE": str(cache_folder() / "go-build")}
    return built("go", [HERE / "go/work.go"], lambda folder: checked(
        ["go", "build", "-o", folder / "work", HERE / "go/work.go"], env=environment)) / "work"


def java_classes():
    return built("java", [HERE / "java/Work.java"], lambda folder: checked(
        ["javac", "-d", folder, HERE / "java/Work.java"]))


def node_folder():
    if trouble := npm_trouble():
        pytest.skip(f"NODE.JS IS NOT TESTED: {trouble}")
    folder = cache_folder() / "drivers/node"
    shutil.copy(HERE / "node/work.js", folder)  # modules are looked for beside the program
    return folder


def command_of(driver):
    program, *rest = DRIVERS[driver]
    if program == "go":
        return [str(go_program()), *rest]
    if program == "java":
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{java_classes()}:{CONNECTOR_J}", "Work", *rest]
    if program == "node":
        return ["node", str(node_folder() / "work.js")]
    command = [program, *(str(HERE / part) if (HERE / part).is_file() else part for part in rest)]
    if driver == "cli-mysql":
        command[-1] = MySQL.client()
    return command


class CannotLogIn(Exception):
    pass


def run(driver, server, port, tls, schemas, file):
    """The steps that the driver printed, as dictionaries; its two schemas are made anew first."""
    for name in schemas:
        server.sql(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    environment = {**os.environ, "DRIVER_HOST": "127.0.0.1", "DRIVER_PORT": str(port), "DRIVER_USER": "app",
                   "DRIVER_PASSWORD": "app-secret", "DRIVER_SCHEMA": schemas[0], "DRIVER_OTHER": schemas[1],
                   "DRIVER_TLS": tls, "DRIVER_FILE": str(file), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command_of(driver), env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode == 3:
        raise CannotLogIn(done.stderr.strip().partition("cannot log in: ")[2] or done.stderr.strip())
    assert done.returncode == 0, f"{driver} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    output = done.stdout
    for name, shown in zip(schemas, ("SCHEMA", "OTHER")):
        output = output.replace(name, shown)
    return [json.loads(line) for line in output.splitlines()]


def load_file(folder):
    file = folder / "load.tsv"
    file.write_text("".join(f"{n}\tline {n}\n" for n in range(1, 2001)))
    return file


@pytest.fixture
def work(any_server, new_schema, tmp_path):
    """A function that runs a driver against a port of the server."""
    schemas = [new_schema(any_server), new_schema(any_server)]
    file = load_file(tmp_path)
    return lambda driver, port, tls: run(driver, any_server, port, tls, schemas, file)


def direct(work, driver, server, tls):
    known = KNOWN.get((driver, server.family))
    try:
        steps = work(driver, server.port, tls)
    except (CannotLogIn, AssertionError):
        if known is None:
            raise
        pytest.skip(f"{driver} does not work with {server.name} itself: {known}")
    assert known is None, f"{driver} works with {server.name} now: take it out of KNOWN"
    cipher = steps[0].pop("cipher")
    assert bool(cipher) == (tls == "required"), f"{driver} over {cipher or 'plain TCP'} with tls {tls}"
    assert {step["step"].split("-")[0] for step in steps} >= STEPS
    return steps


def compare(expected, seen):
    seen[0].pop("cipher", None)
    for want, got in zip(expected, seen):
        assert got == want, f"step {want['step']}"
    assert len(seen) == len(expected)


@pytest.mark.parametrize("tls", ["off", "required"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_gate_looks_like_the_server(driver, tls, any_server, work, new_gate):
    expected = direct(work, driver, any_server, tls)
    gate = new_gate(any_server, listen={"require_tls": tls == "required"}, budget={"max_connections": 4, "reserve": 0},
                    server={"tls": "required" if tls == "required" else "disabled"})
    seen = work(driver, gate.port, tls)
    assert bool(seen[0]["cipher"]) == (tls == "required")
    compare(expected, seen)
    assert gate.api()["peak"] >= 1, "the work did not go through the gate"


def test_required_tls_is_required(any_server, work, new_gate):
    gate = new_gate(any_server, listen={"require_tls": True})
    with pytest.raises(CannotLogIn):
        work("python-pymysql", gate.port, "off")


@pytest.mark.parametrize("driver", ["php-mysqli", "php-pdo-native", "node-mysql2", "python-pymysql", "go", "ruby-mysql2",
                                    "java-connector-j"])
def test_three_at_once_share_four_connections(driver, any_server, work, new_schema, new_gate, tmp_path):
    """Each of the three holds one connection while it wants a second, so four are just enough."""
    expected = direct(work, driver, any_server, "off")
    gate = new_gate(any_server, budget={"max_connections": 4, "reserve": 0})
    pairs = [(new_schema(any_server), new_schema(any_server)) for _ in range(3)]
    file = load_file(tmp_path)
    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(run, driver, any_server, gate.port, "off", pair, file) for pair in pairs]
        for one in runs:
            compare(expected, one.result())
    assert gate.api()["peak"] <= 4


@pytest.mark.parametrize("tls", ["off", "required"])
def test_mysqls_client_reaches_mariadb(tls, mariadb, new_server, new_schema, new_gate, tmp_path):
    """The gate asks for caching_sha2_password, so this client gets where it could not alone. What it should see
    comes from a server that lets anybody in."""
    schemas = [new_schema(mariadb), new_schema(mariadb)]
    file = load_file(tmp_path)
    open_door = new_server("mariadb", skip_grant_tables=True, skip_name_resolve=None)
    expected = run("cli-mysql", open_door, open_door.port, tls, schemas, file)
    expected[0].pop("cipher")
    gate = new_gate(mariadb, listen={"require_tls": tls == "required"})
    compare(expected, run("cli-mysql", mariadb, gate.port, tls, schemas, file))
