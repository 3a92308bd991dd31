"""The forecast as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.errors import printable
from capacity.section import Section
from capacity.units import digits, show_percent

if TYPE_CHECKING:
    from capacity.forecast import Forecast, MonthPlan


def sections(found: Forecast) -> list[Section]:
    """Return what breaks when, the plan of every month, and where nodes help no more."""
    return [_head(found), _breaks(found), _months(found), _walls(found)]


def _head(found: Forecast) -> Section:
    growth = sorted(set(found.growth.values()))
    each = ", ".join(f"{printable(name)} {show_percent(g)}" for name, g in found.growth.items())
    told = show_percent(growth[0]) if len(growth) == 1 else each
    how = "of the first month, every month" if found.shape == "linear" else "a month, compound"
    since = "" if found.start is None else f"; the file's rates are those of {found.start}"
    notes = [f"growth {told} {how}{since}"]
    if not any(found.growth.values()):
        notes.append('nothing grows: workload.growth = "6%/month", or forecast.events, would say how it goes on')
    return Section(f"{printable(found.name)}: forecast", notes=notes)


def _breaks(found: Forecast) -> Section:
    nodes = ", ".join(f"{printable(name)} {count}" for name, count in found.nodes.items())
    notes = [f"today's counts: {nodes}" if nodes else "no tier has nodes of its own"]
    if not found.breaks:
        return Section("First to break with today's nodes", notes=[*notes, "nothing breaks before the end"])
    rows: list[tuple[str, ...]] = [("When", "Load", "Where", "What gives way", "")]
    rows += [
        (b.when, _times(b.load), printable(b.name), printable(b.constraint.partition(" (")[0]), printable(b.during))
        for b in found.breaks
    ]
    return Section("First to break with today's nodes", rows, frozenset({1}), notes)


def _months(found: Forecast) -> Section:
    names = list(found.nodes)
    shown = names if len(names) <= 6 else []
    rows: list[tuple[str, ...]] = [("Month", "Load", *map(printable, shown), f"{found.currency}/month", "")]
    before: dict[str, int] = {}
    for month in found.months:
        counts = [str(month.counts[name]) for name in shown]
        rows.append((month.month, _times(month.load), *counts, _money(month), _remark(month, before)))
        before = month.counts
    notes = [
        "the cheapest plan for the heaviest load of each month; NO PLAN: the counts meet the rest; replicas are counted"
    ]
    return Section("Plan by month", rows, frozenset(range(1, len(shown) + 3)), notes)


def _remark(month: MonthPlan, before: dict[str, int]) -> str:
    if not month.feasible:
        return "NO PLAN"
    moves = [
        f"{printable(n)} {before[n]} to {count}" for n, count in month.counts.items() if before.get(n, count) != count
    ]
    return ", ".join(moves)


def _money(month: MonthPlan) -> str:
    return f"{'at least ' if month.unknown else ''}{month.monthly:,.2f}"


def _walls(found: Forecast) -> Section:
    title = "Where more nodes help no more"
    if not found.walls:
        return Section(title, notes=["nowhere before the end"])
    notes = []
    for wall in found.walls:
        notes.append(printable(f"{wall.when}, at {_times(wall.load)} the load: {wall.constraint}"))
        notes += [f"  mend: {printable(mend)}" for mend in wall.mends]
    return Section(title, notes=notes)


def _times(load: float) -> str:
    return f"{digits(round(load, 2))}x"
