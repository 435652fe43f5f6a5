"""Slots: `tidegate exec` and `tidegate slots` over the file that all processes lock, and what must hold with a gate too.

Who holds a slot is counted by a witness to which each holder connects, never by what Tidegate says of itself.
"""
import json
import os
import random
import re
import resource
import signal
import subprocess
import time

import pytest
from harness.process import wait_until
from harness.slots import Desk, cpu_of, holders_of, kill
from harness.witness import Witness

LONG = os.environ.get("TIDEGATE_LONG") == "1"
NO_SLOT, USAGE, CRITICAL = 75, 64, 2


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.close()


@pytest.fixture
def witness():
    with Witness() as one:
        yield one


@pytest.fixture(params=["file", "gate"])
def desk_with(request):
    """A desk with so many slots, by the file alone and by a gate: desk_with(3)."""
    desks = []

    def make(slots):
        gate = None
        if request.param == "gate":
            new_gate, mariadb = request.getfixturevalue("new_gate"), request.getfixturevalue("mariadb")
            gate = new_gate(mariadb, slots={"max": slots}, budget={"max_connections": slots + 1})
        desks.append(Desk(gate))
        desks[-1].env["DB_CONNECTION_LIMIT"] = str(slots)
        if gate is not None:
            wait_until(lambda: os.path.exists(f"{desks[-1].slots_folder}/gate.sock"), 10, "the slots' socket")
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


# ---- exec as a command


