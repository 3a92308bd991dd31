"""How much of the time enough is up: nodes that fail, zones that share a fate, failovers, restarts, partners.

A tier needs k of its n nodes: the fewest with which nothing that serves a request is overloaded at the load that is
planned for. A class needs every tier, queue and partner that its requests wait for, and that no call of theirs fails
while all of those are up. *Approximate*: nodes and zones fail independently, each tier is spread over the zones without
regard to the others, and a planned restart takes one node at a time, of which the others are spread evenly; *exact* for
that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from capacity.fewest import fewest_near
from capacity.money import purchases
from capacity.verdict import Violation, class_latency, failed, limits
from models.availability import (
    MONTH,
    failovers,
    fewer_than_by_zones,
    in_series,
    maintenance,
    node_unavailability,
    zones_lost,
)

if TYPE_CHECKING:
    from capacity.search import Search
    from capacity.solve import Solution
    from capacity.system import Counts, System


@dataclass(frozen=True)
class TierUptime:
    """One tier: the nodes that it needs (of each part, the shards of a database), and how often it has fewer."""

    needed: int
    nodes: int
    by_zones: list[float]
    """The probability of having too few nodes while 0, 1, … zones are down."""
    switching: float
    """The share of time in which it takes no writes, since another node is to take them."""
    unavailability: float | None
    """Of all time; None where it is not known how often spot nodes are taken away."""


@dataclass(frozen=True)
class ClassUptime:
    """One class: `unavailability` by all that is known, and what is not."""

    unavailability: float
    limited_by: str | None
    """The tier or partner that it owes most of that to; None where it is the requests that fail."""
    unknown: tuple[str, ...]
    failing: float = 0.0
    """The share of requests that fail while everything is up."""
    parts: tuple[tuple[str, float], ...] = ()
    """What it is made of, in series: each in words, with its unavailability."""


class Uptime:
    """The availability of a system with given counts; solved lazily, since k takes a few evaluations of each tier."""

    def __init__(self, search: Search, counts: Counts) -> None:
        self.search, self.counts = search, counts
        self._tiers: dict[tuple[str, int], TierUptime | None] = {}

    @property
    def system(self) -> System:
        """Return the system."""
        return self.search.system

    @cached_property
    def _zones(self) -> list[float]:
        resilience = self.system.topology.resilience
        down = node_unavailability(float(resilience.zone_mtbf), float(resilience.zone_mttr))
        return zones_lost(resilience.zones, down)

    @cached_property
    def _serving(self) -> Solution:
        return self.search.at(self.counts)

    def tier(self, name: str) -> TierUptime | None:
        """Return the availability of a tier with nodes of its own, None for one without or one that is overloaded."""
        return self._with(name) if self.system.takes_nodes(name) else None

    def _with(self, name: str, *, reads: bool = True, writes: bool = True) -> TierUptime | None:
        """Return the availability of a tier for reads, for writes or for both: quorums of the two may differ."""
        least = self.system.tiers[name].bearable_loss(self.counts[name], reads=reads, writes=writes)
        if (name, least) not in self._tiers:
            self._tiers[name, least] = self._of_tier(name, min(least, self.counts[name]))
        return self._tiers[name, least]

    def _for(self, name: str, request_class: str) -> TierUptime | None:
        """Return the availability of a tier for what a class asks of it."""
        arrivals = self._serving.arrivals(name)
        reads, writes = (rates.get(request_class, 0.0) > 0 for rates in (arrivals.reads, arrivals.writes))
        return self._with(name, reads=reads or not writes, writes=writes or not reads)

    def _of_tier(self, name: str, floor: int) -> TierUptime | None:
        tier, count = self.system.tiers[name], self.counts[name]
        if not self._answered(name):
            return None
        busiest = max((x.utilization for x in limits(self._serving, name) if x.ours), default=0.0)
        # Most limits are shared evenly by the nodes: as many are needed as are busy.
        least = fewest_near(lambda n: self._enough(name, n), math.ceil(busiest * count), floor, count)
        parts = tier.parts()
        needed = tier.machines(count if least is None else least) // parts
        by_zones = _down(self.system, name, count, needed)
        switching = _failover(self.system, name) if tier.machines(count) > parts else 0.0
        total = in_series([_over(self._zones, by_zones), switching])
        known = not _spot(self.system, name, count) or self.system.topology.money.spot_interruptions is not None
        return TierUptime(needed, tier.machines(count) // parts, by_zones, switching, total if known else None)

    def _answered(self, name: str) -> bool:
        """Return whether every class that comes through a tier is answered as things are."""
        system, residents = self.system, self.system.residents[name]
        through = {c for resident in residents for c in system.classes[resident] if resident not in system.behind_queue}
        own = all(self._serving.answers[name, c, "read"].total is not None for c in system.classes[name])
        return own and all(class_latency(self._serving, c) is not None for c in through)

    def _enough(self, name: str, count: int) -> bool:
        """Return whether a tier serves with so many of its nodes, all others being there."""
        left = self.search.normal.state({**self.counts, name: count})
        if self.system.tiers[name].counts_the_lost() and count < self.counts[name]:
            left = replace(left, conditions=replace(left.conditions, lost=((name, self.counts[name] - count),)))
        return _serves(self.search.solved(left), self._serving)

    def of_class(self, name: str) -> ClassUptime | None:
        """Return the availability of what a class really needs, None where that is overloaded."""
        system = self.system
        if class_latency(self._serving, name) is None:
            return None
        reached = system.waited_for(system.topology.workload.classes[name].entry, name)
        roots = sorted({system.roots[n] for n in reached})
        tiers = {root: self._for(root, name) for root in roots if system.takes_nodes(root)}
        if any(tier is None for tier in tiers.values()):
            return None
        promising = [n for n in roots if system.tiers[n].is_partner or (system.decouples(n) and n not in tiers)]
        partners = {n: system.tiers[n].own_availability() for n in promising}
        unknown = [n for n, promised in partners.items() if promised is None]
        unknown += [n for n, tier in tiers.items() if tier is not None and tier.unavailability is None]
        known = {n: 1 - promised for n, promised in partners.items() if promised is not None}
        parts = [tier.by_zones for tier in tiers.values() if tier is not None]
        ours = _over(self._zones, [in_series(part[m] for part in parts) for m in range(len(self._zones))])
        serving = self._serving
        writing = [n for n in reached if system.tiers[n].needs_writer(serving.places[n], serving.arrivals(n), name)]
        switching = {n: tier.switching for n, tier in tiers.items() if tier is not None and n in writing}
        share = {n: _over(self._zones, tier.by_zones) for n, tier in tiers.items() if tier is not None} | known
        share |= {n: share[n] + tier.switching for n, tier in tiers.items() if tier is not None and n in writing}
        failing = failed(serving, name)
        limited = max((n for n in share if share[n] > failing), key=lambda n: share[n], default=None)
        named = {f"too few nodes of {', '.join(tiers)}": ours} if tiers else {}
        named |= {f"{n} switching to another writer": down for n, down in switching.items()}
        named |= known | {"requests that fail": failing}
        told = tuple((what, down) for what, down in named.items() if down > 0)
        total = in_series([ours, *switching.values(), *known.values(), failing])
        return ClassUptime(total, limited, tuple(unknown), failing, told)

    def overload(self, name: str) -> str | None:
        """Return the tier or partner whose overload leaves a class unanswered: the one that is asked most too much."""
        system, serving = self.system, self._serving
        reached = system.waited_for(system.topology.workload.classes[name].entry, name)
        asked = {n: max((x.utilization for x in limits(serving, n)), default=0.0) for n in system.tiers if n in reached}
        return max(asked, key=lambda n: asked[n], default=None)

    def violations(self, *, overloaded: bool = False) -> list[Violation]:
        """Return the classes that are up less than the file wants, by what is known; with `overloaded`, also those."""
        wanted = self.system.topology.slo.availability
        if wanted is None:
            return []
        found = []
        for name in self.system.topology.workload.classes:
            seen = self.of_class(name)
            if seen is None and overloaded:
                found.append(Violation("class", name, "availability", 0.0, float(wanted), ""))
            if seen is not None and seen.unavailability > (1 - wanted) * (1 + 1e-9):
                found.append(Violation("class", name, "availability", 1 - seen.unavailability, float(wanted), ""))
        return found


def floor(solution: Solution, name: str) -> float:
    """Return the unavailability of a class below which no number of nodes leads: zones, failovers, partners."""
    system = solution.system
    resilience = system.topology.resilience
    zones = zones_lost(resilience.zones, node_unavailability(float(resilience.zone_mtbf), float(resilience.zone_mttr)))
    reached = system.waited_for(system.topology.workload.classes[name].entry, name)
    everywhere = [zones[-1]] if any(system.takes_nodes(system.roots[n]) for n in reached) else []
    promised = [system.tiers[n].own_availability() for n in reached]
    partners = [1 - known for known in promised if known is not None]
    written = [n for n in reached if system.takes_nodes(n) and solution.arrivals(n).writes.get(name, 0.0) > 0]
    # Whoever writes waits for another writer, or where there is none to switch to, for the one node.
    switching = [min(_failover(system, n), _alone(system, n)) for n in written]
    return in_series([*everywhere, *partners, *switching])


def _alone(system: System, name: str) -> float:
    """Return the unavailability of a tier that has one node for each of its parts."""
    down = node_unavailability(*_lifetimes(system, name))
    restarting = maintenance(system.topology.resilience.restarts, float(system.topology.resilience.restart_time))
    return in_series([down, restarting] * system.tiers[name].parts())


def _serves(solution: Solution, before: Solution) -> bool:
    """Return whether every request is answered, and no limit of ours is exceeded that was not before."""
    if any(answer.total is None and before.answers[key].total is not None for key, answer in solution.answers.items()):
        return False
    full = {(n, x.resource) for n in before.system.tiers for x in limits(before, n) if x.used > x.capacity}
    return all(
        not limit.ours or limit.used <= limit.capacity * (1 + 1e-9) or (name, limit.resource) in full
        for name in solution.system.tiers
        for limit in limits(solution, name)
    )


def _down(system: System, name: str, count: int, needed: int) -> list[float]:
    """Return how often a tier has too few nodes, by zones lost."""
    tier, resilience = system.tiers[name], system.topology.resilience
    parts, (mtbf, mttr) = tier.parts(), _lifetimes(system, name)
    own, spot = node_unavailability(mtbf, mttr), _spot(system, name, count)
    interrupted = system.topology.money.spot_interruptions
    taken = in_series([own, node_unavailability(MONTH / interrupted, mttr)]) if interrupted else own
    each = tier.machines(count) // parts
    groups = [(each - spot, own), (spot, taken)] if spot else [(each, own)]
    # A planned restart takes one node out of the first group, while the others may fail as ever.
    first = next((i for i, (nodes, _) in enumerate(groups) if nodes > 0), 0)
    fewer = [(max(nodes - (i == first), 0), down) for i, (nodes, down) in enumerate(groups)]
    restarting = min(maintenance(resilience.restarts, float(resilience.restart_time)) * each, 1.0)
    unplanned = fewer_than_by_zones(needed, groups, resilience.zones)
    planned = fewer_than_by_zones(needed, fewer, resilience.zones)
    at_once = [(1 - restarting) * u + restarting * v for u, v in zip(unplanned, planned, strict=True)]
    return [in_series([u] * parts) for u in at_once]


def _over(zones: list[float], by_zones: list[float]) -> float:
    """Return a probability of all time from those by zones lost."""
    return min(math.fsum(p * u for p, u in zip(zones, by_zones, strict=True)), 1.0)


def _spot(system: System, name: str, count: int) -> int:
    """Return the nodes of a tier that may be taken away."""
    return dict(purchases(system, name, count)).get("spot", 0)


def _failover(system: System, name: str) -> float:
    """Return the share of time in which a tier switches to another writer: by failures and by planned restarts."""
    tier, resilience = system.tiers[name], system.topology.resilience
    seconds = tier.failover_time()
    if seconds == 0:
        return 0.0
    planned = maintenance(resilience.restarts, seconds) * tier.parts()
    return min(failovers(_lifetimes(system, name)[0], tier.parts(), seconds) + planned, 1.0)


def _lifetimes(system: System, name: str) -> tuple[float, float]:
    """Return the mean time between failures of a node of a tier, and until it is replaced; s."""
    tier, resilience = system.tiers[name], system.topology.resilience
    mtbf = resilience.node_mtbf if tier.mtbf is None else tier.mtbf
    mttr = resilience.node_mttr if tier.mttr is None else tier.mttr
    return float(mtbf), float(mttr)
