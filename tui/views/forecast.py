"""When today's nodes stop being enough, what every month takes, and where more nodes help no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

from capacity import forecast_report
from capacity.axes import Axis
from capacity.course import Course
from capacity.forecast import forecast
from tui.blocks import name, of_section, times, whole_money
from tui.content import Chart, Content, Mark, Note, Series, Style, Table
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.forecast import Forecast, MonthPlan
    from capacity.section import Section
    from capacity.topology import Topology
    from tui.content import Block
    from tui.scene import Scene
    from tui.views import Asked

_STILL: Final = (
    "Nothing changes: the file does not say how its load goes on. Say so in the fields of the system (o), or in the"
    ' file: growth = "6%/month" below [workload] or for a class of its own, [[forecast.events]] with a date and a'
    " factor, a season with twelve factors. Until then this is what holds today."
)
_NEAR: Final = 1e-6
"""How far from a month a tick of an axis may be by rounding alone."""

_NAMED: Final = 3
"""Names that a mark in a chart has room for."""


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the forecast of `capacity forecast`, from the load and the counts on the screen on."""
    scene = asked.scene
    goes_on = changing(scene.topology)
    months = scene.topology.forecast.months if goes_on else 1
    found = forecast(scene.topology, months, tick, scene.counts)
    head, breaks, plans, walls = forecast_report.sections(found)
    blocks: list[Block] = [*_load(scene)]
    if goes_on:
        blocks += [*of_section(head), *_first(found), *of_section(breaks), *_charts(scene, found)]
        blocks += _plans(plans, found.months)
    else:
        blocks += [Note(_STILL, "warn"), *_first(found), *of_section(breaks)]
    blocks += _walls(walls, "warn" if found.walls else "")
    return Content(tuple(blocks))


def changing(topology: Topology) -> bool:
    """Return whether a file says how its load goes on: growth, a season or an event."""
    workload, ahead = topology.workload, topology.forecast
    growing = any(workload.growth if c.growth is None else c.growth for c in workload.classes.values())
    return growing or bool(ahead.season) or bool(ahead.events)


def _load(scene: Scene) -> Iterator[Note]:
    if scene.question.load != 1:
        yield Note(
            f"It starts from {times(scene.question.load)} the rates of the file, as on the screen; 1x is that load.",
            "dim",
        )


def _first(found: Forecast) -> Iterator[Note]:
    """Yield the first break in one sentence."""
    if found.breaks:
        first = found.breaks[0]
        during = f", {name(first.during)}" if first.during else ""
        yield Note(f"First: {name(first.name)}, {first.when}: {name(first.constraint)}{during}.", "bad")
    else:
        yield Note("Today's nodes are enough, as far as is looked ahead.", "good")


def _charts(scene: Scene, found: Forecast) -> Iterator[Block]:
    """Yield cost and load, a point for each month, with the months in which something gives way."""
    across = Axis("month", partial(_month, found.months))
    marks, currency = _marks(scene, found), name(found.currency)
    least = "at least, some prices are not known: " if any(month.unknown for month in found.months) else ""
    planned = [(k, plan.monthly) for k, plan in enumerate(found.months, 1) if plan.feasible]
    partly = [(k, plan.monthly) for k, plan in enumerate(found.months, 1) if not plan.feasible]
    lines = {"the cheapest plan": planned, "no plan: what meets the rest": partly}
    costs = tuple(Series(title, tuple(points)) for title, points in lines.items() if points)
    money = Axis(f"{least}{currency} a month", whole_money)
    yield Chart("Cost by month", across, money, costs, marks)
    loads = Series("all classes together", tuple((float(k), plan.load) for k, plan in enumerate(found.months, 1)))
    yield Chart("Load by month", across, Axis("times today's load", times), (loads,), marks)


def _month(months: Sequence[MonthPlan], at: float) -> str:
    """Return the name of a month; a place between two months has none."""
    nearest = round(at)
    return months[nearest - 1].month if abs(at - nearest) < _NEAR and 0 < nearest <= len(months) else ""


def _marks(scene: Scene, found: Forecast) -> tuple[Mark, ...]:
    """Return the months in which something first breaks, or in which more nodes help no more."""
    start = None if found.start is None else date.fromisoformat(found.start)
    calendar = Course(scene.topology, start).months(len(found.months))
    told: dict[int, list[str]] = {}
    for day, what in sorted(
        [(b.day, f"{name(b.name)} breaks") for b in found.breaks] + [(w.day, "nodes help no more") for w in found.walls]
    ):
        names = told.setdefault(next(k for k, month in enumerate(calendar, 1) if day < month.end), [])
        if what not in names:
            names.append(what)
    return tuple(Mark(k, _few(names)) for k, names in told.items())


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join([*names[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _plans(section: Section, months: Sequence[MonthPlan]) -> Iterator[Block]:
    """Yield the plan of every month; a month without one stands out."""
    for block in of_section(section):
        if not isinstance(block, Table):
            yield block
            continue
        styles: list[Style] = ["" if month.feasible else "bad" for month in months]
        rows = zip(block.rows, styles, strict=True)
        yield replace(block, rows=tuple(tuple(cell._replace(style=style) for cell in row) for row, style in rows))


def _walls(section: Section, style: Style) -> Iterator[Note]:
    yield Note(section.title, "strong")
    yield from (Note(text, style) for text in section.notes)


VIEW = View(
    "forecast",
    "7",
    "Forecast",
    "When does this stop being enough, and what does every month take?",
    answer,
    of_scenario=False,
    work="the day on which each limit is reached, and the cheapest plan of every month",
)
