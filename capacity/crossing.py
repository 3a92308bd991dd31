"""Where scaling up and scaling out end, and at which load one becomes cheaper than the other: solved, not stepped.

Up is as few nodes as what has to be survived allows, of ever larger types. Out is more and more nodes of the file's
own type. All load grows together; other tiers are taken to keep up (nothing waits there), so that the ends are this
tier's own. Each end is a root: the load at which the first limit or objective of the tier gives way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.document import scaled
from capacity.fewest import fewest
from capacity.money import running
from capacity.traffic import solve_traffic
from capacity.uptime import Uptime
from capacity.variants import searched, with_tier
from capacity.verdict import allowed, limits
from models.availability import downtime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from capacity.search import Conflict, Search
    from capacity.system import Counts
    from capacity.topology import Topology

PRECISION: Final = 1e-4
"""Relative, of every load that is solved for."""

HARDLY: Final = 1e-6
"""Times today's load: so little that one node of anything carries it."""

MOST_LOAD: Final = 1e6
"""Times today's load, beyond which an end is no end."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run a tier at today's load, in the three rows of the classic table."""

    way: str
    """`one` machine, `up` (as few as may be, larger) or `out` (more of the file's own)."""
    node: str
    nodes: int
    """To run and balance over."""
    monthly: float | None
    ends_at_per_s: float | None
    """The arrivals at which even the largest type, or the largest useful count, ends; None without an end."""
    ends_with: str
    downtime_s_per_month: float | None
    lost_share: float
    """Of its capacity, while one node is down or patched."""


class Region(msgspec.Struct, frozen=True):
    """A stretch of load in which one way is the cheaper one; `until_per_s` None: no end was found."""

    way: str
    until_per_s: float | None
    monthly: float | None
    """What it costs at the end of the stretch."""


class Crossing(msgspec.Struct, frozen=True):
    """Up against out for one tier."""

    sides: list[Side]
    regions: list[Region]


@dataclass
class Ends:
    """Loads, as multiples of today's, at which a type and count of one tier end; each solved once."""

    topology: Topology
    counts: Counts
    name: str
    tick: Callable[[int], None]
    _searches: dict[tuple[str, float, bool], Search] = field(default_factory=dict)
    _found: dict[tuple[str, int, bool], float | None] = field(default_factory=dict)

    def search(self, node: str, load: float, *, alone: bool = False) -> Search:
        """Return the search at a load; `alone`: nothing has to be survived."""
        key = node, load, alone
        if key not in self._searches:
            topology = scaled(with_tier(self.topology, self.name, node=node), load)
            if alone:
                calm = msgspec.structs.replace(topology.resilience, survive=[])
                topology = msgspec.structs.replace(topology, resilience=calm)
            self._searches[key] = searched(topology, self.tick)
        return self._searches[key]

    def carries(self, node: str, count: int, load: float, *, alone: bool = False) -> bool:
        """Return whether so many nodes of a type carry a load."""
        search = self.search(node, load, alone=alone)
        counts, others = {**self.counts, self.name: count}, _others(search, self.name)
        return not any(self._ours(search, c) for c in search.conflicts(counts, others, self.name))

    def _ours(self, search: Search, conflict: Conflict) -> bool:
        """Return whether a conflict is this tier's own, whether or not more nodes would relieve it.

        The connections that others keep open are theirs.
        """
        violation = conflict.violation
        if violation.scope == "tier" and violation.unit != "s":
            return search.system.roots[violation.name] == self.name and violation.constraint != "connections"
        return self.name in search.helpers(violation)

    def end(self, node: str, count: int, *, alone: bool = False) -> float | None:
        """Return the load at which so many nodes of a type end, None where there is no end; 0 where they carry none."""
        key = node, count, alone
        if key not in self._found:
            self._found[key] = self._end(node, count, alone=alone)
        return self._found[key]

    def _end(self, node: str, count: int, *, alone: bool) -> float | None:
        guess = self._by_limits(node, count, alone=alone)
        low, high = guess * (1 - PRECISION), guess * (1 + PRECISION)
        if self.carries(node, count, low, alone=alone):
            if not self.carries(node, count, high, alone=alone):
                return guess
            while self.carries(node, count, high, alone=alone):
                low, high = high, high * 2
                if high > MOST_LOAD:
                    return None
        else:
            low, high = 0.0, low
        while high - low > PRECISION * high:
            middle = (low + high) / 2
            if middle < PRECISION:
                return 0.0
            low, high = (middle, high) if self.carries(node, count, middle, alone=alone) else (low, middle)
        return (low + high) / 2

    def _by_limits(self, node: str, count: int, *, alone: bool) -> float:
        """Return the load at which the first limit of the tier is reached, were all of them linear in it."""
        search = self.search(node, 1.0, alone=alone)
        return limit_factor(search, {**self.counts, self.name: count}, self.name)


