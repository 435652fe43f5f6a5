"""The character set and collation that a login gets by the number in its handshake: through the gate the same as from the
server, whichever connection answers, also where MariaDB replaces them (character_set_collations, from 11.2 on) or takes no
notice of what clients ask for."""
import pytest

from harness.process import wait_until
from harness.raw import Client, Command

QUESTION = "SELECT @@character_set_client, @@character_set_connection, @@character_set_results, @@collation_connection, 'x'"
# latin1_swedish_ci, utf8mb3_general_ci, utf8mb4_general_ci, utf8mb4_bin, utf8mb4_unicode_ci, binary, gbk, latin1_german1_ci,
# latin1_general_ci
UNKNOWN = 255  # to MariaDB 10.11; to others utf8mb4_0900_ai_ci
NUMBERS = (8, 33, 45, 46, 224, 63, 28, 5, 48, UNKNOWN)


def seen(port, number):
    client = Client(port, charset=number)
    try:
        first = client.query(QUESTION)
        if number != UNKNOWN:  # of which a reset makes what the server was compiled with
            client.query("SET NAMES greek")
            client.ask(Command.RESET_CONNECTION)
        again = client.query(QUESTION)
        client.change_user("app", "app-secret", charset=number)
        changed = client.query(QUESTION)
        return [(reply.columns, reply.rows) for reply in (first, again, changed)]
    finally:
        client.close()


def compare(server, gate, numbers=NUMBERS):
    for number in (*numbers, *numbers):
        assert seen(gate.port, number) == seen(server.port, number), number


@pytest.mark.mariadb11
def test_every_number(any_server, new_gate):
    compare(any_server, new_gate(any_server, budget={"max_connections": 1}))


def test_mariadb_numbers_beyond_a_byte(mariadb11, new_gate):
    """COM_CHANGE_USER has two bytes: 2304 is utf8mb4_uca1400_ai_ci, 2305 utf8mb4_uca1400_ai_cs."""
    gate = new_gate(mariadb11, budget={"max_connections": 1})
    for number in (2304, 2305):
        replies = []
        for port in (mariadb11.port, gate.port):
            client = Client(port)
            client.change_user("app", "app-secret", charset=number)
            replies.append(client.rows(QUESTION))
            client.close()
        assert replies[0] == replies[1]
    compare(mariadb11, gate, (45, 8))


def test_the_variable_is_heeded_and_followed(new_server, new_gate):
    server = new_server("mariadb11", character_set_collations="latin1=latin1_german1_ci,utf8mb4=utf8mb4_bin")
    gate = new_gate(server, budget={"max_connections": 1})
    compare(server, gate)
    server.sql("SET GLOBAL character_set_collations = 'utf8mb4=utf8mb4_czech_ci'")
    wait_until(lambda: seen(gate.port, 45) == seen(server.port, 45), 20, "the gate's next look at the variable")
    compare(server, gate)


def test_a_server_that_takes_no_notice(new_server, new_gate):
    server = new_server("mariadb", skip_character_set_client_handshake=True, character_set_server="latin1")
    compare(server, new_gate(server, budget={"max_connections": 1}))
