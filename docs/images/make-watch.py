#!/usr/bin/env python3
"""Draws what the commands of the watch print, from a real MariaDB of this host that sleeping scripts have filled.

    make pictures        (status.svg, kill.svg, doctor.svg, validate.svg, top.svg, emergency.svg)
"""
import html
import os
import pathlib
import re
import sys
import textwrap
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from harness.servers import MariaDB  # noqa: E402
from harness.watch import Watch, fill  # noqa: E402

WIDTH, LINES, CHARACTER, LINE = 104, 64, 7.83, 18
INK, MUTED, PAPER, BAR = "#d7dee6", "#8b98a5", "#10161d", "#1d2630"
COLOURS = [(re.compile(r"^(Verdict: critical|critical:|.*FAIL)"), "#ff7b72"), (re.compile(r"^(Verdict: attention|attention:)"), "#e3b341"),
           (re.compile(r"^(Verdict: well|well:|ok  |all \d+ steps)"), "#56d364"), (re.compile(r"^\S.*(Who holds|ACCOUNT|HOST|SCHEMA|TIME )"), MUTED)]


def wrapped(line):
    line = line.replace("\t", "    ").rstrip()
    indent = len(line) - len(line.lstrip()) + 4
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, drop_whitespace=False, break_on_hyphens=False) or [""]


def picture(command, output):
    lines = [part for line in output.rstrip("\n").splitlines() for part in wrapped(line)]
    if len(lines) > LINES:
        lines = lines[:LINES - 1] + [f".. and {len(lines) - LINES + 1} lines more"]
    width, height = int(WIDTH * CHARACTER) + 40, (len(lines) + 2) * LINE + 24
    out = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' "
           "font-family='ui-monospace,SFMono-Regular,Menlo,Consolas,monospace' font-size='13' xml:space='preserve'>",
           f"<title>{html.escape(command)}</title>", f"<rect width='{width}' height='{height}' rx='8' fill='{PAPER}'/>",
           f"<rect width='{width}' height='30' rx='8' fill='{BAR}'/>",
           f"<text x='20' y='20' fill='{INK}'>$ {html.escape(command)}</text>"]
    for number, line in enumerate(lines):
        colour = next((colour for pattern, colour in COLOURS if pattern.search(line)), INK)
        out.append(f"<text x='20' y='{(number + 2) * LINE + 16}' fill='{colour}'>{html.escape(line)}</text>")
    return "\n".join([*out, "</svg>"]) + "\n"


def main():
    with MariaDB(max_connections=40, wait_timeout=28800, thread_cache_size=0) as server:
        watch = Watch(server, user="admin")
        try:
            watch.sleepers(6, "cron_import.php")
            watch.node(8, "sync-stock.js")
            fill(server, watch)
            time.sleep(5)
            shots = {
                "status": ("status", "--max-idle", "3"),
                "kill": ("kill", "--idle", "3", "--program", "*.js", "--dry-run"),
                "doctor": ("doctor", "--max-idle", "3", "--look", "2"),
                "top": ("top", "--once"),
            }
            for name, words in shots.items():
                shown = " ".join(word for word in words)
                (HERE / f"{name}.svg").write_text(picture(f"tidegate {shown}", text_of(watch, *words)))
        finally:
            watch.close()
    with MariaDB(max_connections=40, extra_port=0) as server:
        watch = Watch(server, user="app")
        try:
            server.sql("ALTER USER root@localhost IDENTIFIED BY 'x'")
            watch.node(8, "sync-stock.js")
            scripts = fill(server, watch)
            (HERE / "emergency.svg").write_text(picture("tidegate status", text_of(watch, "status")))
            for script in scripts:
                watch.end(script)
            watch.user = "monitor"
            (HERE / "validate.svg").write_text(picture("tidegate validate --full", text_of(watch, "validate", "--full")))
        finally:
            watch.close()


def text_of(watch, command, *arguments):
    done = watch.run(command, *arguments, env={"COLUMNS": str(WIDTH), "LANG": "C.UTF-8"})
    # The folder of the moment, and this account's name, are nobody's business.
    return (done.stdout + done.stderr).replace(watch.folder, "/home/site").replace(os.path.realpath(watch.folder), "/home/site")


if __name__ == "__main__":
    main()
