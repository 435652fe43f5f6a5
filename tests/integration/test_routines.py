"""Routines that leave nothing behind do not pin: what they are is read from their bodies. Whatever is not known to be
harmless pins, at once after it was changed through the gate. And the operator's own words: rules, comments."""
import pytest

from harness.process import wait_until
from harness.raw import Client, Err, ResultSet

ROUTINES = [
    "CREATE PROCEDURE plain(n INT) BEGIN DECLARE x INT DEFAULT 0; SET x = n + 1; SELECT n, x; SELECT 'second'; END",
    "CREATE PROCEDURE counts(OUT c INT) SELECT COUNT(*) INTO c FROM t",
    "CREATE PROCEDURE inserts(n INT) BEGIN INSERT INTO t (v) VALUES (n); UPDATE t SET v = v; END",
    "CREATE PROCEDURE deep(n INT) BEGIN CALL plain(twice(n)); CALL inserts(n); END",
    "CREATE PROCEDURE moves(n INT) BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END; START TRANSACTION; "
    "INSERT INTO t (v) VALUES (n); COMMIT; END",
    "CREATE PROCEDURE warns() SELECT 1 / 0",
    "CREATE PROCEDURE opens() BEGIN START TRANSACTION; INSERT INTO t (v) VALUES (99); END",
    "CREATE PROCEDURE opens_and_fails() BEGIN START TRANSACTION; INSERT INTO t (v) VALUES (99); SIGNAL SQLSTATE '45000' SET "
    "MESSAGE_TEXT = 'no'; END",
    "CREATE PROCEDURE opens_and_misses() BEGIN START TRANSACTION; INSERT INTO t (v) VALUES (99); SELECT * FROM missing; END",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE FUNCTION looks_up() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM t)",
    "CREATE FUNCTION writes(n INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO t (v) VALUES (n); RETURN n; END",
    # What leaves something.
    "CREATE PROCEDURE locks() DO GET_LOCK('routine', 0)",
    "CREATE PROCEDURE deep_locks() CALL locks()",
    "CREATE FUNCTION fn_locks() RETURNS INT READS SQL DATA RETURN GET_LOCK('routine', 0)",
    "CREATE FUNCTION fn_deep_locks() RETURNS INT READS SQL DATA RETURN fn_locks() + 1",
    "CREATE PROCEDURE makes_table() CREATE TEMPORARY TABLE made SELECT 1 AS a",
    "CREATE FUNCTION fn_into() RETURNS INT READS SQL DATA BEGIN SELECT 7 INTO @routine; RETURN 1; END",
    "CREATE PROCEDURE assigns() SELECT @routine := 7",
    "CREATE PROCEDURE sets() SET @routine = 7",
    "CREATE PROCEDURE prepares() BEGIN PREPARE s FROM 'SELECT 1'; END",
    "CREATE PROCEDURE sets_mode() SET SESSION sql_mode = 'ANSI'",
    "CREATE PROCEDURE zone() SET @@time_zone = '+03:00'",
    "CREATE PROCEDURE out_var(OUT x INT) SET x = 5",
]


@pytest.fixture
def world(any_server, new_gate, new_schema):
    schema = new_schema(any_server)
    any_server.sql("DROP USER IF EXISTS seer", "CREATE USER seer IDENTIFIED BY 'seer-secret'", *(
        f"GRANT {what} ON *.* TO seer" for what in ["SELECT, SHOW VIEW, TRIGGER, PROCESS"] + ["SHOW_ROUTINE"] * (any_server.family == "mysql")))
    any_server.sql(f"USE {schema}", "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB",
                   "INSERT INTO t (v) VALUES (1), (2), (3)", *ROUTINES)
    yield World(any_server, new_gate, schema)
    any_server.sql("DROP USER seer")


class World:
    def __init__(self, server, new_gate, schema):
        self.server, self.schema, self.new_gate = server, schema, new_gate

    def start(self, server=None, **config):
        server = {"url": f"mysql://seer:seer-secret@127.0.0.1:{self.server.port}", **(server or {})}
        self.gate = self.new_gate(self.server, server=server, **{"budget": {"max_connections": 1}, "pool": {"wait_timeout": "60s"}, **config})
        return self

    def client(self, **more):
        return Client(self.gate.port, schema=self.schema, timeout=60, **more)

    def pins(self, statement):
        """Whether a client keeps its connection that runs this."""
        client = self.client()
        client.results(statement)
        client.ping()
        held = self.gate.api()["active"]
        client.quit()
        wait_until(lambda: self.gate.api()["active"] == 0, 10, "the lease's end")
        return held == 1

    def knows(self, statement="SELECT twice(1)"):
        """The gate has read the bodies, and this one leaves nothing behind."""
        wait_until(lambda: not self.pins(statement), 30, f"the gate to know what {statement} calls")
        return self


