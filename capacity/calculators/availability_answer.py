"""What `capacity availability` answers: how often enough is up, how often it is not and how long, and the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from capacity import judging
from capacity.calculators.calculator import Answer, Row
from capacity.errors import UsageError, ascii_quoted
from capacity.fewest import fewest
from capacity.units import CEILING, UnitError, digits, parse, show_availability, show_downtime, show_seconds
from models.availability import (
    MONTH,
    failovers,
    fewer_than_by_zones,
    in_series,
    maintenance,
    node_unavailability,
    zones_lost,
)
from models.outages import budget_used, error_budget, nines, outage_mean, outage_rate
from models.repair import MOST_NODES, crewed_by_zones, crewed_outage_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given

_SPARE_NODES: Final = 1000
"""Beyond so many nodes more than are needed in a single zone, what is wanted is out of their reach."""
YEAR: Final = 365.25 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Nodes that are alike: how many, and their times in seconds."""

    nodes: int
    mtbf: float
    mttr: float

    @property
    def down(self) -> float:
        """Share of time one of them is down."""
        return node_unavailability(self.mtbf, self.mttr)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """What was given, in seconds."""

    own: Group
    others: Group | None
    needed: int
    zones: int | None
    zone: tuple[float, float]
    crews: int | None
    restarts: float
    restart_time: float
    failover: float
    depends: tuple[float, ...]

    @property
    def groups(self) -> list[Group]:
        """Both kinds of nodes."""
        return [self.own, *([self.others] if self.others is not None else [])]

    @property
    def zones_lost(self) -> list[float]:
        """The probabilities that 0, 1, ... zones are down."""
        return [1.0] if self.zones is None else zones_lost(self.zones, node_unavailability(*self.zone))


@dataclass(frozen=True)
class Parts:
    """The unavailability, by what it is owed to: each as if the rest were perfect."""

    nodes: float
    zones: float
    restarts: float
    failover: float
    depends: float
    total: float


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    tier = tier_of(given)
    solved = not given.has("nodes")
    if solved:
        if not given.has("wanted"):
            raise UsageError("--nodes is left out: to solve for it, say which availability is --wanted, like 99.95%")
        if given.number("wanted") >= 1:
            raise UsageError("--wanted: found 100%; allowed: less, to solve for --nodes: every node fails at times")
        found = _fewest(tier, given.number("wanted"))
        if found is None:
            return _hopeless(tier, given.number("wanted"))
        tier = found
    elif given.alone and tier.needed > sum(group.nodes for group in tier.groups):
        most = sum(group.nodes for group in tier.groups)
        raise UsageError(f"--needed: found {tier.needed}; allowed: at most the {most} nodes that there are")
    return _answer(tier, given, solved=solved)


def _restarts(given: Given) -> float:
    restarts, took = given.number("restarts"), given.number("restart_time")
    taken = took * ((given.maybe_count("nodes") or 1) + (given.maybe_count("others") or 0))
    if restarts * taken > MONTH:
        most = f"{digits(MONTH / taken)}: a month of {show_seconds(took)} each, one node at a time"
        raise UsageError(f"--restarts: found {digits(restarts)}; allowed: at most {most}")
    return restarts


def tier_of(given: Given) -> Tier:
    """Return the tier that the options describe; one node where they are to be solved for."""
    own = Group(nodes=given.maybe_count("nodes") or 1, mtbf=given.number("mtbf"), mttr=given.number("mttr"))
    others = None
    if given.has("others"):
        others = Group(nodes=given.count("others"), mtbf=given.number("others_mtbf"), mttr=given.number("others_mttr"))
        if given.has("crews"):
            raise UsageError("--crews: known for nodes that are all alike; leave out --others")
    return Tier(
        own=own,
        others=others,
        needed=given.count("needed"),
        zones=given.maybe_count("zones"),
        zone=(given.number("zone_mtbf"), given.number("zone_mttr")),
        crews=given.maybe_count("crews"),
        restarts=_restarts(given),
        restart_time=given.number("restart_time"),
        failover=given.maybe("failover") or 0.0,
        depends=tuple(_depends(given.word("depends") or "")),
    )


