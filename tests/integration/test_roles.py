"""A client's role, and its SET TRANSACTION for the next transaction, go with it from one server connection to another."""
import pytest

from harness.process import wait_until
from harness.raw import Client, Command, Err


@pytest.fixture
def world(any_server, new_gate):
    """A table that only a role may read, and an account that has another role from its login on; one server connection."""
    family = any_server.family
    login = "SET DEFAULT ROLE clerk FOR teller@'%'" if family == "mariadb" else "SET DEFAULT ROLE clerk TO teller@'%'"
    any_server.sql("CREATE ROLE IF NOT EXISTS auditor", "CREATE ROLE IF NOT EXISTS clerk", "CREATE DATABASE IF NOT EXISTS vault",
                   "CREATE TABLE IF NOT EXISTS vault.gold AS SELECT 7 AS bars", "GRANT SELECT ON vault.* TO auditor",
                   "CREATE USER IF NOT EXISTS teller@'%' IDENTIFIED BY 'teller-secret'", "GRANT ALL ON `app%`.* TO teller@'%'",
                   "GRANT auditor TO teller@'%'", "GRANT clerk TO teller@'%'", login,
                   "CREATE TABLE IF NOT EXISTS app.counter (a INT) ENGINE=InnoDB")
    yield new_gate(any_server, budget={"max_connections": 1})
    any_server.sql("DROP USER teller@'%'", "DROP ROLE auditor", "DROP ROLE clerk", "DROP DATABASE vault", "DROP TABLE app.counter")


def named(server, *roles):
    return (",".join(roles) if server.family == "mariadb" else ",".join(f"`{role}`@`%`" for role in roles)).encode()


def teller(gate):
    return Client(gate.port, "teller", "teller-secret", schema="app")


def nobody_holds(gate):
    wait_until(lambda: gate.api()["active"] == 0, 10, "the connection to be free")


def test_a_role_is_its_clients_alone(any_server, world):
    one, two = teller(world), teller(world)
    for _ in range(5):
        assert not isinstance(one.query("SET ROLE auditor"), Err)
        nobody_holds(world)
        assert one.value("SELECT bars FROM vault.gold") == b"7"
        assert two.query("SELECT bars FROM vault.gold").code in (1044, 1142)
        assert two.value("SELECT CURRENT_ROLE()") == named(any_server, "clerk")
        assert one.value("SELECT CURRENT_ROLE()") == named(any_server, "auditor")
        assert not isinstance(two.query("SET ROLE NONE"), Err)
        nobody_holds(world)
        assert one.value("SELECT bars FROM vault.gold") == b"7"
        assert two.value("SELECT CURRENT_ROLE()") in (None, b"NONE")
        assert not isinstance(two.query("SET ROLE clerk"), Err)
    third = teller(world)
    assert third.value("SELECT CURRENT_ROLE()") == named(any_server, "clerk"), "what its login gives"
    for client in (one, two, third):
        client.quit()
    last = teller(world)
    assert last.value("SELECT CURRENT_ROLE()") == named(any_server, "clerk")
    assert world.api()["opened"] == 1, "one connection did it all"
    last.quit()


def test_what_a_reset_leaves_of_a_role(any_server, world):
    """Both servers let it stay."""
    direct = Client(any_server.port, "teller", "teller-secret", schema="app")
    client, other = teller(world), teller(world)
    for each in (direct, client):
        each.query("SET ROLE auditor")
        each.ask(Command.RESET_CONNECTION)
    other.query("SELECT 1")
    assert client.value("SELECT CURRENT_ROLE()") == direct.value("SELECT CURRENT_ROLE()") == named(any_server, "auditor")
    for each in (direct, client, other):
        each.quit()


def test_a_role_that_was_taken_away(any_server, world):
    """The client hears it once, and goes on with what its login gives: never with more."""
    client, other = teller(world), teller(world)
    client.query("SET ROLE auditor")
    other.query("SELECT 1")
    any_server.sql("REVOKE auditor FROM teller@'%'")
    error = client.query("SELECT 1")
    assert isinstance(error, Err) and "auditor" in error.message and "role of its login" in error.message, error
    assert client.value("SELECT CURRENT_ROLE()") == named(any_server, "clerk")
    assert client.query("SELECT bars FROM vault.gold").code in (1044, 1142)
    client.quit()
    other.quit()


def test_a_statement_prepared_with_a_role(world):
    client, other = teller(world), teller(world)
    client.query("SET ROLE auditor")
    statement = client.prepare("SELECT bars + ? FROM vault.gold")
    assert client.execute(statement, [1]).rows == [(8,)]
    other.query("SELECT 1")
    assert client.execute(statement, [2]).rows == [(9,)]
    client.query("SET ROLE NONE")
    other.query("SELECT 1")
    assert client.execute(statement, [3]).code in (1044, 1142)
    client.quit()
    other.quit()


def test_set_transaction_lets_others_in(world):
    """It is for the next transaction only, and holds nobody up until that begins."""
    one, two = teller(world), teller(world)
    one.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    one.query("SET TRANSACTION READ ONLY")
    assert not isinstance(two.query("INSERT INTO counter VALUES (1)"), Err)
    assert world.api()["active"] == 0
    one.query("BEGIN")
    assert one.query("INSERT INTO counter VALUES (2)").code == 1792
    one.query("COMMIT")
    assert not isinstance(two.query("INSERT INTO counter VALUES (3)"), Err)
    assert not isinstance(one.query("INSERT INTO counter VALUES (4)"), Err), "its transaction is over"
    one.query("SET TRANSACTION READ ONLY")
    two.query("SELECT 1")
    one.quit()
    assert not isinstance(two.query("INSERT INTO counter VALUES (5)"), Err)
    two.quit()
    assert world.api()["opened"] == 1
