"""When it stops being enough: what breaks first with today's nodes, the plan of every month, where nodes help no more.

Every date is a root: the first day on which a limit or an objective gives way, found by halving in the stretch of days
in which it happens. Every plan is that of `capacity plan` for the heaviest day of its month.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from capacity.advice import advise
from capacity.advice import describe as words
from capacity.course import Course, Month, grown
from capacity.money import cost
from capacity.results import SCHEMA_VERSION
from capacity.search import Conflict, Search
from capacity.sizing import size
from capacity.system import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.scenarios import Event
    from capacity.sizing import Sizing
    from capacity.system import Counts, System
    from capacity.topology import Topology

Constraint = tuple[str, str, str]
"""Scope, name and constraint: what can give way."""

Key = tuple[str, str]
"""Name and constraint: what no number of nodes may meet."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """The first day on which a tier or class misses a limit or objective with today's nodes."""

    scope: str
    name: str
    constraint: str
    """In words, with the limit."""
    when: str
    """The date, or how long from now."""
    day: int
    """Counted from the start."""
    load: float
    """Times the load of the start, all classes together."""
    during: str
    """What happens meanwhile, empty in normal operation."""


class MonthPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest plan for the heaviest load of a month."""

    month: str
    load: float
    feasible: bool
    counts: dict[str, int]
    monthly: float
    """What is known of its cost."""
    unknown: list[str]
    """Tiers whose price is not known: it costs more than that."""


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """The first day on which no number of nodes meets a constraint, and what would."""

    constraint: str
    when: str
    day: int
    load: float
    mends: list[str]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a system as its load goes on."""

    schema_version: int = SCHEMA_VERSION
    name: str
    currency: str
    start: str | None
    growth: dict[str, float]
    """Of each class, compound (or linear) per month."""
    shape: str
    nodes: dict[str, int]
    """Today's counts: those of the file, and where it leaves one out those that were given, or the plan's."""
    breaks: list[Break]
    months: list[MonthPlan]
    walls: list[Wall]


@dataclass(frozen=True)
class _Planned:
    """The plan for one load, without the systems that were solved to find it."""

    sizing: Sizing
    system: System
    monthly: float
    unknown: list[str]

    @property
    def hopeless(self) -> list[Conflict]:
        """What no number of nodes meets."""
        found, last = list(self.sizing.hopeless), self.sizing.conflict
        return found if last is None or last in found else [*found, last]


@dataclass
class _Days:
    """The system on every day that was looked at, with today's counts and with those of a plan."""

    course: Course
    tick: Callable[[int], None]
    counts: Counts = field(default_factory=dict)
    """Today's."""
    _missed: dict[tuple[int, bool], dict[Constraint, Conflict]] = field(default_factory=dict)
    """By day, and whether downtime was asked for."""
    _plans: dict[tuple[float, ...], _Planned] = field(default_factory=dict)
    solved: int = 0

    def count(self, _: int) -> None:
        """Tell how many systems were solved so far."""
        self.solved += 1
        self.tick(self.solved)

    def search(self, factors: dict[str, float]) -> Search:
        """Return the system under a load; whoever asks keeps it, a forecast of years has no room for all of them."""
        return Search.of(resolve(grown(self.course.topology, factors)), self.count)

    def missed(self, day: int, *, downtime: bool) -> dict[Constraint, Conflict]:
        """Return everything that is not met on a day, in anything that has to be survived."""
        key = day, downtime
        if key not in self._missed:
            search = self.search(self.course.factors(day))
            found: dict[Constraint, Conflict] = {}
            for event in (search.normal, *search.events):
                for v in search.everything(event, self.counts, downtime=downtime):
                    found.setdefault(v.key, Conflict(v, event))
            self._missed[key] = found
        return self._missed[key]

    def fails(self, day: int, constraint: Constraint, likely: Event) -> bool:
        """Return whether one constraint is not met on a day, looking first at the event in which that is likely."""
        downtime = constraint[2] == "availability"
        known = self._missed.get((day, True), None if downtime else self._missed.get((day, False)))
        if known is not None:
            return constraint in known
        search = self.search(self.course.factors(day))
        events = [search.normal, *search.events]
        events.sort(key=lambda event: (event.scenario, event.subject) != (likely.scenario, likely.subject))
        seen = (search.everything(event, self.counts, downtime=downtime) for event in events)
        return any(v.key == constraint for found in seen for v in found)

    def planned(self, factors: dict[str, float]) -> _Planned:
        """Return the plan for a load; the bounds of the most similar one say where to look for its own."""
        key = tuple(factors.values())
        if key not in self._plans:
            search = self.search(factors)
            near = min(self._plans, key=lambda other: abs(sum(other) - sum(key)), default=None)
            if near is not None:
                bounds, ratio = self._plans[near].sizing.bounds, sum(key) / sum(near) if sum(near) > 0 else 1.0
                search.near = {name: round(count * ratio) for name, count in bounds.items()}
                search.attainable = self._plans[near].sizing.available
            sizing = size(search)
            found = cost(search.at(sizing.counts))
            self._plans[key] = _Planned(sizing, search.system, found.monthly, found.unknown)
        return self._plans[key]

    def on(self, day: int) -> _Planned:
        """Return the plan for the load of a day."""
        return self.planned(self.course.factors(day))