def _depends(text: str) -> Iterator[float]:
    """Return how often each part is down that has to be up as well."""
    for part in filter(None, (word.strip() for word in text.split(","))):
        try:
            yield 1 - parse(part, CEILING)
        except UnitError as error:
            raise UsageError(f"--depends: found {ascii_quoted(part)}; allowed: {error.allowed}") from error


def _by_zones(tier: Tier, fewer: int) -> list[float]:
    """Return how often too few nodes are up while 0, 1, ... zones are down, with `fewer` nodes restarting."""
    if tier.crews is not None:
        own = tier.own
        return crewed_by_zones(tier.needed, max(own.nodes - fewer, 0), tier.crews, own.mtbf, own.mttr, tier.zones or 1)
    groups = [(group.nodes, group.down) for group in tier.groups]
    groups[0] = (max(groups[0][0] - fewer, 0), groups[0][1])
    return fewer_than_by_zones(tier.needed, groups, tier.zones or 1)


def parts(tier: Tier) -> Parts:
    """Return how often too little is up, and what it is owed to."""
    plain = _by_zones(tier, 0)
    restarting = min(maintenance(tier.restarts, tier.restart_time) * sum(g.nodes for g in tier.groups), 1.0)
    during = _by_zones(tier, 1) if restarting else plain
    at_once = [(1 - restarting) * u + restarting * v for u, v in zip(plain, during, strict=True)]
    lost = tier.zones_lost
    switching = failovers(tier.own.mtbf, 1, tier.failover) + maintenance(tier.restarts, tier.failover)
    own = min(math.fsum(p * u for p, u in zip(lost, at_once, strict=False)), 1.0)
    without_restarts = min(math.fsum(p * u for p, u in zip(lost, plain, strict=False)), 1.0)
    switching = min(switching, 1.0)
    return Parts(
        nodes=plain[0],
        zones=max(without_restarts - plain[0], 0.0),
        restarts=max(own - without_restarts, 0.0),
        failover=switching,
        depends=in_series(tier.depends),
        total=in_series([own, switching, *tier.depends]),
    )


def _fewest(tier: Tier, wanted: float) -> Tier | None:
    """Return the tier with the fewest nodes that is up often enough; None where more nodes do not help.

    More nodes bring nothing for long where a zone that is lost still takes too many of them, so that the search goes on
    until what is left without all zones but one would be enough. With zones that hold different numbers of nodes, one
    node more is not always better: the counts of the two rounds before are looked at one by one.
    """
    others, zones = tier.others.nodes if tier.others is not None else 0, tier.zones or 1
    first = max(tier.needed - others, 1)
    most = tier.needed * zones + _SPARE_NODES
    if tier.crews is not None:
        most = max(tier.needed * zones, MOST_NODES)

    def of(nodes: int) -> Tier:
        return replace(tier, own=replace(tier.own, nodes=nodes))

    def enough(nodes: int) -> bool:
        return parts(of(nodes)).total <= (1 - wanted) * (1 + 1e-9)

    found = fewest(enough, first, most)
    if found is None:
        return None
    return of(next(nodes for nodes in range(max(found - 2 * zones, first), found + 1) if enough(nodes)))


def _hopeless(tier: Tier, wanted: float) -> Answer:
    """Return why no number of nodes is enough: what does not depend on it."""
    all_zones = tier.zones_lost[-1] if tier.zones is not None else 0.0
    limit = in_series([all_zones, *tier.depends])
    causes = [
        text
        for text, there in (
            ("all zones down at once", tier.zones is not None),
            ("what it --depends on", bool(tier.depends)),
            ("failovers", tier.failover > 0),
            ("restarts", tier.restarts > 0),
            ("too few repair crews", tier.crews is not None),
        )
        if there
    ]
    notes = [f"more nodes do not help: left are {', '.join(causes) or 'nodes that are down too much'}"]
    rows = [Row("availability_at_most", "availability at most", 1 - limit, "availability")]
    headline = f"no number of nodes is up {show_availability(wanted)} of the time"
    return Answer(headline=headline, rows=rows, notes=notes, met=False, more={"solved_for": "nodes"})


