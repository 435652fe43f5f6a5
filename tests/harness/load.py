"""A load of many clients in threads, each doing the same work, with every outcome counted by error number.

    tally = run(1000, lambda number, tally: short_work(gate, number, tally))
    assert tally.errors == {}

Work that raises counts under its error number; what it returns counts as a success.
"""
import collections
import contextlib
import threading
import time

import pymysql

STACK = 512 * 1024


class Tally:
    """Outcomes of a load. Everything may be called from any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self.done = collections.Counter()     # by kind of work
        self.failed = collections.Counter()   # by (kind, error number)
        self.samples = {}                     # one text for each of them
        self.times = []                       # (kind, when it began, when it ended), for those that went well
        self.failures = []                    # the same and the error, for the others
        self.began = time.monotonic()

    def success(self, kind="work", started=None):
        with self._lock:
            self.done[kind] += 1
            if started is not None:
                self.times.append((kind, started, time.monotonic()))

    def failure(self, error, kind="work", started=None):
        number = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else type(error).__name__
        with self._lock:
            self.failed[kind, number] += 1
            self.failures.append((kind, started, time.monotonic(), error))
            self.samples.setdefault((kind, number), f"after {time.monotonic() - self.began:.2f} s: {error}")

    @contextlib.contextmanager
    def counted(self, kind="work"):
        """Counts how the block ends; an error of the server or of the connection stays in here."""
        started = time.monotonic()
        try:
            yield
            self.success(kind, started)
        except (pymysql.MySQLError, OSError) as error:
            self.failure(error, kind, started)

    @property
    def errors(self):
        """Failures by error number, of all kinds together."""
        sums = collections.Counter()
        for (_, number), count in self.failed.items():
            sums[number] += count
        return dict(sums)

    def errors_of(self, kind):
        return {number: count for (of, number), count in self.failed.items() if of == kind}

    @property
    def succeeded(self):
        return sum(self.done.values())

    def latency(self, fraction, kind=None):
        """A percentile of how long the work took, in seconds."""
        taken = sorted(end - began for of, began, end in self.times if kind in (None, of))
        return taken[min(int(len(taken) * fraction), len(taken) - 1)] if taken else 0.0

    def first_after(self, moment, kind=None):
        """How long after `moment` the first work ended that began after it."""
        ends = [end for of, began, end in self.times if began >= moment and kind in (None, of)]
        return min(ends) - moment if ends else None

    def __str__(self):
        failures = ", ".join(f"{kind} {number}: {count} ({self.samples[kind, number]})"
                             for (kind, number), count in sorted(self.failed.items(), key=str))
        return f"{self.succeeded} done {dict(self.done)}, failed: {failures or 'none'}"


class Load:
    """Clients that run in threads; all begin at the same moment, when start() is called."""

    def __init__(self, clients, work):
        self.tally = Tally()
        self.stopping = threading.Event()
        self._begin = threading.Event()
        self._work = work
        before = threading.stack_size(STACK)
        try:
            self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(clients)]
            for thread in self._threads:
                thread.start()
        finally:
            threading.stack_size(before)

    def _run(self, number):
        self._begin.wait()
        try:
            self._work(number, self)
        except Exception as error:  # a fault of the test itself must not pass for a quiet end
            self.tally.failure(error, "client")

    def start(self):
        self.tally.began = time.monotonic()
        self._begin.set()
        return self

    def stop(self, seconds=60.0):
        """Asks the clients to end, and waits for them."""
        self.stopping.set()
        return self.join(seconds)

    def join(self, seconds=120.0):
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        left = sum(thread.is_alive() for thread in self._threads)
        if left:
            raise AssertionError(f"{left} of {len(self._threads)} clients are still at it after {seconds:g} s: {self.tally}")
        return self.tally

    def running(self):
        return sum(thread.is_alive() for thread in self._threads)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self._begin.set()
        if kind is None:
            self.join()


def short_work(gate, statements=("SELECT SLEEP(0.02)",), **arguments):
    """Work for Load: connect, a few statements, quit; each client once."""
    def work(number, load):
        with load.tally.counted():
            connection = gate.connect(**{"connect_timeout": 60, **arguments})
            try:
                with connection.cursor() as cursor:
                    for statement in statements:
                        cursor.execute(statement.format(number=number))
                        cursor.fetchall()
            finally:
                connection.close()
    return work
