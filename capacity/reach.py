"""Up to which load a plan exists, whatever it costs: two loads close together, one with a plan and one with none.

A plan for every load that is looked at would take too long. Counts that pass prove that one exists, and what fails
even where nothing of ours waits proves that none does; only what neither of them settles is planned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capacity.bounds import beyond_nodes
from capacity.document import scaled
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.variants import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.sizing import Sizing
    from capacity.system import Counts
    from capacity.topology import Topology

_FARTHEST: Final = 16.0
"""Times the load, beyond which nobody plans by steps."""

_LEAST: Final = 1 / 64
"""Times the load, below which nobody asks what would be."""

_CLOSE: Final = 1.05
"""How close the load is told up to which a plan exists."""


@dataclass(frozen=True)
class End:
    """A load for which a plan exists and a little larger one for which none does, and what is then not met."""

    low: float
    high: float
    then: str | None


@dataclass
class _Reach:
    """One file under any load."""

    topology: Topology
    planned: Sizing
    """As it is."""
    tick: Callable[[int], None]
    passing: dict[float, Counts] = field(default_factory=dict)
    blamed: dict[float, str] = field(default_factory=dict)
    """What is not met, where there is no plan."""

    def exists(self, factor: float) -> bool:
        """Return whether there is a plan for a load, by the cheapest proof."""
        if factor in self.passing or factor in self.blamed:
            return factor in self.passing
        search = Search.of(resolve(scaled(self.topology, factor)), self.tick)
        beyond = min(beyond_nodes(search), key=lambda conflict: conflict.violation.unit == "s", default=None)
        if beyond is not None:
            self.blamed[factor] = reason(beyond)
            return False
        for counts in self._guesses(search, factor):
            if next(search.conflicts(counts), None) is None:
                self.passing[factor] = counts
                return True
        search.near = {name: math.ceil(count * factor) for name, count in self.planned.bounds.items()}
        search.attainable = self.planned.available
        sizing = size(search)
        if sizing.conflict is None:
            self.passing[factor] = sizing.counts
        else:
            self.blamed[factor] = reason(sizing.conflict)
        return sizing.conflict is None

    def _guesses(self, search: Search, factor: float) -> Iterator[Counts]:
        """Yield the counts of the nearest load below that has a plan, and as many more as there is more load."""
        known = {1.0: self.planned.counts} | self.passing
        below = max((load for load in known if load <= factor), default=min(known))
        for growth in dict.fromkeys((1.0, max(1.0, factor / below))):
            more = {n: min(math.ceil(count * growth), search.most(n)) for n, count in known[below].items()}
            yield more | search.system.given()


def end(topology: Topology, planned: Sizing, tick: Callable[[int], None], like: End | None = None) -> End:
    """Return the end of the loads for which a plan exists, to a twentieth; where it may be that of another file first.

    `planned` is the plan of the file as it is. Most steps end where the file does, by a partner's limit: then two looks
    are enough. *Exact* as far as `capacity plan` is, and as more load never makes feasible what was not.
    """
    reach, feasible = _Reach(topology, planned, tick), planned.conflict is None
    if planned.conflict is None:
        reach.passing[1.0] = planned.counts
    else:
        reach.blamed[1.0] = reason(planned.conflict)
    low, high = (1.0, 2.0) if feasible else (0.0, 1.0)
    if like is not None and like.low >= low and like.then is not None and reach.exists(like.low):
        low, high = like.low, like.high
    while feasible and reach.exists(high):
        low, high = high, high * 2
        if low >= _FARTHEST:
            return End(low, high, None)
    while high > low * _CLOSE and high > _LEAST:
        middle = math.sqrt(low * high) if low else high / 2
        low, high = (middle, high) if reach.exists(middle) else (low, middle)
    return End(low, high, reach.blamed.get(high))
