"""What a framework does on its connection, step by step, and what it can see of the replies.

    "text"                    a statement as text
    prepared(text, values)    prepared, executed, closed        (PDO without emulation, mysqli)
    cached(text, values)      prepared once, then executed      (sqlx, Prisma, ActiveRecord, Connector/J with its cache)
    held(why, step, ..)       steps during which the connection is this client's: a transaction, a lock, ..
"""
import re

from .raw import Err, Ok, ResultSet, Status


class Step:
    def __init__(self, text, values=(), how="text"):
        self.text, self.values, self.how = text, values, how

    def __repr__(self):
        return self.text if self.how == "text" else f"{self.how} {self.text} {self.values}"


class Held(list):
    def __init__(self, why, steps):
        super().__init__(steps)
        self.why = why


def prepared(text, *values):
    return Step(text, values, "prepared")


def cached(text, *values):
    return Step(text, values, "cached")


def held(why, *steps):
    return Held(why, steps)


def units(work):
    """The work as (why it is held, steps)."""
    for unit in work:
        steps = unit if isinstance(unit, Held) else [unit]
        yield (unit.why if isinstance(unit, Held) else None,
               [step if isinstance(step, Step) else Step(step) for step in steps])


# What a client can see of a reply, but for three things that docs/proxy.md names: MySQL's trackers of transactions, its warning
# that FOUND_ROWS() is old, and which collation of utf8mb4 a column's description names once a client has set
# collation_connection by itself.
LASTING = Status.IN_TRANS | Status.AUTOCOMMIT


def told_by(trackers):
    return sorted(repr(each) for each in trackers if each[0] != "transaction")


def without_collations(text):
    return re.sub(r"charset=(45|46|224|246|255),", "charset=utf8mb4,", text)


def answer(reply):
    if isinstance(reply, ResultSet):
        warnings = 0 if reply.columns[0].name == "FOUND_ROWS()" else getattr(reply.end, "warnings", None)
        ended = reply.end.code if isinstance(reply.end, Err) else (reply.end.status & LASTING, warnings)
        return "rows", [repr(column) for column in reply.columns], reply.rows, ended
    if isinstance(reply, Ok):
        return "ok", reply.affected, reply.insert_id, reply.status & LASTING, reply.warnings, reply.info, told_by(reply.trackers)
    return "error", reply.code, reply.state, reply.message


class Worker:
    """A framework's connection, at the server or at the gate."""

    def __init__(self, client):
        self.client, self.statements = client, {}

    def run(self, step):
        if step.how == "text":
            return [answer(reply) for reply in self.client.results(step.text)]
        statement = self.statements.get(step.text) or self.client.prepare(step.text)
        if isinstance(statement, Err):
            return answer(statement)
        known = step.text in self.statements
        reply = answer(self.client.execute(statement, step.values, types=not known or None in step.values))
        if step.how == "cached":
            self.statements[step.text] = statement
        else:
            self.client.close_statement(statement)
        return reply


class Framework:
    def __init__(self, name, *work, flags=0, charset=45):
        self.name, self.work, self.flags, self.charset = name, list(units(work)), flags, charset

    def __repr__(self):
        return self.name