@pytest.mark.parametrize("command, code", [
    (["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "exit 255"], 255), (["no-such-command"], 127),
    (["/etc/passwd"], 126), (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM), (["sh", "-c", "kill -KILL $$"], -signal.SIGKILL)])
def test_exec_ends_as_its_command_ends(desk, command, code):
    assert desk.exec(command=command, stderr=subprocess.DEVNULL).wait(20) == code
    assert desk.pool()["active"] == 0


@pytest.mark.parametrize("arguments, says", [
    (["exec"], "needs a command"), (["exec", "--wait", "soon", "--", "true"], "--wait"),
    (["exec", "--slots", "0", "--", "true"], "--slots"), (["exec", "--name", "../x", "--", "true"], "--name"),
    (["exec", "--priority", "5000", "--", "true"], "--priority"), (["exec", "--hold-by", "luck", "--", "true"], "--hold-by"),
    (["exec", "--single", "--slots", "3", "--", "true"], "contradict"), (["slots", "--every", "1ms"], "--every"),
    (["slots", "a/b"], "not the name")])
def test_usage_errors_are_one_sentence_and_64(desk, arguments, says):
    answer = desk.run(*arguments)
    assert answer.returncode == USAGE
    assert says in answer.stderr and len(answer.stderr.splitlines()) == 1


def test_what_belongs_to_the_command_stays_its_own(desk):
    assert desk.run("exec", "--", "echo", "--", "-c", "--name", "x").stdout == "-- -c --name x\n"
    assert desk.run("exec", "echo", "--name", "x").stdout == "--name x\n"


def test_signals_reach_the_command(desk, witness):
    child = desk.exec(command=witness.holder(60))
    witness.wait_for(1)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 143  # the command's own answer to SIGTERM
    witness.wait_for(0)


def test_the_number_of_slots_comes_from_flag_environment_dot_env_and_file(desk):
    assert desk.run("exec", "--", "true").returncode == 0
    assert desk.pool()["max"] == 150
    with open(f"{desk.folder}/tidegate.toml", "w") as file:
        file.write("[slots]\nmax = 12\n")
    desk.run("exec", "--", "true")
    assert desk.pool()["max"] == 12
    with open(f"{desk.folder}/.env", "w") as file:
        file.write("DB_CONNECTION_LIMIT=7\n")
    desk.run("exec", "--", "true")
    assert desk.pool()["max"] == 7
    desk.run("exec", "--", "true", env={"DB_CONNECTION_LIMIT": "5"})
    assert desk.pool()["max"] == 5
    desk.run("exec", "--slots", "3", "--", "true", env={"DB_CONNECTION_LIMIT": "5"})
    assert desk.pool()["max"] == 3
    assert desk.run("exec", "--", "true", env={"DB_CONNECTION_LIMIT": "many"}).returncode == USAGE


# ---- the line


def test_no_slot_in_time_is_75_and_says_what_holds_it(desk, witness):
    desk.exec("--slots", "1", command=witness.holder(60))
    witness.wait_for(1)
    began = time.monotonic()
    answer = desk.run("exec", "--wait", "300ms", "--", "true")
    assert answer.returncode == NO_SLOT
    assert 0.3 <= time.monotonic() - began
    assert re.search(r"no slot of 'default' within \d+\.\d s: 1 of 1 are taken; the longest by pid", answer.stderr)
    assert "perl" in answer.stderr
    assert desk.run("exec", "--wait", "0", "--", "true").returncode == NO_SLOT
    assert desk.pool()["timed_out"] == 2


def test_deadlines_are_absolute_whatever_happens_ahead(desk, witness):
    """Those before it come and go; the one behind is refused at its own time, neither before nor much later."""
    desk.exec("--slots", "1", command=witness.holder(60))
    witness.wait_for(1)
    before = [desk.exec("--wait", f"{wait}ms", command=["true"], stderr=subprocess.DEVNULL) for wait in (300, 600, 900)]
    began = time.monotonic()
    last = desk.exec("--wait", "1500ms", "--priority", "-1", command=["true"], stderr=subprocess.DEVNULL)
    assert last.wait(20) == NO_SLOT
    assert time.monotonic() - began >= 1.5
    assert [child.wait(20) for child in before] == [NO_SLOT] * 3


def test_the_line_is_by_priority_and_then_by_arrival(desk, witness):
    desk.exec("--slots", "1", command=witness.holder(60, "first"))
    wait_until(lambda: witness.names == ["first"], 10, "the first one's name")
    for place, (name, priority) in enumerate((("low", -1), ("a", 0), ("b", 0), ("urgent", 9), ("c", 0)), 1):
        desk.exec("--priority", priority, command=witness.holder(0.01, name))
        desk.wait_waiting(place)
    running = holders_of(witness)
    kill(*running)
    wait_until(lambda: len(witness.names) == 6, 20, "all six")
    assert witness.names == ["first", "urgent", "a", "b", "c", "low"]
    assert witness.peak == 1


def test_who_dies_in_line_is_passed_over(desk, witness):
    first = desk.exec("--slots", "1", command=witness.holder(60, "first"))
    wait_until(lambda: witness.names == ["first"], 10, "the first one's name")
    waiting = []
    for place in range(1, 6):
        waiting.append(desk.exec(command=witness.holder(0.01, place)))
        desk.wait_waiting(place)
    for dead in (waiting[0], waiting[2], waiting[3]):
        dead.kill()
        dead.wait()
    first.terminate()
    assert [waiting[1].wait(20), waiting[4].wait(20)] == [0, 0]
    assert witness.names == ["first", "2", "5"]
    assert desk.pool()["waiting"] == 0
    assert os.listdir(f"{desk.slots_folder}/default.line") == []


def test_a_waiter_costs_no_cpu(desk_with, witness):
    """Each sleeps in the kernel, but for the first at the file: hundreds of them together use next to nothing."""
    count, seconds = (1000, 20) if LONG else (100, 4)
    desk = desk_with(1)
    desk.exec(command=witness.holder(600))
    witness.wait_for(1)
    children = [desk.exec("--wait", "10m", command=["true"]) for _ in range(count)]
    wait_until(lambda: desk.pool()["waiting"] == count, 60, "all in line")
    before = cpu_of(children)
    time.sleep(seconds)
    used = cpu_of(children) - before
    assert used <= 0.01 * seconds, f"{used:.2f} s of CPU in {seconds} s"


# ---- a slot ends with its holder


@pytest.mark.parametrize("hold_by", ["process", "tree"])
def test_neither_the_death_of_exec_nor_of_the_command_alone_frees_a_slot_too_early(desk, witness, hold_by):
    """`tidegate exec` is killed (-9): its command works on, and keeps the slot until it is gone itself."""
    parent = desk.exec("--slots", "1", "--hold-by", hold_by, command=witness.holder(60))
    witness.wait_for(1)
    parent.kill()
    parent.wait()
    pids = holders_of(witness)
    assert len(pids) == 1
    assert desk.run("exec", "--wait", "300ms", "--", "true").returncode == NO_SLOT
    kill(*pids)
    assert desk.run("exec", "--wait", "10s", "--", "true").returncode == 0


@pytest.mark.parametrize("hold_by, code", [("process", 0), ("tree", NO_SLOT)])
def test_a_child_left_behind_keeps_the_slot_only_if_asked(desk_with, witness, hold_by, code):
    desk = desk_with(1)
    holder = " ".join(f"'{word}'" for word in witness.holder(60))
    parent = desk.exec("--hold-by", hold_by, command=["sh", "-c", f"{holder} & exit 3"])
    assert parent.wait(20) == 3
    witness.wait_for(1)
    assert desk.run("exec", "--wait", "300ms", "--", "true").returncode == code
    kill(*holders_of(witness))
    assert desk.run("exec", "--wait", "10s", "--", "true").returncode == 0


def test_a_command_that_closes_all_descriptors_keeps_its_slot(desk, witness):
    """As sudo and sshd do; `tidegate exec` has the slot besides."""
    closing = "use POSIX; POSIX::close($_) for 3..255; exec @ARGV"
    desk.exec("--slots", "1", command=["perl", "-e", closing, *witness.holder(60)])
    witness.wait_for(1)
    assert desk.run("exec", "--wait", "300ms", "--", "true").returncode == NO_SLOT


def test_single_runs_one_at_a_time(desk, witness):
    first = desk.exec("--single", "--name", "importer", command=witness.holder(60))
    witness.wait_for(1)
    second = desk.run("exec", "--single", "--name", "importer", "--", "false")
    assert second.returncode == 0
    assert f"it runs already: pid {first.pid} (perl" in second.stderr
    assert desk.run("exec", "--single", "--name", "importer", "--wait", "200ms", "--", "true").returncode == NO_SLOT
    assert desk.run("exec", "--single", "--name", "other", "--", "sh", "-c", "exit 4").returncode == 4
    first.terminate()
    first.wait()
    assert desk.run("exec", "--single", "--name", "importer", "--", "sh", "-c", "exit 5").returncode == 5


def test_slots_show_who_holds_and_who_waits(desk, witness):
    desk.exec("--slots", "1", command=witness.holder(60, "somebody"))
    witness.wait_for(1)
    assert desk.run("slots").returncode == 0
    desk.exec("--priority", "3", command=["true"])
    desk.wait_waiting(1)
    answer = desk.run("slots")
    assert answer.returncode == 1  # attention: somebody waits
    assert "default: active 1, waiting 1, peak 1, max 1, last update" in answer.stdout
    assert "somebody" in answer.stdout and "waits" in answer.stdout
    pool = desk.pool()
    holder, waiter = pool["holders"][0], pool["line"][0]
    assert (holder["slot"], holder["pid"]) == (0, desk.children[0].pid)
    assert holder["command"].startswith("perl") and holder["account"] and holder["age_seconds"] > 0
    assert (waiter["pid"], waiter["priority"], waiter["command"]) == (desk.children[1].pid, 3, "true")
    every = desk.start("slots", "--every", "200ms", "--json", stdout=subprocess.PIPE, text=True)
    assert [json.loads(every.stdout.readline())["pools"][0]["active"] for _ in range(3)] == [1, 1, 1]


def test_verbose_says_when_a_slot_is_waited_for_taken_and_given_back(desk, witness):
    first = desk.exec("--slots", "1", command=witness.holder(60))
    witness.wait_for(1)
    second = desk.exec("-v", command=["true"], stderr=subprocess.PIPE, text=True)
    said = ""
    while "look 5," not in said:
        said += second.stderr.readline()
    first.terminate()
    said += second.communicate(timeout=20)[1]
    assert "Waiting for a slot of 'default': look 1, 0 before this one" in said
    assert "look 2," not in said
    assert "Slot 0 of 'default' taken after" in said and "(active 1, waiting 0, peak 1, max 1)" in said
    assert "Slot 0 of 'default' given back after" in said


# ---- never more holders than slots


def test_a_crowd_goes_through_a_few_slots(desk_with, witness):
    """All stand in line before the first slot comes free: what is measured is the slots, not how processes start."""
    count, slots, hold = (1000, 150, 0.02) if LONG else (120, 15, 0.02)
    desk = desk_with(slots)
    for _ in range(slots):
        desk.exec(command=witness.holder(600))
    witness.wait_for(slots, 60)
    children = [desk.exec("--wait", "10m", command=witness.holder(hold)) for _ in range(count)]
    wait_until(lambda: desk.pool()["waiting"] == count, 120, "all in line")
    witness.peak = 0
    began = time.monotonic()
    kill(*holders_of(witness))
    assert [child.wait(300) for child in children] == [0] * count
    print(f"{count} through {slots}: {time.monotonic() - began:.2f} s, ideal {count * hold / slots:.2f} s, "
          f"peak at the server {witness.peak}")
    assert witness.total == count + slots
    assert witness.peak <= slots
    wait_until(lambda: desk.pool()["active"] == 0, 10, "all slots")
    pool = desk.pool()
    assert (pool["waiting"], pool["granted"], pool["peak"]) == (0, count + slots, slots)


def test_a_server_sees_no_more_connections_than_there_are_slots(desk_with, new_server):
    """Programs that connect by themselves. A server counts a connection a moment longer than the program lives."""
    count, slots = (1000, 150) if LONG else (60, 10)
    server = new_server(max_connections=slots + 20)
    before = server.status("Connections")
    desk = desk_with(slots)
    work = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{server.port}", "-uapp", "-papp-secret", "-e",
            "SELECT SLEEP(0.02)"]
    began = time.monotonic()
    children = [desk.exec("--wait", "10m", command=work, stdout=subprocess.DEVNULL) for _ in range(count)]
    assert [child.wait(600) for child in children] == [0] * count
    peak = server.status("Max_used_connections")
    print(f"{count} through {slots}: {time.monotonic() - began:.2f} s, at most {peak} connections as the server counts "
          f"them, one of them this test's")
    assert server.status("Connections") - before >= count
    assert peak <= slots + 1 + 4, "the test's own, and a few that had quit but were still counted"
    assert desk.pool()["peak"] <= slots


def test_killing_holders_and_waiters_at_random_loses_no_slot(desk_with, witness):
    rounds, count, slots = (20, 1000, 150) if LONG else (3, 60, 6)
    random.seed(7)
    desk = desk_with(slots)
    for _ in range(rounds):
        began = time.monotonic()
        children = [desk.exec("--wait", "5m", command=witness.holder(0.02)) for _ in range(count)]
        victims = random.sample(children, count // 10)
        for victim in victims:
            victim.send_signal(signal.SIGKILL)
            kill(*holders_of(witness)[:1])
        ends = [child.wait(300) for child in children]
        print(f"{count} through {slots}, {len(victims)} killed: {time.monotonic() - began:.2f} s, "
              f"peak at the server {witness.peak}")
        # Killed itself, or its command was; everybody else is done.
        assert len([end for end in ends if end != 0]) <= 2 * len(victims)
        witness.wait_for(0)
        desk.children.clear()
    assert witness.peak <= slots
    wait_until(lambda: desk.pool()["active"] == 0, 10, "all slots")
    assert (desk.pool()["waiting"], desk.pool()["max"]) == (0, slots)
    # Not a slot lost: as many as there are can be held at once.
    for _ in range(slots):
        desk.exec("--wait", "20s", command=witness.holder(60))
    witness.wait_for(slots, 30)


# ---- trouble with the file is named


def as_nobody():
    os.setgid(65534)
    os.setuid(65534)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_file_of_somebody_else_is_named(desk):
    desk.run("exec", "--", "true")
    os.chmod(desk.slots_folder, 0o755)
    child = desk.exec(command=["true"], stderr=subprocess.PIPE, text=True, preexec_fn=as_nobody)
    said = child.communicate(timeout=20)[1]
    assert child.returncode == CRITICAL
    assert "default.slots cannot be opened: Permission denied (it belongs to root); run as its owner" in said
    assert "TIDEGATE_SLOTS" in said


def test_whoever_may_write_in_the_folder_shares_its_slots(desk):
    os.mkdir(desk.slots_folder)
    os.chmod(desk.slots_folder, 0o777)
    desk.run("exec", "--", "true")
    assert os.stat(f"{desk.slots_folder}/default.slots").st_mode & 0o777 == 0o666


def test_a_full_disk_is_named(desk):
    child = desk.exec(command=["true"], stderr=subprocess.PIPE, text=True,
                      preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                          resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))))
    said = child.communicate(timeout=20)[1]
    assert child.returncode == CRITICAL
    assert "default.slots cannot be written: File too large" in said and "ulimit -f" in said


def test_a_file_that_is_none_is_named(desk):
    os.mkdir(desk.slots_folder)
    with open(f"{desk.slots_folder}/default.slots", "w") as file:
        file.write("something else\n" * 100)
    answer = desk.run("exec", "--", "true")
    assert answer.returncode == CRITICAL
    assert "is not a slots' file of this version of Tidegate" in answer.stderr


def test_a_folder_that_cannot_be_made_is_named(desk):
    answer = desk.run("exec", "--", "true", env={"TIDEGATE_SLOTS": "/proc/slots"})
    assert answer.returncode == CRITICAL
    assert "the slots' folder /proc/slots cannot be made" in answer.stderr
