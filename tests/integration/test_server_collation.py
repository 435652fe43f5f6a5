"""character_set_server and collation_server set each other, and the servers report one of the two: they go with their client
all the same, and hold no connection. DBD::MariaDB sets them at every login."""
import pytest

from harness.raw import Client

LOOK = "SELECT @@character_set_server, @@collation_server"
SETS = ("SET character_set_server = 'utf8mb4', collation_server = 'utf8mb4_unicode_ci'",
        "SET collation_server = latin1_german1_ci", "SET SESSION character_set_server = greek",
        "SET collation_server = latin1_german1_ci, character_set_server = utf8mb4", "SET SESSION character_set_server = DEFAULT",
        "SET collation_server = utf8mb4_bin, sql_mode = 'ANSI', character_set_client = latin1", "SET collation_server = DEFAULT")


@pytest.mark.mariadb11
def test_they_go_with_their_client(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 1})
    direct, client, other = Client(any_server.port), Client(gate.port), Client(gate.port)
    untouched = other.rows(LOOK)
    for statement in SETS + SETS:
        assert client.query(statement) == direct.query(statement)
        assert other.rows(LOOK) == untouched
        assert client.rows(LOOK) == direct.rows(LOOK), statement
        assert gate.api()["active"] == 0
        newcomer = Client(gate.port)  # for whom the gate knows what comes of it
        newcomer.query(statement)
        fresh = Client(any_server.port)
        fresh.query(statement)
        assert newcomer.rows(LOOK) == fresh.rows(LOOK)
        newcomer.close()
        fresh.close()
    assert all(not each["pins"] for each in gate.api("/api/clients")["clients"])
    for each in (direct, client, other):
        each.close()


@pytest.mark.mariadb11
def test_schemas_are_made_with_them(any_server, new_gate, schema):
    gate = new_gate(any_server, budget={"max_connections": 1})
    client, other = Client(gate.port, "admin", "admin-secret"), Client(gate.port, "admin", "admin-secret")
    client.query("SET collation_server = latin1_german1_ci")
    assert other.value("SELECT 1") == b"1"
    client.query(f"DROP DATABASE {schema}")
    client.query(f"CREATE DATABASE {schema}")
    assert any_server.value("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s",
                            (schema,)) == "latin1_german1_ci"
    client.close()
    other.close()