HARMLESS = ["CALL plain(1)", "CALL Plain(1)", "CALL plain(twice(2))", "CALL {s}.plain(1)", "CALL `plain`(1)", "CALL deep(3)",
            "CALL inserts(1)", "CALL moves(1)", "CALL warns()", "SELECT twice(2)", "SELECT TWICE(2)", "SELECT `{s}`.twice(2), looks_up()",
            "SELECT writes(5)", "INSERT INTO t (v) VALUES (twice(3))", "UPDATE t SET v = twice(v)", "DO twice(1)",
            "SELECT id FROM t WHERE twice(id) = 2", "SHOW TABLES WHERE twice(1)"]
LEAVE = ["CALL locks()", "CALL deep_locks()", "SELECT fn_locks()", "SELECT fn_deep_locks()", "CALL makes_table()",
         "SELECT fn_into()", "CALL assigns()", "CALL sets()", "CALL prepares()", "CALL sets_mode()", "CALL zone()",
         "CALL plain(fn_locks())", "SELECT twice(GET_LOCK('routine', 0))", "CALL no_such_procedure()",
         "CALL counts(@c)", "CALL out_var(@x)"]


def test_what_leaves_nothing_behind_does_not_pin(world):
    world.start().knows()
    for statement in HARMLESS:
        assert not world.pins(statement.format(s=world.schema)), statement
    for statement in LEAVE:
        assert world.pins(statement), statement


def test_two_clients_alternate_on_one_connection(world):
    """Each sees what it would see on a connection of its own, whoever had this one in between."""
    world.start().knows()
    one, two = world.client(), world.client()
    direct = Client(world.server.port, schema=world.schema)
    direct.query("CALL moves(4)")
    moved = direct.value("SELECT ROW_COUNT()")
    direct.quit()
    for turn in range(20):
        for client, mine in (one, 10), (two, 20):
            assert [each.rows for each in client.results(f"CALL plain({mine})") if isinstance(each, ResultSet)] == [
                [(str(mine).encode(), str(mine + 1).encode())], [(b"second",)]]
        one.query("CALL inserts(1)")
        two.query("SELECT 'between'")
        assert one.rows("SELECT v FROM t WHERE id = LAST_INSERT_ID()") == [(b"1",)]
        two.query("CALL inserts(2)")
        one.query("SELECT 1")
        assert two.value("SELECT LAST_INSERT_ID()") == two.value("SELECT MAX(id) FROM t")
        one.results("CALL warns()")
        two.query("SELECT twice(3) FROM t")
        assert [row[1] for row in one.rows("SHOW WARNINGS")] == [b"1365"]
        one.results("CALL plain(1)")
        two.query("SELECT id FROM t LIMIT 2")
        assert one.value("SELECT FOUND_ROWS()") == b"1"
        one.query("CALL moves(4)")
        two.query("SELECT twice(1)")
        assert one.value("SELECT ROW_COUNT()") == moved
    assert world.gate.api()["active"] == 0
    one.quit()
    two.quit()


def test_prepared_statements(world):
    world.start().knows()
    one, two = world.client(), world.client()
    function, procedure = one.prepare("SELECT twice(?)"), one.prepare("CALL inserts(?)")
    taking = two.prepare("SELECT fn_locks()")
    for turn in range(5):
        assert one.execute(function, [turn]).rows == [(2 * turn,)]
        assert not isinstance(one.execute(procedure, [turn]), Err)
        assert two.value("SELECT 1") == b"1"
    assert world.gate.api()["active"] == 0
    two.execute(taking)
    assert world.gate.api()["active"] == 1
    two.quit()
    one.quit()


