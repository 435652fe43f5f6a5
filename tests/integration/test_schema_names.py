"""Schemas whose names have letters beyond ASCII, used by clients of several character sets on one server connection."""
import pytest

from harness.raw import Client, Err

LATIN1_SWEDISH = 8


@pytest.fixture
def gate(any_server, new_gate):
    any_server.sql("CREATE DATABASE `app_schön`", "CREATE TABLE `app_schön`.t (a INT)", "INSERT INTO `app_schön`.t VALUES (7)")
    yield new_gate(any_server, budget={"max_connections": 2})
    any_server.sql("DROP DATABASE `app_schön`")


def did(reply):
    assert not isinstance(reply, Err), reply
    return reply


def in_charset(gate, charset, **arguments):
    client = Client(gate.port, **arguments)
    did(client.query(f"SET NAMES {charset}"))
    return client


def test_each_client_has_its_schema(gate):
    utf8 = in_charset(gate, "utf8mb4", schema="app_schön")
    latin1 = in_charset(gate, "latin1")
    did(latin1.query("USE `app_schön`".encode("latin1")))
    plain = in_charset(gate, "latin1", schema="app")
    for _ in range(4):
        assert utf8.value("SELECT MAX(a) FROM t") == b"7"
        assert latin1.value("SELECT MAX(a) FROM t") == b"7"
        assert plain.value("SELECT DATABASE()") == b"app"
        assert utf8.value("SELECT DATABASE()").decode() == "app_schön"
        assert latin1.value("SELECT DATABASE()").decode("latin1") == "app_schön"
    for client in (utf8, latin1, plain):
        client.quit()


def test_a_schema_at_the_login_is_in_the_clients_character_set(gate):
    other = in_charset(gate, "utf8mb4", schema="app")
    other.query("SELECT 1")
    client = Client(gate.port, schema="app_schön".encode("latin1"), charset=LATIN1_SWEDISH)
    for _ in range(4):
        assert client.value("SELECT MAX(a) FROM t") == b"7"
        assert other.value("SELECT DATABASE()") == b"app"
    client.quit()
    other.quit()
