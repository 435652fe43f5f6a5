"""`tidegate run --jobs`: lists of jobs, worked off, interrupted, gone on with. With TIDEGATE_LONG=1: 10,000 of them."""
import collections
import json
import random
import signal
import time

import pytest

from harness.fleet import LONG, script
from harness.process import wait_until

PHP_JOB = """<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli('127.0.0.1', 'app', 'app-secret', getenv('DB_NAME'), (int)getenv('DB_PORT'));
$db->query("INSERT INTO sent (job) VALUES ({$argv[1]})");
usleep(random_int(0, 100000));
"""


def finished_in(journal):
    last = {}
    for line in journal.read_text().splitlines()[1:]:
        number, code, _ = line.split()
        last[int(number)] = int(code)
    return sorted(number for number, code in last.items() if code == 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_interrupted_jobs_go_on_and_none_is_done_twice(new_server, new_schema, run, tmp_path, number):
    count, at_once = (10_000, 100) if LONG else (80, 8)
    server = new_server(max_connections=151)
    schema = new_schema(server)
    server.sql(f"CREATE TABLE {schema}.sent (job INT)")
    job = script(tmp_path, "send.php", PHP_JOB)
    jobs = script(tmp_path, "jobs", "".join(f"{n}\n" for n in range(1, count + 1)))
    journal = tmp_path / "journal"

    def start():
        with open(jobs) as lines:
            return run("--jobs", "-", "--workers", at_once, "--journal", journal, command=["php", job, "{}"],
                       stdin=lines, server=server, env={"DB_NAME": schema})

    rows = f"SELECT COUNT(*) FROM {schema}.sent"
    at = random.randrange(count // 10, count * 3 // 4)
    first = start()
    wait_until(lambda: server.value(rows) >= at, 300, f"{at} jobs")
    first.signal(number)
    code = first.wait(60)
    assert code == (75 if number == signal.SIGTERM else -9), first.log
    before = server.value(rows)
    second = start()  # waits for the jobs that the first has left running
    assert second.wait(600) == 0, second.log
    print(f"\ninterrupted at {before} of {count}; after the second run {server.value(rows)} rows")
    assert before < count
    assert finished_in(journal) == list(range(1, count + 1))
    assert server.sql(f"SELECT COUNT(*), COUNT(DISTINCT job) FROM {schema}.sent") == [(count, count)]
    third = start()
    assert third.wait() == 0
    assert f"{count} finished by an earlier run" in third.log
    assert server.value(rows) == count


def test_another_list_for_the_same_journal_is_refused(run, tmp_path):
    journal = tmp_path / "journal"
    first, other = script(tmp_path, "first", "a\nb\n"), script(tmp_path, "other", "a\nc\n")
    assert run("--jobs", first, "--journal", journal, command=["true"]).wait() == 0
    refused = run("--jobs", other, "--journal", journal, command=["true"])
    assert refused.wait() == 2
    assert "Job 2 is not what it was" in refused.log
    no_journal = run("--jobs", other, "--journal", first, command=["true"])
    assert no_journal.wait() == 2
    assert "is not a journal of tidegate" in no_journal.log
    assert first.read_text() == "a\nb\n"


def test_jobs_that_fail_are_run_again_by_the_next_run(run, tmp_path):
    jobs, journal = script(tmp_path, "jobs", "".join(f"{n}\n" for n in range(1, 11))), tmp_path / "journal"
    failing = ["sh", "-c", "[ {} -ne 3 ] && echo did {}"]
    first = run("--jobs", jobs, "--journal", journal, "--workers", 4, "--json", command=failing)
    assert first.wait() == 1
    result = json.loads(first.out[first.out.index("{\n"):])
    assert (result["done"], result["failed"]) == (9, 1)
    assert result["failures"] == [{"job": 3, "line": "3", "exit_code": 1}]
    second = run("--jobs", jobs, "--journal", journal, command=["sh", "-c", "echo did {}"])
    assert second.wait() == 0
    assert second.out == "[3] did 3\n"


def test_a_job_that_says_try_again_is_tried_again(run, tmp_path):
    job = script(tmp_path, "job.sh", 'echo x >> "$1.tries"; [ "$(wc -l < "$1.tries")" -ge 4 ] || exit 75')
    jobs = script(tmp_path, "jobs", "a\nb\n")
    began = time.monotonic()
    assert run("--jobs", jobs, "--workers", 2, command=["sh", job, "{}"]).wait() == 0
    assert time.monotonic() - began >= 0.7  # 100 + 200 + 400 ms
    assert (tmp_path / "a.tries").read_text() == "x\n" * 4
    never = run("--jobs", jobs, "--retries", 1, "--json", command=["sh", "-c", "exit 75 # {}"])
    assert never.wait() == 1
    result = json.loads(never.out[never.out.index("{\n"):])
    assert (result["failed"], result["retried"]) == (2, 2)


def test_jobs_run_so_many_at_once(run, tmp_path):
    jobs = script(tmp_path, "jobs", "".join(f"{n}\n" for n in range(40)))
    job = script(tmp_path, "job.sh", 'echo "+"; sleep 0.1; echo "-"')
    fleet = run("--jobs", jobs, "--workers", 5, "--no-prefix", command=["sh", job, "{}"])
    assert fleet.wait() == 0
    assert collections.Counter(fleet.out.split()) == {"+": 40, "-": 40}
    log = run("--jobs", jobs, "--workers", 5, "--logs", tmp_path / "logs", command=["sh", job, "{}"])
    assert log.wait() == 0
    assert sorted(f.name for f in (tmp_path / "logs").iterdir()) == [f"worker-{n}.log" for n in range(5)]
