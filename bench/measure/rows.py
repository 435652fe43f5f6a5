"""The rows of docs/performance.md: each function measures one and returns its lines. All that is compared in a row runs
interleaved, round by round, and ratios are taken within a round."""
import contextlib
import re
import shutil
import statistics
import subprocess
import time

from .load import Load, run_load, with_sysbench
from .processes import Gate, Unavailable, say, sysbench
from .table import Row, ratios, spread

ROWS = 10_000


class Bench:
    """What every row needs."""

    def __init__(self, server, ways, program, load, folder, plan):
        self.server, self.ways, self.program, self.load, self.folder, self.plan = (server, ways, program, load, folder,
                                                                                   plan)

    def gate(self, connections, **options):
        return Gate(self.program, self.server, self.folder, connections, **options)

    def way(self, name):
        if name not in self.ways:
            raise Unavailable(f"{name} is not there")
        return self.ways[name]

    def interleaved(self, jobs):
        """jobs: name -> function that runs once. All of them a round, so many rounds: name -> samples."""
        samples = {name: [] for name in jobs}
        for _ in range(self.plan.rounds):
            for name, job in jobs.items():
                samples[name].append(job())
        return samples

    def sysbench(self, way, threads, prepared=False):
        return lambda: with_sysbench(way, threads, self.plan.seconds, ROWS, prepared)

    def clients(self, way, count, *words):
        return lambda: run_load(self.load, way, "point", count, self.plan.seconds, *words)


def not_run(number, what, error):
    return Row(number, f"{what}: not run", " ".join(str(error).split())[-160:], failed=True)


def cpu_lines(number, what, samples, at_most):
    """A line for the gate, and what stands beside it for the record."""
    floor = [s.cpu_us for s in samples["floor"]]
    lines = []
    for name, of_name in samples.items():
        cost = [s.cpu_us for s in of_name]
        if name == "direct":
            lines.append(Row(number, f"{what}: the server itself, direct", f"{spread(cost, '{:.1f}')} us"))
            continue
        against = ratios(cost, floor)
        shown = f"{spread(cost, '{:.1f}')} us" + ("" if name == "floor" else f", {spread(against)} x floor")
        value = statistics.median(against) if name == "gate" else None
        lines.append(Row(number, f"{what}: {name}", shown, value, at_most if name == "gate" else None,
                         figures={"cpu_us": cost, "ratio": against, "per_second": [s["per_second"] for s in of_name]}))
    return lines


def throughput_line(number, what, samples):
    direct = [s["per_second"] for s in samples["direct"]]
    parts = [f"{name} {spread(ratios([s['per_second'] for s in of_name], direct))}" for name, of_name in samples.items()
             if name != "direct"]
    return Row(number, f"{what}: throughput, of direct", ", ".join(parts))


def row1(b):
    with b.gate(16) as gate:
        ways = [*b.ways.values(), gate]
        samples = b.interleaved({way.name: b.sysbench(way, 16) for way in ways})
    return [*cpu_lines(1, "CPU per point select, 16 clients", samples, 1.3), throughput_line(1, "16 clients", samples)]


def row2(b):
    with b.gate(16) as gate:
        compared = [w for w in (*b.ways.values(), gate) if w.name != "direct"]
        few = b.interleaved({way.name: b.sysbench(way, 64) for way in compared})
        many = b.interleaved({way.name: b.clients(way, 1000) for way in compared})
    return [*cpu_lines(2, "64 clients on 16 connections", few, 1.5), *cpu_lines(2, "1000 on 16", many, 1.5)]


def row3(b):
    lines = []
    for threads in (16, 64):
        what = f"prepared, {threads} clients on 16 connections"
        with b.gate(16) as gate:
            compared = [w for w in (*b.ways.values(), gate) if w.name in ("floor", "haproxy", "gate")]
            try:
                samples = b.interleaved({way.name: b.sysbench(way, threads, prepared=True) for way in compared})
                lines += cpu_lines(3, what, samples, 1.6)
            except Unavailable as error:
                lines.append(not_run(3, what, error))
    return lines


