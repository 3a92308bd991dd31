"""The load, times today's, up to which everything is met with the counts held: roots, found by halving."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from capacity.document import scaled
from capacity.scenarios import events, normal
from capacity.search import Search, Wanted
from capacity.solve import solve
from capacity.system import Conditions, resolve
from capacity.verdict import violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.solve import Solution
    from capacity.system import Counts
    from capacity.topology import Topology
    from capacity.verdict import Violation

PRECISION: Final = 1e-6
"""Relative, of every root."""

STEP: Final = 1.25
"""Ratio of the loads between which a root is looked for: what breaks and mends again in between is not seen."""

MOST_LOAD: Final = 1e6
"""Times today's load, beyond which nobody looks; as far below it, nothing is left of it."""


class Edge(NamedTuple):
    """The largest load found that meets everything, and what is not met just above."""

    load: float
    missed: list[Violation]


class Cold(NamedTuple):
    """A system whose cache is as cold as it may be, and what is not met where it is a little colder."""

    solution: Solution
    missed: list[Violation]


@dataclass
class Breaking:
    """One system, its counts held, under any load; each solved once."""

    topology: Topology
    counts: Counts
    tick: Callable[[int], None] = lambda _: None
    aside: frozenset[Wanted] = frozenset()
    """What no load meets, and what therefore ends none."""
    _searches: dict[float, Search] = field(default_factory=dict)
    _missed: dict[tuple[float, str | None], list[Violation]] = field(default_factory=dict)

    def search(self, load: float) -> Search:
        """Return the system under a load."""
        if load not in self._searches:
            system = resolve(scaled(self.topology, load))
            self._searches[load] = Search(system, (), normal(system))
            self.tick(len(self._searches))
        self._searches[load].aside = self.aside
        return self._searches[load]

    def at(self, load: float) -> Solution:
        """Return the solved system under a load, in normal operation."""
        return self.search(load).at(self.counts)

    def missed(self, load: float, lost: str | None = None) -> list[Violation]:
        """Return all limits and objectives that are not met, without a node of the tier `lost` if one is named."""
        key = load, lost
        if key not in self._missed:
            search = self.search(load)
            event = search.normal
            if lost is not None:
                event = next(e for e in events(search.system, "node") if e.subject == lost)
            self._missed[key] = search.everything(event, self.counts)
        return [v for v in self._missed[key] if Wanted(*v.key, None) not in self.aside]

    def edge(self, lost: str | None = None) -> Edge | None:
        """Return where it breaks first: above today's load, or below where today is broken; load 0: at any.

        None where nothing breaks however much it is.
        """
        if not self.missed(1.0, lost):
            low = 1.0
            while not self.missed(low * STEP, lost):
                low *= STEP
                if low > MOST_LOAD:
                    return None
            high = low * STEP
        else:
            high = 1.0
            while self.missed(high / STEP, lost):
                high /= STEP
                if high < 1 / MOST_LOAD:
                    return Edge(0.0, self.missed(high, lost))
            low = high / STEP
        while high - low > PRECISION * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.missed(middle, lost) else (middle, high)
        return Edge(low, self.missed(high, lost))

    def set_hopeless_aside(self) -> list[Violation]:
        """Set aside what is missed at today's load and at any below, and return it."""
        found, load = {v.key: v for v in self.missed(1.0)}, 1.0
        while found and load > 1 / MOST_LOAD:
            load /= STEP
            kept = {v.key for v in self.missed(load)}
            found = {key: v for key, v in found.items() if key in kept}
        self.aside |= {Wanted(*key, None) for key in found}
        return list(found.values())

    def warm_edge(self, name: str, load: float, counts: Counts) -> Cold | None:
        """Return the system with as much of a cache cold as it bears; None where it bears all of it or not even none.

        What availability it leaves is not asked here: what is cold for a while is no downtime.
        """
        system = self.search(load).system

        def at(warm: float) -> Solution:
            return solve(system, counts, conditions=Conditions(warm=((name, warm),)))

        def misses(solution: Solution) -> list[Violation]:
            return [v for v in violations(solution) if Wanted(*v.key, None) not in self.aside]

        if misses(at(1.0)) or not misses(at(0.0)):
            return None
        cold, warm = 0.0, 1.0
        while warm - cold > PRECISION:
            middle = (cold + warm) / 2
            cold, warm = (middle, warm) if misses(at(middle)) else (cold, middle)
        return Cold(at(warm), misses(at(cold)))
