"""When the tail of a distribution falls to a given probability: percentiles, from a tail and its density.

The logarithm of a tail is nearly straight, or bends gently, so that time as a function of it is a cubic between any
two times where it and its slope are known (Hermite interpolation, inverse). The tail is first looked at for a few
times that depend on mean and variance alone. Where these do not tell a percentile by themselves (`models.looks`), it is
found by one more look, at the time that the cubic says, and corrected. All times that are looked at together cost
little more than one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.looks import Look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.transforms import Floats

    TailAndDensity = Callable[[Floats], tuple[Floats, Floats]]

_FROM, _TO, _APART = -1.0, 3.5, 0.27
"""Where the tail is looked at first, if its logarithm were normal, in deviations: from P16 to P99.98, so far apart.

So near each other, looks tell nearly every percentile of most response times without another one.
"""

_FAR: Final = 0.1
"""A gap in the logarithm of the tail over which a step may mislead."""

_SURE: Final = 3e-4
"""Relative to time or pace, of a step on which tangent and cubic agree: the cubic's error is below 1e-8."""

_SMALL: Final = 1e-4
"""Relative to time or pace, of a step along the tangent, which squares its error: that of the next is below 1e-8."""


_MOST_BENDS: Final = 8
"""So many bends are looked at themselves; with more, what lies next to each matters little."""


def first_times(mean: float, variance: float, bends: Sequence[float] = ()) -> Floats:
    """Return where to look first at a tail: around the log-normal distribution of this mean and variance.

    And at bends inside, up to which the tail is smooth. The others are powers of a step of which there are four to each
    doubling, so that distributions which differ by little are looked at for the same times.
    """
    squared = max(math.log1p(variance / mean**2), 1e-30) if math.isfinite(variance) else math.log(100)
    spread, middle = math.sqrt(squared), math.log(mean) - squared / 2
    step = 2.0 ** (math.floor(4 * math.log2(_APART * spread)) / 4)
    first, last = math.floor((middle + _FROM * spread) / step), math.ceil((middle + _TO * spread) / step)
    times = [math.exp(step * place) for place in range(first, last + 1)]
    inside = {bend for bend in bends if times[0] < bend < times[-1]}
    return np.array(sorted({*times, *inside}) if 0 < len(inside) <= _MOST_BENDS else times)


def times_of_tail(
    function: TailAndDensity, wanted: Sequence[float], known: Sequence[Look], least: float = 0.0
) -> list[float]:
    """Return the times at which a tail falls to each of `wanted`; `function` gives tail and density at times.

    `known` are looks at it in the order of time, which may be rough: they say where to look. No answer depends on what
    else is wanted. Where the distribution jumps, the bracket closes on the jump; it begins at `least` seconds.
    """
    goals = [_Goal.among(math.log(tail), known, least) for tail in wanted]
    for count in range(100):
        open_ = [goal for goal in goals if not goal.reached]
        if not open_:
            break
        tails, densities = function(np.array([goal.time for goal in open_]))
        # A handful of numbers: plain floats are several times faster than arrays of them.
        for goal, tail, density in zip(open_, tails.tolist(), densities.tolist(), strict=True):
            goal.learn(tail, density, count)
    return [goal.time for goal in goals]


@dataclass
class _Goal:
    """The search for one time: what is known on both sides of it, roughly at first, and where to look next.

    It lies between `low` and `high`, which only looks of its own may say.
    """

    log_tail: float
    before: Look | None
    after: Look | None
    low: float = 0.0
    high: float = math.inf
    time: float = 0.0
    reached: bool = False

    @staticmethod
    def among(log_tail: float, known: Sequence[Look], least: float) -> _Goal:
        """Return the search from where it stands between what is known."""
        place = next((i for i, one in enumerate(known) if one.log_tail < log_tail), len(known))
        before, after = known[place - 1] if place else None, known[place] if place < len(known) else None
        goal = _Goal(log_tail, before, after, low=least)
        here, cubic = before or after, goal._cubic()
        goal.time = cubic if cubic is not None else goal._tangent(here) if here is not None else 1.0
        if goal.time <= least:
            goal.time = (least + after.time) / 2 if after is not None and after.time > least else 2 * least
        return goal

    def learn(self, tail: float, density: float, count: int) -> None:
        """Go on from what the tail is at the time that was looked at."""
        t = self.time
        here = Look(t, math.log(tail), tail / density) if tail > 0 and density > 0 else None
        if tail > 0 and math.log(tail) > self.log_tail:
            self.low, self.before = t, here
            self.after = self.after if self.after is not None and self.after.time > t else None
        else:
            self.high, self.after = t, here
            self.before = self.before if self.before is not None and self.before.time < t else None
        if self.high - self.low <= 1e-9 * self.high < math.inf:
            self.time, self.reached = self.high, True
            return
        if here is None:
            self.time = self._middle(t)
            return
        gap = abs(here.log_tail - self.log_tail)
        step, cubic = self._tangent(here), self._cubic()
        agreed = cubic is not None and abs(cubic - step) <= 0.003 * abs(step - t) + 1e-12 * t
        if cubic is not None and (agreed or gap > _FAR):
            step = cubic
        # How far a tangent leads astray goes by how wide the distribution is there, not by how late it is.
        still = abs(step - t) <= (_SURE if agreed else _SMALL) * min(t, here.pace)
        if still and gap < _FAR and self.low <= step <= self.high:
            self.time, self.reached = step, True
        # Steps can be small far from the root, on noise or a plateau: halve the bracket now and then.
        elif self.low < step < self.high and (gap < _FAR or (not still and count % 4 < 3)):
            self.time = step
        else:
            self.time = self._middle(t)

    def _tangent(self, here: Look) -> float:
        """Return Newton's next time, damped: far from the root the tangent may mislead."""
        return min(max(here.time + here.pace * (here.log_tail - self.log_tail), here.time / 4), here.time * 4)

    def _cubic(self) -> float | None:
        """Return the time that a cubic between both sides says, None where it leaves the bracket or has no two ends."""
        if self.before is None or self.after is None:
            return None
        (start, above, leaving), (end, below, arriving) = self.before, self.after
        width = above - below
        u = (above - self.log_tail) / width
        rest = 1 - u
        found = (
            start * (1 + 2 * u) * rest**2
            + end * u**2 * (3 - 2 * u)
            + width * u * rest * (leaving * rest - arriving * u)
        )
        return found if start < found < end else None

    def _middle(self, t: float) -> float:
        """Return the middle of the bracket, or twice the time where nothing is above it yet."""
        return math.sqrt(max(self.low, self.high / 1024) * self.high) if self.high < math.inf else 2 * t
