"""Runs a load against somebody and brings back what it cost."""
import json
import re
import subprocess

from .processes import Unavailable, die_with_parent, sysbench


class Sample(dict):
    """The figures of one run: done, per_second, cpu (of the process, seconds), p50, p99, .."""

    @property
    def cpu_us(self):
        return self["cpu"] / self["done"] * 1e6


def with_sysbench(way, threads, seconds, rows, prepared=False):
    before = way.process.cpu()
    text = sysbench(way.port, "run", rows, threads=threads, seconds=seconds, prepared=prepared)
    cpu = way.process.cpu() - before
    done = int(re.search(r"total:\s+(\d+)", text)[1])
    per_second = float(re.search(r"queries:\s+\d+\s+\(([\d.]+)", text)[1])
    if done == 0:
        raise Unavailable("sysbench ran no statement")
    return Sample(done=done, per_second=per_second, cpu=cpu)


class Load:
    """build's `load` as a process: started, told when it goes, read at its end."""

    def __init__(self, program, way, mode, *words, limit=180):
        self.way, self.limit = way, limit
        self.process = subprocess.Popen([str(program), mode, str(way.port), *(str(w) for w in words)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        if self.process.stdout.readline().strip() != "go":
            raise Unavailable(f"the load did not begin ({mode})")
        self.before = way.process.cpu()

    def end(self):
        """Closes its standard input, which ends an idle one, and waits for its report."""
        try:
            text, _ = self.process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Unavailable(f"the load did not end in {self.limit} s") from None
        sample = Sample(json.loads(text), cpu=self.way.process.cpu() - self.before)
        sample["per_second"] = sample["done"] / sample["seconds"] if sample["seconds"] else 0
        return sample


def run_load(program, way, mode, *words, **options):
    return Load(program, way, mode, *words, **options).end()