def forecast(
    topology: Topology, months: int, tick: Callable[[int], None] = lambda _: None, today: Counts | None = None
) -> Forecast:
    """Return what becomes of a topology in the coming months.

    `today` are the counts that run now where the file leaves them out, instead of those of its plan.

    *Exact* to the day for the models that the plan stands on. Where classes are heaviest on different days of a month,
    its plan takes the heaviest of each, which is on the safe side.
    """
    start = topology.forecast.start
    days = _Days(Course(topology, None if start is None else date.fromisoformat(start)), tick)
    course = days.course
    calendar = course.months(months)
    days.counts = {**(days.on(0).sizing.counts if today is None else today), **resolve(topology).given()}
    classes = topology.workload.classes
    common = topology.workload.growth or 0.0
    return Forecast(
        name=topology.name,
        currency=topology.currency,
        start=None if course.start is None else course.start.isoformat(),
        growth={name: float(c.growth if c.growth is not None else common) for name, c in classes.items()},
        shape=topology.forecast.shape,
        nodes=days.counts,
        breaks=_breaks(days, calendar),
        months=[_planned(days, month) for month in calendar],
        walls=_walls(days, calendar),
    )


def _load(course: Course, factors: dict[str, float]) -> float:
    """Return the load of all classes together, in multiples of the file's."""
    rates = {name: float(c.rate) for name, c in course.topology.workload.classes.items()}
    total = sum(rates.values())
    return sum(rates[name] * factors[name] for name in rates) / total if total > 0 else 0.0


def _breaks(days: _Days, calendar: list[Month]) -> list[Break]:
    """Return the first break of each tier and class, the earliest first."""
    first: dict[tuple[str, str], tuple[int, Conflict]] = {}
    classes = {("class", name) for name in days.course.topology.workload.classes}
    for stretch in _looked_at(days.course, calendar):
        for day in dict.fromkeys((*(stretch[:1] if stretch[0] == 0 else ()), *_heaviest_days(days.course, *stretch))):
            for (scope, name, constraint), conflict in days.missed(day, downtime=not classes <= first.keys()).items():
                if (scope, name) in first:
                    continue
                found = _first_day(_fails(days, conflict), *stretch, day)
                then = days.missed(found, downtime=scope == "class")
                first[scope, name] = found, then.get((scope, name, constraint), conflict)
    ordered = sorted(first.items(), key=lambda item: item[1][0])
    return [_break(days.course, scope, name, day, conflict) for (scope, name), (day, conflict) in ordered]


def _fails(days: _Days, conflict: Conflict) -> Callable[[int], bool]:
    return lambda day: days.fails(day, conflict.violation.key, conflict.event)


def _break(course: Course, scope: str, name: str, day: int, conflict: Conflict) -> Break:
    return Break(
        scope=scope,
        name=name,
        constraint=words(conflict.violation),
        when=course.named(day),
        day=day,
        load=_load(course, course.factors(day)),
        during=conflict.phrase,
    )


def _looked_at(course: Course, calendar: list[Month]) -> list[tuple[int, int]]:
    """Return the stretches of days, cut at months: in each of them every class only grows or only shrinks."""
    return [stretch for month in calendar for stretch in course.stretches(month.first, month.end)]


def _first_day(fails: Callable[[int], bool], first: int, last: int, seen: int) -> int:
    """Return the first day of a stretch on which something fails that fails on the day `seen`, its first or last."""
    if seen == first or fails(first):
        return first
    low, high = first, last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return high


def _planned(days: _Days, month: Month) -> MonthPlan:
    factors = days.course.heaviest(month)
    found = days.planned(factors)
    return MonthPlan(
        month=month.name,
        load=_load(days.course, factors),
        feasible=found.sizing.conflict is None,
        counts=found.sizing.counts,
        monthly=found.monthly,
        unknown=found.unknown,
    )


def _walls(days: _Days, calendar: list[Month]) -> list[Wall]:
    """Return what no number of nodes meets from some day on."""
    known: dict[Key, Wall] = {}
    for stretch in _looked_at(days.course, calendar):
        for day in _heaviest_days(days.course, *stretch):
            for conflict in days.on(day).hopeless:
                key = _key(conflict)
                if key not in known:
                    known[key] = _wall(days, key, _first_day(_is_hopeless(days, key), *stretch, day))
    return sorted(known.values(), key=lambda wall: wall.day)


def _heaviest_days(course: Course, first: int, last: int) -> list[int]:
    """Return the days of a stretch than which none is heavier: what no nodes meet on another, none meet on these."""
    before, after = course.factors(first), course.factors(last)
    if all(after[name] >= before[name] for name in before):
        return [last]
    return [first] if all(after[name] <= before[name] for name in before) else [first, last]


def _is_hopeless(days: _Days, key: Key) -> Callable[[int], bool]:
    return lambda day: any(_key(conflict) == key for conflict in days.on(day).hopeless)


def _key(conflict: Conflict) -> Key:
    return conflict.violation.name, conflict.violation.constraint


def _wall(days: _Days, key: Key, day: int) -> Wall:
    planned = days.on(day)
    conflict = next(c for c in planned.hopeless if _key(c) == key)
    advice = [a for a in advise(planned.system, planned.sizing) if a.constraint.startswith(f"{key[0]}: {key[1]}")]
    text = f"{key[0]}: {words(conflict.violation)}{' ' + conflict.phrase if conflict.phrase else ''}"
    return Wall(
        constraint=text,
        when=days.course.named(day),
        day=day,
        load=_load(days.course, days.course.factors(day)),
        mends=advice[0].mends if advice else [],
    )
