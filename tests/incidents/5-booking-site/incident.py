"""Incident 5: six scripts of a booking site, each with a pool of 10 of its own that it never closes."""
import time

TITLE = "Six scripts, six pools"
LIMIT = 50  # the account's own, as shared hosting has it
OF_ACCOUNT = "app"
SCRIPTS = ["seed-rooms.js", "test-availability.js", "test-booking.js", "check-prices.js", "sync-calendar.js", "report-occupancy.js"]

# Idle connections live for wait_timeout: 480 to 600 s there.
FORMS = {"short": {"wait_timeout": 14, "rest": 2}, "full": {"wait_timeout": 60, "rest": 12}}


def server_options(form):
    return {"max_connections": 151, "wait_timeout": form["wait_timeout"]}


def prepare(stage):
    stage.server.sql(f"ALTER USER app WITH MAX_USER_CONNECTIONS {LIMIT}")
    stage.run_sql("schema.sql")
    stage.server.sql("CREATE USER reports IDENTIFIED BY 'reports-secret'", "GRANT ALL ON app.* TO reports")


def busy_evening(stage, port=None):
    """Somebody runs the six scripts, one after the other; then the host starts the site, since visitors come."""
    stage.node_modules()
    for script in SCRIPTS:
        child = stage.start("node", script, port=port)
        stage.wait_said(f"{script[:-3]}: finished")
        stage.zombies.append(child)
        time.sleep(0.3)
    site = stage.site("node", "site.js", port=port)
    stage.visitors(site, 10, 0.2)
    stage.play(stage.form["rest"] + 4)
    return site


def let_go(stage):
    """How long it takes until the server has got rid of what the scripts left."""
    began = time.monotonic()
    stage.play(until=lambda: all(child.poll() is not None for child in stage.zombies), most=stage.form["wait_timeout"] * 3)
    stage.record.notes["seconds_until_the_server_let_go"] = round(time.monotonic() - began + stage.form["rest"] + 4, 1)
    stage.play(3)


def without(stage):
    busy_evening(stage)
    stage.record.notes["held_by_finished_scripts"] = stage.account()["by_state"].get("sleeping", 0)
    let_go(stage)


def gate(stage):
    """The scripts as they are, with another port; a budget of 3, as DB_CONNECTION_LIMIT has it."""
    gate = stage.open_gate(env={"DB_CONNECTION_LIMIT": "3"})
    busy_evening(stage, port=gate.port)


def watch(stage):
    """Without a gate: the programs that nobody needs any more are found and ended."""
    site = busy_evening(stage)
    broken = stage.record.now
    time.sleep(2)  # a human reads
    typed = time.monotonic()
    done = stage.operator("kill", "--processes", "--program", "node*", "--idle", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    stage.play(until=lambda: all(child.poll() is not None for child in stage.zombies), most=20)
    stage.record.notes["typed"] = "tidegate kill --processes --program 'node*' --idle 3"
    stage.record.notes["seconds_until_the_site_answers"] = stage.seconds_until_well(site, typed)
    stage.record.notes["broken_at"] = round(broken, 1)
    stage.play(5)
    stage.record.notes["errors_afterwards"] = stage.record.errors_since(stage.record.now - 4)


def pools(stage):
    """As the team wished: several pools under one limit. Two accounts through the gate, and programs that go past it with slots."""
    gate = stage.open_gate(budget={"max_connections": 4})
    stage.node_modules()
    reports = {"port": gate.port, "DB_USER": "reports", "DB_PASSWORD": "reports-secret"}
    for script in SCRIPTS:
        stage.start("node", script, **(reports if script in SCRIPTS[3:] else {"port": gate.port}))
    direct = f"mariadb -h 127.0.0.1 -P {stage.server.port} -u app app -e 'SELECT COUNT(*), SLEEP(0.5) FROM rooms' && echo done direct 0"
    for _ in range(6):
        stage.tidegate("exec", "--", "sh", "-c", direct, MYSQL_PWD="app-secret", TIDEGATE_SLOTS=gate.folder / ".local/state/tidegate/slots")
    site = stage.site("node", "site.js", port=gate.port)
    stage.visitors(site, 10, 0.2)
    for script in SCRIPTS:
        stage.wait_said(f"{script[:-3]}: finished")
    stage.play(until=lambda: stage.record.done.get("direct") == 6, most=60)
    stage.play(stage.form["rest"])
    stage.record.notes["most_of_all_accounts"] = max(s["connections"] - s["by_account"].get("monitor", 0) for s in stage.record.samples)


MODES = {"without": without, "gate": gate, "watch": watch, "pools": pools}
WAYS = {"without": "nothing", "gate": "the gate, DB_CONNECTION_LIMIT=3", "watch": "tidegate kill --processes",
        "pools": "two accounts and slots under one limit of 4"}
DRAWN = "gate"


def check(records):
    direct, through = records["without"], records["gate"]
    assert set(direct["errors"]) <= {"1226", "1203"} and direct["errors"], direct["errors"]
    assert direct["notes"]["held_by_finished_scripts"] >= 45
    assert through["errors"] == {}, through["first_message"]
    assert through["peak"] <= 3
    assert records["watch"]["notes"]["errors_afterwards"] == 0
    assert records["pools"]["errors"] == {}, records["pools"]["first_message"]
    assert records["pools"]["notes"]["most_of_all_accounts"] <= 4
