"""What to watch: for every gauge the value at which something breaks, and the value at which it is still early.

All load grows together, today's counts held. `page` is what a gauge shows at the load at which the first limit or
objective breaks in normal operation; `early` what it shows at the load from which growth (with seasons and events, at
their steepest) gets there within the lead, or at which the loss of one node of that tier would break something already,
whichever comes first. A hit ratio is different: what lowers it is not load but lost content, and it is lowered at
today's load until something breaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from capacity.advice import describe as words
from capacity.breaking import Breaking
from capacity.gauges import Gauge, gauges
from capacity.leading import before, rise, rising
from capacity.results import SCHEMA_VERSION
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.telling import passing, shown, told
from capacity.units import digits, show_percent, show_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.breaking import Edge
    from capacity.gauges import Reading
    from capacity.system import Counts
    from capacity.topology import Topology
    from capacity.verdict import Violation

LEAD: Final = 30 * 86400.0
"""Seconds that it takes to order, to build and to roll out, where nobody says."""

LEAST_USED: Final = 0.001
"""Utilization below which what else a node does decides what is measured: an alert on it would tell nothing."""

SHORTEST: Final = 0.1
"""Mean number waiting below which a queue is nothing that anybody can measure."""

MOVES: Final = 0.1
"""Relative, between half the load that breaks and that load: what moves less is lost in what else moves it."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One gauge with its thresholds: it fires where the gauge is above (or below) them."""

    tier: str
    metric: str
    resource: str
    """Of a utilization, else empty."""
    comparison: str
    """> or <."""
    now: float | None
    early: float | None
    """None where neither growth nor a lost node leaves a time that is early."""
    page: float
    unit: str
    """s, or a word; empty for a share."""
    breaks: str
    """What breaks where it pages: alerts of one break are one page."""
    leads: bool
    """Whether it is the one to page of its break: the gauge of what breaks, or what that stands on and is busiest."""
    causes: bool
    """Whether its tier is one that what breaks first stands on; others only tell how much load there is."""
    page_because: str
    """What breaks there."""
    page_then: str
    """What the gauge shows there."""
    early_because: str
    """Why it is early, or why nothing is."""
    early_then: str
    """Empty where there is no early threshold."""


class Unwatched(msgspec.Struct, frozen=True):
    """A gauge without an alert, and why."""

    tier: str
    metric: str
    resource: str
    why: str


class FirstBreak(msgspec.Struct, frozen=True):
    """What breaks first as all load grows with today's nodes; `load` is in multiples of today's."""

    constraint: str
    load: float
    arrival_rate_per_s: float
    """Of all classes, at the peak."""


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch in a system."""

    schema_version: int = SCHEMA_VERSION
    name: str
    lead_s: float
    rising: str
    """What the lead is counted in."""
    nodes: dict[str, int]
    """Today's counts: those of the file, and where it leaves one out the plan's."""
    first_break: FirstBreak | None
    """None where no load breaks anything that less load meets."""
    hopeless: list[str]
    """What is missed at any load, and what therefore no threshold can tell in time."""
    alerts: list[Alert]
    unwatched: list[Unwatched]


def alerts(topology: Topology, lead: float = LEAD, tick: Callable[[int], None] = lambda _: None) -> Alerts:
    """Return the thresholds of every tier; `lead` in seconds.

    Loads are roots, to 1e-6; values are the evaluation's at these loads, as exact or approximate as it says.
    """
    breaking = Breaking(topology, _counts(topology, tick), tick)
    edge, hopeless = breaking.edge(), []
    if edge is not None and edge.load == 0:
        hopeless = breaking.set_hopeless_aside()
        edge = breaking.edge()
    watch = None if edge is None or edge.load == 0 else _Watch(breaking, edge, lead)
    found = [] if watch is None else list(watch.judged())
    judged = [alert for alert in found if isinstance(alert, Alert)]
    return Alerts(
        name=topology.name,
        lead_s=lead,
        rising=rising(topology),
        nodes=breaking.counts,
        first_break=None if watch is None else FirstBreak(watch.what, watch.edge.load, watch.rate(watch.edge.load)),
        hopeless=[f"{v.name}: {words(v)}" for v in hopeless],
        alerts=[] if watch is None else _by_break(judged, watch.edge.missed[0]),
        unwatched=[gauge for gauge in found if isinstance(gauge, Unwatched)],
    )


def _counts(topology: Topology, tick: Callable[[int], None]) -> Counts:
    """Return the counts of the file, and where it leaves one out the plan's."""
    system = resolve(topology)
    given = system.given()
    planned = {} if len(given) == len(system.counted()) else size(Search.of(system, tick)).counts
    return {**planned, **given}


