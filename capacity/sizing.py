"""The cheapest counts that meet every limit and objective, also with one node lost in any tier.

The search goes from below. Each tier first gets a lower bound: the fewest nodes with which it passes when nothing
waits anywhere else. From there candidates are taken in order of cost. The first that passes is the cheapest. One that
fails names a conflict, and only the tiers whose nodes could resolve it are given more: as long as more nodes of other
tiers never make that conflict smaller, every cheaper system has been seen.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capacity import pricing
from capacity.scenarios import losses
from capacity.solve import solve
from capacity.verdict import Violation, limit_violations, objective_violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from capacity.solve import Solution
    from capacity.system import Counts, System
    from capacity.traffic import Attempts

MOST_CANDIDATES: Final = 600
"""Candidates that are tried before the search settles for a plan that is not proven to be the cheapest."""

LIGHT_RETRIES: Final = 1.05
"""Tries per call from which a neighbouring system does not start: retries that feed themselves have two solutions."""

FIXED_RESOURCES: Final = frozenset({"memory", "connections", "apply thread"})
"""What more nodes of a tier do not relieve: each node has its own, or each node takes more."""

CostKey = tuple[int, float, int]
"""Nodes whose price is unknown, known monthly cost, nodes: compared in this order."""


@dataclass(frozen=True)
class Conflict:
    """What one system does not meet, and which tier had lost a node at that moment, if any."""

    violation: Violation
    lost: str | None


@dataclass(frozen=True)
class Sizing:
    """The result of a search: `conflict` is None for a plan that passes; `proven` when no cheaper one does."""

    counts: Counts
    conflict: Conflict | None
    proven: bool
    candidates: int
    hopeless: tuple[Conflict, ...] = ()
    """What no counts can meet; the counts are the cheapest that meet all the rest."""


@dataclass
class Search:
    """Systems tried so far, by their counts: a lost node is the same system with one less."""

    system: System
    survives_node: bool
    seen: dict[tuple[tuple[int, ...], frozenset[str]], list[Violation]] = field(default_factory=dict)
    solutions: dict[tuple[int, ...], Solution] = field(default_factory=dict)
    attempts: Attempts = field(default_factory=dict)
    """Tries per call of the last system, where the next one starts from."""
    tick: Callable[[int], None] = lambda _: None
    """Called with the number of systems solved so far."""
    aside: frozenset[tuple[str, str]] = frozenset()
    """What is known to be hopeless, by name and constraint, and therefore not asked for."""
    suspects: list[str] = field(default_factory=list)
    """Tiers whose loss failed lately: tried first."""

    def solved(self, counts: Counts) -> Solution:
        """Return a solved system, each only once."""
        key = tuple(counts.values())
        if key not in self.solutions:
            self.solutions[key] = self._solve(counts, frozenset())
        return self.solutions[key]

    def _solve(self, counts: Counts, wait_free: frozenset[str]) -> Solution:
        self.tick(len(self.seen))
        solution = solve(self.system, counts, wait_free, self.attempts)
        if max(solution.attempts.values(), default=1.0) < LIGHT_RETRIES:
            self.attempts = solution.attempts
        return solution

    def violations(self, counts: Counts, wait_free: frozenset[str] = frozenset()) -> list[Violation]:
        """Return what one system does not meet: its limits, or when they are met its objectives."""
        key = tuple(counts.values()), wait_free
        if key not in self.seen:
            solution = self._solve(counts, wait_free) if wait_free else self.solved(counts)
            found = list(limit_violations(solution))
            if all((v.name, v.constraint) in self.aside for v in found):
                # Under a hopeless overload, what it leaves without a value is not another conflict.
                found += [v for v in objective_violations(solution) if v.value is not None or not found]
            self.seen[key] = found
        return self.seen[key]

    def asked(self, counts: Counts, wait_free: frozenset[str] = frozenset()) -> list[Violation]:
        """Return what one system does not meet of what is not hopeless."""
        return [v for v in self.violations(counts, wait_free) if (v.name, v.constraint) not in self.aside]

    def conflicts(
        self, counts: Counts, wait_free: frozenset[str] = frozenset(), only: str | None = None
    ) -> Iterator[Conflict]:
        """Yield what fails, as the file has it and then with one node lost in each tier, or in one `only`."""
        for violation in self.asked(counts, wait_free):
            yield Conflict(violation, None)
        if not self.survives_node:
            return
        found = [loss for loss in losses(self.system, counts) if only in (None, loss[0])]
        found.sort(key=lambda loss: self.suspects.index(loss[0]) if loss[0] in self.suspects else len(self.suspects))
        for name, after in found:
            if after is None:
                yield Conflict(Violation("tier", name, "nodes", 0.0, 1.0, "nodes", "nodes"), name)
                continue
            for violation in self.asked(after, wait_free):
                if name in self.suspects:
                    self.suspects.remove(name)
                self.suspects.insert(0, name)
                yield Conflict(violation, name)

    def most(self, name: str) -> int:
        """Return the largest count of a tier."""
        tier = self.system.tiers[name]
        most = tier.max_nodes - (1 if tier.counted == "replicas" else 0)
        partitions = self.system.partitions.get(name)
        if any(self.system.tiers[n].single_on_host for n in self.system.residents[name] if n != name):
            return 1
        most = min(most, int(min(tier.most_useful(), most)))
        # One more than can work takes over when one is lost.
        return most if partitions is None else min(most, partitions + int(self.survives_node))

    def first(self, name: str, enough: Callable[[int], bool], least: int) -> int | None:
        """Return the smallest count of a tier that is enough. Where more may be worse, small counts are all tried."""
        most = self.most(name)
        if self.more_may_be_slower(name):
            found = next((count for count in range(least, min(most, least + 64) + 1) if enough(count)), None)
            if found is not None:
                return found
        return fewest(enough, least, most)

    def more_may_be_slower(self, name: str) -> bool:
        """Return whether a larger count can lengthen requests, by itself or as local copies each see fewer of them."""
        residents = [self.system.tiers[n] for n in self.system.residents[name] if n != name]
        local = any(tier.satisfied_at(None) is not None for tier in residents)
        return local or self.system.tiers[name].more_may_be_slower()

    def free(self) -> list[str]:
        """Return the tiers whose count the plan may choose."""
        given = self.system.given()
        return [name for name in self.system.counted() if name not in given]

    def helpers(self, violation: Violation) -> list[str]:
        """Return the tiers of which more nodes could relieve a violation."""
        system, name = self.system, violation.name
        if violation.constraint in FIXED_RESOURCES:
            return []
        if violation.scope == "class":
            affected = system.below(system.topology.workload.classes[name].entry)
        elif violation.constraint == "threads" or violation.unit == "s":
            affected = system.below(name)
        else:
            affected = {name}
        relieving = [n for n, tier in system.tiers.items() if tier.satisfied_at(system.machines[n]) is not None]
        affected |= {n for n in relieving if system.below(n) & affected}
        roots = {system.roots[n] for n in affected}
        return [n for n in self.free() if n in roots]


def size(search: Search) -> Sizing:
    """Return the cheapest counts that pass; where nothing does, the conflict that remains at the best counts."""
    start, hopeless = lower_bounds(search)
    search.aside = frozenset(_key(conflict) for conflict in hopeless)
    search.seen.clear()
    found = _cheapest(search, start)
    if not hopeless:
        return found
    # What looked hopeless tier by tier may be met all the same: what passes is feasible.
    search.aside = frozenset()
    search.seen.clear()
    if found.conflict is None and next(search.conflicts(found.counts), None) is None:
        return Sizing(found.counts, None, proven=False, candidates=found.candidates)
    search.aside = frozenset(_key(conflict) for conflict in hopeless)
    search.seen.clear()
    return Sizing(found.counts, found.conflict or next(iter(hopeless), None), found.proven, found.candidates, hopeless)


def _cheapest(search: Search, start: Counts) -> Sizing:
    system = search.system
    queue: list[tuple[CostKey, tuple[int, ...]]] = [(cost_key(system, start), tuple(start.values()))]
    queued, last, counts = {queue[0][1]}, None, start
    for tried in range(MOST_CANDIDATES):
        if not queue:
            return Sizing(counts, last, proven=True, candidates=tried)
        _, values = heapq.heappop(queue)
        counts = dict(zip(start, values, strict=True))
        conflict = next(search.conflicts(counts), None)
        if conflict is None:
            return Sizing(counts, None, proven=True, candidates=tried + 1)
        last = conflict
        for child in children(search, counts, conflict):
            key = tuple(child.values())
            if key not in queued:
                queued.add(key)
                heapq.heappush(queue, (cost_key(system, child), key))
    return settle(search, start, counts)


def cost_key(system: System, counts: Counts) -> CostKey:
    """Return what a plan minimises. A price that is not known is not 0: fewer such nodes come first."""
    unknown, known, nodes = 0, 0.0, 0
    for name, count in counts.items():
        machine = system.machines[name]
        machines = system.tiers[name].machines(count)
        price = None if machine is None else pricing.monthly(machine, machines)
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
        tried = {**counts, name: count}
        if conflict.lost is not None:
            tried[conflict.lost] -= 1
        if tried[name] < search.system.tiers[name].bearable_loss():
            return False
        wanted = conflict.violation
        return all((v.name, v.constraint) != (wanted.name, wanted.constraint) for v in search.violations(tried))

    return fewest(kept, counts[name] + 1, search.most(name)) or counts[name] + 1


def fewest(enough: Callable[[int], bool], least: int, most: int) -> int | None:
    """Return the smallest count in [least, most] that is enough, None where none is: gallop, then halve."""
    if least > most:
        return None
    low, step = least - 1, 1
    high = least
    while not enough(high):
        if high == most:
            return None
        low, step = high, step * 2
        high = min(high + step, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def lower_bounds(search: Search) -> tuple[Counts, tuple[Conflict, ...]]:
    """Return for each tier the fewest nodes that pass when nothing of ours waits elsewhere, and what none can resolve.

    What no count of a tier resolves is left aside, so that the counts are the best there are for all the rest.
    """
    system = search.system
    counts = {name: min(count, search.most(name)) for name, count in system.least().items()}
    counts |= search.system.given()
    generous = {n: count for n in search.free() if (count := _generous(search, n)) is not None}
    found = _floor(search, {**counts, **generous})
    aside = {_key(conflict) for conflict in found}
    for name in search.free():
        optimistic = {**counts, **{n: c for n, c in generous.items() if n != name}}
        hopeless = _hopeless(search, optimistic, name, aside)
        found += hopeless
        aside |= {_key(conflict) for conflict in hopeless}

        goal = Goal(
            search, optimistic, name, {_key(c): c.violation.short or math.inf for c in hopeless}, frozenset(aside)
        )
        counts[name] = search.first(name, goal.reached_with, counts[name]) or counts[name]
    unique = {_key(conflict): conflict for conflict in reversed(found)}
    return counts, tuple(sorted(unique.values(), key=lambda conflict: conflict.violation.unit == "s"))


def _hopeless(search: Search, counts: Counts, name: str, aside: AbstractSet[tuple[str, str]]) -> list[Conflict]:
    """Return what no count of a tier resolves."""
    least, remaining = counts[name], search.most(name)

    def clean(count: int) -> bool:
        return not _own_conflicts(search, {**counts, name: count}, name, aside)

    if search.more_may_be_slower(name) and search.first(name, clean, least) is not None:
        return []
    return _own_conflicts(search, {**counts, name: remaining}, name, aside)


@dataclass(frozen=True)
class Goal:
    """What one tier can do for a system: leave nothing that more of it resolves, and be no further from the rest."""

    search: Search
    counts: Counts
    name: str
    best: dict[tuple[str, str], float]
    """By how much what is hopeless is exceeded with the most nodes."""
    aside: frozenset[tuple[str, str]]

    def reached_with(self, count: int) -> bool:
        """Return whether a count is as good as the most."""
        found = _own_conflicts(self.search, {**self.counts, self.name: count}, self.name, frozenset())
        now = {_key(c): c.violation.short or math.inf for c in found}
        return all(key in self.aside for key in now) and all(
            now.get(key, 0.0) <= short * 1.01 for key, short in self.best.items()
        )


def _own_conflicts(search: Search, counts: Counts, name: str, aside: AbstractSet[tuple[str, str]]) -> list[Conflict]:
    """Return what fails, when nothing of ours waits in other tiers, that this tier could resolve."""
    others = _ours(search) - {name}
    return [c for c in search.conflicts(counts, others, name) if _key(c) not in aside and _concerns(search, c, name)]


def _ours(search: Search) -> frozenset[str]:
    return frozenset(name for name, tier in search.system.tiers.items() if tier.counted is not None)


def _concerns(search: Search, conflict: Conflict, name: str) -> bool:
    """Return whether a conflict in an otherwise unhindered system is this tier's to resolve."""
    if name not in search.helpers(conflict.violation):
        return False
    objective = conflict.violation.unit == "s"
    return objective or search.system.roots[conflict.violation.name] == name


