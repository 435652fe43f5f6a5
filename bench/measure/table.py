"""Figures as text: medians with their range, ratios taken within a round, a goal beside each."""
import statistics


def spread(values, form="{:.2f}"):
    """The median, and the least and most of the rounds."""
    values = list(values)
    if len(values) == 1:
        return form.format(values[0])
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}..{form.format(max(values))})"


def ratios(of, to):
    return [a / b for a, b in zip(of, to) if b]


class Row:
    """One line of the result. `value` is held against `goal` (at_most or at_least); neither: for the record."""

    def __init__(self, number, what, shown, value=None, at_most=None, at_least=None, figures=None, failed=False):
        self.number, self.what, self.shown, self.value = number, what, shown, value
        self.at_most, self.at_least, self.figures, self.failed = at_most, at_least, figures or {}, failed

    @property
    def goal(self):
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    @property
    def verdict(self):
        if self.value is None or not self.goal:
            return ""
        reached = self.value <= self.at_most if self.at_most is not None else self.value >= self.at_least
        return "reached" if reached else "missed"

    def as_json(self):
        return {"row": self.number, "what": self.what, "shown": self.shown, "value": self.value, "goal": self.goal,
                "verdict": self.verdict, "figures": self.figures, "failed": self.failed}


def render(rows):
    head = ("", "figure", "measured", "goal", "")
    lines = [(str(r.number), r.what, r.shown, r.goal, r.verdict) for r in rows]
    longest = 100  # what one line with much to say may take from the others
    widths = [min(longest, max(len(line[i]) for line in [head, *lines])) for i in range(5)]
    out, last = [], None
    for line, row in zip([head, *lines], [None, *rows]):
        number = line[0] if row is None or row.number != last else ""
        last = row.number if row else None
        out.append("  ".join([number.rjust(widths[0]), *(text.ljust(width) for text, width in zip(line[1:], widths[1:]))])
                   .rstrip())
        if row is None:
            out.append("  ".join("-" * width for width in widths))
    return "\n".join(out)
