"""User variables go with their client from connection to connection: they hold none for long, and nobody else sees them."""
import dataclasses

import pymysql
import pytest
from harness.load import Load
from harness.process import wait_until
from harness.raw import Client, Err

VALUES = ["5", "-9223372036854775808", "CAST(18446744073709551615 AS UNSIGNED)", "1.50", "-0.000", "1e300", "0.1e0 + 0.2e0", "'abc'", "''",
          "'größe'", "_latin1 X'E4F6' COLLATE latin1_bin", "0x00FF", "CAST('2026-11-21 10:00:00.123456' AS DATETIME(6))", "b'101'",
          "JSON_OBJECT('a', 1)", "TRUE", "REPEAT('x', 1024)", "CAST('2026-11-21' AS DATE)"]


BINARY = 63  # the character set


def pins(gate):
    return {name: count for name, count in gate.api()["work"]["pins"].items() if count}


@pytest.fixture
def pool_of_one(any_server, new_gate):
    return new_gate(any_server, budget={"max_connections": 1}, pool={"wait_timeout": "1m"})


@pytest.mark.mariadb11
def test_values_types_and_collations_are_what_they_were(any_server, pool_of_one):
    """They look as on a connection of one's own, though another client has had this one in between."""
    direct, client, other = Client(any_server.port), Client(pool_of_one.port), Client(pool_of_one.port)
    for each in direct, client:
        each.query("SET NAMES utf8mb4 COLLATE utf8mb4_bin")
    for value in VALUES:
        for more in ("", ", @v = NULL"):  # which keeps the type
            said = []
            for each in direct, client:
                assert not isinstance(each.query(f"SET @v = {value}{more}"), Err)
                assert other.rows("SELECT @v, @w") == [(None, None)], value
                reply = each.query("SELECT @v, COLLATION(@v), @v / 2, CONCAT(@v), @w")
                assert not isinstance(reply, Err), f"{value}{more}: {reply}"
                # Which collation of its character set a result has is hidden in the connection (docs/proxy.md).
                columns = [dataclasses.replace(column, charset=column.charset == BINARY, flags=0) for column in reply.columns]
                said.append([*zip(columns, reply.rows[0], strict=True)])
            for column, (before, now) in enumerate(zip(*said, strict=True)):
                assert before == now, f"{value}{more}: column {column}"
    assert pins(pool_of_one) == {}
    for each in direct, client, other:
        each.quit()


def test_a_client_at_rest_keeps_no_connection_for_its_variables(pool_of_one):
    client, other = Client(pool_of_one.port), Client(pool_of_one.port)
    client.query("SET @v = 7")
    # At once where somebody waits, after a moment where nobody does.
    assert other.rows("SELECT @v") == [(None,)]
    client.query("SET @v = @v + 1")
    wait_until(lambda: pool_of_one.api()["active"] == 0, 20, "the end of the lease")
    assert other.rows("SELECT @v") == [(None,)]
    assert client.value("SELECT @v") == b"8"
    assert pins(pool_of_one) == {}
    client.quit()
    other.quit()


def test_what_the_statement_left_is_not_lost_with_the_connection(pool_of_one, new_schema, any_server):
    schema = new_schema(any_server)
    client, other = Client(pool_of_one.port, schema=schema), Client(pool_of_one.port)
    client.query("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    client.query("INSERT INTO t (v) VALUES (1), (2), (@n := 3)")
    assert other.rows("SELECT 1") == [(b"1",)]
    assert client.value("SELECT ROW_COUNT()") == b"3"
    client.query("SELECT SQL_CALC_FOUND_ROWS @n := @n + v FROM t LIMIT 1")
    assert other.rows("SELECT 1, 2 UNION SELECT 3, 4") == [(b"1", b"2"), (b"3", b"4")]
    assert client.value("SELECT FOUND_ROWS()") == b"3"
    client.query("SELECT CAST('x' AS SIGNED), @n := 5")
    other.query("DO 1")
    assert len(client.rows("SHOW WARNINGS")) >= 1
    assert client.value("SELECT @n") == b"5"
    assert client.value("SELECT LAST_INSERT_ID()") == b"1"
    client.quit()
    other.quit()


@pytest.mark.parametrize("statement", ["SET @v = REPEAT('x', 1025)", "SET @`a name` = 1", "SET @v = (SELECT MAX(table_name) FROM {view})"])
def test_those_that_cannot_be_carried_pin(any_server, pool_of_one, new_schema, statement):
    schema = new_schema(any_server)
    any_server.sql(f"CREATE VIEW {schema}.view AS SELECT 'a' AS table_name")
    client = Client(pool_of_one.port, schema=schema)
    client.query(statement.format(view=f"{schema}.view"))
    wait_until(lambda: pins(pool_of_one) == {"user_variable": 1}, 20, "the pin")
    assert pool_of_one.api()["active"] == 1
    client.quit()
    wait_until(lambda: pool_of_one.api()["active"] == 0, 20, "its end")


def test_what_a_dump_begins_and_ends_with(pool_of_one):
    """It keeps the old settings in user variables while it is read."""
    client, other = Client(pool_of_one.port), Client(pool_of_one.port)
    before = client.rows("SELECT @@sql_mode, @@time_zone, @@unique_checks, @@foreign_key_checks, @@character_set_client")
    client.query("/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */")
    client.query("/*!40101 SET NAMES latin1 */")
    client.query("/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */")
    client.query("/*!40103 SET TIME_ZONE='+00:00' */")
    client.query("/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */")
    client.query("/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */")
    client.query("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */")
    other.query("SET sql_mode = 'ANSI', time_zone = '+05:00', unique_checks = 1")
    assert client.rows("SELECT @@sql_mode, @@time_zone, @@unique_checks, @@foreign_key_checks, @@character_set_client") == [
        (b"NO_AUTO_VALUE_ON_ZERO", b"+00:00", b"0", b"0", b"latin1")]
    client.query("/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */")
    other.query("DO 1")
    client.query("/*!40101 SET SQL_MODE=@OLD_SQL_MODE */")
    client.query("/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */")
    client.query("/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */")
    other.query("DO 1")
    client.query("/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */")
    assert client.rows("SELECT @@sql_mode, @@time_zone, @@unique_checks, @@foreign_key_checks, @@character_set_client") == before
    assert pins(pool_of_one) == {}
    client.quit()
    other.quit()


def test_a_reset_and_a_new_user_have_none(pool_of_one):
    client, other = Client(pool_of_one.port), Client(pool_of_one.port)
    client.query("SET @v = 1")
    other.query("DO 1")
    client.ask(0x1F)  # COM_RESET_CONNECTION
    assert client.rows("SELECT @v") == [(None,)]
    client.query("SET @v = 2")
    client.change_user("app", "app-secret")
    assert client.rows("SELECT @v") == [(None,)]
    client.quit()
    other.quit()


def test_two_hundred_clients_on_two_connections(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 2}, pool={"wait_timeout": "5m"})

    def work(number, load):
        with load.tally.counted():
            client = Client(gate.port, timeout=300)
            client.query(f"SET @me = {number}, @n = 0")
            for turn in range(10):
                client.query(f"SELECT @n := @n + {number}")
                found = client.rows("SELECT @me, @n")
                if found != [(str(number).encode(), str(number * (turn + 1)).encode())]:
                    raise pymysql.err.InterfaceError(f"client {number}, round {turn}: {found}")
            client.quit()

    tally = Load(200, work).start().join(300)
    assert tally.errors == {}, str(tally)
    assert gate.api()["peak"] <= 2
    assert pins(gate) == {}
