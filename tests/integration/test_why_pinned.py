"""Why is it pinned? Each pin has the statement that brought it (without literals), its age and an advice, in the API, the metrics
and, over a threshold, the log."""

import pytest

from harness.process import wait_until
from harness.raw import Capability, Client, Command, Err

ATTRIBUTES = {"program_name": "import.py"}


@pytest.fixture
def gate(any_server, new_gate):
    return new_gate(any_server, budget={"max_connections": 3})


@pytest.fixture
def client(gate):
    client = Client(gate.port, schema="app", adding=Capability.CONNECT_ATTRS, attributes=ATTRIBUTES)
    yield client
    client.close()


def view(gate, client):
    """What the API says of that client."""
    found = [each for each in gate.api("/api/clients")["clients"] if each["id"] == client.greeting.thread_id]
    assert len(found) == 1
    return found[0]


def pins(gate, client):
    return {pin["name"]: pin["statement"] for pin in view(gate, client)["pins"]}


def did(reply):
    assert not isinstance(reply, Err), reply
    return reply


def ended(client, reply):
    """What ended a pin may be followed by a question of the gate's own (is there another lock?): the next statement comes after it."""
    did(reply)
    did(client.query("SELECT 1"))


TEXTS = {
    "temporary_table": ("CREATE TEMPORARY TABLE  tmp_why /* secret */ SELECT 5 AS a, 'secret' AS b",
                        "CREATE TEMPORARY TABLE tmp_why SELECT ? AS a, ? AS b", "DROP TEMPORARY TABLE tmp_why"),
    "named_lock": ("SELECT GET_LOCK('secret', 0)", "SELECT GET_LOCK(?, ..)", "DO RELEASE_LOCK('secret')"),
    "text_prepare": ("PREPARE p FROM 'SELECT ''secret'''", "PREPARE p FROM ?", "DEALLOCATE PREPARE p"),
    "lock_tables": ("LOCK TABLES why.t READ", "LOCK TABLES why.t READ", "UNLOCK TABLES"),
    "asked": ("/* tidegate: pin */ SELECT 'secret'", "/* tidegate: pin */ SELECT ?", None),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_pin_has_its_statement_without_literals(any_server, gate, client, name):
    text, shown, end = TEXTS[name]
    any_server.sql("CREATE DATABASE IF NOT EXISTS why", "CREATE TABLE IF NOT EXISTS why.t (a INT)", "GRANT ALL ON why.* TO app@'%'")
    did(client.query("SELECT 1"))
    assert pins(gate, client) == {} and view(gate, client)["held_by"] == "none"
    did(client.query(text))
    did(client.query("SELECT 1"))
    pin, = view(gate, client)["pins"]
    assert (pin["name"], pin["statement"]) == (name, shown)
    assert 0 <= pin["seconds"] < 60 and pin["advice"].startswith("It ") and pin["advice"].endswith(".")
    assert view(gate, client)["held_by"] == "pinned"
    assert gate.metrics()[f'tidegate_clients_pinned{{cause="{name}"}}'] == 1
    assert gate.metrics()[f'tidegate_pinned_seconds_total{{cause="{name}"}}'] > 0
    work = gate.api()["work"]
    assert work["pinned_clients"] == 1 and work["pinned"][name]["clients"] == 1
    ended(client, client.query(end) if end else client.ask(Command.RESET_CONNECTION))
    assert pins(gate, client) == {}
    assert gate.metrics()[f'tidegate_clients_pinned{{cause="{name}"}}'] == 0
    lasted = gate.metrics()[f'tidegate_pinned_seconds_total{{cause="{name}"}}']
    assert lasted > 0 and gate.metrics()[f'tidegate_pinned_seconds_total{{cause="{name}"}}'] == lasted, "it is over"
    assert "secret" not in gate.get("/api/clients")[1]
    # One that comes again begins anew.
    did(client.query(text))
    did(client.query(text.replace("tmp_why", "tmp_other").replace("PREPARE p", "PREPARE q")))
    again, = view(gate, client)["pins"]
    assert again["statement"] == shown and again["seconds"] <= pin["seconds"] + 60


def test_each_of_several_pins_has_its_own_statement(gate, client):
    did(client.query("SELECT GET_LOCK('a', 0)"))
    did(client.query("CREATE TEMPORARY TABLE tmp_own (a INT)"))
    assert pins(gate, client) == {"named_lock": "SELECT GET_LOCK(?, ..)",
                                  "temporary_table": "CREATE TEMPORARY TABLE tmp_own (a INT)"}
    ended(client, client.query("DO RELEASE_LOCK('a')"))
    assert pins(gate, client) == {"temporary_table": "CREATE TEMPORARY TABLE tmp_own (a INT)"}
    client.quit()
    wait_until(lambda: gate.api()["work"]["pinned_clients"] == 0, 10, "the pin of a client that has left is over")


def test_what_a_refused_statement_would_have_brought_is_not_there(gate, client):
    assert isinstance(client.query("CREATE TEMPORARY TABLE nowhere.tmp (a INT)"), Err)
    assert pins(gate, client) == {}


def test_prepared_statements_have_their_texts(gate, client):
    statement = client.prepare("SELECT a FROM (SELECT 5 AS a UNION SELECT ?) AS t")
    client.send_execute(statement, (6,), cursor=1)
    client.read_reply(binary=True, known=statement.columns)
    assert pins(gate, client) == {"cursor": "SELECT a FROM (SELECT ? AS a UNION SELECT ?) AS t"}
    did(client.reset_statement(statement))
    assert pins(gate, client) == {}
    client.send_long_data(statement, 0, b"secret")
    wait_until(lambda: pins(gate, client), 10, "the long data")
    assert pins(gate, client) == {"long_data": "SELECT a FROM (SELECT ? AS a UNION SELECT ?) AS t"}
    client.close_statement(statement)
    wait_until(lambda: not pins(gate, client), 10, "the end of the statement")
    lock = client.prepare("SELECT GET_LOCK(?, 0)")
    did(client.execute(lock, ("secret",)))
    assert pins(gate, client) == {"named_lock": "SELECT GET_LOCK(?, ..)"}


def test_a_statement_that_no_buffer_holds_shows_its_beginning(gate, client):
    did(client.query("CREATE TEMPORARY TABLE tmp_large SELECT 'secret' AS a, '" + "secret " * 40000 + "' AS b"))
    assert pins(gate, client) == {"temporary_table": "CREATE TEMPORARY TABLE tmp_large SELECT ? AS a, .."}
    large = client.prepare("SELECT 'secret' AS a, '" + "secret " * 40000 + "' AS b")
    assert pins(gate, client)["prepared_statement"] == "SELECT ? AS a, .."
    client.close_statement(large)
    did(client.ask(Command.RESET_CONNECTION))
    did(client.query("CREATE TEMPORARY TABLE app.tmp_small (a INT)"))
    assert pins(gate, client) == {"temporary_table": "CREATE TEMPORARY TABLE app.tmp_small (a INT)"}


def test_a_pin_that_only_the_server_tells_of_has_its_statement(any_server, gate, client):
    any_server.sql("CREATE DATABASE IF NOT EXISTS why", "CREATE TABLE IF NOT EXISTS why.rows_of_trigger (a INT)",
                   "DROP TRIGGER IF EXISTS why.sets", "GRANT ALL ON why.* TO app@'%'",
                   "CREATE TRIGGER why.sets BEFORE INSERT ON why.rows_of_trigger FOR EACH ROW SET @set_by_trigger = 1")
    did(client.query("INSERT INTO why.rows_of_trigger VALUES (5)"))
    assert pins(gate, client) == {"unknown_function": "INSERT INTO why.rows_of_trigger VALUES (?)"}


def test_session_mode_is_no_pin_and_is_told(gate, client):
    did(client.query("/* tidegate: session */ SELECT 1"))
    assert view(gate, client)["held_by"] == "session_mode"


def test_a_connection_that_is_lost_is_not_pinned_any_more(any_server, gate, client):
    did(client.query("SELECT GET_LOCK('lost', 0)"))
    assert gate.api()["work"]["pinned_clients"] == 1
    any_server.sql(f"KILL {view(gate, client)['server_connection']}")
    wait_until(lambda: gate.api()["work"]["pinned_clients"] == 0, 10, "the pin ends with its connection")


def test_a_pin_that_lasts_is_told_once_in_the_log(any_server, new_gate):
    gate = new_gate(any_server, pool={"pin_warning": "1s"})
    client = Client(gate.port, adding=Capability.CONNECT_ATTRS, attributes=ATTRIBUTES)
    did(client.query("SELECT GET_LOCK('secret', 0)"))
    lines = lambda: [line for line in gate.log_text().splitlines() if "pinned by" in line]  # noqa: E731
    wait_until(lambda: lines(), 20, "the warning")
    did(client.query("CREATE TEMPORARY TABLE app.tmp_log (a INT)"))
    wait_until(lambda: len(lines()) == 2, 20, "the warning of the other pin")
    first, second = lines()
    assert f"Client {client.greeting.thread_id} (app@127.0.0.1:" in first and "import.py" in first and "warning" in first
    assert "pinned by named_lock: SELECT GET_LOCK(?, ..)" in first and "RELEASE_LOCK()" in first and "secret" not in first
    assert "pinned by temporary_table: CREATE TEMPORARY TABLE app.tmp_log (a INT)" in second
    client.quit()


def test_the_warning_can_be_switched_off(any_server, new_gate):
    # A pin so old that the gate of the test before had warned: here another one shows that a round has gone by.
    gate = new_gate(any_server, pool={"pin_warning": 0, "idle_in_transaction": "1s"}, budget={"max_connections": 2})
    pinned, idle, waits = (Client(gate.port) for _ in range(3))
    did(pinned.query("SELECT GET_LOCK('off', 0)"))
    did(idle.query("BEGIN"))
    waits.send_query("SELECT 1")
    wait_until(lambda: "sat idle" in gate.log_text(), 20, "the other warning of the same round")
    did(waits.read_reply())
    assert "pinned by" not in gate.log_text()


def test_the_commands_show_it(any_server, new_gate, new_watch, gate, client):
    did(client.query("SELECT GET_LOCK('secret', 0)"))
    shown = new_watch(any_server, slots_folder=str(gate.folder / ".local/state/tidegate/slots")).run("status")
    assert "pinned by named_lock" in shown.stdout and "SELECT GET_LOCK(?, ..)" in shown.stdout, shown.stdout + shown.stderr
