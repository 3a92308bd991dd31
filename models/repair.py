"""Nodes that fail and wait for a repair crew: fewer crews than broken nodes make outages longer than k of n tells.

Each node is up for `mtbf` seconds in the mean, of any distribution; then it waits for one of `crews` crews, first come
first served, and is repaired in an exponential time of mean `mttr`. The number of nodes down is that of requests at the
servers of M/M/c//N (`models.loss`), of which only the mean of the time up matters (Bunday and Scraton 1980). With as
many crews as nodes it is the binomial law of `models.availability`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from models.arrays import in_parts
from models.availability import left_by_zones, zones_lost
from models.elementwise import numbers, require, single, whole
from models.loss import population

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from models.elementwise import Array
    from models.transforms import Floats

_WHOLE: Final = "nodes are whole numbers, not {!r}"

MOST_NODES: Final = 300
"""Nodes of which every zone's share is followed one by one."""


@overload
def crewed(needed: int, nodes: int, crews: int, mtbf: float, mttr: float) -> float: ...
@overload
def crewed(
    needed: ArrayLike, nodes: ArrayLike, crews: ArrayLike, mtbf: ArrayLike, mttr: ArrayLike
) -> Array | float: ...
def crewed(needed: Any, nodes: Any, crews: Any, mtbf: Any, mttr: Any) -> Any:
    """Return the probability that fewer than `needed` of `nodes` nodes are up with so many repair crews (*exact*).

    Relative error below 1e-12. Times in seconds; raises ValueError for input without a meaning. Source: Taylor and
    Jackson 1954; Gross, Shortle, Thompson and Harris 2008, section 2.7 (machine repair with spares).
    """
    needed, nodes, crews, mtbf, mttr = numbers(needed, nodes, crews, mtbf, mttr)
    _check(nodes, crews, mtbf, mttr)
    if not single(needed):

        def too_few(down: Floats, states: Floats, needed: Floats, nodes: Floats, _: Floats) -> Floats:
            return np.asarray(np.where(states > nodes - needed, down, 0.0).sum(axis=-1))

        return np.where(needed > 0, np.minimum(_of_states(too_few, needed, nodes, crews, mtbf, mttr), 1.0), 0.0)
    needed, nodes = whole(needed, _WHOLE), whole(nodes, _WHOLE)
    down = _down(nodes, crews, mtbf, mttr)
    if needed <= 0:
        return 0.0
    # From the least likely on, so that the small terms are not lost.
    return min(math.fsum(down[max(nodes - needed + 1, 0) :].tolist()), 1.0)


@overload
def crewed_outage_rate(needed: int, nodes: int, crews: int, mtbf: float, mttr: float) -> float: ...
@overload
def crewed_outage_rate(
    needed: ArrayLike, nodes: ArrayLike, crews: ArrayLike, mtbf: ArrayLike, mttr: ArrayLike
) -> Array | float: ...
def crewed_outage_rate(needed: Any, nodes: Any, crews: Any, mtbf: Any, mttr: Any) -> Any:
    """Return how often per second the nodes up fall below `needed`: outages begin (*exact*, exponential times up).

    It is the rate at which one of exactly `needed` nodes fails. An outage lasts `crewed` / this rate in the mean.
    """
    needed, nodes, crews, mtbf, mttr = numbers(needed, nodes, crews, mtbf, mttr)
    _check(nodes, crews, mtbf, mttr)
    if not single(needed):

        def just_enough(down: Floats, states: Floats, needed: Floats, nodes: Floats, mtbf: Floats) -> Floats:
            found = np.where(states == nodes - needed, down, 0.0).sum(axis=-1)
            return np.asarray(found * needed[:, 0] / mtbf[:, 0])

        found = _of_states(just_enough, needed, nodes, crews, mtbf, mttr)
        return np.where((needed > 0) & (needed <= nodes), found, 0.0)
    needed, nodes = whole(needed, _WHOLE), whole(nodes, _WHOLE)
    down = _down(nodes, crews, mtbf, mttr)
    if not 0 < needed <= nodes:
        return 0.0
    return float(down[nodes - needed]) * needed / mtbf