def _answer(tier: Tier, given: Given, *, solved: bool) -> Answer:
    found, period, wanted = parts(tier), given.number("period"), given.maybe("wanted")
    nodes = sum(group.nodes for group in tier.groups)
    rows = [Row("nodes", "nodes", tier.own.nodes, "", "solved for", "Nodes")] if solved else []
    rows += [
        Row("availability", "availability", 1 - found.total, "availability", "", "Availability"),
        Row("unavailability", "down", found.total, "share"),
        Row("nines", "nines", nines(found.total), "", "", "Nines"),
        Row("downtime_s", f"downtime in {_period(period)}", found.total * period, "downtime", "", "Downtime"),
        Row("downtime_s_per_year", "downtime in a year", found.total * YEAR, "downtime"),
        *_outages(tier, found),
        Row("node_availability", "one node alone", 1 - tier.own.down, "availability"),
        *_owed(tier, found),
    ]
    met = None if wanted is None else found.total <= (1 - wanted) * (1 + 1e-9)
    if wanted is not None:
        rows += _budget(found.total, wanted, period)
    told = show_availability(1 - found.total)
    headline = (
        f"{tier.needed} of {nodes} nodes: up {told}, down {show_downtime(found.total * period)} in {_period(period)}"
    )
    if wanted is not None:
        headline += f"; {judging.wanted(bool(met), show_availability(wanted))}"
    return Answer(
        headline=headline,
        rows=rows,
        model=_model(tier),
        source="Kuo and Zuo 2003, Optimal Reliability Modeling, chapter 7"
        if tier.crews is None
        else "Taylor and Jackson 1954; Gross, Shortle, Thompson and Harris 2008, section 2.7",
        accuracy="exact for failures that are independent of each other",
        notes=_notes(tier),
        met=met,
        more={"solved_for": "nodes" if solved else None, "nodes": tier.own.nodes},
    )


def _period(seconds: float) -> str:
    return "a month" if seconds == MONTH else f"{seconds / 86400:g} d" if seconds >= 86400 else f"{seconds / 3600:g} h"


def _outages(tier: Tier, found: Parts) -> Iterator[Row]:
    """Return how often and how long, where only failures of nodes and zones bring it down."""
    if tier.restarts or tier.failover or tier.depends:
        return
    if tier.crews is not None:
        if tier.zones is not None:
            return
        rate = crewed_outage_rate(tier.needed, tier.own.nodes, tier.crews, tier.own.mtbf, tier.own.mttr)
    else:
        groups = [(group.nodes, group.mtbf, group.mttr) for group in tier.groups]
        rate = outage_rate(tier.needed, groups, tier.zones or 1, tier.zone if tier.zones is not None else None)
    yield Row("outages_per_year", "outages in a year", rate * YEAR, "", "", "Outages/y")
    yield Row("outage_mean_s", "  mean duration", outage_mean(found.total, rate), "s")


def _owed(tier: Tier, found: Parts) -> Iterator[Row]:
    for key, label, value, there in (
        ("nodes", "nodes", found.nodes, True),
        ("zones", "zones", found.zones, tier.zones is not None),
        ("restarts", "planned restarts", found.restarts, tier.restarts > 0),
        ("failover", "failovers", found.failover, tier.failover > 0),
        ("depends", "what it depends on", found.depends, bool(tier.depends)),
    ):
        if there:
            yield Row(f"down_by_{key}", f"down by {label}", value, "share")


def _budget(down: float, wanted: float, period: float) -> Iterator[Row]:
    if wanted >= 1:
        yield Row("budget_s", "error budget", 0.0, "s", "100% leaves none")
        return
    used = budget_used(down, wanted)
    yield Row("budget_s", "error budget", error_budget(wanted, period), "s", f"{show_availability(wanted)} wanted")
    yield Row("budget_used", "  of which is used", used, "share", judging.word(used <= 1 + 1e-9), "Budget")


def _model(tier: Tier) -> str:
    kinds = "k of n" if tier.others is None else "k of n of two kinds"
    zones = f" in {tier.zones} zones" if tier.zones is not None else ""
    crews = f" with {tier.crews} repair crew{'s' if tier.crews != 1 else ''}" if tier.crews is not None else ""
    return kinds + zones + crews


def _notes(tier: Tier) -> list[str]:
    notes = []
    if tier.zones is None:
        notes.append("zones, power and network are not counted: --zones spreads the nodes over some that fail")
    if tier.restarts == 0:
        notes.append("planned restarts are not counted: --restarts")
    return notes