def test_a_schema_of_ones_own(world):
    """The same name is another routine elsewhere."""
    other = world.schema + "_b"
    world.server.sql(f"CREATE DATABASE {other}", f"GRANT ALL ON {other}.* TO app@'%'",
                     f"CREATE FUNCTION {other}.twice(n INT) RETURNS INT READS SQL DATA RETURN GET_LOCK('routine', 0)")
    try:
        world.start().knows()
        client = world.client()
        client.query("SELECT twice(1)")
        assert world.gate.api()["active"] == 0
        client.query(f"USE {other}")
        client.query("SELECT twice(1)")
        assert world.gate.api()["active"] == 1
        client.quit()
    finally:
        world.server.sql(f"DROP DATABASE {other}")


def test_a_body_that_is_changed_through_the_gate_is_not_trusted_for_a_moment(world):
    world.start(budget={"max_connections": 2}).knows("CALL plain(1)")
    admin = world.client(user="admin", password="admin-secret")
    caller = world.client()
    for turn in range(4):
        caller.results("CALL plain(1)")
        assert world.gate.api()["active"] == 0
        assert not isinstance(admin.query("DROP PROCEDURE plain"), Err)
        assert not isinstance(admin.query(f"CREATE PROCEDURE plain(n INT) DO GET_LOCK('routine {turn}', 0)"), Err)
        caller.results("CALL plain(1)")
        assert world.gate.api()["active"] == 1
        caller.quit()
        wait_until(lambda: world.gate.api()["active"] == 0, 10, "the lock's end")
        admin.query("DROP PROCEDURE plain")
        admin.query("CREATE PROCEDURE plain(n INT) SELECT n")
        world.knows("CALL plain(1)")
        caller = world.client()
    # One that it calls.
    admin.query("DROP FUNCTION twice")
    admin.query("CREATE FUNCTION twice(n INT) RETURNS INT READS SQL DATA RETURN GET_LOCK('routine', 0)")
    caller.results("CALL deep(1)")
    assert world.gate.api()["active"] == 1
    caller.quit()
    admin.quit()


def test_a_body_that_is_changed_past_the_gate_is_read_again(world):
    world.start(server={"monitor_interval": "500ms"}).knows()
    world.server.sql(f"USE {world.schema}", "DROP FUNCTION twice",
                     "CREATE FUNCTION twice(n INT) RETURNS INT READS SQL DATA RETURN GET_LOCK('routine', 0)")
    wait_until(lambda: world.pins("SELECT twice(1)"), 30, "the gate to see the new body")
    world.server.sql(f"USE {world.schema}", "DROP FUNCTION twice",
                     "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2")
    world.knows()


def test_a_monitor_that_may_not_read_bodies(world):
    world.server.sql("DROP USER IF EXISTS blind", "CREATE USER blind IDENTIFIED BY 'blind-secret'",
                     f"GRANT EXECUTE ON {world.schema}.* TO blind")
    try:
        world.start(server={"url": f"mysql://blind:blind-secret@127.0.0.1:{world.server.port}", "monitor_interval": "500ms"})
        wait_until(lambda: "Read the bodies of" in world.gate.log_text(), 30, "the first reading")
        for statement in HARMLESS[:6] + ["SELECT twice(1)"]:
            assert world.pins(statement.format(s=world.schema)), statement
    finally:
        world.server.sql("DROP USER blind")


@pytest.mark.parametrize("procedure", ["opens", "opens_and_fails", "opens_and_misses"])
def test_a_transaction_that_a_procedure_leaves_open(world, procedure):
    """Trap 2: an error tells no status."""
    world.start().knows()
    one, two = world.client(), world.client()
    one.results(f"CALL {procedure}()")
    assert world.gate.api()["active"] == 1
    assert one.value("SELECT COUNT(*) FROM t WHERE v = 99") == b"1"
    two.send_query("SELECT COUNT(*) FROM t WHERE v = 99")
    wait_until(lambda: world.gate.api()["waiting"] == 1, 10, "the other one in line")
    one.query("ROLLBACK")
    assert two.read_reply().rows == [(b"0",)]
    assert world.gate.api()["active"] == 0
    one.quit()
    two.quit()


