"""How the load goes on from here: growth, seasons and dated events, class by class and day by day.

Between two days on which something jumps, every class only grows or only shrinks: whoever looks for the first day on
which something breaks needs to look at the ends of such stretches, and to halve inside the one where it happens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from capacity.document import times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capacity.topology import Event, Topology

DAYS_OF_MONTH: Final = 365.2425 / 12
"""Days of a mean month, in which growth is counted."""


class Month(NamedTuple):
    """A month of the forecast: its name, its first day and the day after its last, counted from the start."""

    name: str
    first: int
    end: int


@dataclass(frozen=True)
class Course:
    """The load of a topology over time. Day 0 is the day for which the file gives its rates."""

    topology: Topology
    start: date | None
    """The date of day 0; None where nobody said, and no season or event can be placed."""

    def factors(self, day: int) -> dict[str, float]:
        """Return for each class how many times the file's rate it is asked for on a day."""
        plan, months = self.topology.forecast, day / DAYS_OF_MONTH
        common = 1.0
        if plan.season and self.start is not None:
            common = plan.season[self.on(day).month - 1] / plan.season[self.start.month - 1]
        found = {}
        for name, request_class in self.topology.workload.classes.items():
            growth = request_class.growth if request_class.growth is not None else self.topology.workload.growth or 0.0
            grown = max(0.0, 1 + growth * months) if plan.shape == "linear" else (1 + growth) ** months
            events = (self._factor(e, day) for e in plan.events if e.concerns(name))
            found[name] = grown * common * math.prod(events)
        return found

    def at(self, day: int) -> Topology:
        """Return the topology under the load of a day."""
        return grown(self.topology, self.factors(day))

    def happens(self, event: Event, day: int) -> bool:
        """Return whether an event is on."""
        first = self._first(event)
        return first is not None and first <= day and (event.days is None or day < first + event.days)

    def _factor(self, event: Event, day: int) -> float:
        """Return what an event does to the file's rates, which are those of the start: what is on then is in them."""
        first = self._first(event)
        in_rates = first is not None and first < 0 and self.happens(event, 0)
        return (event.factor if self.happens(event, day) else 1.0) / (event.factor if in_rates else 1.0)

    def _first(self, event: Event) -> int | None:
        return None if self.start is None else (date.fromisoformat(event.date) - self.start).days

    def on(self, day: int) -> date:
        """Return the date of a day."""
        return (self.start or date(2001, 1, 1)) + timedelta(days=day)

    def named(self, day: int) -> str:
        """Return a day in words: its date, or how long it is from now."""
        if self.start is not None:
            return self.on(day).isoformat()
        if day == 0:
            return "now"
        return f"in {day} d" if day < 60 else f"in {day / DAYS_OF_MONTH:.1f} months"

    def months(self, count: int) -> list[Month]:
        """Return so many months: those of the calendar, the first of them what is left of it, or mean ones."""
        if self.start is None:
            ends = [round(k * DAYS_OF_MONTH) for k in range(count + 1)]
            return [Month(f"month {k + 1}", ends[k], ends[k + 1]) for k in range(count)]
        found, year, month = [], self.start.year, self.start.month
        for _ in range(count):
            after = date(year + month // 12, month % 12 + 1, 1)
            first = max(0, (date(year, month, 1) - self.start).days)
            found.append(Month(f"{year}-{month:02d}", first, (after - self.start).days))
            year, month = after.year, after.month
        return found

    def stretches(self, first: int, end: int) -> list[tuple[int, int]]:
        """Return the days from `first` to the day before `end` as (first, last) stretches without a jump."""
        jumps = {first, end}
        for event in self.topology.forecast.events:
            starts = self._first(event)
            if starts is not None:
                jumps |= {starts} | ({starts + event.days} if event.days is not None else set())
        if self.topology.forecast.season:
            jumps |= {day for day in range(first, end) if self.on(day).day == 1}
        cuts = sorted(day for day in jumps if first <= day <= end)
        return [(a, b - 1) for a, b in pairwise(cuts)]

    def heaviest(self, month: Month) -> dict[str, float]:
        """Return for each class the most that it is asked for in a month, be it on different days."""
        days = {day for stretch in self.stretches(month.first, month.end) for day in stretch}
        seen = [self.factors(day) for day in days]
        return {name: max(factors[name] for factors in seen) for name in self.topology.workload.classes}


def grown(topology: Topology, factors: Mapping[str, float]) -> Topology:
    """Return the topology with every class's rate multiplied by its own factor."""
    classes = {
        name: msgspec.structs.replace(c, rate=times(c.rate, factors[name]))
        for name, c in topology.workload.classes.items()
    }
    return msgspec.structs.replace(topology, workload=msgspec.structs.replace(topology.workload, classes=classes))
