"""Fleets inside a running gate: started when the server is there, reloaded, looked at, and ended with the gate."""
import os
import signal
import threading

import pytest
from harness.fleets import WORKER, Fleets, fleet
from harness.process import alive, wait_until


def test_workers_run_beside_the_gate_and_are_shown(new_fleets):
    fleets = new_fleets(fleet(workers=3, job_line="^job done"), fleet("night", workers=1))
    pids = fleets.wait_running(3)
    assert sorted(pids) == [0, 1, 2] and len(alive(pids.values())) == 3
    log = fleets.gate.log_text()
    assert "Fleet mail: Batch 1/1: workers 0-2" in log and "Fleet night: Batch 1/1: worker 0" in log
    wait_until(lambda: f"\n[mail 1] up {pids[1]}\n" in fleets.gate.log_text(), 10, "its line")
    wait_until(lambda: fleets["mail"]["jobs_done"] > 3, 10, "some jobs")
    shown = fleets["mail"]
    assert (shown["state"], shown["why"], shown["workers"], shown["running"]) == ("running", None, 3, 3)
    worker = shown["list"][1]
    assert worker["pid"] == pids[1] and worker["jobs"] > 0 and worker["age_seconds"] > 0 and worker["restarts"] == 0
    wait_until(lambda: fleets["mail"]["list"][0]["rss_bytes"], 10, "its memory to be measured")

    stats = fleets.gate.api("/api/worker-stats")
    assert set(stats["connection_pool"]) == {"active", "idle", "waiting", "max", "peak", "last_update"}
    older = fleets.gate.api("/?page=api&action=worker-stats")
    assert set(older) == set(stats) and [f["name"] for f in older["fleets"]] == ["mail", "night"]
    metrics = fleets.gate.metrics()
    assert metrics['tidegate_fleet_workers{fleet="mail",state="running"}'] == 3
    assert metrics['tidegate_fleet_workers_wanted{fleet="night"}'] == 1
    assert metrics['tidegate_fleet_jobs_done_total{fleet="mail"}'] > 3
    assert metrics['tidegate_fleet_given_up{fleet="mail"}'] == 0


def test_a_gate_without_fleets_has_none(new_fleets):
    fleets = new_fleets()
    assert fleets.gate.api("/api/worker-stats")["fleets"] == []
    assert not any(name.startswith("tidegate_fleet") for name in fleets.gate.metrics())


def test_workers_work_through_the_gate_until_the_end(new_fleets, mariadb, tmp_path, new_schema):
    """At SIGTERM the workers finish their jobs first, through a gate that serves them; then the clients are drained."""
    schema = new_schema(mariadb)
    mariadb.sql(f"CREATE TABLE {schema}.done (id INT AUTO_INCREMENT PRIMARY KEY, half VARCHAR(10))")
    worker = tmp_path / "worker.py"
    worker.write_text(f"""
import os, signal, sys, time, pymysql
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
while not stop:
    # A connection for each half of a job, as programs do that connect for every query.
    for half in ("first", "second"):
        c = pymysql.connect(host="127.0.0.1", port=int(sys.argv[1]), user="app", password="app-secret", autocommit=True)
        with c.cursor() as cursor:
            cursor.execute("INSERT INTO {schema}.done (half) VALUES (%s)", (half,))
        c.close()
        time.sleep(0.1)
""")
    fleets = new_fleets(listen={"drain_timeout": "20s"})
    gate = fleets.gate
    gate.configure(fleet=[fleet(workers=4, command=["/usr/bin/python3", str(worker), str(gate.port)], stop_timeout="10s")],
                   listen={"drain_timeout": "20s"})
    gate.sighup()
    pids = fleets.wait_running(4)
    count = lambda: mariadb.sql(f"SELECT COUNT(*) FROM {schema}.done")[0][0]  # noqa: E731
    wait_until(lambda: count() > 10, 20, "some work")
    other = gate.connect()
    assert gate.sigterm() == 0
    assert not alive(pids.values())
    halves = dict(mariadb.sql(f"SELECT half, COUNT(*) FROM {schema}.done GROUP BY half"))
    assert halves["first"] == halves["second"], "a job was cut off"
    log = gate.log_text()
    assert "Fleet mail: Stopping: 4 workers may take 10 s" in log and "killed" not in log
    with pytest.raises(Exception, match="1053|2013|2006|0"):
        other.query("SELECT 1")


