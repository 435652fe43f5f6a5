"""One picture of an incident: the server's connections and the programs' errors, second by second, without over with."""
import collections
import html

from harness.plot import ticks

WIDTH, PANEL, LEFT, RIGHT, TOP, FOOT = 860, 210, 56, 20, 54, 34
GAP = 34
ALL, WORKING, LIMIT, ERROR = "#1f6feb", "#1a7f37", "#cf222e", "#f0883e"


def area(points, x, y, colour, opacity):
    first, last = points[0][0], points[-1][0]
    line = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
    return f'<polygon points="{x(first):.1f},{y(0):.1f} {line} {x(last):.1f},{y(0):.1f}" fill="{colour}" fill-opacity="{opacity}"/>'


def panel(above, name, record, seconds, most):
    """One run: connections (all, and those at work), errors a second as bars from the same ground, the limit as a line."""
    base = above + TOP + PANEL

    def x(at):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(at, seconds) / seconds

    def y(value):
        return base - PANEL * min(value, most) / most

    step = max(1, round(seconds / 300))  # a long run is drawn by averages
    errors = collections.Counter()
    for at, counts in record["errors_by_second"].items():
        errors[int(at) // step * step] += sum(counts.values()) / step
    done, wrong = sum(record["done"].values()), sum(record["errors"].values())
    said = ", ".join(f"{number}: {count}" for number, count in sorted(record["errors"].items(), key=str)) or "none"
    parts = [f'<text x="{LEFT}" y="{above + 22}" font-size="15" font-weight="bold">{html.escape(name)}</text>',
             f'<text x="{LEFT}" y="{above + 42}" fill="#57606a">{done} done, {wrong} failed (errors {html.escape(said)}), at most '
             f'{record["peak"]} connections of {record["limit"]}</text>']
    for value in ticks(most):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#d8dee4"/>'
                     f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#57606a">{value}</text>')
    for at in ticks(seconds):
        parts.append(f'<text x="{x(at):.1f}" y="{base + 16}" text-anchor="middle" fill="#57606a">{at}</text>')
    samples = record["samples"][::step] + record["samples"][-1:]
    parts.append(area([(s["second"], s["connections"]) for s in samples], x, y, ALL, 0.25))
    parts.append(area([(s["second"], s["by_state"].get("active", 0)) for s in samples], x, y, WORKING, 0.55))
    width = max(1.0, (WIDTH - LEFT - RIGHT) / seconds * 0.6 * step)
    for at, count in errors.items():
        parts.append(f'<rect x="{x(at):.1f}" y="{y(count):.1f}" width="{width:.1f}" height="{base - y(count):.1f}" fill="{ERROR}"/>')
    line = " ".join(f'{x(s["second"]):.1f},{y(s["connections"]):.1f}' for s in samples)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{ALL}" stroke-width="1.8"/>')
    parts.append(f'<path d="M{LEFT} {y(record["limit"]):.1f}H{WIDTH - RIGHT}" stroke="{LIMIT}" stroke-width="1.5" stroke-dasharray="6 4"/>')
    return parts


def draw(path, story, without, within):
    """Writes an SVG that needs no font of its own and no script. Both panels have the same scales."""
    seconds = max(without["samples"][-1]["second"], within["samples"][-1]["second"], 1)
    most = 1.12 * max([without["limit"]] + [s["connections"] for record in (without, within) for s in record["samples"]])
    height = 2 * (TOP + PANEL + FOOT) + GAP
    key = [("connections of the server", ALL), ("of them at work", WORKING), ("errors in a second", ERROR), ("the limit", LIMIT)]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
             f'font-family="system-ui,sans-serif" font-size="12"><title>{html.escape(story.TITLE)}: without Tidegate, and with it</title>'
             '<rect width="100%" height="100%" fill="white"/>']
    parts += panel(0, f"{story.TITLE}, without Tidegate", without, seconds, most)
    parts += panel(TOP + PANEL + FOOT, f"{story.TITLE}: {story.WAYS[story.DRAWN]}", within, seconds, most)
    at = LEFT
    for name, colour in key:
        parts.append(f'<rect x="{at}" y="{height - 20}" width="12" height="12" fill="{colour}"/><text x="{at + 18}" y="{height - 10}">{name}</text>')
        at += 40 + 7 * len(name)
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{height - 10}" text-anchor="end" fill="#57606a">seconds</text></svg>')
    path.write_text("\n".join(parts) + "\n")
