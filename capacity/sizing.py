"""The cheapest counts that meet every limit and objective, in everything that the file wants survived.

The search goes from below. Each tier first gets a lower bound: the fewest nodes with which it passes when nothing
waits anywhere else. From there candidates are taken in order of cost. The first that passes is the cheapest. One that
fails names a conflict, and only the tiers whose nodes could resolve it are given more: as long as more nodes of other
tiers never make that conflict smaller, every cheaper system has been seen.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from capacity.bounds import lower_bounds, still_unavailable
from capacity.fewest import fewest, fewest_near
from capacity.money import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capacity.search import Conflict, Search
    from capacity.system import Counts, System
    from capacity.verdict import Violation

MOST_CANDIDATES: Final = 600
"""Candidates that are tried before the search settles for a plan that is not proven to be the cheapest."""

FEW_CANDIDATES: Final = 40
"""The same where only whether there is a plan is asked for, and not which is the cheapest."""

MOST_HOPELESS: Final = 50
"""Constraints that are put aside one by one; no file has as many."""

CostKey = tuple[int, float, int]
"""Nodes whose price is unknown, known monthly cost, nodes: compared in this order."""


class _NotAttainableError(Exception):
    """What a similar system meets, none of this one does: to be known before the search, not at the end of it."""


@dataclass(frozen=True)
class Sizing:
    """The result of a search: `conflict` is None for a plan that passes; `proven` when no cheaper one does."""

    counts: Counts
    conflict: Conflict | None
    proven: bool
    candidates: int
    hopeless: tuple[Conflict, ...] = ()
    """What no counts can meet; the counts are the cheapest that meet all the rest."""
    bounds: Counts = field(default_factory=dict)
    """The fewest nodes of each tier that could ever do, where the search began."""

    @property
    def available(self) -> bool:
        """Whether the availability that is wanted can be had."""
        found = self.hopeless if self.conflict is None else (*self.hopeless, self.conflict)
        return all(conflict.violation.constraint != "availability" for conflict in found)


def size(search: Search, most: int = MOST_CANDIDATES) -> Sizing:
    """Return the cheapest counts that pass; where nothing does, the conflict that remains at the best counts.

    After `most` candidates it settles for counts that pass and that may not be the cheapest.
    """
    start, found_hopeless = lower_bounds(search)
    try:
        return replace(_sized(search, start, list(found_hopeless), most), bounds=start)
    except _NotAttainableError:
        return size(search, most)


def _sized(search: Search, start: Counts, hopeless: list[Conflict], most: int) -> Sizing:
    found = _aside(search, start, hopeless, most)
    while found.conflict is not None and _no_node_relieves(search, found.conflict) and len(hopeless) < MOST_HOPELESS:
        # The counts are to meet all the rest.
        hopeless.append(found.conflict)
        found = _aside(search, start, hopeless, most)
    if not hopeless:
        return found
    # What looked hopeless tier by tier may be met all the same: what passes is feasible.
    search.aside = frozenset()
    if found.conflict is None and next(search.conflicts(found.counts), None) is None:
        return Sizing(found.counts, None, proven=False, candidates=found.candidates)
    search.aside = frozenset(conflict.wanted for conflict in hopeless)
    return Sizing(found.counts, found.conflict or hopeless[0], found.proven, found.candidates, tuple(hopeless))


def _no_node_relieves(search: Search, conflict: Conflict) -> bool:
    """Return whether what is left over at the end of a search is nothing that nodes could do about."""
    return not search.helpers(conflict.violation) or conflict.violation.constraint == "availability"


def _aside(search: Search, start: Counts, hopeless: Sequence[Conflict], most: int) -> Sizing:
    """Return the cheapest counts that meet all but what is hopeless."""
    search.aside = frozenset(conflict.wanted for conflict in hopeless)
    return _cheapest(search, start, most)


def _cheapest(search: Search, start: Counts, most: int) -> Sizing:
    system = search.system
    queue: list[tuple[CostKey, tuple[int, ...]]] = [(cost_key(system, start), tuple(start.values()))]
    queued, last, counts = {queue[0][1]}, None, start
    for tried in range(most):
        if not queue:
            return Sizing(counts, last, proven=True, candidates=tried)
        _, values = heapq.heappop(queue)
        counts = dict(zip(start, values, strict=True))
        conflict = next(search.conflicts(counts), None)
        if conflict is None:
            return Sizing(counts, None, proven=True, candidates=tried + 1)
        last = conflict
        if search.attainable and conflict.violation.constraint == "availability":
            search.attainable = False
            if next(still_unavailable(search, start, search.aside), None) is not None:
                raise _NotAttainableError
        for child in children(search, counts, conflict):
            key = tuple(child.values())
            if key not in queued:
                queued.add(key)
                heapq.heappush(queue, (cost_key(system, child), key))
    return settle(search, start, counts, most)


def cost_key(system: System, counts: Counts) -> CostKey:
    """Return what a plan minimises. A price that is not known is not 0: fewer such nodes come first."""
    unknown, known, nodes = 0, 0.0, 0
    for name, count in counts.items():
        machines = system.tiers[name].machines(count)
        price = running(system, name, count)
        nodes += machines
        if price is None:
            unknown += machines
        else:
            known += price
    return unknown, known, nodes


def children(search: Search, counts: Counts, conflict: Conflict) -> Iterator[Counts]:
    """Yield the next larger counts of each tier that could resolve a conflict."""
    for name in search.helpers(conflict.violation):
        if counts[name] < search.most(name):
            own = conflict.violation.scope == "tier" and search.system.roots[conflict.violation.name] == name
            yield {**counts, name: _jump(search, counts, conflict, name) if own else counts[name] + 1}


def _jump(search: Search, counts: Counts, conflict: Conflict, name: str) -> int:
    """Return the smallest larger count with which a tier's own limit is kept, all else being equal."""

    def kept(count: int) -> bool:
        same = (v for v in search.failing(conflict.event, {**counts, name: count}) if _same(v, conflict))
        return next(same, None) is None

    least, most = counts[name] + 1, search.most(name)
    guess = math.ceil(min(counts[name] * (conflict.violation.short or 1.0), most))
    return fewest_near(kept, guess, least, most) or least