def test_workers_wait_for_the_server(new_fleets, new_server):
    server = new_server()
    server.close()
    gate = new_fleets(fleet(), server=server, wait_ready=False).gate
    fleets = Fleets(gate)
    wait_until(lambda: gate.get("/healthz")[0] == 200, 10, "the gate")
    assert fleets["mail"]["state"] == "waiting" and "the server" in fleets["mail"]["why"]
    assert fleets["mail"]["list"] == []


def test_a_reload_adds_ends_scales_and_replaces(new_fleets):
    one, two, three = fleet("one"), fleet("two"), fleet("three")
    fleets = new_fleets(one, two, three)
    gate = fleets.gate
    before = {name: fleets.wait_running(2, name) for name in ("one", "two", "three")}
    gate.configure(fleet=[one, {**two, "workers": 4}, fleet("four", workers=1)])
    gate.sighup()
    wait_until(lambda: fleets.names() == ["one", "two", "four"], 20, "the fleets of the new configuration")
    fleets.wait_running(1, "four")
    scaled = fleets.wait_running(4, "two")
    assert fleets.pids("one") == before["one"], "a fleet that was not changed was touched"
    assert {0: scaled[0], 1: scaled[1]} == before["two"]
    assert not alive(before["three"].values())

    gate.configure(fleet=[{**one, "command": WORKER.replace("up", "new")}, {**two, "workers": 1}, fleet("four", workers=1)])
    gate.sighup()
    fleets.wait_running(1, "two")
    wait_until(lambda: fleets["one"]["recycled"] == 2 and fleets.running("one") == 2, 20, "both replaced")
    assert not alive(before["one"].values())
    new = fleets.pids("one")
    wait_until(lambda: all(f"[one {n}] new {pid}" in gate.log_text() for n, pid in new.items()), 10, "the new command")
    assert "one" in gate.log_text() and "The roll-over stops" not in gate.log_text()

    gate.configure(fleet=[{**one, "restart": "sometimes"}])
    gate.sighup()
    wait_until(lambda: "must be one of" in gate.log_text(), 10, "its complaint")
    assert fleets.names() == ["one", "two", "four"] and fleets.pids("one") == new


def test_a_fleet_may_come_with_a_reload_and_all_may_go(new_fleets):
    fleets = new_fleets()
    fleets.gate.configure(fleet=[fleet()])
    fleets.gate.sighup()
    pids = fleets.wait_running(2)
    fleets.gate.configure()
    fleets.gate.sighup()
    wait_until(lambda: fleets.names() == [], 20, "no fleets")
    assert not alive(pids.values())
    fleets.gate.configure(fleet=[fleet()])
    fleets.gate.sighup()
    fleets.wait_running(2)


def test_a_crash_loop_is_said_once_and_the_gate_goes_on(new_fleets):
    fleets = new_fleets(fleet("broken", command="echo no; exit 3"), fleet())
    wait_until(lambda: fleets["broken"]["state"] == "given up", 60, "the verdict")
    shown = fleets["broken"]
    assert "Crash loop" in shown["why"] and "exit code 3" in shown["why"]
    assert shown["failed"] > 0 or shown["running"] == 0
    assert fleets.gate.log_text().count("Fleet broken: Crash loop") == 1
    assert fleets.gate.metrics()['tidegate_fleet_given_up{fleet="broken"}'] == 1
    assert fleets.running("mail") == 2
    with fleets.gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    fleets.gate.configure(fleet=[fleet("broken"), fleet()])  # mended
    fleets.gate.sighup()
    fleets.wait_running(2, "broken")


