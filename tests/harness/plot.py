"""A line over time as a picture: what a long run shows, for people to look at."""
import pathlib

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 260, 56, 34, 16, 40


def ticks(most):
    step = next(s for s in (1, 2, 5, 10, 20, 50, 60, 100, 120, 200, 300, 500, 1000, 10 ** 9) if most / s <= 6)
    return range(0, int(most) + 1, step)


def draw(path, title, y_name, points):
    """points: (seconds, value), in order. Writes an SVG that needs no fonts of its own and no script."""
    last, top = max(points[-1][0], 1), max(value for _, value in points) * 1.1 + 1

    def x(seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / last

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
             f'font-size="12"><rect width="100%" height="100%" fill="white"/><text x="{LEFT}" y="20">{title}</text>']
    for value in ticks(top):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for seconds in ticks(last):
        parts.append(f'<text x="{x(seconds):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{seconds}</text>')
    line = " ".join(f"{x(seconds):.1f},{y(value):.1f}" for seconds, value in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>'
                 f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{y_name} over seconds</text></svg>')
    pathlib.Path(path).write_text("\n".join(parts) + "\n")
