"""The harness around the gate: what it says about a gate, and that it notices when one breaks."""
import signal

import pytest

from harness.gate import Gate, GateFailed, toml
from harness.process import wait_until


def test_configuration_from_a_dict():
    text = toml({"pool": {"mode": "session", "max_waiting": 5, "gone": None}, "user": [{"name": "a", "weights": [1, 2]}]})
    assert text == '[pool]\nmode = "session"\nmax_waiting = 5\n\n[[user]]\nname = "a"\nweights = [1, 2]\n'


def test_a_gate_serves_and_tells(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 5, "reserve": 0})
    with gate.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 6 * 7")
        assert cursor.fetchone() == (42,)
        assert gate.api()["max"] == 5
    assert any(name.startswith("tidegate_") for name in gate.metrics())
    assert gate.memory()["private"] > 100 and gate.cpu_seconds() >= 0
    assert gate.log_text() != ""
    assert gate.sigterm() == 0


def test_a_gate_ended_by_a_signal_is_noticed(mariadb):
    gate = Gate(mariadb)
    gate.signal(signal.SIGABRT)
    wait_until(lambda: not gate.running)
    with pytest.raises(GateFailed, match="SIGABRT"):
        gate.close()


def test_a_gate_killed_on_purpose_is_well(mariadb):
    gate = Gate(mariadb)
    gate.kill9()
    gate.close()
    assert not gate.folder.exists()


def test_a_gate_that_refuses_its_configuration_is_noticed(mariadb):
    with pytest.raises(GateFailed, match="wait_timeoot"):
        Gate(mariadb, pool={"wait_timeoot": "2s"})


def test_a_sanitizers_report_is_noticed(mariadb):
    gate = Gate(mariadb)
    with open(gate.log_file, "a") as log:
        log.write("==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 here\n")
    with pytest.raises(GateFailed, match="heap-use-after-free"):
        gate.close()
