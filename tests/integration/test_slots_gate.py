"""Slots where a gate runs: its socket, one budget for clients and holders, and a gate that is killed and comes back."""
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pymysql
import pytest
from harness.process import wait_until
from harness.slots import Desk, holders_of, kill
from harness.witness import Witness

LONG = os.environ.get("TIDEGATE_LONG") == "1"
NO_SLOT = 75


class Holder:
    """A program in some language that speaks the line protocol: one connection, one slot."""

    def __init__(self, desk):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(f"{desk.slots_folder}/gate.sock")
        self.file = self.socket.makefile("r")

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def hear(self):
        return self.file.readline().rstrip("\n")

    def ask(self, line):
        self.send(line)
        return self.hear()

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def new_desk(new_gate, mariadb):
    """A gate with so many slots, and a desk beside it: new_desk(slots={"max": 3}) -> desk, with desk.gate."""
    desks = []

    def make(server=None, /, **config):
        gate = new_gate(server or mariadb, **config)
        desks.append(Desk(gate))
        desks[-1].gate = gate
        wait_until(lambda: os.path.exists(f"{desks[-1].slots_folder}/gate.sock"), 10, "the slots' socket")
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def witness():
    with Witness() as one:
        yield one


# ---- the line protocol


def test_a_connection_is_a_slot(new_desk):
    desk = new_desk(slots={"max": 2, "wait_timeout": "300ms"})
    a, b, c = Holder(desk), Holder(desk), Holder(desk)
    assert a.ask("ACQUIRE jobs wait=30s priority=5").startswith("OK slot=0 waited=")
    assert b.ask("ACQUIRE jobs").startswith("OK slot=1 waited=")
    refused = re.fullmatch(r"ERR timeout waited=(\d+\.\d)s active=2 waiting=0", c.ask("ACQUIRE jobs"))
    assert refused and float(refused[1]) >= 0.3
    assert c.ask("STATS jobs").startswith("OK name=jobs active=2 waiting=0 peak=2 max=2 room=0 ")
    assert a.ask("ACQUIRE jobs").startswith("ERR usage this connection has a slot already")
    c.send("ACQUIRE jobs wait=20s")
    wait_until(lambda: "waiting=1" in a.ask("STATS jobs"), 10, "c in line")
    b.close()
    assert c.hear().startswith("OK slot=1 waited=")
    assert a.ask("RELEASE") == "OK released"
    assert a.ask("ACQUIRE jobs wait=0").startswith("OK slot=0")
    assert c.ask("NONSENSE").startswith("ERR usage")
    assert c.ask("ACQUIRE ../etc").startswith("ERR usage")
    c.send("x" * 5000)
    assert c.hear().startswith("ERR usage")


def test_the_line_is_by_priority_and_then_by_arrival(new_desk):
    desk = new_desk(slots={"max": 1})
    first = Holder(desk)
    first.ask("ACQUIRE")
    line = []
    for count, (name, priority) in enumerate((("low", -1), ("a", 0), ("b", 0), ("urgent", 9)), 1):
        line.append((name, Holder(desk)))
        line[-1][1].send(f"ACQUIRE default wait=30s priority={priority}")
        wait_until(lambda: f"waiting={count} " in first.ask("STATS"), 10, f"{count} in line")
    first.close()
    order, waiting = [], dict(line)
    while waiting:
        for name in ("urgent", "a", "b", "low"):
            if name in waiting:
                assert waiting[name].hear().startswith("OK slot=0")
                order.append(name)
                waiting.pop(name).close()
                break
    assert order == ["urgent", "a", "b", "low"]


def test_who_leaves_the_line_is_passed_over(new_desk):
    desk = new_desk(slots={"max": 1})
    holders = [Holder(desk) for _ in range(4)]
    assert holders[0].ask("ACQUIRE").startswith("OK")
    for holder in holders[1:]:
        holder.send("ACQUIRE default wait=30s")
    wait_until(lambda: desk.pool()["waiting"] == 3, 10, "three in line")
    holders[1].close()
    assert holders[2].ask("RELEASE") == "OK released"
    wait_until(lambda: desk.pool()["waiting"] == 1, 10, "one in line")
    holders[0].close()
    assert holders[3].hear().startswith("OK")


# ---- exec through the gate


