"""Lines of styled text that findings are told in: parts that flow behind a label, times, objectives, amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.units import digits, show_availability, show_percent, show_seconds
from tui.drawing.changes import NONE, Change, timed
from tui.drawing.gauge import gauge
from tui.drawing.text import clean, columns, cut, left, right

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capacity.results import Slo
    from tui.drawing.canvas import Span

Line = tuple["Span", ...]

STYLES: Final = (
    "dim", "strong", "good", "bad", "warn", "load.busy", "load.over", "load.overloaded", "bar.calm", "bar.busy",
    "bar.over", "bar.overloaded", "bar.empty", "bar.post", "change.better", "change.worse", "change.changed",
)  # fmt: skip
"""The names of styles in lines."""

LABEL: Final = 14
"""Columns of what a line is about."""

LONGEST_BAR: Final = 20
SHORTEST_BAR: Final = 6

_ROUNDED: Final = 5e-10
"""Waits below are none: what the transforms leave of a zero."""


def flowed(label: str, parts: Iterable[Line], width: int, between: str = "  ") -> list[Line]:
    """Return parts one after another behind a label, in as many lines as they need."""
    lines: list[list[Span]] = [[(left(label, LABEL), "dim")]]
    room = width - LABEL
    for part in parts:
        wide = sum(columns(text) for text, _ in part)
        empty = len(lines[-1]) == 1
        if not empty and wide + len(between) > room:
            lines.append([(" " * LABEL, "")])
            room, empty = width - LABEL, True
        if not empty:
            lines[-1].append((between, "dim"))
            room -= len(between)
        for text, style in part:
            short = cut(text, max(room, 0))
            lines[-1].append((short, style))
            room -= columns(short)
    return [tuple(line) for line in lines]


def changed(change: Change) -> Line:
    """Return a difference, with a space before it."""
    return ((f" {change.text}", f"change.{change.trend}"),) if change.text else ()


def cut_line(line: Line, width: int) -> Line:
    """Return what of a line fits."""
    found: list[Span] = []
    for text, style in line:
        short = cut(text, width)
        found.append((short, style))
        width -= columns(short)
        if width <= 0:
            break
    return tuple(found)


def timing(name: str, value: float | None, before: float | None, *, compared: bool) -> Line:
    """Return a time with its name, and how it differs from the baseline."""
    if value is None:
        return ((f"{name} ", "dim"), ("none", "bad"), *changed(timed(before, value) if compared else NONE))
    text = show_seconds(value) if value >= _ROUNDED else "0"
    return (
        (f"{name} ", "dim"),
        (text, "strong" if name == "p99" else ""),
        *changed(timed(before, value) if compared else NONE),
    )


def goal_lines(goal: Slo, width: int) -> list[Line]:
    """Return an objective as a bar, with its value and limit."""
    value = "no answer" if goal.value is None else _goal_value(goal, goal.value)
    if goal.met is None:
        best = f", at most {_goal_value(goal, goal.value)} is reached" if goal.value is not None else ""
        told = f"? not judged (asked for {_goal_value(goal, goal.limit)}{best}), since it is not known how often these"
        told += f" fail: {', '.join(map(clean, goal.unknown))} (their field availability, or money.spot_interruptions)"
        return flowed(goal.name, [((word, "warn"),) for word in told.split()], width, " ")
    mark = ("✓ ", "good") if goal.met else ("✗ ", "bad")
    parts: list[Line] = [(mark, (value, "" if goal.met else "bad"), (f" of {_goal_value(goal, goal.limit)}", "dim"))]
    if goal.value is not None and goal.limit > 0 and goal.name != "availability":
        share = goal.value / goal.limit
        cells = min(max(width - LABEL - 34, SHORTEST_BAR), LONGEST_BAR)
        parts.insert(
            0, (*gauge(share, 1.0, "calm" if goal.met else "over", cells), (right(show_percent(share), 6), ""))
        )
    return flowed(goal.name, parts, width)


def _goal_value(goal: Slo, value: float) -> str:
    return show_availability(value) if goal.name == "availability" else show_seconds(value)


def priced(more: float, currency: str) -> Line:
    """Return how an amount of money differs from the baseline."""
    if abs(more) < 0.005:
        return ()
    text = f" {'▲+' if more > 0 else '▼-'}{digits(round(abs(more), 2))} {clean(currency)}"
    return ((text, f"change.{'worse' if more > 0 else 'better'}"),)


def notice(text: str, width: int) -> list[Line]:
    """Return a warning in as many lines as it needs."""
    words = [((word, ""),) for word in clean(text).split()]
    return [
        (("note" + line[0][0][4:], "warn") if i == 0 else line[0], *line[1:])
        for i, line in enumerate(flowed("", words, width, " "))
    ]
