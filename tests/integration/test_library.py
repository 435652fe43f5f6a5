"""libtidegate against real servers: tests/integration/library/ (a GoogleTest program) does the work, each test on its own schema."""
import os
import pathlib
import subprocess

import pytest

from harness.gate import program
from harness.library import URL, environment

def library_test():
    return pathlib.Path(program()).parent / "library_test"


def run(env, filter="*"):
    done = subprocess.run([library_test(), f"--gtest_filter={filter}", "--gtest_brief=1"], env=env, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.mariadb11
@pytest.mark.parametrize("suite", ["StatementTest.*", "PoolTest.*", "WorkerTest.*:PoolSignalTest.*"])
def test_statements_and_the_pool(any_server, schema, suite):
    run(environment(any_server, schema, user="admin"), suite)


def url(server, schema="", **parameters):
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return {URL: f"mysql://admin:admin-secret@127.0.0.1:{server.port}/{schema}?{query}"}


@pytest.mark.mariadb11
def test_tls_as_the_url_asks_for_it(any_server):
    for mode, expected in [("disabled", "IsNotUsed"), ("preferred", "IsUsed"), ("required", "IsUsed"),
                           ("preferred", "AConnectionThatIsGoneEndsNothingElse")]:
        run(os.environ | url(any_server, tls=mode), f"TlsTest.{expected}")
    for mode in ["verify-ca", "verify-identity"]:
        run(os.environ | url(any_server, tls=mode, ca=any_server.ca), "TlsTest.IsUsed")
        run(os.environ | url(any_server, tls=mode), "TlsTest.IsMissed")


def test_tls_that_the_server_does_not_have(new_server):
    server = new_server("mariadb", tls=False)
    for mode, expected in [("disabled", "IsNotUsed"), ("preferred", "IsNotUsed"), ("required", "IsMissed")]:
        run(os.environ | url(server, tls=mode), f"TlsTest.{expected}")


class Load:
    """library_load, and what it said so far."""

    def __init__(self, server, schema, threads):
        server.sql(f"CREATE TABLE {schema}.written (id BIGINT PRIMARY KEY) ENGINE=InnoDB")
        command = [pathlib.Path(program()).parent / "library_load", str(threads)]
        self.process = subprocess.Popen(command, env=os.environ | url(server, schema), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ok, self.unknown, self.failed = set(), set(), []

    def read_until(self, count):
        """Reads on until so many more rows have been acknowledged."""
        goal = len(self.ok) + count
        while len(self.ok) < goal:
            line = self.process.stdout.readline()
            assert line, f"the load ended with {self.process.wait()}"
            self.take(line)

    def take(self, line):
        kind, _, rest = line.strip().partition(" ")
        if kind == "failed":
            self.failed.append(rest)
        else:
            (self.ok if kind == "ok" else self.unknown).add(int(rest))

    def compare(self, server, schema):
        """What was acknowledged against what is there."""
        there = {row[0] for row in server.sql(f"SELECT id FROM {schema}.written")}
        assert sorted(self.ok - there) == [] and sorted(there - self.ok - self.unknown) == []

    def end(self):
        self.process.stdin.close()
        for line in self.process.stdout:
            self.take(line)
        assert self.process.wait(60) == 0


@pytest.fixture
def load():
    loads = []

    def make(*arguments):
        loads.append(Load(*arguments))
        return loads[-1]

    yield make
    for one in loads:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_a_server_that_dies_and_returns(new_server, new_schema, load, kind):
    """Nothing that was acknowledged is missing, nothing is written twice, and everybody works again."""
    server = new_server(kind, innodb_flush_log_at_trx_commit=1)
    schema = new_schema(server)
    writers = load(server, schema, 8)
    writers.read_until(200)
    server.kill9()
    server.start()
    writers.read_until(200)
    server.restart()
    writers.read_until(200)
    writers.end()
    assert writers.failed == []
    writers.compare(server, schema)
    assert len(writers.unknown) <= 2 * 4, "at most the statements that were under way at the two ends"


def test_a_server_that_stands_still(new_server, new_schema, load):
    server = new_server("mariadb")
    schema = new_schema(server)
    writers = load(server, schema, 8)
    writers.read_until(100)
    server.sigstop()
    # read_timeout is 5 s: those under way give up, and nobody else does.
    while not writers.unknown:
        writers.take(writers.process.stdout.readline())
    server.sigcont()
    writers.read_until(100)
    writers.end()
    assert writers.failed == []
    writers.compare(server, schema)