def test_exec_holds_and_waits_through_the_gate(new_desk, witness):
    desk = new_desk(slots={"max": 1})
    first = desk.exec(command=witness.holder(60, "first"))
    witness.wait_for(1)
    second = desk.exec("-v", command=["true"], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: desk.pool()["waiting"] == 1, 10, "one in line")
    pool = desk.pool()
    assert (pool["by"], pool["active"], pool["max"]) == ("gate", 1, 1)
    assert pool["holders"][0]["pid"] == first.pid and "first" in pool["holders"][0]["command"]
    assert pool["line"][0]["pid"] == second.pid
    answer = desk.run("exec", "--wait", "200ms", "--", "true")
    assert answer.returncode == NO_SLOT
    assert "no slot of 'default' within" in answer.stderr and "1 are taken" in answer.stderr
    first.terminate()
    assert second.wait(20) == 0
    assert "at the gate" in second.stderr.read()
    wait_until(lambda: desk.pool()["active"] == 0, 10, "the slot's return")
    log = desk.gate.log_text()
    assert "Slot 0 of 'default' taken by pid" in log and "(active 1, waiting 0, peak 1, max 1)" in log
    assert "given back by pid" in log and "No slot of 'default' for pid" in log


def test_the_api_and_the_metrics_have_the_pools(new_desk, witness):
    desk = new_desk(slots={"max": 3})
    child = desk.exec("--name", "jobs", command=witness.holder(60))
    witness.wait_for(1)
    pool = desk.gate.api("/api/slots")["pools"][0]
    assert (pool["name"], pool["max"], pool["active"], pool["waiting"], pool["peak"]) == ("jobs", 3, 1, 0, 1)
    assert pool["last_update"] and pool["holders"][0]["pid"] == child.pid
    metrics = desk.gate.metrics()
    assert metrics['tidegate_slots_active{pool="jobs"}'] == 1
    assert metrics['tidegate_slots_limit{pool="jobs"}'] == 3


# ---- one budget


def test_clients_and_holders_share_one_limit(new_desk):
    """Whatever clients of the proxy have in use is missing to holders, and the other way round."""
    desk = new_desk(budget={"max_connections": 4})
    clients = [desk.gate.connect() for _ in range(3)]
    for client in clients:
        client.begin()
        client.cursor().execute("SELECT 1")
    holder, other = Holder(desk), Holder(desk)
    assert holder.ask("ACQUIRE default wait=20s").startswith("OK")
    assert other.ask("ACQUIRE default wait=300ms").startswith("ERR timeout")
    other.send("ACQUIRE default wait=20s")
    wait_until(lambda: desk.pool()["waiting"] == 1, 10, "one in line")
    clients[0].rollback()  # its connection is idle now, and gives way
    assert other.hear().startswith("OK")
    done = threading.Event()

    def fourth():
        with desk.gate.connect() as client:
            client.cursor().execute("SELECT 1")
        done.set()

    clients[0].close()
    third = threading.Thread(target=fourth)
    third.start()
    stats = desk.gate.api()
    assert stats["max"] == 4 and stats["active"] == 4
    assert not done.wait(0.5)
    holder.close()
    assert done.wait(20)
    third.join()
    other.close()
    for client in clients[1:]:
        client.rollback()
        client.close()


def test_holders_leave_room_at_the_server(new_desk, new_server):
    """Holders that connect straight to the server, and clients of the gate, never meet a full one."""
    server = new_server(max_connections=12)
    desk = new_desk(server, server={"monitor_interval": "500ms"})
    refused, stop, began = [], threading.Event(), time.monotonic()

    def hold():
        while not stop.is_set():
            slot = Holder(desk)
            if slot.ask("ACQUIRE default wait=20s").startswith("OK"):
                try:
                    with pymysql.connect(host="127.0.0.1", port=server.port, user="app", password="app-secret") as direct:
                        direct.cursor().execute("SELECT SLEEP(0.02)")
                except pymysql.err.OperationalError as error:
                    refused.append((round(time.monotonic() - began, 2), *error.args))
                time.sleep(0.1)  # until the server counts it no more
            slot.close()

    def work():
        while not stop.is_set():
            try:
                with desk.gate.connect() as client:
                    client.cursor().execute("SELECT SLEEP(0.01)")
            except pymysql.err.OperationalError as error:
                refused.append((round(time.monotonic() - began, 2), *error.args))

    threads = [threading.Thread(target=each) for each in [hold] * 12 + [work] * 12]
    for thread in threads:
        thread.start()
    time.sleep(4)
    stop.set()
    for thread in threads:
        thread.join()
    assert refused == []
    stats = desk.pool()
    assert stats["granted"] > 20 and stats["timed_out"] == 0


# ---- a gate that comes and goes