def _others(search: Search, name: str) -> frozenset[str]:
    """Return the other tiers of ours, in which nothing is to wait."""
    return frozenset(n for n, tier in search.system.tiers.items() if tier.counted is not None and n != name)


def limit_factor(search: Search, counts: Counts, name: str) -> float:
    """Return how many times today's load a tier's own limits allow, in the worst of what it has to survive."""
    ceiling = float(search.system.topology.slo.utilization)
    factor = MOST_LOAD
    others = _others(search, name)
    for event in (search.normal, *search.events):
        if event.subject not in (None, name) and search.system.takes_nodes(event.subject):
            continue
        state = event.state(counts, name)
        solution = search.solved(state, others)
        for limit in limits(solution, name):
            if limit.used > 0 and not limit.foreseen:
                factor = min(factor, allowed(limit, ceiling) / limit.used)
    return factor


def crossing(
    topology: Topology, counts: Counts, name: str, types: Sequence[str], tick: Callable[[int], None]
) -> Crossing | None:
    """Return where a tier's ways end and cross; `types` are the file's own and those larger, the smallest first.

    None where the tier cannot be one machine nor many: its count is given by something else.
    """
    ends, own = Ends(topology, counts, name, tick), topology.components[name].node or ""
    least = _least(ends, own)
    if least is None:
        return None
    sides = _sides(ends, own, types, least)
    return Crossing(sides, _regions(ends, own, types, least))


def _least(ends: Ends, node: str) -> int | None:
    """Return the fewest nodes that what has to be survived leaves anything of, at hardly any load."""
    search = ends.search(node, HARDLY)
    least = search.system.tiers[ends.name].least_count()
    return search.first(ends.name, lambda count: ends.carries(node, count, HARDLY), least)


def _sides(ends: Ends, own: str, types: Sequence[str], least: int) -> list[Side]:
    single = ends.topology.components[ends.name].least_count()
    found = []
    for way, count, alone in (("one", single, True), ("up", least, False)):
        if way == "one" and single == least:
            continue
        reached = {node: ends.end(node, count, alone=alone) for node in types}
        fitting = [node for node, end in reached.items() if end is None or end >= 1]
        node = min(fitting, key=lambda n: _price(ends, n, count) or math.inf, default=types[-1])
        # Of types that end alike, the smallest: a larger one adds nothing.
        largest = max(types, key=lambda n: math.inf if reached[n] is None else reached[n] or 0.0)
        found.append(_side(ends, way, node, count, (largest, count), alone=alone))
    most = ends.search(own, 1.0).most(ends.name)
    found.append(_side(ends, "out", own, ends.counts[ends.name], (own, most)))
    return found


