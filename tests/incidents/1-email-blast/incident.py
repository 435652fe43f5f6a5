"""Incident 1: an orchestrator that gets itself a new connection every two seconds and keeps the old ones, and seven workers that
hold one each until it is dead."""
TITLE = "The e-mail blast"
LIMIT = 40
WORKERS = 7

# A round takes 2 s there and a server forgets a sleeping connection after wait_timeout: 600 s.
FORMS = {"short": {"wait_timeout": 7, "seconds": 16,
                   "environment": {"ROUND_SECONDS": 0.12, "ROUNDS_BETWEEN_CAMPAIGNS": 45, "REST_SECONDS": 9, "READERS": 400}},
         "full": {"wait_timeout": 20, "seconds": 75,
                  "environment": {"ROUND_SECONDS": 0.3, "ROUNDS_BETWEEN_CAMPAIGNS": 60, "REST_SECONDS": 25, "READERS": 1500}}}


def server_options(form):
    return {"max_connections": LIMIT, "wait_timeout": form["wait_timeout"]}


def prepare(stage):
    stage.run_sql("schema.sql")


def note_mails(stage):
    sent, twice = stage.server.sql("SELECT COUNT(*), COUNT(*) - COUNT(DISTINCT mail_id) FROM app.send_log")[0]
    stage.record.notes |= {"mails_sent": sent, "sent_twice": twice}


def start(stage, port=None):
    stage.start("php", "orchestrator.php", port=port)
    stage.play(until=lambda: stage.record.done.get("round"), most=30)
    for number in range(WORKERS):
        stage.start("php", "worker.php", number, port=port)


def blast(stage, port=None):
    start(stage, port)
    stage.play(stage.form["seconds"])
    note_mails(stage)


def without(stage):
    blast(stage)


def gate(stage):
    """The programs as they are, with another port."""
    blast(stage, port=stage.open_gate(budget={"max_connections": 8}).port)
    with stage.gate.connect() as connection, connection.cursor() as cursor:
        stage.record.notes["processlist_shows"] = cursor.execute("SHOW PROCESSLIST")


def run(stage):
    """Supervised, too: one orchestrator, and workers that are replaced after 100 mails."""
    port = stage.open_gate(budget={"max_connections": 8}).port
    stage.tidegate("run", "--single", "orchestrator", "--restart", "always", "--max-time", f"{stage.form['seconds'] / 4:g}s",
                   "--job-line", "^done round", "--max-jobs", "off", "--", "php", "orchestrator.php", port=port)
    stage.tidegate("run", "--workers", WORKERS, "--restart", "always", "--max-jobs", 100, "--job-line", "^done mail", "--",
                   "php", "worker.php", "{id}", port=port)
    stage.play(stage.form["seconds"])
    note_mails(stage)


def follow(stage):
    """As the team wished: the gate follows the server. On the way its limit is lowered, and others take half of what is left."""
    start(stage, stage.open_gate().port)
    third = stage.form["seconds"] / 3
    stage.play(third)
    others = [stage.server.connect("monitor") for _ in range(5)]
    stage.server.sql("SET GLOBAL max_connections = 10")
    stage.play(third)
    narrow = stage.record.now
    for other in others:
        other.close()
    stage.server.sql(f"SET GLOBAL max_connections = {LIMIT}")
    stage.play(third)
    note_mails(stage)
    stage.record.notes["most_while_narrow"] = max(sample["connections"] for sample in stage.record.samples
                                                  if narrow - third / 2 < sample["second"] < narrow)


MODES = {"without": without, "gate": gate, "run": run, "follow": follow}
WAYS = {"without": "nothing", "gate": "the gate with 8 connections", "run": "the gate with 8 connections, and tidegate run",
        "follow": "the gate, while the limit falls to 10"}
DRAWN = "gate"


def check(records):
    direct = records["without"]
    assert "1040" in direct["errors"], direct["errors"]
    assert {"2006", "2013"} & set(direct["errors"]), direct["errors"]
    for mode in "gate", "run", "follow":
        assert records[mode]["errors"] == {}, records[mode]["first_message"]
        assert records[mode]["notes"]["mails_sent"] > direct["notes"]["mails_sent"]
        assert records[mode]["notes"]["sent_twice"] == 0
    for mode in "gate", "run":
        assert records[mode]["peak"] <= 8 + 2  # the gate's monitor, and its proof of a new client's password
    assert records["gate"]["notes"]["processlist_shows"] >= 2, "the server's own list: the pool's connections and the monitor's"
    assert records["follow"]["notes"]["most_while_narrow"] <= 10