def test_slots_outlive_the_gate(new_desk, witness):
    """The gate is killed: holders hold, waiters go on waiting at the file, and a new gate finds all as it is."""
    desk = new_desk(slots={"max": 2})
    desk.exec(command=witness.holder(60, "a"))
    witness.wait_for(1)
    second = desk.exec(command=witness.holder(60, "b"))
    witness.wait_for(2)
    wait_until(lambda: len(witness.names) == 2, 10, "both names")
    third = desk.exec("--wait", "60s", command=witness.holder(60, "c"))
    wait_until(lambda: desk.pool()["waiting"] == 1, 10, "one in line")
    desk.gate.kill9()
    wait_until(lambda: desk.pool()["waiting"] == 1 and desk.pool()["by"] == "file", 10, "the line at the file")
    assert desk.run("exec", "--slots", "2", "--wait", "200ms", "--", "true").returncode == NO_SLOT
    desk.gate.start()
    wait_until(lambda: desk.pool()["by"] == "gate" and desk.pool()["waiting"] == 1, 10, "the line at the new gate")
    assert desk.pool()["active"] == 2
    second.terminate()
    wait_until(lambda: witness.names == ["a", "b", "c"], 20, "the third")
    assert witness.peak == 2
    assert third.poll() is None


def test_who_holds_by_a_connection_holds_on_when_the_gate_is_gone(new_desk):
    """It may not have noticed; so its slot is its own until it ends, or takes it up again."""
    desk = new_desk(slots={"max": 1})
    holder = Holder(desk)
    assert holder.ask("ACQUIRE default").startswith("OK slot=0")
    desk.gate.kill9()
    assert holder.hear() == ""
    assert desk.run("exec", "--wait", "200ms", "--", "true").returncode == NO_SLOT
    desk.gate.start()
    other = Holder(desk)
    assert other.ask("ACQUIRE default wait=200ms").startswith("ERR timeout")
    again = Holder(desk)
    assert again.ask("ACQUIRE default wait=200ms resume=0").startswith("OK slot=0")
    assert again.ask("RELEASE") == "OK released"
    assert other.ask("ACQUIRE default wait=5s").startswith("OK slot=0")


def test_a_gate_that_is_stopped_sends_its_line_to_the_file(new_desk, witness):
    desk = new_desk(slots={"max": 1})
    first = desk.exec(command=witness.holder(60, "a"))
    witness.wait_for(1)
    second = desk.exec("--wait", "60s", command=witness.holder(0.01, "b"))
    wait_until(lambda: desk.pool()["waiting"] == 1, 10, "one in line")
    assert desk.gate.sigterm() == 0
    desk.gate._expected_end = True
    wait_until(lambda: desk.pool()["waiting"] == 1, 10, "the line at the file")
    first.terminate()
    assert second.wait(20) == 0
    assert witness.peak == 1


def test_killing_holders_waiters_and_the_gate_at_random(new_desk, witness):
    rounds, count, slots = (20, 300, 30) if LONG else (3, 50, 5)
    desk = new_desk(slots={"max": slots})
    random.seed(11)
    for _ in range(rounds):
        children = [desk.exec("--slots", slots, "--wait", "5m", command=witness.holder(0.02)) for _ in range(count)]
        for turn, victim in enumerate(random.sample(children, count // 10)):
            victim.send_signal(signal.SIGKILL)
            kill(*holders_of(witness)[:1])
            if turn == 1:
                desk.gate.kill9()
            if turn == 3:
                desk.gate.start()
        if not desk.gate.running:
            desk.gate.start()
        for child in children:
            child.wait(300)
        witness.wait_for(0)
        desk.children.clear()
    assert witness.peak <= slots
    wait_until(lambda: desk.pool()["active"] == 0, 10, "all slots")
    for _ in range(slots):
        desk.exec("--wait", "20s", command=witness.holder(60))
    witness.wait_for(slots, 30)


def test_single_and_slots_hold_at_the_gate_too(new_desk):
    """`--single` once gave one of the gate's many slots, so that a second instance ran beside the first."""
    desk = new_desk(slots={"max": 10})
    first = desk.exec("--single", "--name", "importer", command=["sleep", "60"])
    wait_until(lambda: (desk.pool("single.importer") or {}).get("active") == 1, 10, "the first instance")
    second = desk.run("exec", "--single", "--name", "importer", "--", "false")
    assert second.returncode == 0 and "it runs already" in second.stderr
    assert desk.run("exec", "--single", "--name", "importer", "--wait", "200ms", "--", "true").returncode == NO_SLOT
    assert first.poll() is None
    held = [desk.exec("--name", "reports", "--slots", "2", command=["sleep", "60"]) for _ in range(2)]
    wait_until(lambda: (desk.pool("reports") or {}).get("active") == 2, 10, "two holders")
    assert desk.run("exec", "--name", "reports", "--wait", "200ms", "--", "true").returncode == NO_SLOT
    assert desk.pool("reports")["max"] == 2 and desk.pool("single.importer")["max"] == 1
    # Never more than the gate gives.
    assert desk.run("exec", "--name", "reports", "--slots", "500", "--", "true").returncode == 0
    assert desk.pool("reports")["max"] == 10
    assert all(child.poll() is None for child in held)
