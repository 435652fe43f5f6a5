"""Frameworks share connections, and none can tell: what each of them sends (tests/harness/frameworks.py) is answered as on
a connection of its own, while two others have their turn after every step; and none of them keeps the connection.
"""
import contextlib
import itertools

import pytest

from harness.frameworks import ALL, SCRIPTS, TABLES
from harness.process import wait_until
from harness.raw import Client
from harness.steps import Worker, without_collations


def make_schema(server, schema):
    server.sql(f"USE {schema}", *(text for text in TABLES.split(";") if text.strip()))
    return schema


class Party:
    """Some frameworks' clients at one port, each with a schema of its own."""

    def __init__(self, server, port, frameworks, new_schema, own_flags):
        self.schemas = [make_schema(server, new_schema(server)) for _ in frameworks]
        self.workers = [Worker(Client(port, schema=schema, adding=framework.flags if own_flags else 0, charset=framework.charset, timeout=60))
                        for framework, schema in zip(frameworks, self.schemas)]

    def ask(self, who, step):
        schema = self.schemas[who]
        put = type(step)(step.text.replace("{s}", schema),
                         tuple(v.replace("{s}", schema) if isinstance(v, str) else v for v in step.values), step.how)
        return repr(self.workers[who].run(put)).replace(schema, "SCHEMA")

    def number(self, who):
        return self.workers[who].client.greeting.thread_id

    def close(self):
        for worker in self.workers:
            worker.client.quit()


@pytest.fixture
def parties(any_server, new_gate, new_schema):
    """parties(frameworks, pool, own_flags) -> the gate, the clients at it, the same clients at the server."""
    with contextlib.ExitStack() as ends:
        def make(frameworks, pool, own_flags=False):
            gate = new_gate(any_server, budget={"max_connections": pool, "reserve": 0}, pool={"wait_timeout": "5s"})
            both = [Party(any_server, port, frameworks, new_schema, own_flags) for port in (gate.port, any_server.port)]
            for party in both:
                ends.callback(party.close)
            return gate, *both
        yield make


def held_by(gate, number):
    """(pins, in a transaction) of a client that has a connection; None of one that has none."""
    client, = (each for each in gate.api("/api/clients")["clients"] if each["id"] == number)
    return ({pin["name"] for pin in client["pins"]}, client["in_transaction"]) if client["server_connection"] else None


def check_held(gate, number, why, step, framework):
    pins, in_transaction = held_by(gate, number) or (set(), False)
    unexpected = pins - {why}
    assert not unexpected, f"{framework}: {step} pins: {unexpected}"
    return pins


def every_step(frameworks):
    return (step for framework in frameworks for _, steps in framework.work for step in steps)


def take_turns(frameworks, gate, through, direct, free=True):
    """Each runs a unit of its work, in turn, until the first one has done all of its own."""
    others = [itertools.cycle(framework.work) for framework in frameworks[1:]]
    see = without_collations if any("SET collation_connection" in text for text in map(str, every_step(frameworks))) else str
    seen = set()
    done = []
    for unit in frameworks[0].work:
        for who, (why, steps) in enumerate([unit, *map(next, others)]):
            for step in steps:
                done.append(f"{frameworks[who]}: {step}")
                got, expected = (see(party.ask(who, step)) for party in (through, direct))
                if got != expected:
                    pytest.fail("\n".join([*done[-12:], f"at the server: {expected}", f"at the gate:   {got}"]), pytrace=False)
                if free and step is not steps[-1]:
                    seen |= check_held(gate, through.number(who), why, step, frameworks[who])
            if free:
                number = through.number(who)
                wait_until(lambda: held_by(gate, number) is None, 5, f"{frameworks[who]}'s connection after {steps[-1]}: {held_by(gate, number)}")
    return seen


@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("framework", ALL, ids=str)
def test_frameworks_take_turns(parties, framework, pool):
    """On one connection all have the same client flags, so that they really share it; on two their own."""
    at = ALL.index(framework)
    frameworks = [framework, ALL[(at + 1) % len(ALL)], ALL[(at + 7) % len(ALL)]]
    gate, through, direct = parties(frameworks, pool, own_flags=pool > 1)
    seen = take_turns(frameworks, gate, through, direct)
    expected = {why for why, steps in framework.work if why not in (None, "transaction")}
    assert expected <= seen, "what should have been held for a while was not"


@pytest.mark.parametrize("framework", SCRIPTS, ids=str)
def test_scripts_with_user_variables(parties, framework):
    """Whether a user variable keeps the connection or goes along with its client, nobody must see another's."""
    frameworks = [framework, *(other for other in SCRIPTS if other is not framework)][:3]
    gate, through, direct = parties(frameworks, len(frameworks))
    take_turns(frameworks, gate, through, direct, free=False)


@pytest.mark.parametrize("name, pin", [("magento-lock-owner", "asked"), ("django-auto-is-null", "variable")])
def test_what_keeps_its_connection(parties, name, pin):
    """As docs/proxy.md has it."""
    framework, = (script for script in SCRIPTS if script.name == name)
    gate, through, direct = parties([framework], 1)
    take_turns([framework], gate, through, direct, free=False)
    pins, _ = held_by(gate, through.number(0))
    assert pin in pins