def settle(search: Search, start: Counts, counts: Counts, tried: int = MOST_CANDIDATES) -> Sizing:
    """Return a plan that passes and from which no node can be taken, without the proof that it is the cheapest.

    Steps grow with the counts, so that the end is reached in a number of steps that grows with their logarithm.
    """
    counts = dict(counts)
    while (conflict := next(search.conflicts(counts), None)) is not None:
        tried += 1
        steps = {
            name: max(child[name], min(search.most(name), counts[name] * 5 // 4))
            for child in children(search, counts, conflict)
            for name in child
            if child[name] != counts[name]
        }
        if not steps:
            return Sizing(start, conflict, proven=False, candidates=tried)
        options = [{**counts, name: count} for name, count in steps.items()]
        counts = min(options, key=lambda option: _distance(search, option, conflict))
    for name in sorted(search.free(), key=lambda n: -cost_key(search.system, {n: 1})[1]):
        counts = {**counts, name: _trimmed(search, counts, name)}
    return Sizing(counts, None, proven=False, candidates=tried)


def _trimmed(search: Search, counts: Counts, name: str) -> int:
    """Return a count of one tier from which no node can be taken, at most what it has."""

    def passes(count: int) -> bool:
        return next(search.conflicts({**counts, name: count}), None) is None

    least = search.system.tiers[name].least_count()
    count = fewest(passes, least, counts[name]) or counts[name]
    while count > least and passes(count - 1):
        count -= 1
    return count


def _distance(search: Search, counts: Counts, conflict: Conflict) -> tuple[float, CostKey]:
    """Return how far a candidate is from meeting what it failed, cheaper ones first among equals."""
    same = [v for v in search.failing(conflict.event, counts) if _same(v, conflict)]
    worst = max((_by_how_much(violation) for violation in same), default=0.0)
    return worst, cost_key(search.system, counts)


def _by_how_much(violation: Violation) -> float:
    if violation.is_by_failures:
        return violation.failed
    return math.inf if violation.short is None else violation.short


def _same(violation: Violation, conflict: Conflict) -> bool:
    return violation.key == conflict.violation.key
