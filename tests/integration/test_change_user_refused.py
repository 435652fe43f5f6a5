"""COM_CHANGE_USER that is refused. MySQL ends the connection. MariaDB does not: the client is who it was, with its
schema, in a new session; after three of them it listens to none. Through the gate the same."""
import pytest

from harness.raw import Client, Command, Err, LoginRefused, Status

LOOK = ("SELECT @x, @@wait_timeout, @@sql_mode, DATABASE(), CURRENT_USER(), @@autocommit, @@character_set_client,"
        " @@character_set_results, @@collation_connection", "SELECT a FROM tt", "SELECT a FROM t", "SELECT LAST_INSERT_ID()",
        "SELECT ROW_COUNT()", "SELECT 1; SELECT 2")


@pytest.fixture
def clients(any_server, new_gate, schema):
    gate = new_gate(any_server, budget={"max_connections": 1})
    any_server.sql(f"CREATE TABLE {schema}.t (a INT)")
    opened = []

    def make(**more):
        opened.extend(Client(port, **more) for port in (any_server.port, gate.port))
        return opened[-2:]

    yield make
    for client in opened:
        client.close()


def attempt(client, *arguments, **more):
    """What came of it: the reply, or the refusal; None when the connection is over."""
    try:
        return client.change_user(*arguments, **more)
    except LoginRefused as refusal:
        return refusal.error
    except (EOFError, ConnectionError):
        return None


def look(client):
    try:
        return [client.results(question) for question in LOOK] + [client.rows("SHOW WARNINGS")]
    except (EOFError, ConnectionError):
        return None


def fill(client):
    client.query("SET @x = 5, SESSION wait_timeout = 99, SESSION sql_mode = 'ANSI'")
    client.query("SET NAMES greek")
    client.query("CREATE TEMPORARY TABLE tt (a INT)")
    client.query("SET autocommit = 0")
    client.query("INSERT INTO t VALUES (1)")
    return client.prepare("SELECT 7")


def refused(reply, server):
    """The texts name the client's address, which is the gate's as the server sees it."""
    assert isinstance(reply, Err)
    return reply.code, reply.state, reply.message.replace("localhost", "127.0.0.1") if server.family == "mysql" else reply.message


def test_the_session_is_a_new_one_of_the_same_account(any_server, clients, schema):
    seen = []
    for client in clients(schema=schema):
        statement = fill(client)
        replies = [refused(attempt(client, "app", "wrong"), any_server), look(client)]
        if any_server.family == "mariadb":
            assert replies[1][0][0].rows[0][3] == schema.encode()
            replies.append(client.execute(statement).code)
            replies.append(attempt(client, "app", "app-secret", schema=schema).status & Status.AUTOCOMMIT)
            replies.append(look(client))
        seen.append(replies)
    assert seen[0] == seen[1]
    assert (seen[1][1] is None) == (any_server.family == "mysql")


def test_a_schema_that_is_refused(any_server, clients, schema):
    seen = []
    for client in clients(schema=schema):
        seen.append([refused(attempt(client, "app", "app-secret", schema="mysql"), any_server), look(client)])
    assert seen[0] == seen[1]
    assert seen[1][0][0] == 1044


def test_after_three_none_is_heard(any_server, clients):
    if any_server.family == "mysql":
        pytest.skip("the first one ends the connection")
    seen = []
    for client in clients():
        replies = [attempt(client, "app", "wrong" if number % 2 else "app-secret") for number in range(8)]
        seen.append([(reply.code, reply.state) if isinstance(reply, Err) else "in" for reply in replies] + look(client))
    assert seen[0] == seen[1]
    assert seen[1][:8] == ["in", (1045, "28000"), "in", (1045, "28000"), "in", (1045, "28000"), (1047, "08S01"), (1047, "08S01")]


def test_a_packet_that_makes_no_sense(any_server, clients):
    seen = []
    for client in clients():
        client.query("SET @x = 5")
        seen.append([client.ask(Command.CHANGE_USER, b"app"), look(client)])
    assert seen[0] == seen[1] and seen[1][0].code == 1047


def test_others_never_get_what_it_had(any_server, clients, schema):
    """The account that was asked for does not come into it: its connections are not lent to a client that was refused."""
    _, client = clients(schema=schema)
    _, other = clients(user="admin", password="admin-secret")
    assert other.value("SELECT CURRENT_USER()").startswith(b"admin@")
    if any_server.family == "mysql":
        pytest.skip("the first one ends the connection")
    for _ in range(2):
        assert refused(attempt(client, "admin", "wrong"), any_server)[0] == 1045
        assert client.rows("SELECT CURRENT_USER(), DATABASE()") == [(b"app@%", schema.encode())]
        assert other.value("SELECT CURRENT_USER()").startswith(b"admin@")


def test_mariadb_keeps_the_role(new_server, new_gate):
    server = new_server("mariadb")
    server.sql("CREATE ROLE clerk", "GRANT clerk TO app@'%'")
    gate = new_gate(server, budget={"max_connections": 1})
    for port in (server.port, gate.port):
        client = Client(port)
        client.query("SET ROLE clerk")
        assert attempt(client, "app", "wrong").code == 1045
        assert client.value("SELECT CURRENT_ROLE()") == b"clerk"
        client.close()
