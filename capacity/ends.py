"""The loads at which so many nodes of a type end as one tier: roots, each solved once.

All load grows together; other tiers are taken to keep up (nothing waits there), so that an end is this tier's own: one
of its limits, an objective of the classes through it, the connections that its nodes open elsewhere, or the limit of a
partner that it calls. Partners do not grow with a plan, and connections are opened by count, whatever the load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.components.database import Database
from capacity.document import scaled
from capacity.fewest import fewest, fewest_near
from capacity.search import Conflict
from capacity.telling import none_left
from capacity.trial import with_fields
from capacity.variants import searched, with_tier
from capacity.verdict import allowed, limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.search import Search, Wanted
    from capacity.system import Counts
    from capacity.topology import Topology

PRECISION: Final = 1e-4
"""Relative, of every load that is solved for."""

HARDLY: Final = 1e-6
"""Times today's load: so little that one node of anything carries it."""

MOST_LOAD: Final = 1e6
"""Times today's load, beyond which an end is no end."""


MOSTLY_IDLE: Final = 0.5
"""Cores that are less busy than this at an end could do more, if it were not for what is kept."""


@dataclass
class Ends:
    """Loads, as multiples of today's, at which a type and count of one tier end; each solved once."""

    topology: Topology
    counts: Counts
    name: str
    tick: Callable[[int], None]
    aside: frozenset[Wanted] = frozenset()
    """What no plan meets, and what therefore ends nothing."""
    _sharded: dict[int, Ends] = field(default_factory=dict)
    _searches: dict[tuple[str, float, bool], Search] = field(default_factory=dict)
    _found: dict[tuple[str, int, bool], float | None] = field(default_factory=dict)
    _opened: dict[tuple[str, int, bool], Conflict | None] = field(default_factory=dict)

    def sharded(self, shards: int | None) -> Ends:
        """Return the ends of the same tier cut into so many parts; these, where it has as many or can have none."""
        if shards is None or shards == self.topology.components[self.name].parts():
            return self
        if shards not in self._sharded:
            topology = with_fields(self.topology, self.name, shards=shards)
            self._sharded[shards] = Ends(topology, self.counts, self.name, self.tick, self.aside)
        return self._sharded[shards]

    def search(self, node: str, load: float, *, alone: bool = False) -> Search:
        """Return the search at a load; `alone`: nothing has to be survived, and it may be down as often as it is."""
        key = node, load, alone
        if key not in self._searches:
            topology = scaled(with_tier(self.topology, self.name, node=node), load)
            if alone:
                calm = msgspec.structs.replace(topology.resilience, survive=[])
                slo = msgspec.structs.replace(topology.slo, availability=None)
                topology = msgspec.structs.replace(topology, resilience=calm, slo=slo)
            self._searches[key] = searched(topology, self.tick)
            self._searches[key].aside = self.aside
        return self._searches[key]

    def carries(self, node: str, count: int, load: float, *, alone: bool = False) -> bool:
        """Return whether so many nodes of a type carry a load."""
        return self.hindrance(node, count, load, alone=alone) is None

    def hindrance(self, node: str, count: int, load: float, *, alone: bool = False) -> Conflict | None:
        """Return what keeps so many nodes of a type from carrying a load, None where nothing of this tier does."""
        opened = self._too_many_opened(node, count, alone=alone)
        if opened is not None:
            return opened
        search = self.search(node, load, alone=alone)
        counts, others = {**self.counts, self.name: count}, wait_free(search, self.name)
        return next((c for c in search.conflicts(counts, others, self.name) if self._ours(search, c)), None)

    def _ours(self, search: Search, conflict: Conflict) -> bool:
        """Return whether a conflict is this tier's own, whether or not more nodes would relieve it."""
        violation, system = conflict.violation, search.system
        if violation.scope == "tier" and violation.unit != "s":
            if violation.constraint == "connections":
                return False  # what this tier opens is judged by its count alone
            return system.roots[violation.name] == self.name or violation.name in self._partners(search)
        return self.name in search.helpers(violation)

    def _partners(self, search: Search) -> set[str]:
        tiers = search.system.tiers
        called = {call.to for n in search.system.residents[self.name] for call in tiers[n].calls_made()}
        return {name for name in called if tiers[name].is_partner}

    def _too_many_opened(self, node: str, count: int, *, alone: bool) -> Conflict | None:
        """Return whose connections so many nodes exceed that the fewest do not; told at hardly any load."""
        key = node, count, alone
        if key not in self._opened:
            search = self.search(node, HARDLY, alone=alone)
            least = search.system.tiers[self.name].least_count()
            found = self._connections(search, count) if self._is_connected(search) else {}
            before = self._connections(search, least) if found else {}
            self._opened[key] = next((conflict for name, conflict in found.items() if name not in before), None)
        return self._opened[key]

    def _connections(self, search: Search, count: int) -> dict[str, Conflict]:
        counts = {**self.counts, self.name: count}
        conflicts = list(search.conflicts(counts, wait_free(search, self.name), self.name))
        return {c.violation.name: c for c in conflicts if c.violation.constraint == "connections"}

    def _is_connected(self, search: Search) -> bool:
        """Return whether a tier elsewhere, that this one reaches, has connections to run out of."""
        system = search.system
        below = {n for resident in system.residents[self.name] for n in system.below(resident)}
        away = [n for n in below if system.roots[n] != self.name]
        return any(getattr(system.tiers[n], "max_connections", None) is not None for n in away)

    def end(self, node: str, count: int, *, alone: bool = False) -> float | None:
        """Return the load at which so many nodes of a type end, None where there is no end; 0 where they carry none."""
        key = node, count, alone
        if key not in self._found:
            self._found[key] = self._end(node, count, alone=alone)
        return self._found[key]

    def _end(self, node: str, count: int, *, alone: bool) -> float | None:
        if self._too_many_opened(node, count, alone=alone) is not None:
            return 0.0
        guess = self.guess(node, count, alone=alone)
        low, high = guess * (1 - PRECISION), guess * (1 + PRECISION)
        if self.carries(node, count, low, alone=alone):
            if not self.carries(node, count, high, alone=alone):
                return guess
            while self.carries(node, count, high, alone=alone):
                low, high = high, high * 2
                if high > MOST_LOAD:
                    return None
        else:
            low, high = self._below(node, count, low, alone=alone)
        return self._halved(node, count, low, high, alone=alone)

    def _halved(self, node: str, count: int, low: float, high: float, *, alone: bool) -> float:
        """Return the end between a load that is carried and one that is not: of the event that fails at the second.

        Where the load below it is not carried, another event gives way first, and is looked for below.
        """
        failing, least = self.hindrance(node, count, high, alone=alone), low
        while high - low > PRECISION * high:
            middle = (low + high) / 2
            if middle < PRECISION:
                return 0.0
            low, high = (low, middle) if self._fails(failing, node, count, middle, alone=alone) else (middle, high)
        if low == least or self.carries(node, count, low, alone=alone):
            return (low + high) / 2
        return self._halved(node, count, least, low, alone=alone)

    def _fails(self, like: Conflict | None, node: str, count: int, load: float, *, alone: bool) -> bool:
        """Return whether a load is too much in one event."""
        search = self.search(node, load, alone=alone)
        counts, others = {**self.counts, self.name: count}, wait_free(search, self.name)
        return any(
            self._ours(search, Conflict(violation, event))
            for event in (search.normal, *search.events)
            if like is None or (event.scenario, event.subject) == (like.event.scenario, like.event.subject)
            for violation in search.failing(event, counts, others, self.name)
        )

    def _below(self, node: str, count: int, high: float, *, alone: bool) -> tuple[float, float]:
        """Return loads with the end between them, below one that is too much: objectives often end close to limits."""
        for share in (0.96, 0.8, 0.4):
            if self.carries(node, count, high * share, alone=alone):
                return high * share, high
            high *= share
        return 0.0, high

    def guess(self, node: str, count: int, *, alone: bool = False) -> float:
        """Return the load at which the first limit of the tier is reached, were all of them linear in it."""
        search = self.search(node, 1.0, alone=alone)
        return limit_factor(search, {**self.counts, self.name: count}, self.name)

    def least(self, node: str) -> int | None:
        """Return the fewest nodes that what has to be survived leaves anything of, at hardly any load.

        A tier that may be lost whole, as a cache may, has as many as those behind it need to bear a loss: at today's
        load, since they are taken to grow with it.
        """
        search = self.search(node, HARDLY)
        tier = search.system.tiers[self.name]
        found = search.first(self.name, lambda count: self.carries(node, count, HARDLY), tier.least_count())
        if tier.bearable_loss(self.counts[self.name]) > 0 or tier.machines(0) > 0:
            return found
        today = self.search(node, 1.0)
        while found is not None and found < self.counts[self.name] and self._missed(today, found):
            found += 1
        return found

    def _missed(self, search: Search, count: int) -> bool:
        """Return whether an event takes nodes of the tier without which others do not meet what they have to."""
        counts, others = {**self.counts, self.name: count}, wait_free(search, self.name)
        for event in search.events:
            if event.state(counts, self.name).counts[self.name] < count:
                failing, own = (
                    {(v.scope, v.name, v.constraint) for v in search.failing(event, counts, wait_free, self.name)}
                    for wait_free in (frozenset[str](), others)
                )
                own = {key for key in own if key[0] == "class" or search.system.roots.get(key[1]) == self.name}
                if failing - own:
                    return True
        return False

    def useful(self, node: str, least: int) -> int:
        """Return the smallest count that reaches, within the precision, the highest load that any count reaches."""
        search = self.search(node, 1.0)
        top = self._most_opening(node, least, search.most(self.name))
        best = self._best(node, least, top) if search.more_may_be_slower(self.name) else top
        end = self.end(node, best)
        load = MOST_LOAD if end is None else end * (1 - PRECISION)
        return fewest_near(lambda count: self.carries(node, count, load), best, least, best) or best

    def _most_opening(self, node: str, least: int, most: int) -> int:
        """Return the most nodes that do not open too many connections elsewhere."""

        def too_many(count: int) -> bool:
            return self._too_many_opened(node, count, alone=False) is not None

        first = fewest(too_many, least, most) if too_many(most) else None
        return most if first is None else max(least, first - 1)

    def _best(self, node: str, least: int, top: int) -> int:
        """Return the count with the highest end where more nodes may be worse: climbed to, in ever smaller steps."""
        peak = self.search(node, 1.0).system.tiers[self.name].most_useful()
        starts = {least, min(max(self.counts[self.name], least), top), int(min(max(peak, least), top))}
        best = max(sorted(starts), key=lambda count: _comparable(self.end(node, count)))
        step = max(1, (top - least) // 4)
        while step:
            load = max(_comparable(self.end(node, best)) * (1 + 2 * PRECISION), HARDLY)
            beside = [count for count in (best - step, best + step) if least <= count <= top]
            better = next((count for count in beside if self.carries(node, count, load)), None)
            best, step = (best, step // 2) if better is None else (better, step)
        return best

    def ends_by(
        self, node: str, count: int, end: float | None, *, more: bool = False, alone: bool = False
    ) -> str | None:
        """Return what keeps so many nodes of a type from more than a load, as "cores of app"; None without an end.

        With `more`, what a node more does not move either.
        """
        if end is None:
            return None
        over = max(end * (1 + 2 * PRECISION), HARDLY)
        hindering = self.hindrance(node, count, over, alone=alone)
        if not more:
            return None if hindering is None else self._named(hindering, count)
        search = self.search(node, 1.0)
        most, partitions = search.most(self.name), search.system.partitions.get(self.name)
        if count < most:
            hindering = self.hindrance(node, count + 1, over) or hindering
        by = "" if hindering is None else self._named(hindering, count)
        if partitions is not None and count >= partitions:
            return f"{by} (partitions)"
        return f"{by} (max_nodes)" if self.carries(node, 2 * most, over) else by or None

    def kept(self, node: str, count: int, end: float | None, *, alone: bool = False) -> str | None:
        """Return what the file fixes for each node and what ends so many while most cores idle, as "threads = 9".

        It is what ends them if twice of it carries more.
        """
        over = max((end or 0.0) * (1 + 2 * PRECISION), HARDLY)
        hindering = None if end is None else self.hindrance(node, count, over, alone=alone)
        if hindering is None:
            return None
        search, counts = self.search(node, over, alone=alone), {**self.counts, self.name: count}
        solution = search.solved(hindering.event.state(counts, self.name), wait_free(search, self.name))
        busy = max((x.utilization for x in limits(solution, self.name) if x.unit == "cores"), default=0.0)
        for name in search.system.residents[self.name] if busy < MOSTLY_IDLE else ():
            threads = getattr(search.system.tiers[name], "threads", None)
            if threads is not None:
                twice = Ends(
                    with_fields(self.topology, name, threads=2 * threads), self.counts, self.name, self.tick, self.aside
                )
                if twice.carries(node, count, over * (1 + PRECISION), alone=alone):
                    return f"threads = {threads}" + ("" if name == self.name else f" of {name}")
        return None

    def _named(self, conflict: Conflict, count: int) -> str:
        """Return what is in the way in a few words: a resource of a tier, or an objective."""
        violation = conflict.violation
        what = none_left(violation.limit) if violation.constraint == "nodes" else violation.constraint
        left = conflict.event.state({**self.counts, self.name: count}, self.name).counts[self.name]
        tier = conflict.event.system.tiers.get(violation.name)
        spared = isinstance(tier, Database) and tier.read_from == "replicas" and not tier.replication.by_quorum
        only_writes = what == "primary cores" and spared and left > 0
        return f"{what} of {violation.name}{' (writes)' if only_writes else ''}"


def _comparable(end: float | None) -> float:
    """Return an end as a number: what has none ends last."""
    return MOST_LOAD if end is None else end


def wait_free(search: Search, name: str) -> frozenset[str]:
    """Return the other tiers of ours, in which nothing is to wait."""
    return frozenset(n for n, tier in search.system.tiers.items() if tier.counted is not None and n != name)


def limit_factor(search: Search, counts: Counts, name: str) -> float:
    """Return how many times today's load a tier's own limits allow, in the worst of what it has to survive."""
    ceiling = float(search.system.topology.slo.utilization)
    factor = MOST_LOAD
    others = wait_free(search, name)
    for event in (search.normal, *search.events):
        if event.subject not in (None, name) and search.system.takes_nodes(event.subject):
            continue
        state = event.state(counts, name)
        solution = search.solved(state, others)
        for limit in limits(solution, name):
            if limit.used > 0 and not limit.foreseen:
                factor = min(factor, allowed(limit, ceiling) / limit.used)
    return factor