def crewed_by_zones(  # noqa: PLR0917, a tier in zones has as many figures
    needed: int, nodes: int, crews: int, mtbf: float, mttr: float, zones: int
) -> list[float]:
    """Return the probabilities of too few nodes while exactly 0..`zones` zones are down (*exact*), zones + 1 of them.

    The nodes are spread over the zones as evenly as integers allow; crews go on with the nodes of a zone that is down,
    so that which nodes are down does not depend on the zones. Up to MOST_NODES nodes.
    """
    down = _down(nodes, crews, mtbf, mttr)
    if nodes > MOST_NODES:
        raise ValueError(f"{nodes} nodes: with zones and crews up to {MOST_NODES} can be followed")
    found = []
    for outcome in left_by_zones([nodes], zones):
        parts = (p * _too_few_left(needed, nodes, left, down) for (left,), p in outcome.items())
        found.append(min(math.fsum(parts), 1.0))
    return found


def crewed_zoned(  # noqa: PLR0917, a tier in zones has as many figures
    needed: int, nodes: int, crews: int, mtbf: float, mttr: float, zones: int, zone_unavailability: float
) -> float:
    """Return the probability of too few nodes when the nodes of a zone share its fate (*exact*; see above)."""
    lost = zones_lost(zones, zone_unavailability)
    by_zones = crewed_by_zones(needed, nodes, crews, mtbf, mttr, zones)
    return min(math.fsum(p * u for p, u in zip(lost, by_zones, strict=True)), 1.0)


def _too_few_left(needed: int, nodes: int, left: int, down: Floats) -> float:
    """Return the probability of fewer than `needed` up among `left` nodes, any of all `nodes` being down alike."""
    if left < needed:
        return 1.0
    if needed <= 0:
        return 0.0
    most = left - needed
    terms = []
    for j in range(most + 1, nodes + 1):
        ways = sum(
            math.comb(left, h) * math.comb(nodes - left, j - h)
            for h in range(max(most + 1, j - (nodes - left)), min(j, left) + 1)
        )
        terms.append(float(down[j]) * (ways / math.comb(nodes, j)))
    return math.fsum(terms)


def _of_states(  # noqa: PLR0917, a tier has as many figures
    figure: Callable[..., Floats], needed: Floats, nodes: Floats, crews: Floats, mtbf: Floats, mttr: Floats
) -> Floats:
    """Return for each system what a figure makes of the probabilities of 0, 1, ... nodes down, a row for each."""

    def figures(needed: Floats, nodes: Floats, crews: Floats, mtbf: Floats, mttr: Floats) -> tuple[Floats]:
        down = population(nodes, mtbf, mttr, crews)
        return (figure(down, np.arange(down.shape[-1]), needed[:, None], nodes[:, None], mtbf[:, None]),)

    flat = (part.ravel() for part in (needed, nodes, crews, mtbf, mttr))
    (found,) = in_parts(figures, nodes.ravel() + 1, *flat)
    return found.reshape(needed.shape)


def _down(nodes: int, crews: int, mtbf: float, mttr: float) -> Floats:
    """Return the probabilities of 0..nodes nodes down."""
    _check(nodes, crews, mtbf, mttr)
    if mttr == 0 or nodes == 0:
        return np.append(1.0, np.zeros(nodes))
    return population(nodes, mtbf, mttr, crews)


def _check(nodes: Any, crews: Any, mtbf: Any, mttr: Any) -> None:
    fine = (nodes >= 0) & (crews >= 1) & (mtbf > 0) & (mtbf < math.inf) & (mttr >= 0) & (mttr < math.inf)
    wanted = "{} nodes, {} crews, mtbf {} and mttr {}: >= 0, >= 1, > 0 and >= 0 are needed"
    require(fine, wanted, nodes, crews, mtbf, mttr)