def test_a_command_that_is_not_there_is_given_up_at_once(new_fleets):
    fleets = new_fleets(fleet("gone", command=["/no/such/program"]))
    wait_until(lambda: fleets["gone"]["state"] == "given up", 20, "the verdict")
    assert "cannot start /no/such/program" in fleets["gone"]["why"]


def test_a_gate_that_is_killed_leaves_no_worker(new_fleets):
    stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    fleets = new_fleets(fleet(), fleet("stubborn", command=stubborn, stop_timeout="1s"))
    pids = [*fleets.wait_running(2).values(), *fleets.wait_running(2, "stubborn").values()]
    fleets.gate.kill9()
    wait_until(lambda: not alive(pids), 15, "the keepers' work")


def test_a_worker_that_does_not_end_is_killed_with_the_gate(new_fleets):
    fleets = new_fleets(fleet("stubborn", command="trap '' TERM; echo up; while :; do sleep 0.05; done", stop_timeout="60s"),
                        listen={"drain_timeout": "1s"})
    pids = fleets.wait_running(2, "stubborn")
    assert "may take 1m to end" in fleets.gate.log_text()
    assert fleets.gate.sigterm() == 0
    assert not alive(pids.values())
    assert "Fleet stubborn: The time is over: 2 workers are cut off" in fleets.gate.log_text()


def test_workers_write_to_files(new_fleets, tmp_path):
    fleets = new_fleets(fleet(logs=str(tmp_path / "logs"), prefix=False))
    pids = fleets.wait_running(2)
    wait_until(lambda: f"up {pids[1]}\n" in (tmp_path / "logs/mail-1.log").read_text(), 10, "its line")
    assert "[mail" not in fleets.gate.log_text()


def test_one_name_on_one_host(new_fleets, run):
    name = f"fleet-test-{os.getpid()}"
    first = run("--single", name, command=["sh", "-c", WORKER])
    wait_until(lambda: "up" in first.out, 10, "the first")
    fleets = new_fleets(fleet(single=name))
    wait_until(lambda: "has it" in (fleets["mail"]["why"] or ""), 10, "its word")
    assert f"Fleet mail: Waits for the name \"{name}\": process {first.pid} " in fleets.gate.log_text()
    assert fleets["mail"]["list"] == []
    first.signal(signal.SIGTERM)
    first.wait()
    fleets.wait_running(2)
    second = run("--single", name, command=["true"])
    assert second.wait() == 0 and "runs already" in second.log


def test_workers_start_as_the_gate_has_room(new_fleets, mariadb):
    fleets = new_fleets(fleet(workers=6, batch="auto"), budget={"max_connections": 3}, pool={"wait_timeout": "20s"})
    fleets.wait_running(6)
    gate = fleets.gate
    holders = [gate.connect() for _ in range(4)]
    for holder in holders[:3]:
        holder.begin()
        holder.cursor().execute("SELECT 1")
    waiter = threading.Thread(target=lambda: holders[3].query("SELECT 1"), daemon=True)
    waiter.start()
    wait_until(lambda: gate.api()["waiting"] == 1, 10, "a client in line")
    gate.configure(fleet=[fleet(workers=8, batch="auto")], budget={"max_connections": 3}, pool={"wait_timeout": "20s"})
    gate.sighup()
    wait_until(lambda: "Fleet mail: No room for more for now: 1 clients are in line at the gate" in gate.log_text(), 10,
               "its word")
    assert fleets.running() == 6 and fleets["mail"]["waiting"] == 2
    for holder in holders[:3]:
        holder.rollback()
    waiter.join(20)
    fleets.wait_running(8)
    for holder in holders:
        holder.close()
