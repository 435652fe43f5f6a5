"""Incident 2: on shared hosting with 50 connections for the account, persistent connections and import processors that never
let go lock everyone out of the shop."""
import shlex
import time

TITLE = "The import processor"
LIMIT = 50
OF_ACCOUNT = "app"
WEB_WORKERS = 30

# Cron starts a processor every minute there, and nobody ends one; it sleeps 30 s without jobs and 5 s between two rounds.
FORMS = {"short": {"cron": 0.25, "rest": 3, "environment": {"SECONDS_WITHOUT_JOBS": 1.5, "SECONDS_BETWEEN_ROUNDS": 0.25}},
         "full": {"cron": 1, "rest": 25, "environment": {"SECONDS_WITHOUT_JOBS": 6, "SECONDS_BETWEEN_ROUNDS": 1}}}


def server_options(form):
    return {"max_connections": 151, "max_user_connections": LIMIT, "wait_timeout": 28800}


def prepare(stage):
    stage.run_sql("schema.sql")


def business(stage, processor, port=None):
    """A day: files come in, the shop has visitors, cron starts the processor again and again."""
    stage.cron(stage.form["cron"], lambda: stage.server.sql("INSERT INTO app.import_jobs (file) VALUES ('stock.csv')"))
    stage.cron(stage.form["cron"], processor)
    site = stage.site("php", "-S", "127.0.0.1:PORT", "site/index.php", port=port, PHP_CLI_SERVER_WORKERS=WEB_WORKERS)
    stage.visitors(site, 10, 0.2)
    return site


def until_locked_out(stage, site):
    """Plays until the shop's processes are replaced, and what they held has gone to the processors: nobody gets in."""
    stage.play(until=lambda: "1203" in stage.record.errors, most=300)
    for _ in range(12):
        site.recycle()
        if stage.record.errors.get("1203", 0) > 20 and stage.visit(site.address)[0]:
            break
        time.sleep(stage.form["cron"] * 5)
    stage.play(stage.form["rest"])


def without(stage):
    site = business(stage, lambda: stage.start("php", "import_processor.php"))
    until_locked_out(stage, site)
    stage.record.notes["sleeping"] = stage.account()["by_state"].get("sleeping", 0)


def gate(stage):
    """Through the gate, and one processor, whoever starts it; its code and the shop's are as they were."""
    gate = stage.open_gate(budget={"max_connections": 10})
    site = business(stage, lambda: stage.tidegate("exec", "--single", "--name", "import", "--", "php", "import_processor.php",
                                                  port=gate.port), port=gate.port)
    stage.play(LIMIT * stage.form["cron"] / 2)
    site.recycle()
    stage.play(stage.form["rest"] + 4)
    assert stage.record.done["import"] > 5, stage.said


def run(stage):
    """Through the gate, with `tidegate run`: one processor, replaced before it goes stale."""
    gate = stage.open_gate(budget={"max_connections": 10})
    site = business(stage, lambda: stage.tidegate("run", "--single", "import", "--restart", "always", "--max-jobs", "20", "--job-line",
                                                  "^done import", "--", "php", "import_processor.php", port=gate.port), port=gate.port)
    stage.play(LIMIT * stage.form["cron"] / 2)
    site.recycle()
    stage.play(stage.form["rest"] + 4)


def watch(stage):
    """Without a gate, at its worst: the account is full of sleeping connections and nobody can log in."""
    cron = [True]
    site = business(stage, lambda: cron[0] and stage.start("php", "import_processor.php"))
    until_locked_out(stage, site)
    pause = stage.form["environment"]["SECONDS_WITHOUT_JOBS"]
    said = stage.operator("status", "--max-idle", "1")
    stage.record.notes["status_without_a_way_in"] = said.returncode
    cron[0] = False  # what starts them is stopped first
    typed = time.monotonic()
    # Those that had no connection yet take the ones that have become free: so again and again, for a while.
    words = ["kill", "--processes", "--program", "*import_processor*", "--for", f"{4 * pause:g}s"]
    typing = stage.tidegate(*words)
    stage.record.notes["typed"] = "tidegate " + shlex.join(words)
    stage.record.notes["seconds_until_the_site_answers"] = stage.seconds_until_well(site, typed)
    assert typing.wait(90) == 0
    stage.play(2)
    clean = stage.record.now
    stage.play(4)
    stage.record.notes["errors_afterwards"] = stage.record.errors_since(clean + 1)
    assert "import_processor" not in stage.operator("status", user="monitor").stdout


def privileged(stage):
    """The same with a privileged login: the server ends what has been idle, and its programs live on."""
    site = business(stage, lambda: stage.start("php", "import_processor.php"))
    until_locked_out(stage, site)
    typed = time.monotonic()
    done = stage.operator("status", "--kill-idle", "--max-idle", "0.5", user="monitor")
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr
    stage.record.notes["typed"] = "tidegate status --kill-idle --max-idle 0.5   (as an account with CONNECTION ADMIN)"
    stage.record.notes["seconds_until_the_site_answers"] = stage.seconds_until_well(site, typed)


MODES = {"without": without, "gate": gate, "run": run, "watch": watch, "privileged": privileged}
WAYS = {"without": "nothing", "gate": "the gate with 10 connections, and exec --single",
        "run": "the gate with 10 connections, and run --single", "watch": "tidegate kill --processes",
        "privileged": "tidegate status --kill-idle"}
DRAWN = "gate"


def check(records):
    direct = records["without"]
    assert set(direct["errors"]) == {"1203"}, direct["first_message"]
    assert direct["notes"]["sleeping"] >= LIMIT - 15, direct["notes"]
    for mode in "gate", "run":
        assert records[mode]["errors"] == {}, records[mode]["first_message"]
        assert records[mode]["peak"] <= 10
    assert records["watch"]["notes"]["errors_afterwards"] == 0
