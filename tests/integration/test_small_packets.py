"""A server that takes packets of no more than 1024 bytes, the least that max_allowed_packet can be: what the gate itself says
to set a connection up must fit, and whatever a client sets must still be reported and go with it."""
import pytest

from harness.raw import Client, Err


SMALL = {"max_allowed_packet": 1024, "net_buffer_length": 1024}


@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
@pytest.mark.parametrize("when", ["from the start", "later"])
def test_smallest_max_allowed_packet(new_server, new_gate, kind, when):
    server = new_server(kind, **(SMALL if when == "from the start" else {}))
    gate = new_gate(server, budget={"max_connections": 1})
    if when == "later":  # and a connection is opened before the gate has looked at its variables again
        server.sql(*(f"SET GLOBAL {name} = {value}" for name, value in SMALL.items()))
    first, second = Client(gate.port), Client(gate.port)
    for _ in range(2):
        assert first.rows("SELECT 1") == second.rows("SELECT 1") == [(b"1",)]
        first.query("SET SESSION sql_mode = 'ANSI', SESSION time_zone = '+03:00', SESSION wait_timeout = 77")
        assert second.value("SELECT @@wait_timeout") != b"77"
        assert first.rows("SELECT @@time_zone, @@wait_timeout") == [(b"+03:00", b"77")]
    # Variables at either end of the list are followed: none of these holds the connection.
    for name, value in (("autocommit", "1"), ("auto_increment_increment", "5"), ("wait_timeout", "78"), ("unique_checks", "0")):
        first.query(f"SET SESSION {name} = {value}")
        second.query("DO 1")
        assert first.value(f"SELECT @@{name}") == value.encode()
        assert gate.api()["active"] == 0
    assert not isinstance(second.query("SELECT 2"), Err)
    first.close()
    second.close()
