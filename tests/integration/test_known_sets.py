"""Settings that every client begins with: answered without a server connection once one client has sent them."""
import dataclasses

import pytest
from harness.raw import Capability, Client, Err

SETUPS = ["SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", "SET SESSION sql_mode = "
          "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
          "SET time_zone = '+00:00'", "SET autocommit = 1", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
          "SET character_set_results = NULL", "SET autocommit = 0", "SET autocommit = 1, sql_mode = 'NO_BACKSLASH_ESCAPES'"]
LOOK = ("SELECT @@sql_mode, @@time_zone, @@autocommit, @@collation_connection, @@character_set_results, "
        "@@session.wait_timeout, 'a\\\\b'")


def said(reply):
    """The reply; in which order it tells of several variables is chance."""
    return dataclasses.replace(reply, trackers=sorted(reply.trackers)) if getattr(reply, "trackers", None) else reply


def test_one_client_learns_for_all(any_server, new_gate):
    """What each says, and how the session looks then, is as on a connection of one's own; for the first client and for the third."""
    gate = new_gate(any_server, budget={"max_connections": 1}, pool={"wait_timeout": "1m"})
    for number in range(3):
        client, direct = Client(gate.port), Client(any_server.port)
        for text in SETUPS:
            assert said(client.query(text)) == said(direct.query(text)), f"client {number}: {text}"
        assert client.rows(LOOK) == direct.rows(LOOK)
        client.query(SETUPS[2])
        direct.query(SETUPS[2])
        assert client.value("SELECT ROW_COUNT()") == direct.value("SELECT ROW_COUNT()")
        client.quit()
        direct.quit()


def test_they_need_no_connection(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 1}, pool={"wait_timeout": "1m"})
    first = Client(gate.port)
    for text in SETUPS[:3]:
        first.query(text)
    first.query("SELECT GET_LOCK('held', 0)")  # it keeps the only connection
    second = Client(gate.port)
    for text in SETUPS[:3]:
        assert not isinstance(second.query(text), Err), text
    assert gate.api()["waiting"] == 0
    first.query("SELECT RELEASE_LOCK('held')")
    assert second.rows(LOOK) == first.rows(LOOK)
    first.quit()
    second.quit()


def test_errors_and_warnings_are_always_the_servers(any_server, new_gate):
    gate = new_gate(any_server, budget={"max_connections": 1})
    client = Client(gate.port)
    client.query("SET sql_mode = ''")
    for _ in range(3):
        assert isinstance(client.query("SET sql_mode = 'NO_SUCH_MODE'"), Err)
        assert client.query("SET group_concat_max_len = 1").warnings == 1
        assert [row[1] for row in client.rows("SHOW WARNINGS")] == [b"1292"]
    client.quit()


@pytest.mark.parametrize("tracks", [True, False])
def test_trackers_of_charsets_are_there_for_who_asks(any_server, new_gate, tracks):
    gate = new_gate(any_server, budget={"max_connections": 1})
    without = 0 if tracks else Capability.SESSION_TRACK
    replies = []
    for port in gate.port, gate.port, any_server.port:
        client = Client(port, without=without)
        replies.append(said(client.query("SET NAMES latin1")))
        client.quit()
    assert replies[0] == replies[1] == replies[2]
    assert ("latin1" in str(replies[0])) == tracks