def rows4and5(b):
    direct = b.way("direct")
    crowd = b.plan.most_clients
    with contextlib.ExitStack() as stack:
        gates = {size: stack.enter_context(b.gate(size)) for size in (4, 8, 16, 32)}
        jobs = {("direct", n): b.clients(direct, n) for n in (16, 64, 256, 1000)}
        jobs |= {("gate", size): b.clients(gate, 1000) for size, gate in gates.items()}
        samples = b.interleaved(jobs)
        per_second = {k: statistics.median(s["per_second"] for s in v) for k, v in samples.items()}
        best_direct = max((k for k in per_second if k[0] == "direct"), key=per_second.get)
        best = max((k for k in per_second if k[0] == "gate"), key=per_second.get)
        gate = gates[best[1]]
        flat = b.interleaved({n: b.clients(gate, n) for n in (64, 1000, crowd)})
    against = ratios([s["per_second"] for s in samples[best]], [s["per_second"] for s in samples[best_direct]])
    speed = {n: statistics.median(s["per_second"] for s in v) for n, v in flat.items()}
    loss = min(speed.values()) / speed[64]
    lines = [
        Row(4, f"throughput of direct's best ({best_direct[1]} clients), 1000 clients on {best[1]} connections",
            f"{spread(against)}; {per_second[best]:.0f}/s of {per_second[best_direct]:.0f}/s", statistics.median(against),
            at_least=0.75, figures={f"{k[0]} {k[1]}": v for k, v in per_second.items()}),
        Row(4, f"flat: the worst of 64, 1000, {crowd} clients, of 64",
            f"{loss:.2f}; " + ", ".join(f"{n}: {v:.0f}/s" for n, v in speed.items()), loss, at_least=0.9, figures=speed)]
    for n in (1000, crowd):
        shares = [s["p99"] / s["p50"] for s in flat[n] if s["p50"]]
        lost = sum(s["failed"] for s in flat[n])
        lines.append(Row(5, f"fairness: p99 / p50, {n} clients on {best[1]}",
                         f"{spread(shares)}; p50 {statistics.median(s['p50'] for s in flat[n]) * 1e3:.1f} ms"
                         + (f"; {lost} clients failed" if lost else ""), statistics.median(shares), at_most=1.3))
    return lines


def row6(b):
    lines = []
    for kind, goal in (("plain", 3), ("tls", 24)):
        with b.gate(16) as gate:
            run_load(b.load, gate, "point", 16, 1)  # warm: its own tables and the pool are there
            before = gate.process.memory()
            held = Load(b.load, gate, "idle", b.plan.idle_clients, *(["tls"] if kind == "tls" else []))
            during = gate.process.memory()
            report = held.end()
            time.sleep(2)
            after = gate.process.memory()
        there = b.plan.idle_clients - report["failed"]
        if there < b.plan.idle_clients / 2:
            lines.append(Row(6, f"memory per idle client, {kind}", f"not measured: {report['failures'][:1]}"))
            continue
        each = (during - before) / there / 1024
        kept = (after - before) / max(during - before, 1)
        lines += [Row(6, f"memory per idle client, {there} clients, {kind}", f"{each:.2f} KB", each, at_most=goal,
                      figures={"before": before, "during": during, "after": after}),
                  Row(6, f"  of it not given back 2 s after they left, {kind}", f"{kept:.0%}")]
    return lines


def row7(b):
    with b.gate(16) as gate:
        ways = [w for w in (*b.ways.values(), gate) if w.name in ("direct", "haproxy", "gate")]
        run_load(b.load, gate, "churn", 16, 1)  # the pool is there
        connected = {way.name: [] for way in ways}

        def job(way):
            def once():
                before = b.server.status("Connections")
                sample = run_load(b.load, way, "churn", 16, b.plan.seconds)
                connected[way.name].append(b.server.status("Connections") - before - 1)  # the asking one
                return sample
            return once
        samples = b.interleaved({way.name: job(way) for way in ways})
    direct = [s["per_second"] for s in samples["direct"]]
    lines = []
    for name, of_name in samples.items():
        against = ratios([s["per_second"] for s in of_name], direct)
        cost = [s.cpu_us for s in of_name]
        per_second = statistics.median(s["per_second"] for s in of_name)
        shown = f"{spread(against)} x direct ({per_second:.0f}/s), {spread(cost, '{:.0f}')} us"
        is_gate = name == "gate"
        lines.append(Row(7, f"connect, log in, SELECT 1, quit, 16 at a time: {name}", shown,
                         statistics.median(against) if is_gate else None, at_least=1.3 if is_gate else None))
        if is_gate:
            lines += [Row(7, "  CPU of the gate each, us", spread(cost, "{:.1f}"), statistics.median(cost), at_most=45),
                      Row(7, "  connections made at the server in a round", spread(connected[name], "{:.0f}"),
                          statistics.median(connected[name]), at_most=0)]
    return lines


