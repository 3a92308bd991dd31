"""The first of several that run at once, the k-th of n, and a spare try that is sent when an answer is late.

The tail of such a time is known as a function of the tails of its parts, and is asked for as that function: percentiles
are as right as those of the parts. Only where something is added to it is it kept on a grid, like a maximum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from models.gridded import on_grid, on_wide_grid
from models.latency import Latency, with_timeout
from models.quadrature import gauss_legendre
from models.terms import Term
from models.transforms import Transform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.transforms import Complexes, Floats, Points

    TailAndDensity = Callable[[Floats], tuple[Floats, Floats]]


class Known(Transform):
    """A duration whose tail and density are known as functions of time > 0; its transform is that of its grid.

    `reach` is a time that it lasts about as long as; `heavy` whether its tail is followed over many orders of
    magnitude. Tail as exact as the function; mean and variance to 1e-6, but for kinks of the tail and heavy ones, 1e-4.
    """

    def __init__(self, tail_and_density: TailAndDensity, reach: float, *, heavy: bool = False) -> None:
        self._known, self._heavy = tail_and_density, heavy
        while tail_and_density(np.array([reach]))[0][0] > 1e-9:
            reach *= 1.5
        self.kept = (on_wide_grid if heavy else on_grid)(lambda times: tail_and_density(times)[0], reach)
        self.mean, self.variance = self._moments()

    @property
    def is_heavy(self) -> bool:
        """Whether it was said to be."""
        return self._heavy

    def _moments(self) -> tuple[float, float]:
        """Return mean and variance: the tail itself integrated from point to point of the grid, and its end as kept."""
        nodes, weights = gauss_legendre(3)
        starts, widths = self.kept.times[:-1], np.diff(self.kept.times)
        times = (starts[:, None] + widths[:, None] * nodes).ravel()
        areas = self._known(times)[0] * (widths[:, None] * weights).ravel()
        end, left, onwards = float(self.kept.times[-1]), float(self.kept.tail[-1]), 1 / float(self.kept.hazard[-1])
        mean = float(areas.sum()) + left * onwards
        second = 2 * (float(areas @ times) + left * onwards * (end + onwards))
        return mean, max(second - mean**2, 0.0)

    def at(self, points: Points) -> Complexes:
        """Return the transform of the grid."""
        return points.value(self.kept)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return what is known."""
        return self._known(times)


def minimum(latencies: Sequence[Latency]) -> Latency:
    """Return the time until the first of several that start together has ended, taken as independent.

    Percentiles are as right as those of the parts; exponential ones give their exact exponential. Of several that share
    queues the first ends later than this says: independence is a lower bound.
    """
    sure = [part for part in latencies if part.variance == 0]
    running = [part for part in latencies if part.variance > 0]
    if not latencies:
        raise ValueError("the first of none never ends")
    soonest = min((part.mean for part in sure), default=math.inf)
    if not running:
        return Latency.constant(soonest)
    first = running[0] if len(running) == 1 else earliest(1, running)
    return with_timeout(first, soonest, 0)[0] if math.isfinite(soonest) else first


def earliest(needed: int, latencies: Sequence[Latency]) -> Latency:
    """Return the time until `needed` of several that start together have ended, taken as independent.

    A quorum of answers; 1 is the minimum, all of them the maximum. Percentiles are as right as those of the parts.
    Raises ValueError where more are needed than there are, or none.
    """
    if not 1 <= needed <= len(latencies):
        raise ValueError(f"of {len(latencies)} that run, {needed} are waited for; from 1 to all of them can be")
    base = sorted(part.least for part in latencies)[needed - 1]
    spans = sorted(max(part.mean - base, 0.0) + math.sqrt(min(part.variance, part.mean**2)) for part in latencies)
    if all(part.variance == 0 for part in latencies):
        return Latency.constant(base)

    def tail_and_density(times: Floats) -> tuple[Floats, Floats]:
        return _fewer_than(needed, [part.tail_and_density(times + base) for part in latencies])

    # What falls like a power and is waited for is a power of other index: heavy as well.
    heavy = any(part.is_heavy for part in latencies)
    reach = next((span for span in spans[needed - 1 :] if span > 0), spans[-1]) or 1e-9
    return Latency([Term(1.0, base, Known(tail_and_density, reach, heavy=heavy), ())])


def _fewer_than(needed: int, parts: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Return P(fewer than `needed` have ended) and the density of the time when that ends, from those of the parts.

    The number that have ended, part by part; only probabilities are added, so that small tails keep their digits.
    """
    shape = (needed, *parts[0][0].shape)
    ended, falling = np.zeros(shape), np.zeros(shape)
    ended[0] = 1.0
    for tail, density in parts:
        before = np.concatenate([np.zeros_like(ended[:1]), ended[:-1]])
        falling_before = np.concatenate([np.zeros_like(falling[:1]), falling[:-1]])
        falling = falling * tail + falling_before * (1 - tail) + density * (before - ended)
        ended = ended * tail + before * (1 - tail)
    return ended.sum(axis=0), np.maximum(-falling.sum(axis=0), 0.0)


def hedged(latency: Latency, after: float) -> Latency:
    """Return the time of a call that is sent once more, elsewhere, when `after` seconds brought no answer.

    The first answer counts, the two are independent. The share of calls sent twice is `latency.exceeds(after)`. Source:
    Dean and Barroso 2013, "The tail at scale".
    """
    if not after >= 0:
        raise ValueError(f"a spare try is sent after a time >= 0, not {after!r}")
    return minimum([latency, Latency.constant(after) + latency])
