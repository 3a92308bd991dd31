"""A sweep as plots: one input as lines with their limits, two as tables of shades."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from capacity.axes import Axis
from capacity.errors import printable
from capacity.plot import Line, Mark, Plot, drawn
from capacity.render import WIDTH, width, wrapped
from capacity.sweep_report import basis, written_at
from capacity.units import show_percent, show_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.sweep import Axis as Swept
    from capacity.sweep import Point, Sweep

MOST_LINES: Final = 6
"""Tiers that have a line each: the busiest."""

_WIDE: Final = 20.0
"""The ratio of the largest value to the smallest from which an axis is logarithmic."""

_SHADES: Final = "·░▒▓█"


class _Output(NamedTuple):
    """One number of every point; None where it has no value."""

    name: str
    values: list[float | None]
    show: Callable[[float], str]


def plotted(found: Sweep) -> str:
    """Return the plots of a sweep as text of 80 columns, with what gives way along them."""
    blocks = list(_lines(found) if len(found.axes) == 1 else _shaded(found))
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


def _lines(found: Sweep) -> Iterator[list[str]]:
    (axis,) = found.axes
    places = _places(axis)
    words = tuple((x, printable(str(v))) for x, v in zip(places, axis.values, strict=True)) if _in_words(axis) else ()
    across = Axis(printable(axis.key), partial(written_at, axis), axis.log and not words)
    marks = tuple(Mark(place, f"{verdict}: {text}") for place, verdict, text in _turns(found, places))
    times, used, money = _times(found), _used(found), _money(found)
    limits = tuple(Mark(found.objectives[c], f"{printable(c)} at most") for c in found.objectives)

    def plot(title: str, what: str, outputs: list[_Output], limits: tuple[Mark, ...], *, log: bool) -> list[str]:
        lines = tuple(Line(o.name, tuple(zip(places, o.values, strict=True))) for o in outputs)
        up = Axis(what, outputs[0].show, log and _is_wide([o.values for o in outputs]))
        name = f"{printable(found.name)}: {title}"
        return drawn(Plot(name, across, up, lines, limits, marks, words))

    yield plot("p99 of request classes", "p99", times, limits, log=True)
    ceiling = (Mark(found.ceiling, "ceiling"),)
    yield plot("use of each tier's busiest resource", "in use", used, ceiling, log=False)
    if found.planned:
        yield plot("cost of the cheapest plan", f"{found.currency}/month", money, (), log=False)
    notes = [basis(found), *_crossings(found, times)]
    yield [line for note in notes for line in wrapped(note, "  ", "    ")]


def _in_words(axis: Swept) -> bool:
    return any(isinstance(value, str) for value in axis.values)


def _places(axis: Swept) -> list[float]:
    """Return where values stand: numbers at themselves, words side by side."""
    return [float(i) if isinstance(v, str) else float(v) for i, v in enumerate(axis.values)]


def _is_wide(lines: Sequence[Sequence[float | None]]) -> bool:
    known = [value for line in lines for value in line if value is not None]
    return bool(known) and min(known) > 0 and max(known) / min(known) >= _WIDE


def _times(found: Sweep) -> list[_Output]:
    classes = found.points[0].p99_s
    return [_Output(printable(c), [point.p99_s[c] for point in found.points], show_seconds) for c in classes]


def _used(found: Sweep) -> list[_Output]:
    """Return the tiers that are busiest anywhere, in the order of the file."""
    tiers = {t: [point.utilization[t] for point in found.points] for t in found.points[0].utilization}
    most = {t: max((v for v in values if v is not None), default=0.0) for t, values in tiers.items()}
    shown = sorted(tiers, key=lambda t: -most[t])[:MOST_LINES]
    return [_Output(printable(t), tiers[t], show_percent) for t in tiers if t in shown]


def _money(found: Sweep) -> list[_Output]:
    return [_Output("cost", [point.monthly for point in found.points], lambda value: f"{value:,.0f}")]


def _turns(found: Sweep, places: Sequence[float]) -> Iterator[tuple[float, str, str]]:
    """Yield where the verdict changes, what it becomes, and what gives way first (or gave way last)."""
    for (a, b), (x, y) in zip(pairwise(found.points), pairwise(places), strict=True):
        if a.feasible != b.feasible:
            fails = not b.feasible
            yield (y, "FAILS", printable(b.missed[0])) if fails else (x, "passes after", printable(a.missed[0]))


def _crossings(found: Sweep, times: Sequence[_Output]) -> Iterator[str]:
    """Yield between which points each constraint begins or ceases to be met, and what has no end beyond."""
    axis = found.axes[0]
    for (a, b), (before, after) in zip(pairwise(found.points), pairwise(axis.values), strict=True):
        between = f"between {written_at(axis, before)} and {written_at(axis, after)}"
        for verb, names in (("fails", _more(b, a)), ("passes", _more(a, b))):
            if names:
                yield f"{', '.join(names)}: {verb} from somewhere {between}"
    for output in times:
        lost = sum(value is None for value in output.values)
        if lost:
            yield f"{output.name}: no p99 at {lost} of {len(output.values)} points, where something is overloaded"


def _more(point: Point, other: Point) -> list[str]:
    return [printable(name) for name in point.missed if name not in other.missed]


def _shaded(found: Sweep) -> Iterator[list[str]]:
    """Yield a table of shades for each class, for the busiest resource, and of a plan for its cost."""
    busiest = [max((v for v in p.utilization.values() if v is not None), default=None) for p in found.points]
    tables = [o._replace(name=f"p99 of {o.name}") for o in _times(found)[:4]]
    tables.append(_Output("use of the busiest resource", busiest, show_percent))
    tables += [o._replace(name=f"{found.currency}/month") for o in _money(found)] if found.planned else []
    for output in tables:
        yield _heat(found, output)
    yield [
        *wrapped(basis(found), "  ", "    "),
        *wrapped("!: not everything is met there; never: overloaded", "  ", "    "),
    ]


def _heat(found: Sweep, output: _Output) -> list[str]:
    """Return one table: the first input across, the second downwards from its last value."""
    across, up = found.axes
    columns = len(across.values)
    rows = [output.values[i :: len(up.values)] for i in range(len(up.values))]
    points = [found.points[i :: len(up.values)] for i in range(len(up.values))]
    shade = _shade(output.values)
    beside = [written_at(up, value) for value in up.values]
    margin = max(map(width, beside))

    def cell(value: float | None, point: Point, *, number: bool) -> str:
        text = ("never" if value is None else output.show(value)) + " " if number else ""
        return f"{text}{shade(value)}{shade(value) if point.feasible else '!'}"

    heads = [written_at(across, value) for value in across.values]
    for number in (True, False):
        cells = [
            [cell(v, p, number=number) for v, p in zip(*pair, strict=True)] for pair in zip(rows, points, strict=True)
        ]
        wide = max(width(text) for row in cells for text in row)
        wide = max(wide, *(map(width, heads))) if number else wide
        if margin + 2 + columns * (wide + 1) <= WIDTH:
            break
    else:
        wide = max(1, (WIDTH - margin - 2) // columns - 1)
    known = [value for value in output.values if value is not None]
    ends = f", {_SHADES[0]} {output.show(min(known))} to {_SHADES[-1]} {output.show(max(known))}" if known else ""
    title = f"{printable(found.name)}: {output.name}{ends}{', logarithmic' if _is_wide([output.values]) else ''}"
    lines = [*wrapped(title, "", "  "), f"↓ {printable(up.key)}   → {printable(across.key)}"]
    lines.append(_heads(heads, margin, wide))
    for label, row in zip(reversed(beside), reversed(cells), strict=True):
        lines.append(_right(label, margin) + "  " + " ".join(_right(text, wide) for text in row))
    return lines


def _heads(heads: Sequence[str], margin: int, wide: int) -> str:
    """Return the values across; as many as there is room for."""
    line, free = " " * (margin + 2), 0
    for i, text in enumerate(heads):
        start = i * (wide + 1) + wide - width(text)
        if start >= free:
            line = line.ljust(margin + 2 + start) + text
            free = i * (wide + 1) + wide + 1
    return line


def _right(text: str, wide: int) -> str:
    return " " * (wide - width(text)) + text


def _shade(values: Sequence[float | None]) -> Callable[[float | None], str]:
    known = [value for value in values if value is not None]
    log = _is_wide([values])
    low, high = (min(known), max(known)) if known else (0.0, 0.0)

    def shade(value: float | None) -> str:
        if value is None:
            return _SHADES[-1]
        if high <= low:
            return _SHADES[0]
        share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
        return _SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)]

    return shade