@contextlib.contextmanager
def server_limit(b, narrow, widen):
    b.server.sql(narrow)
    try:
        yield
    finally:
        b.server.sql(widen)


def storm_line(name, samples, refused, ideal, goal=None):
    done = [s["done"] for s in samples]
    took = [s["seconds"] for s in samples]
    errors = {f"{f['errno']}": f["count"] for s in samples for f in s["failures"]}
    shown = f"{min(done)} of 1000 in {spread(took)} s" + (f" ({statistics.median(took) / ideal:.2f} x the ideal)" if ideal else "")
    shown += f"; at the server {max(s['peak'] for s in samples)} connections, {max(refused)} refused"
    shown += f"; errors {errors}" if errors else ""
    value = statistics.median(took) if min(done) == 1000 else float("inf")
    return Row(8, f"storm: 1000 clients x 20 ms, {name}", shown, value if goal else None, at_most=goal)


def row8(b):
    def storm(way, refused):
        def once():
            before = b.server.status("Connection_errors_max_connections")
            b.server.sql("FLUSH STATUS")
            sample = run_load(b.load, way, "storm", 1000)
            sample["peak"] = b.server.status("Max_used_connections") - 1  # the asking one
            refused.append(b.server.status("Connection_errors_max_connections") - before)
            return sample
        return once
    lines = []
    refused = {"direct": [], "gate": []}
    with b.gate(100) as gate, server_limit(b, "SET GLOBAL max_connections = 151", "SET GLOBAL max_connections = 3000"):
        samples = b.interleaved({way.name: storm(way, refused[way.name]) for way in (b.way("direct"), gate)})
    lines += [storm_line("direct, max_connections 151", samples["direct"], refused["direct"], None),
              storm_line("gate, 100 connections", samples["gate"], refused["gate"], 0.2, 0.28)]
    # Cut while the gate believes in 100: the refusals are its to absorb.
    for name, narrow, widen, connections in (
            ("server cut to 20", "SET GLOBAL max_connections = 20", "SET GLOBAL max_connections = 3000", 20),
            ("account cut to 10", "ALTER USER bench@'%' WITH MAX_USER_CONNECTIONS 10",
             "ALTER USER bench@'%' WITH MAX_USER_CONNECTIONS 0", 10)):
        cut = []
        samples = []
        for _ in range(b.plan.rounds):
            with b.gate(100) as gate, server_limit(b, narrow, widen):
                samples.append(storm(gate, cut)())
        ideal = 1000 * 0.02 / connections
        lines.append(storm_line(name, samples, cut, ideal, 1.3 * ideal))
    return lines


def row9(b):
    size = b.plan.megabytes
    with b.gate(4) as gate:
        run_load(b.load, gate, "big", 10)
        before = gate.process.memory()
        peak = []

        def watched(way):
            def once():
                load = Load(b.load, way, "big", size)
                while way is gate and load.process.poll() is None:
                    peak.append(gate.process.memory())
                    time.sleep(0.05)
                return load.end()
            return once
        ways = [b.way("direct"), b.way("floor"), *([b.ways["haproxy"]] if "haproxy" in b.ways else []), gate]
        samples = b.interleaved({way.name: watched(way) for way in ways})
    speed = {name: [s["bytes"] / s["seconds"] / 1e6 for s in of_name] for name, of_name in samples.items()}
    if any(s["failed"] for s in samples["gate"]):
        raise Unavailable(f"the result did not come whole: {samples['gate'][0]['failures']}")
    lines = [Row(9, f"a result of {size} MB: {name}", f"{spread(v, '{:.0f}')} MB/s, {spread(ratios(v, speed['floor']))} x floor",
                 statistics.median(ratios(v, speed["floor"])) if name == "gate" else None,
                 at_least=0.9 if name == "gate" else None) for name, v in speed.items()]
    grown = (max(peak, default=before) - before) / 1024
    lines.append(Row(9, "  memory of the gate, more than before, KB", f"{grown:.0f}", grown, at_most=1024))
    return lines