def _side(ends: Ends, way: str, node: str, count: int, last: tuple[str, int], *, alone: bool = False) -> Side:
    search = ends.search(node, 1.0, alone=alone)
    tier, counts = search.system.tiers[ends.name], {**ends.counts, ends.name: count}
    uptime = Uptime(search, counts).tier(ends.name)
    down = None if uptime is None else uptime.unavailability
    end, nodes = ends.end(*last, alone=alone), tier.machines(count)
    return Side(
        way=way,
        node=node,
        nodes=nodes,
        monthly=running(search.system, ends.name, count),
        ends_at_per_s=None if end is None else _rate(ends, end),
        ends_with=f"{tier.machines(last[1])} x {last[0]}",
        downtime_s_per_month=None if down is None else downtime(down),
        lost_share=1 / max(nodes // tier.parts(), 1),
    )


def _rate(ends: Ends, load: float) -> float:
    """Return the arrivals of the tier at a multiple of today's load."""
    if load <= 0:
        return 0.0
    system = ends.search(ends.topology.components[ends.name].node or "", load).system
    # First tries only: what retries add depends on who waits where.
    return solve_traffic(system, system.places(ends.counts), {}).arrivals[ends.name].rate


def _regions(ends: Ends, own: str, types: Sequence[str], least: int) -> list[Region]:
    """Return the stretches of load in which up or out is cheaper; nothing, where a price is not known.

    Up costs the same until its type ends and the next is needed; out can be had for less than that as long as the most
    nodes that cost less carry the load. So each step of up brings at most one crossing, and each is a root.
    """
    most = ends.search(own, 1.0).most(ends.name)
    each = _price(ends, own, most)
    if each is None:
        return []
    found: list[Region] = []
    reached: float | None = 0.0
    priced = {node: cost for node in types if (cost := _price(ends, node, least)) is not None}
    for node, cost in sorted(priced.items(), key=lambda item: item[1]):
        end = ends.end(node, least)
        if reached is None or (end is not None and end <= reached):
            continue
        affordable = _affordable(ends, own, cost, least, most)
        out_end = 0.0 if affordable is None else ends.end(own, affordable)
        if out_end is None or out_end > reached:
            until = end if out_end is None else out_end if end is None else min(end, out_end)
            found.append(_region(ends, "out", until, _price(ends, own, _needed(ends, own, until, affordable or most))))
        if out_end is not None and (end is None or end > max(out_end, reached)):
            found.append(_region(ends, "up", end, cost))
        reached = end
    last = ends.end(own, most)
    if reached is not None and (last is None or last > reached):
        found.append(_region(ends, "out", last, each))
    return _merged(found)


def _needed(ends: Ends, own: str, until: float | None, most: int) -> int:
    """Return the fewest nodes of the file's own type that carry a load which `most` of them carry."""
    if until is None:
        return most
    load, least = until * (1 - 2 * PRECISION), ends.search(own, 1.0).system.tiers[ends.name].least_count()
    return fewest(lambda count: ends.carries(own, count, load), min(least, most), most) or most


def _price(ends: Ends, node: str, count: int) -> float | None:
    return running(ends.search(node, 1.0).system, ends.name, count)


def _affordable(ends: Ends, own: str, cost: float, least: int, most: int) -> int | None:
    """Return the most nodes of the file's own type that cost less than this (prices grow with the count)."""

    def dear(count: int) -> bool:
        price = _price(ends, own, count)
        return price is None or price >= cost - 1e-9

    first = fewest(dear, least, most)
    return most if first is None else first - 1 if first > least else None


def _region(ends: Ends, way: str, until: float | None, cost: float | None) -> Region:
    return Region(way, None if until is None else _rate(ends, until), cost)


def _merged(regions: Sequence[Region]) -> list[Region]:
    """Return neighbours of the same way as one, without stretches shorter than a hundredth of their load."""
    found: list[Region] = []
    for region in regions:
        start = found[-1].until_per_s if found else 0.0
        if region.until_per_s is not None and start is not None and region.until_per_s < start * 1.01:
            continue
        if found and found[-1].way == region.way:
            found[-1] = region
        else:
            found.append(region)
    return found
