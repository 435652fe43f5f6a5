"""The harness itself: servers that other tests can rely on."""
import os
import subprocess
import sys
import textwrap
import time

import pymysql
import pytest

from harness.process import wait_until

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.mark.mariadb11
def test_accounts_log_in_with_and_without_tls(any_server):
    for user in ("app", "monitor"):
        with any_server.connect(user) as plain, plain.cursor() as cursor:
            cursor.execute("SELECT 1")
        with any_server.connect(user, ssl={"ca": any_server.ca}) as secure, secure.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            assert cursor.fetchone()[1] != ""
    with pytest.raises(pymysql.err.OperationalError) as refused:
        any_server.connect("app", "wrong")
    assert refused.value.args[0] == 1045


def test_each_test_gets_an_empty_schema(any_server, schema):
    with any_server.connect(database=schema) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == ()
        cursor.execute("CREATE TABLE t (a INT)")


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_a_full_server_still_answers_the_harness(new_server, kind):
    server = new_server(kind, max_connections=10)  # MariaDB takes no fewer
    held = [server.connect() for _ in range(10)]
    held.append(server.root())  # the administrator's spare place
    with pytest.raises(pymysql.err.OperationalError) as refused:
        server.connect()
    assert refused.value.args[0] == 1040
    assert len(server.connections("app")) == 10
    for connection in held:
        connection.close()


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_data_survives_kill_and_restart_on_the_same_port(new_server, kind):
    server = new_server(kind)
    port = server.port
    server.sql("CREATE TABLE app.t (a INT)", "INSERT INTO app.t VALUES (7)")
    server.kill9()
    assert not server.running
    server.start()
    assert (server.port, server.value("SELECT a FROM app.t")) == (port, 7)
    server.sigstop()
    with pytest.raises(pymysql.err.OperationalError):
        server.connect(connect_timeout=0.3, read_timeout=0.3)
    server.sigcont()
    assert server.value("SELECT 1") == 1


def test_nothing_stays_behind_a_killed_test_process():
    script = f"""
        import sys
        sys.path.insert(0, {TESTS!r})
        from harness.servers import MariaDB
        server = MariaDB()
        print(server.pid, server.folder, flush=True)
        input()
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    pid, folder = child.stdout.readline().split()
    assert os.path.exists(f"/proc/{pid}") and os.path.exists(folder)
    child.kill()
    child.wait()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") and not os.path.exists(folder), 10, "the end of its server")


def test_a_server_starts_in_about_a_second(new_server):
    new_server("mariadb")  # the template may have to be made first
    begin = time.monotonic()
    new_server("mariadb")
    assert time.monotonic() - begin < 5
