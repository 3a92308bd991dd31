"""Up against out over load: what each way takes, what it costs and how fast it is, from little to where both end.

The ways are those of `capacity.crossing`, and other tiers keep up here as well (nothing waits there): up is as few
nodes as what has to be survived allows, of the cheapest type that carries the load; out the fewest of the file's own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.crossing import arrivals, price_of
from capacity.ends import HARDLY, PRECISION, wait_free
from capacity.evaluate import tier_result
from capacity.fewest import fewest_near
from capacity.scaling import compared
from capacity.sizing import size
from capacity.variants import searched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from capacity.crossing import Crossing
    from capacity.ends import Ends
    from capacity.topology import Topology

LEAST_LOAD: Final = 0.1
"""Times today's load, where a curve begins."""

MOST_LOAD: Final = 20.0
"""Times today's load, where it ends at the latest."""

SAMPLES: Final = 14
"""Loads between these, evenly spread over their logarithm."""


class Way(msgspec.Struct, frozen=True):
    """What one way takes at a load; `monthly` None where a price is not known, `p99_s` of one visit, at the tier."""

    node: str
    nodes: int
    monthly: float | None
    p99_s: float | None


class Sample(msgspec.Struct, frozen=True):
    """Both ways at one load: `load` times today's, which is so many arrivals of the tier. None: not to be carried."""

    load: float
    arrival_rate_per_s: float
    up: Way | None
    out: Way | None
    ends: tuple[str, str | None] | None = None
    """Where the cheaper way changes: the one that is so up to here and the next; None as the next: there is none."""


def curve(
    topology: Topology, tier: str, crossing: Crossing, tick: Callable[[int], None] = lambda _: None
) -> list[Sample]:
    """Return both ways over load, today's and those of the crossings of `scale` among them; `load` ascends.

    As exact as the ends and evaluations that it is made of. Loads that neither way carries are left out.
    """
    solved = 0

    def counted(_: int) -> None:
        nonlocal solved
        solved += 1
        tick(solved)

    search = searched(topology, counted)
    around = compared(search, size(search), tier, None, counted)
    ends, larger = around.ends(), around.larger()
    own = topology.components[tier].node or ""
    least = ends.least(own)
    if least is None:
        return []
    ways = _Ways(ends, own, larger, least, ends.useful(own, least))
    loads = sorted(_loads(ends, crossing).items())
    found = [Sample(load, arrivals(ends, load), ways.up(load), ways.out(load), at) for load, at in loads]
    return [sample for sample in found if sample.up is not None or sample.out is not None]


class _Ways:
    """The two ways of one tier; loads are asked for in ascending order."""

    def __init__(self, ends: Ends, own: str, types: Sequence[str], least: int, most: int) -> None:
        self.ends, self.own, self.least, self.most = ends, own, least, most
        self.last: tuple[float, int] | None = None
        prices = {node: price_of(ends, node, least) for node in types}
        known = [node for node in types if prices[node] is not None]
        # The cheapest first; where no price is known, the smallest.
        self.left = sorted(known, key=lambda node: prices[node] or 0.0) or list(types)

    def up(self, load: float) -> Way | None:
        """Return the cheapest type of which as few as may be carry a load; what fails once is not asked again."""
        while self.left and not self.ends.carries(self.left[0], self.least, load):
            del self.left[0]
        return self._way(self.left[0], self.least, load) if self.left else None

    def out(self, load: float) -> Way | None:
        """Return the fewest nodes of the file's own type that carry a load: no fewer than carried a smaller one."""
        fewest = min(self.ends.topology.components[self.ends.name].least_count(), self.most)
        before, least = self.last or (load, fewest)
        guess = math.ceil(least * load / before - 1e-9)
        count = fewest_near(lambda n: self.ends.carries(self.own, n, load), guess, least, self.most)
        if count is None:
            return None
        self.last = load, count
        return self._way(self.own, count, load)

    def _way(self, node: str, count: int, load: float) -> Way:
        ends = self.ends
        search = ends.search(node, load)
        state = search.normal.state({**ends.counts, ends.name: count})
        result = tier_result(search.solved(state, wait_free(search, ends.name)), ends.name)
        return Way(node, result.nodes, price_of(ends, node, count), result.response.p99_s)


def _loads(ends: Ends, crossing: Crossing) -> dict[float, tuple[str, str | None] | None]:
    """Return the loads to look at: a little before each crossing, where its way still carries it, and all between."""
    last = [_load(ends, side.ends_at_per_s) for side in crossing.sides if side.way != "one"]
    low, high = LEAST_LOAD, max(MOST_LOAD if None in last else max(load or 0.0 for load in last), 1.0)
    found: dict[float, tuple[str, str | None] | None] = {1.0: None}
    found |= {low * (high / low) ** (i / (SAMPLES - 1)): None for i in range(SAMPLES)}
    for i, region in enumerate(crossing.regions):
        load = _load(ends, region.until_per_s)
        following = crossing.regions[i + 1].way if i + 1 < len(crossing.regions) else None
        if load is not None and low < load < high * (1 + PRECISION):
            near = [place for place in found if place != 1 and abs(place / load - 1) < 3 * PRECISION]
            found = {place: at for place, at in found.items() if place not in near}
            found[load * (1 - 2 * PRECISION)] = region.way, following
    return found


def _load(ends: Ends, rate: float | None) -> float | None:
    """Return the load at which the tier has so many arrivals, which grow with it; None beyond what is looked at."""
    low, high = HARDLY, MOST_LOAD
    if rate is None or arrivals(ends, high) < rate:
        return None
    while high - low > PRECISION / 10 * high:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if arrivals(ends, middle) >= rate else (middle, high)
    return high
