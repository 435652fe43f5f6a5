"""Fixtures for every test that needs a server or the gate.

mariadb, mysql, mariadb11   one server of each kind a test process, shared by tests that do not harm it
any_server                  the test runs on MariaDB 10.11 and on MySQL (on MariaDB 11.8 too when marked `mariadb11`)
new_server(kind, **options) a server of its own; kind as "mariadb", "mysql", "mariadb11" or a class of harness.servers
new_gate(server, **config)  a gate in front of a server; a gate that breaks fails the test
run(*arguments, command=..) `tidegate run` with these arguments; ended after the test
new_watch(server, ..)       the commands of the watch against that server (harness.watch.Watch)
new_fleets(*fleets, ..)     a gate with these [[fleet]] (harness.fleets.fleet), as harness.fleets.Fleets
schema                      an empty schema of its own for the test, on `any_server`; new_schema(server) on another
"""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness.fleet import Run  # noqa: E402
from harness.fleets import Fleets  # noqa: E402
from harness.gate import Gate, program  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.servers import ALL, MariaDB, MariaDB11, MySQL, Unavailable  # noqa: E402
from harness.watch import Watch  # noqa: E402

KINDS = {"mariadb": MariaDB, "mariadb11": MariaDB11, "mysql": MySQL}
_shared = {}
_schemas = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "mariadb11: run tests of any_server on MariaDB 11.8 as well")


def pytest_generate_tests(metafunc):
    if "any_server" in metafunc.fixturenames:
        names = [MariaDB.name, MySQL.name]
        if metafunc.definition.get_closest_marker("mariadb11"):
            names.append(MariaDB11.name)
        metafunc.parametrize("any_server", names, indirect=True, scope="session")


def start(kind, **options):
    try:
        return kind(**options)
    except Unavailable as reason:
        pytest.skip(f"NO {kind.name.upper()}: {reason}")


def shared(kind):
    server = _shared.get(kind)
    if server is None:
        server = _shared[kind] = start(kind, max_connections=500, max_allowed_packet="64M")
    return server


@pytest.fixture(scope="session", autouse=True)
def _end_shared_servers():
    yield
    for server in _shared.values():
        server.close()
    _shared.clear()


@pytest.fixture(autouse=True)
def _shared_servers_live():
    """A test that ends a shared server fails, and says what the server said last; the next test gets it anew."""
    yield
    ended = [server for server in _shared.values() if not server.running]
    said = [f"{server.name} ended ({server.process.exit_code}) during the test; its log ends with\n{server.log_text()[-6000:]}"
            for server in ended]
    for server in ended:
        server.start()
    assert not said, "\n".join(said)


@pytest.fixture
def mariadb():
    return shared(MariaDB)


@pytest.fixture
def mariadb11():
    return shared(MariaDB11)


@pytest.fixture
def mysql():
    return shared(MySQL)


@pytest.fixture
def any_server(request):
    return shared(ALL[request.param])


@pytest.fixture
def new_server():
    servers = []

    def make(kind="mariadb", **options):
        servers.append(start(KINDS.get(kind, kind), **options))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def new_gate(request):
    try:
        program()
    except FileNotFoundError as reason:
        pytest.fail(str(reason), pytrace=False)
    gates = request.node.stash.setdefault(GATES, [])

    def make(server=None, /, **config):
        gates.append(Gate(server, **config))
        return gates[-1]

    yield make
    broken = []
    for gate in reversed(gates):
        try:
            gate.close()
        except AssertionError as error:
            broken.append(error)
    if broken:
        raise broken[0]


@pytest.fixture
def new_fleets(new_gate, mariadb):
    def make(*fleets, server=mariadb, **config):
        return Fleets(new_gate(server, fleet=list(fleets), **config))
    return make


@pytest.fixture
def run(tmp_path):
    runs = []

    def start(*arguments, **keywords):
        runs.append(Run(tmp_path, *arguments, **keywords))
        return runs[-1]

    yield start
    for each in runs:
        each.end()
    wait_until(lambda: not list(tmp_path.glob("tidegate-fleet-*")), 45, "the keeper to remove the notify sockets")


@pytest.fixture
def new_watch():
    """new_watch(server, user=..) -> harness.watch.Watch; what it has started ends with the test."""
    made = []

    def make(server, **keywords):
        made.append(Watch(server, **keywords))
        return made[-1]

    yield make
    for watch in made:
        watch.close()


@pytest.fixture
def new_schema():
    """A function that makes an empty schema on a server; all are dropped after the test."""
    made = []

    def make(server):
        name = f"app_{os.getpid()}_{next(_schemas)}"
        server.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        made.append((server, name))
        return name

    yield make
    for server, name in made:
        if server.running:
            # What a failed test left may hold it.
            server.sql("SET lock_wait_timeout = 20", f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def schema(any_server, new_schema):
    return new_schema(any_server)


GATES = pytest.StashKey[list]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the end of each gate's log beside a failure, while the gate still has one."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when == "call":
        for gate in item.stash.get(GATES, []):
            report.sections.append((f"log of the gate on port {gate.port}", gate.tail()))
