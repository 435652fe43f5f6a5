"""Incident 3: a marketplace's queue workers, which keep a connection to every shop that they have ever served."""
import os
import re
import shutil
import statistics

from harness.servers import Unavailable

TITLE = "The queue that never let go"
WORKERS = 4
LONG = int(os.environ.get("TIDEGATE_INCIDENT_SECONDS") or 1800)
LIMIT = 151  # the server's max_connections; the short form has fewer of everything

# Theirs ran for days, with restarts after 100 jobs in the end: where time is shorter, there are more jobs in a second, the busy
# shops take turns sooner, and `max_jobs` stands for the same stretch of the turn.
FORMS = {
    "short": {"limit": 60, "budget": 20, "shops": 40, "busy": 6, "laps": 0.8, "seconds": 12, "rate": 16,
              "max_jobs": 10, "api": 100, "pause": 0.5},
    "full": {"limit": 151, "budget": 40, "shops": 100, "busy": 12, "laps": 1.2, "seconds": 75, "rate": 20,
             "max_jobs": 40, "api": 120, "pause": 0.5},
    "long": {"limit": 151, "budget": 40, "shops": 100, "busy": 12, "laps": 2.2, "seconds": LONG, "rate": 5,
             "max_jobs": 100, "api": 400, "pause": 1},
}


def server_options(form):
    return {"max_connections": form["limit"]}


def prepare(stage):
    """The application's schema, and one for each shop."""
    if not shutil.which("php"):
        raise Unavailable("no php on this machine (packages php-cli and php-mysql)")
    form = stage.form
    stage.record.about["limit"] = form["limit"]
    stage.run_sql("schema.sql")
    shop = [part for part in re.split(r";\s*\n", (stage.folder / "shop.sql").read_text()) if part.strip()]
    for number in range(1, form["shops"] + 1):
        name = f"app_shop{number}"
        stage.server.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"USE {name}", *shop,
                         f"INSERT INTO app.shops VALUES ({number}, '{name}')")
    form["environment"] = {"SHOPS": form["shops"], "BUSY": form["busy"], "LAPS": form["laps"], "SECONDS": form["seconds"],
                           "JOBS_PER_SECOND": form["rate"], "API_MS": form["api"]}


def working_day(stage, port=None):
    """Customers at the checkout, whose jobs are done while they wait, and jobs in the queue until all are done or given up."""
    site = stage.site("php", "-S", "127.0.0.1:PORT", "checkout.php", port=port, PHP_CLI_SERVER_WORKERS=4, QUEUE_CONNECTION="sync")
    stage.visitors(site, 4, stage.form["pause"])
    scheduler = stage.start("php", "scheduler.php", port=port)
    stage.play(until=lambda: scheduler.poll() is not None, most=stage.form["seconds"] * 2 + 120)
    assert scheduler.returncode == 0, stage.said
    stage.wait_said("scheduler: ", 5)
    said = re.search(r"scheduler: (\d+) dispatched, (\d+) given up", stage.said)
    jobs, given_up = int(said[1]), int(said[2])
    # The last one may have left the table before its line was read.
    stage.play(until=lambda: jobs_done(stage) + given_up >= jobs, most=20)
    stage.record.notes |= {"jobs": jobs, "jobs_done": jobs_done(stage), "jobs_given_up": given_up}


def jobs_done(stage):
    return sum(count for kind, count in stage.record.done.items() if kind != "checkout")


def fleet(stage, port=None):
    """The workers under `tidegate run`: another one takes over after so many jobs, failed ones included."""
    runner = stage.tidegate("run", "--workers", WORKERS, "--restart", "always", "--max-jobs", stage.form["max_jobs"],
                            "--max-time", 3600, "--job-line", "^(done|error) ", "--", "php", "worker.php", port=port)
    stage.watch_memory("workers", runner.pid)


def without(stage):
    """As it was: a supervisor that starts the workers, and nothing that ever ends them."""
    for _ in range(WORKERS):
        worker = stage.start("php", "worker.php")
    stage.watch_memory("one worker", worker.pid)
    working_day(stage)


def run(stage):
    """Without a gate: the workers are replaced, and their connections end with them."""
    fleet(stage)
    working_day(stage)
    stage.record.notes["workers_replaced"] = stage.said.count(" is replaced: ")


def gate(stage):
    """The same programs with another port, and a budget for all of them."""
    gate = stage.open_gate(budget={"max_connections": stage.form["budget"]})
    fleet(stage, port=gate.port)
    working_day(stage, port=gate.port)
    stage.record.notes |= {"workers_replaced": stage.said.count(" is replaced: "), "budget": stage.form["budget"],
                           "clients_at_most": max(sample.get("clients", 0) for sample in stage.record.samples),
                           "pins": sum(stage.gate.api()["work"]["pins"].values())}


MODES = {"without": without, "run": run, "gate": gate}
WAYS = {"without": "nothing", "run": "tidegate run alone", "gate": "the gate and tidegate run"}
DRAWN = "gate"


def minute(record, number, of):
    """The median over a minute, counted from 0, or from the end with -1."""
    begin = number * 60 if number >= 0 else record["samples"][-1]["second"] + number * 60
    return statistics.median(of(sample) for sample in record["samples"]
                             if begin <= sample["second"] <= begin + 60 and of(sample) is not None)


def check(records):
    direct, recycled, through = records["without"], records["run"], records["gate"]
    assert direct["errors"].get("1040", 0) >= 20, direct["errors"]
    assert direct["peak"] >= direct["limit"]
    assert direct["notes"]["jobs_given_up"] > 0
    # Recycling alone keeps to no limit; here the workers end before they have filled the server.
    assert recycled["errors"] == {}, recycled["errors"]
    assert recycled["peak"] < recycled["limit"]
    assert through["errors"] == {}, through["errors"]
    assert through["peak"] <= through["notes"]["budget"]
    assert through["notes"]["jobs_done"] == through["notes"]["jobs"] > direct["notes"]["jobs_done"]
    if through["seconds"] > 300:
        check_level(through)


def check_level(record):
    """At the end of a run over many minutes there is no more of anything than after the second one."""
    def memory(name):
        return lambda sample: sample.get("memory", {}).get(name)

    def connections(sample):
        return sample["connections"]

    assert minute(record, -1, connections) <= minute(record, 1, connections) + 2
    for name in ("gate", "workers"):
        assert minute(record, -1, memory(name)) <= 1.1 * minute(record, 1, memory(name)) + 1024, name