def row10(b):
    with b.gate(4) as gate:
        samples = b.interleaved({way.name: b.clients(way, 1) for way in (*b.ways.values(), gate)})
    floor = [s["p50"] for s in samples["floor"]]
    lines = []
    for name, of_name in samples.items():
        half = [s["p50"] for s in of_name]
        against = ratios(half, floor)
        lines.append(Row(10, f"latency of one client, p50: {name}",
                         f"{spread([x * 1e6 for x in half], '{:.0f}')} us, {spread(against)} x floor",
                         statistics.median(against) if name == "gate" else None, at_most=1.15 if name == "gate" else None))
    return lines


def instructions(b, threads, prepared, start):
    """User-space instructions per statement: two runs under callgrind, the longer less the shorter."""
    totals = []
    counts = (b.plan.callgrind, b.plan.callgrind * 3)
    for count in counts:
        out = b.folder / f"callgrind-{time.monotonic_ns()}"
        way = start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"])
        sysbench(way.port, "run", ROWS, threads=threads, events=count, prepared=prepared)
        way.process.stop(60)
        found = re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.M) if out.exists() else None
        if not found:
            raise Unavailable(f"callgrind left no figures: {way.process.tail()}")
        totals.append(int(found[1]))
    return (totals[1] - totals[0]) / (counts[1] - counts[0])


def row11(b):
    if not shutil.which("valgrind"):
        raise Unavailable("no valgrind (scripts/setup bench)")
    # valgrind 3.19 gives up on what clang 19 and lld write about lines; the counts do not need it.
    strip = shutil.which("strip") or shutil.which("llvm-strip-19")
    bare = b.folder / "tidegate-bare"
    if strip:
        subprocess.run([strip, "-o", bare, b.program], check=True)
    program = bare if strip else b.program
    lines = []
    for what, threads, prepared in (("text, 1 client", 1, False), ("text, 16 clients on 4", 16, False),
                                    ("prepared, 4 clients on 4", 4, True)):
        count = instructions(b, threads, prepared, lambda wrapper: Gate(program, b.server, b.folder, 4, wrapper=wrapper))
        lines.append(Row(11, f"instructions per statement, gate, {what}", f"{count:.0f}", figures={"instructions": count}))
    return lines


def row12(b):
    times = []
    for _ in range(b.plan.rounds * 2):
        start = time.monotonic()
        with b.gate(4, wait=False) as gate:
            run_load(b.load, gate, "first")
            times.append((time.monotonic() - start) * 1000)
    return [Row(12, "start to first statement served, ms", spread(times, "{:.0f}"), statistics.median(times), at_most=50),
            Row(12, "restart under load", "not measured: a gate does not hand over to its successor yet")]


def loops(b):
    """Not a row: the comparison of loops of docs/internals/decisions/0001-event-loop.md."""
    names = [n for n in ("floor", "coro", "asio-wait", "asio-read", "haproxy") if n in b.ways]
    lines = []
    for threads in (1, 16, 64):
        samples = b.interleaved({name: b.sysbench(b.ways[name], threads) for name in names})
        lines += cpu_lines("-", f"loops, {threads} clients", samples, None)
    return lines


ALL = {"1": row1, "2": row2, "3": row3, "4": rows4and5, "6": row6, "7": row7, "8": row8, "9": row9, "10": row10,
       "11": row11, "12": row12}


def measure(b, wanted):
    """Every wanted row; one that cannot be run says why."""
    lines = []
    for name in wanted:
        function = loops if name == "loops" else ALL[name]
        begin = time.monotonic()
        try:
            lines += function(b)
        except (Unavailable, subprocess.SubprocessError, OSError, ValueError, KeyError, ZeroDivisionError) as error:
            lines.append(not_run(name, "row", error))
        say(f"row {name} took {time.monotonic() - begin:.0f} s")
    return lines
