#!/usr/bin/env python3
"""Draws the result of the demo as docs/images/demo.svg.

    build/release/bin/tidegate demo --json | docs/images/make-demo.py
"""
import html
import json
import pathlib
import sys

WIDTH, ROW, LEFT, FIRST, SECOND = 760, 26, 24, 540, 736
INK, MUTED, GOOD, BAD, PAPER, RULE = "#1f2933", "#616e7c", "#1b7f4b", "#b3261e", "#ffffff", "#cbd2d9"
FONT = "font-family='ui-monospace,SFMono-Regular,Menlo,Consolas,monospace' font-size='14'"


def text(x, y, words, colour=INK, anchor="start", weight="normal"):
    return (f"<text x='{x}' y='{y}' fill='{colour}' text-anchor='{anchor}' font-weight='{weight}'>"
            f"{html.escape(str(words))}</text>")


def bar(x, y, width, outcome):
    good = width * outcome["succeeded"] / outcome["clients"]
    return (f"<rect x='{x}' y='{y}' width='{width}' height='8' fill='{BAD}'/>"
            f"<rect x='{x}' y='{y}' width='{good:.1f}' height='8' fill='{GOOD}'/>")


def rows(result):
    """(label, without the gate, with it, colours of the two)."""
    without, gate = result["without"], result["with"]
    colours = [BAD if outcome["failed"] else GOOD for outcome in (without, gate)]
    yield "clients at once", without["clients"], gate["clients"], (INK, INK)
    yield "succeeded", without["succeeded"], gate["succeeded"], colours
    yield "failed", without["failed"], gate["failed"], colours
    names = {failure["errno"]: failure["name"] for outcome in (without, gate) for failure in outcome["failures"]}
    for number in sorted(names):
        counts = [sum(f["clients"] for f in outcome["failures"] if f["errno"] == number) or "-"
                  for outcome in (without, gate)]
        yield f"  {number} {names[number]}", *counts, (MUTED, MUTED)
    yield "until the last had its answer", f"{without['seconds']:.2f} s", f"{gate['seconds']:.2f} s", (INK, INK)
    yield ("a client that succeeded took, median / p99", *(f"{outcome['p50_ms']:.0f} / {outcome['p99_ms']:.0f} ms"
           for outcome in (without, gate)), (INK, INK))
    yield "connections at the server, at most", without["peak_connections"], gate["peak_connections"], (INK, INK)
    yield ("  of", f"{result['max_connections']} (+1 for root)", f"{result['gate_connections']} (+1 monitor)",
           (MUTED, MUTED))


def draw(result):
    version = result["server"].split("-")[0]
    out = [text(LEFT, 34, f"MariaDB {version}, max_connections {result['max_connections']}", MUTED),
           text(FIRST, 64, "straight to it", INK, "end", "bold"),
           text(SECOND, 64, "through Tidegate", INK, "end", "bold"),
           bar(FIRST - 150, 76, 150, result["without"]), bar(SECOND - 150, 76, 150, result["with"]),
           f"<line x1='{LEFT}' y1='96' x2='{SECOND}' y2='96' stroke='{RULE}'/>"]
    y = 96
    for label, without, gate, colours in rows(result):
        y += ROW
        out.append(text(LEFT + (16 if label.startswith(" ") else 0), y, label.strip(),
                        MUTED if label.startswith(" ") else INK))
        out.append(text(FIRST, y, without, colours[0], "end"))
        out.append(text(SECOND, y, gate, colours[1], "end"))
    height = y + 24
    return "\n".join([f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' "
                      f"height='{height}' role='img' {FONT}>",
                      "<title>A thousand clients, straight to MariaDB and through Tidegate</title>",
                      f"<rect width='{WIDTH}' height='{height}' rx='8' fill='{PAPER}' stroke='{RULE}'/>",
                      *out, "</svg>"]) + "\n"


if __name__ == "__main__":
    pathlib.Path(__file__).with_name("demo.svg").write_text(draw(json.load(sys.stdin)))
