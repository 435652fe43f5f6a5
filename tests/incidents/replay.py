"""Replays the incidents: each as it happened, and with Tidegate.

    replay.py [--only 1,5] [--form short|full] [--server mariadb|mysql|mariadb11] [--out FOLDER] [--pictures]

Prints one table, and writes what was measured, second by second, to FOLDER/incident-N.json.
"""
import argparse
import copy
import importlib.util
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

from harness import reaper  # noqa: E402
from harness.servers import MariaDB, MariaDB11, MySQL, Unavailable  # noqa: E402
from picture import draw  # noqa: E402
from stage import Record, Stage, save  # noqa: E402

KINDS = {"mariadb": MariaDB, "mariadb11": MariaDB11, "mysql": MySQL}
NUMBERS = [1, 2, 3, 4, 5]


def incident(number):
    """The module incident.py of that incident's folder."""
    folder = next(HERE.glob(f"{number}-*"))
    spec = importlib.util.spec_from_file_location(f"incident{number}", folder / "incident.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.NUMBER, module.FOLDER = number, folder
    return module


def play(story, mode, form, kind=MariaDB):
    """One run of an incident on a server of its own; its Record."""
    form = copy.deepcopy(story.FORMS[form])
    scratch = tempfile.mkdtemp(prefix="tidegate-incident-")
    reaper.watch_folder(scratch)
    try:
        with kind(**story.server_options(form)) as server:
            record = Record(story.NUMBER, mode, story.LIMIT)
            stage = Stage(story.FOLDER, server, record, scratch, form)
            story.prepare(stage)
            with stage:
                story.MODES[mode](stage)
            record.notes["peak"] = peak(story, record)
            return record
    finally:
        reaper.remove_folder(scratch)


def peak(story, record):
    """The most connections that counted towards the incident's limit: an account's, or the server's."""
    if account := getattr(story, "OF_ACCOUNT", None):
        return max(sample["by_account"].get(account, 0) for sample in record.samples)
    return record.notes["server_peak"]


def counts(numbers):
    return ", ".join(f"{name}: {count}" for name, count in sorted(numbers.items(), key=str)) or "none"


def table(rows):
    """Rows of texts under a head, each column as wide as its widest."""
    widths = [max(len(str(row[at])) for row in rows) for at in range(len(rows[0]))]
    return "\n".join("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def row(story, mode, record):
    facts = record.as_json()
    return [f"{story.NUMBER} {story.TITLE}" if mode == "without" else "", story.WAYS.get(mode, mode), counts(facts["errors"]),
            sum(facts["done"].values()), facts["peak"], facts["limit"], f"{facts['seconds']:.0f} s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(map(str, NUMBERS)), help="numbers of incidents, with commas")
    parser.add_argument("--modes", help="without, gate, .. of these incidents")
    parser.add_argument("--form", choices=["short", "full", "long"], default="full")
    parser.add_argument("--server", choices=KINDS, default="mariadb")
    parser.add_argument("--out", default=str(HERE.parents[1] / "build/incidents"))
    parser.add_argument("--pictures", action="store_true", help="draw docs/images/incident-N.svg as well")
    options = parser.parse_args()
    rows = [["INCIDENT", "WITH", "ERRORS", "WORK DONE", "PEAK", "LIMIT", "TIME"]]
    failed = 0
    for number in map(int, options.only.split(",")):
        story, records = incident(number), {}
        if options.form not in story.FORMS:
            continue
        for mode in options.modes.split(",") if options.modes else story.MODES:
            began = time.monotonic()
            try:
                records[mode] = play(story, mode, options.form, KINDS[options.server])
            except Unavailable as reason:
                print(f"incident {number} is left out: {reason}")
                break
            print(f"incident {number}, {story.WAYS.get(mode, mode)}: {time.monotonic() - began:.0f} s, {records[mode].notes}",
                  flush=True)
            rows.append(row(story, mode, records[mode]))
        save(f"{options.out}/incident-{number}.json", {mode: record.as_json() for mode, record in records.items()})
        if options.pictures and {"without", story.DRAWN} <= records.keys():
            draw(HERE.parents[1] / f"docs/images/incident-{number}.svg", story, records["without"].as_json(),
                 records[story.DRAWN].as_json())
        if not options.modes and records.keys() == story.MODES.keys():
            try:
                story.check({mode: record.as_json() for mode, record in records.items()})
            except AssertionError as error:
                failed += 1
                print(f"incident {number}: NOT AS IT SHOULD BE: {error}")
    print("\n" + table(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
