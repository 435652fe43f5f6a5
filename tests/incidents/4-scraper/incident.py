"""Incident 4: a thousand scrapers are started at once, and each tries five times to connect."""
import json

TITLE = "A thousand workers at once"
LIMIT = 151

# What is shortened: how many there are, and the limit with them.
FORMS = {"short": {"workers": 120, "limit": 31, "slots": 29, "batch": 29, "delay": "0.5s", "environment": {"FETCH_SECONDS": 3}},
         "full": {"workers": 1000, "limit": 151, "slots": 149, "batch": 150, "delay": "2s", "environment": {"FETCH_SECONDS": 10}}}


def server_options(form):
    return {"max_connections": form["limit"]}


def prepare(stage):
    stage.run_sql("schema.sql")


def finish(stage, child):
    stage.record.about["limit"] = stage.form["limit"]
    stage.play(until=lambda: child.poll() is not None, most=600)
    stage.record.notes["exit_code"] = child.returncode
    stage.record.notes["scraped"] = stage.server.value("SELECT COUNT(*) FROM app.pages WHERE state = 'scraped'")


def without(stage):
    finish(stage, stage.start("php", "spawn.php", stage.form["workers"]))


def slots(stage):
    """The scrapers connect to the server by themselves, as they did; a slot each, and started in batches."""
    form = stage.form
    finish(stage, stage.tidegate("run", "--workers", form["workers"], "--batch", form["batch"], "--batch-delay", form["delay"],
                                 "--restart", "never", "--", "tidegate", "exec", "--slots", form["slots"], "--wait", "5m", "--",
                                 "php", "scraper.php", "{id}"))


def auto(stage):
    """Started as the server has room for them, by its own account."""
    finish(stage, stage.tidegate("run", "--workers", stage.form["workers"], "--batch", "auto", "--restart", "never", "--", "php",
                                 "scraper.php", "{id}"))


def gate(stage):
    """All at once, through the gate: a scraper that waits for the other site holds no connection."""
    port = stage.open_gate(budget={"max_connections": 10}).port
    finish(stage, stage.start("php", "spawn.php", stage.form["workers"], port=port))


def urgent(stage):
    """As the team wished: urgent pages first. They come when all slots are taken and the others stand in line."""
    form = stage.form
    crowd = stage.tidegate("run", "--workers", form["workers"], "--batch", form["workers"], "--restart", "never", "--", "tidegate", "exec",
                           "--slots", form["slots"], "--wait", "5m", "--", "php", "scraper.php", "{id}")
    stage.play(until=lambda: slots_waiting(stage) > form["slots"] // 2, most=60)
    for number in range(10):
        stage.tidegate("exec", "--slots", form["slots"], "--wait", "5m", "--priority", 10, "--", "php", "scraper.php", 100_000 + number,
                       KIND="urgent")
    finish(stage, crowd)
    last = {kind: max(at for at, done in stage.record.as_json()["done_by_second"].items() if kind in done) for kind in ("urgent", "page")}
    stage.record.notes["last_done_at"] = last


def slots_waiting(stage):
    pools = json.loads(stage.operator("slots", "--json").stdout)["pools"]
    return pools[0]["waiting"] if pools else 0


MODES = {"without": without, "slots": slots, "auto": auto, "gate": gate, "urgent": urgent}
WAYS = {"without": "nothing", "slots": "tidegate run in batches, a slot each", "auto": "tidegate run --batch auto",
        "gate": "the gate with 10 connections", "urgent": "a slot each, ten urgent ones later"}
DRAWN = "slots"


def check(records):
    assert set(records["without"]["errors"]) == {"1040"}, records["without"]["errors"]
    workers = sum(records["without"]["done"].values()) + sum(records["without"]["errors"].values())
    for mode in "slots", "auto", "gate", "urgent":
        assert records[mode]["errors"] == {}, records[mode]["first_message"]
        assert records[mode]["notes"]["scraped"] == workers + (10 if mode == "urgent" else 0)
        assert records[mode]["notes"]["exit_code"] == 0
    assert records["slots"]["peak"] <= records["slots"]["limit"]
    assert records["urgent"]["done"]["urgent"] == 10
    assert records["urgent"]["notes"]["last_done_at"]["urgent"] < records["urgent"]["notes"]["last_done_at"]["page"]