def _floor(search: Search, counts: Counts) -> list[Conflict]:
    """Return what fails even when nothing of ours waits.

    These are objectives that partners and the work itself miss, and limits that no node relieves.
    """
    solution = solve(search.system, counts, _ours(search))
    found = [Conflict(violation, None) for violation in objective_violations(solution)]
    return found + [Conflict(v, None) for v in limit_violations(solution) if not search.helpers(v) and v.capacity]


def _key(conflict: Conflict) -> tuple[str, str]:
    return conflict.violation.name, conflict.violation.constraint


def _generous(search: Search, name: str) -> int | None:
    """Return a count at which a tier relieves those below it as far as it can, a lost node included."""
    enough = search.system.tiers[name].satisfied_at(search.system.machines[name])
    return None if enough is None else max(search.system.least()[name], min(search.most(name), enough + 2))


def settle(search: Search, start: Counts, counts: Counts) -> Sizing:
    """Return a plan that passes and from which no node can be taken, without the proof that it is the cheapest.

    Steps grow with the counts, so that the end is reached in a number of steps that grows with their logarithm.
    """
    counts, tried = dict(counts), MOST_CANDIDATES
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
        while counts[name] > search.system.tiers[name].least_count():
            fewer = {**counts, name: counts[name] - 1}
            if next(search.conflicts(fewer), None) is not None:
                break
            counts = fewer
    return Sizing(counts, None, proven=False, candidates=tried)


def _distance(search: Search, counts: Counts, conflict: Conflict) -> tuple[float, CostKey]:
    """Return how far a candidate is from meeting what it failed, cheaper ones first among equals."""
    after = {**counts, conflict.lost: counts[conflict.lost] - 1} if conflict.lost else counts
    wanted = conflict.violation
    same = [v for v in search.violations(after) if (v.name, v.constraint) == (wanted.name, wanted.constraint)]
    worst = max((v.short if v.short is not None else math.inf for v in same), default=0.0)
    return worst, cost_key(search.system, counts)