def _by_break(found: Sequence[Alert], first: Violation) -> list[Alert]:
    """Return alerts break by break; of each the one that leads, then what causes it, then what tells the load."""
    groups: dict[str, list[Alert]] = {}
    for alert in found:
        groups.setdefault(alert.breaks, []).append(alert)
    ordered = []
    for group in groups.values():
        leading = max(group, key=lambda alert: _nearness(alert, first))
        ordered.append(msgspec.structs.replace(leading, leads=True))
        ordered += sorted((alert for alert in group if alert is not leading), key=lambda alert: not alert.causes)
    return ordered


def _nearness(alert: Alert, first: Violation) -> tuple[bool, bool, float]:
    """Return how near a gauge is to what breaks: that itself, what it stands on, how busy."""
    measured = (alert.resource, alert.metric, alert.metric.partition("_")[0])
    own = first.scope == "tier" and alert.tier == first.name and first.constraint in measured
    own = own or (alert.tier == first.name and first.constraint.partition(" ")[0] in measured)
    return own, alert.causes, alert.page if alert.metric == "utilization" else 0.0


class _Watch:
    """One system with the load that breaks it."""

    def __init__(self, breaking: Breaking, edge: Edge, lead: float) -> None:
        self.breaking, self.edge, self.lead = breaking, edge, lead
        self.topology = breaking.topology
        self.what = passing(edge.missed[0])
        self.grown = before(self.topology, edge.load, lead)
        self.rising = rising(self.topology)
        self._read: dict[float, dict[Gauge, Reading]] = {}
        self._lost: dict[str, Edge | None] = {}

    def at(self, load: float) -> dict[Gauge, Reading]:
        """Return what all gauges show under a load."""
        if load not in self._read:
            self._read[load] = gauges(self.breaking.at(load))
        return self._read[load]

    def rate(self, load: float) -> float:
        """Return the requests of all classes per second, at the peak."""
        workload = self.topology.workload
        return load * sum(float(c.rate) for c in workload.classes.values()) * float(workload.peak_to_mean)

    def judged(self) -> Iterator[Alert | Unwatched]:
        """Yield every gauge, with thresholds or with the reason why it has none."""
        for gauge, page in self.at(self.edge.load).items():
            if gauge.metric == "hit_ratio":
                yield self._hit_ratio(gauge)
            else:
                why = self._silent(gauge, page)
                yield Unwatched(*gauge, why) if why else self._alert(gauge, page)

    def _silent(self, gauge: Gauge, page: Reading) -> str:
        """Return why a gauge tells nothing of what is coming; empty where it does."""
        half = self.at(self.edge.load / 2).get(gauge)
        if page.value is None or half is None or half.value is None:
            return "not known: what is overloaded or not declared leaves no value"
        if little := _too_little(gauge, page.value):
            return little
        most = max(page.value, half.value)
        if abs(page.value - half.value) <= 1e-9 * most:
            return f"does not move with load: it stays at {shown(page.value, page)}"
        if page.value < half.value:
            return "falls as the load grows: it says nothing of what is coming"
        if page.value - half.value <= MOVES * most:
            values = f"{shown(half.value, page)} at half the load that breaks, {shown(page.value, page)} there"
            return f"hardly moves with load: {values}"
        return ""

    def _alert(self, gauge: Gauge, page: Reading) -> Alert:
        assert page.value is not None  # noqa: S101 - a gauge without a value is silent
        early, because, then = None, self._never_early(gauge.tier), ""
        for load, why in sorted(self._earlier(gauge.tier)):
            reading = self.at(load).get(gauge)
            if reading is not None and reading.value is not None and reading.value < page.value:
                early, because, then = reading.value, f"at {self._rate(load)}, {why}", told(gauge, reading)
                break
        today = self.at(1.0).get(gauge)
        return Alert(
            tier=gauge.tier,
            metric=gauge.metric,
            resource=gauge.resource,
            comparison=">",
            now=None if today is None else today.value,
            early=early,
            page=page.value,
            unit=page.unit,
            breaks=self.what,
            leads=False,
            causes=self._causes(gauge.tier),
            page_because=f"at {self._rate(self.edge.load)} {self.what}",
            page_then=told(gauge, page),
            early_because=because,
            early_then=then,
        )

    def _rate(self, load: float) -> str:
        return (
            f"{digits(self.rate(load))} requests/s" if self.rate(load) < 1000 else f"{self.rate(load):,.0f} requests/s"
        )

    def _earlier(self, tier: str) -> Iterator[tuple[float, str]]:
        """Yield the loads that are early for a tier, and why."""
        if 0 < self.grown < self.edge.load:
            yield (
                self.grown,
                f"from where {self.rising} gets to {self._rate(self.edge.load)} in {show_seconds(self.lead)}",
            )
        lost = self._without(tier)
        if lost is not None and 0 < lost.load < self.edge.load:
            root = self._root(tier)
            yield lost.load, f"where after the loss of a node of {root} {passing(lost.missed[0])}"

    def _without(self, tier: str) -> Edge | None:
        """Return where it breaks without a node of a tier; None where it has none that can be lost."""
        root = self._root(tier)
        system = self.breaking.search(1.0).system
        if root not in self._lost:
            self._lost[root] = self.breaking.edge(root) if system.takes_nodes(root) else None
        return self._lost[root]

    def _root(self, tier: str) -> str:
        return self.breaking.search(1.0).system.roots[tier]

    def _never_early(self, tier: str) -> str:
        lost = self._without(tier)
        if lost is not None and lost.load == 0:
            return f"nothing grows, and without a node of {self._root(tier)} something breaks at any load"
        return "nothing grows, and the loss of a node breaks nothing sooner"

    def _hit_ratio(self, gauge: Gauge) -> Alert | Unwatched:
        """Return the hit ratio at which something breaks at today's load, and at that of the end of the lead."""
        today = self.at(1.0)[gauge]
        if self.breaking.missed(1.0):
            return Unwatched(*gauge, "something is broken at today's load already, whatever is hit")
        name = gauge.tier
        coldest = self._coldest(gauge, 1.0, self.breaking.counts)
        page, what = coldest or (today, "")
        if coldest is None or page.value is None:
            return Unwatched(*gauge, "even a cold cache breaks nothing at today's load")
        early, then = None, ""
        because = "neither growth nor a lost node moves it, or either breaks something with a full cache"
        for found, when in self._colder(gauge):
            reading, later = found or (today, "")
            if found and reading.value is not None and (early or page.value) < reading.value < (today.value or 0.0):
                early, then = reading.value, told(gauge, reading)
                because = f"{when}, {later} if less is answered from the cache"
        return Alert(
            tier=name,
            metric=gauge.metric,
            resource="",
            comparison="<",
            now=today.value,
            early=early,
            page=page.value,
            unit="",
            breaks=f"{what} if less is answered from the cache",
            leads=False,
            causes=True,
            page_because=f"at today's {self._rate(1.0)} {what} if less is answered from the cache",
            page_then=told(gauge, page),
            early_because=because,
            early_then=then,
        )

    def _colder(self, gauge: Gauge) -> Iterator[tuple[tuple[Reading, str] | None, str]]:
        """Yield the hit ratio that is still enough after growth, and with a node less."""
        counts, root, system = self.breaking.counts, self._root(gauge.tier), self.breaking.search(1.0).system
        growth = rise(self.topology, self.lead)
        if growth > 0:
            yield self._coldest(gauge, growth, counts), f"after {show_seconds(self.lead)} of {self.rising}"
        if system.takes_nodes(root) and counts[root] - 1 >= max(1, system.tiers[root].bearable_loss(counts[root])):
            fewer = {**counts, root: counts[root] - 1}
            yield self._coldest(gauge, 1.0, fewer), f"with a node of {root} less"

    def _coldest(self, gauge: Gauge, load: float, counts: Counts) -> tuple[Reading, str] | None:
        """Return the hit ratio that is just enough, and what breaks below it."""
        found = self.breaking.warm_edge(gauge.tier, load, counts)
        reading = None if found is None else gauges(found.solution).get(gauge)
        return None if found is None or reading is None else (reading, passing(found.missed[0]))

    def _causes(self, tier: str) -> bool:
        """Return whether what breaks first stands on a tier."""
        first, system = self.edge.missed[0], self.breaking.search(1.0).system
        if first.scope == "class":
            entry = system.topology.workload.classes[first.name].entry
            return tier in system.waited_for(entry, first.name)
        if first.constraint == "threads" or first.unit == "s":
            return tier in system.below(first.name)
        return system.roots[tier] == system.roots[first.name]


def _too_little(gauge: Gauge, value: float) -> str:
    """Return why a value can not be told from nothing; empty where it can."""
    if gauge.metric == "queue_length" and value < SHORTEST:
        return f"under {SHORTEST:g} wait even when it breaks: too few to measure"
    if gauge.metric == "utilization" and value < LEAST_USED:
        return f"under {show_percent(LEAST_USED)} used even when it breaks: too little to measure"
    return ""
