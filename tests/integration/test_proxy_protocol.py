"""Behind a load balancer: the PROXY header, from networks that are listed, says who the client is."""
import contextlib
import socket
import time

import pytest

from harness.process import wait_until
from harness.raw import Client, LoginRefused

# The gate knows the password from the start: a client that is far away may not send it in the clear to be proved.
USER = [{"name": "app", "password": "app-secret"}]
LISTED = {"proxy_protocol_from": ["127.0.0.0/31"]}  # 127.0.0.1 is the load balancer, 127.0.0.2 is not
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\0\0\0"


def line(address, port=56324):
    return f"PROXY TCP{6 if ':' in address else 4} {address} {address} {port} 3306\r\n".encode()


def binary(address, port=56324, further=b""):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    block = socket.inet_pton(family, address) * 2 + port.to_bytes(2, "big") + (3306).to_bytes(2, "big") + further
    return SIGNATURE + bytes([0x21, 0x21 if ":" in address else 0x11]) + len(block).to_bytes(2, "big") + block


@contextlib.contextmanager
def preceded_by(monkeypatch, header, source="127.0.0.1"):
    """A Client made within sends `header` before anything else, from this address."""
    connect = socket.create_connection

    def connect_and_send(address, timeout=None):
        made = connect(address, timeout, source_address=(source, 0))
        made.sendall(header)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", connect_and_send)
        yield


@pytest.fixture
def client(monkeypatch):
    def make(gate, header, user="app", password="app-secret", source="127.0.0.1"):
        with preceded_by(monkeypatch, header, source):
            return Client(gate.port, user, password)

    return make


def refusal(client, *arguments, **more):
    with pytest.raises(LoginRefused) as refused:
        client(*arguments, **more)
    return refused.value.error


@pytest.mark.parametrize("header", [
    line("203.0.113.9"), line("2001:db8::9"), b"PROXY UNKNOWN\r\n", binary("203.0.113.9"), binary("2001:db8::9"),
    binary("203.0.113.9", further=b"\x04\x03\xe8" + bytes(1000)), LOCAL], ids=lambda header: repr(header[:24]))
def test_a_client_logs_in_behind_a_header(mariadb, new_gate, client, header):
    gate = new_gate(mariadb, user=USER, listen=LISTED)
    assert client(gate, header).value("SELECT 42") == b"42"


def test_a_header_in_pieces_and_tls_behind_it(mariadb, new_gate, monkeypatch):
    gate = new_gate(mariadb, user=USER, listen=LISTED)
    header = binary("203.0.113.9")
    with preceded_by(monkeypatch, header[:5]):
        connect = socket.create_connection

        def connect_and_send(address, timeout=None):
            made = connect(address, timeout)
            for rest in (header[5:20], header[20:]):
                time.sleep(0.1)
                made.sendall(rest)
            return made

        with monkeypatch.context() as patch:
            patch.setattr(socket, "create_connection", connect_and_send)
            made = Client(gate.port, "app", "app-secret", tls=True)
    assert made.value("SELECT 42") == b"42"


@pytest.mark.parametrize("header", [line, binary])
def test_a_wrong_password_names_the_address_of_the_header(any_server, new_gate, client, header):
    gate = new_gate(any_server, listen=LISTED)
    error = refusal(client, gate, header("203.0.113.9"), password="wrong")
    assert (error.code, error.message.count("'203.0.113.9'")) == (1045, 1), error
    # 127.0.0.1 on the load balancer's machine, which happens to be this one.
    assert "'127.0.0.1'" in refusal(client, gate, header("127.0.0.1"), password="wrong").message
    assert "'127.0.0.1'" in refusal(client, gate, LOCAL, password="wrong").message


def test_failed_logins_hold_off_the_client_and_not_its_load_balancer(mariadb, new_gate, client):
    gate = new_gate(mariadb, user=USER, listen={**LISTED, "max_login_failures": 3})
    for header in (line, binary, line):
        assert refusal(client, gate, header("203.0.113.9"), password="wrong").code == 1045
    for header in (line, binary):
        error = refusal(client, gate, header("203.0.113.9"))
        assert error.code == 1129 and "Host '203.0.113.9' is held off" in error.message, error
    for header in (line("203.0.113.10"), binary("203.0.113.8"), LOCAL):
        client(gate, header).quit()


def test_a_class_matches_the_address_of_the_header(mariadb, new_gate, client):
    gate = new_gate(mariadb, user=USER, listen=LISTED, budget={"max_connections": 1, "reserve": 0},
                    **{"class": [{"name": "office", "weight": 300}], "class.match": {"address": "203.0.113.0/24"}})
    holder, other, office = (client(gate, line(address)) for address in ("198.51.100.1", "198.51.100.2", "203.0.113.9"))
    holder.query("BEGIN")
    holder.query("SELECT 1")
    for number, waiting in enumerate((other, office), 1):
        waiting.send_query("SELECT SYSDATE(6)")
        wait_until(lambda: gate.api()["waiting"] == number)
    holder.query("COMMIT")
    first, second = (waiting.read_reply().rows[0][0] for waiting in (office, other))
    assert first < second, "the class of the office goes first though it came last"


def test_a_header_of_an_unlisted_network_is_refused(mariadb, new_gate, client):
    gate = new_gate(mariadb, user=USER, listen=LISTED)
    for header in (line("203.0.113.9"), binary("203.0.113.9"), LOCAL):
        with preceded_by(pytest.MonkeyPatch(), header, "127.0.0.2"):
            made = socket.create_connection(("127.0.0.1", gate.port), 5)
        with made:
            heard = b""
            with contextlib.suppress(ConnectionResetError):
                while part := made.recv(4096):
                    heard += part
        assert b"does not believe a PROXY header of '127.0.0.2'" in heard
    assert gate.log_text().count("does not believe a PROXY header of '127.0.0.2'") == 3
    assert client(gate, b"", source="127.0.0.2").value("SELECT 42") == b"42"


def test_networks_are_read_again(mariadb, new_gate, client):
    gate = new_gate(mariadb, user=USER)
    client(gate, b"").quit()
    gate.configure(user=USER, listen=LISTED)
    gate.sighup()
    wait_until(lambda: "read again" in gate.log_text())
    client(gate, line("203.0.113.9")).quit()


def test_what_is_no_header_is_refused(mariadb, new_gate, client):
    gate = new_gate(mariadb, user=USER, listen=LISTED)
    error = refusal(client, gate, b"PROXY TCP4 203.0.113.999 1.1.1.1 1 1\r\n")
    assert error.code == 1130 and error.message.endswith("its PROXY header has an address that is none"), error


def test_a_load_balancer_without_a_header_is_given_up(mariadb, new_gate):
    gate = new_gate(mariadb, user=USER, listen={**LISTED, "login_timeout": "300ms"})
    with socket.create_connection(("127.0.0.1", gate.port), 5) as silent:
        assert silent.recv(1) == b""
    wait_until(lambda: "no PROXY header came in time" in gate.log_text(), 5)
    before = gate.log_text().count("PROXY")
    socket.create_connection(("127.0.0.1", gate.port), 5).close()  # a probe; not worth a line
    time.sleep(0.2)
    assert gate.log_text().count("PROXY") == before