@pytest.mark.parametrize("what, make, use", [
    ("a lock, in a trigger", "CREATE TRIGGER g BEFORE INSERT ON seen FOR EACH ROW SET NEW.v = GET_LOCK('routine', 0)",
     "INSERT INTO seen VALUES (1)"),
    ("a variable, in a trigger", "CREATE TRIGGER g BEFORE INSERT ON seen FOR EACH ROW SELECT COUNT(*) INTO @routine FROM t",
     "INSERT INTO seen VALUES (1)"),
    ("a lock, in a view", "CREATE VIEW v AS SELECT GET_LOCK('routine', 0) AS taken", "SELECT * FROM v"),
    ("a lock, in a function of a view", "CREATE VIEW v AS SELECT fn_deep_locks() AS taken", "SELECT * FROM v"),
    ("a variable, in a function of a trigger", "CREATE TRIGGER g BEFORE INSERT ON seen FOR EACH ROW SET NEW.v = fn_into()",
     "INSERT INTO seen VALUES (1)"),
])
def test_what_triggers_and_views_leave_unseen_is_gone_for_the_next(world, what, make, use):
    world.start()
    admin = world.client(user="admin", password="admin-secret")
    admin.query("CREATE TABLE seen (v INT)")
    assert not isinstance(admin.query(make), Err)
    admin.quit()
    wait_until(lambda: "leaves something in the session" in world.gate.log_text(), 30, "the gate to see it")
    one, two = world.client(), world.client()
    for _ in range(3):
        assert not isinstance(one.query(use), Err)
        assert two.rows("SELECT @routine, IS_FREE_LOCK('routine')") == [(None, b"1")]
        two.query("/* back */ SELECT 1")
        wait_until(lambda: world.gate.api()["active"] <= 1, 10, "rest")
        two.ask(0x1F)  # COM_RESET_CONNECTION: it has asked for a user variable
    one.quit()
    two.quit()


COMMENTS = ["/* tidegate: pin */ SELECT 1", "SELECT 1 /* tidegate: pin */", "SELECT /*tidegate:pin*/ 1",
            "/* tidegate: session */ SELECT 1", "SELECT 1 /* tidegate: session */", "-- tidegate: pin\nSELECT 1",
            "SELECT 1 -- tidegate: pin", "# tidegate: pin\r\nSELECT 1", "#tidegate: session\nSELECT 1", "SELECT 1 # tidegate: session"]
NO_WISH = ["/* tidegate: pins */ SELECT 1", "SELECT '/* tidegate: pin */'", "/* please tidegate: pin */ SELECT 1"]


def test_comments_that_ask_for_a_connection(world):
    world.start()
    for statement in COMMENTS:
        assert world.pins(statement), statement
    for statement in NO_WISH:
        assert not world.pins(statement), statement


def test_rules_for_sessions(world):
    world.start(rule=[{"user": "ap?", "program": "report*", "mode": "session"}, {"program": "calls", "trust_calls": True}])

    def held_after(statement, program):
        client = world.client(attributes={"program_name": program})
        client.results(statement)
        held = world.gate.api()["active"]
        client.quit()
        wait_until(lambda: world.gate.api()["active"] == 0, 10, "the lease's end")
        return held == 1

    assert held_after("SELECT 1", "report_7")
    assert not held_after("SELECT 1", "shop")
    assert not held_after("CALL locks()", "calls")
    assert held_after("CALL locks()", "shop")


def test_rules_for_statements(world):
    rules = [{"statement": "call  PREPARES", "trust_calls": True}, {"user": "app", "statement": "SELECT id, v FROM t", "pin": True}]
    world.start(rule=rules)
    assert world.pins("SELECT  id,\n v FROM t WHERE id = 1")
    assert world.pins("/* note */ select id, v from t")
    assert world.pins("SELECT id, v FROM t /* " + "long " * 16000 + "*/")
    assert not world.pins("SELECT id FROM t")
    client, other = world.client(), world.client()
    statement = client.prepare("SELECT id, v FROM t WHERE id = ?")
    client.execute(statement, [1])
    assert world.gate.api()["active"] == 1
    client.quit()
    # On the operator's word it does not pin; what the server reports that it leaves is cleared before anybody sees it.
    client = world.client()
    assert not isinstance(client.query("CALL prepares()"), Err)
    assert world.gate.api()["active"] == 0
    assert other.query("EXECUTE s").code == 1243
    other.quit()
    # New sessions go by new rules.
    world.gate.configure(budget={"max_connections": 1}, rule=[{"statement": "SELECT v", "pin": True}])
    world.gate.sighup()
    wait_until(lambda: world.pins("SELECT v FROM t"), 10, "the new rules")
    assert not world.pins("SELECT id, v FROM t")
    client.quit()
