"""Durations as a random number of exponential stages: what a Markov chain takes to reach an end.

Whoever watches a chain at the ticks of a fast enough Poisson process (uniformization, Jensen 1953) sees a number of
ticks before the end; `beyond[k]` is the probability of more than k. The tail of the duration is then a sum of Poisson
probabilities times these, all positive, so that nothing cancels: *exact*, to about 1e-13 of the whole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from models.transforms import Transform

if TYPE_CHECKING:
    from models.transforms import Complexes, Floats, Points

_UNSEEN = 1e-15
"""A probability left over when a chain is followed no further."""

_MOST_TICKS = 400_000
"""A chain that needs more ticks than this is too stiff to be followed."""


class Stages(Transform):
    """The sum of N exponential stages of one rate, 1/s; `beyond[k]` is P(N > k), whatever is missing from 1 is no wait.

    After the array the probabilities go on falling by the factor `decay` in [0, 1). `counts[k]` = P(N = k), where it
    is known to its own digits and not as a difference, keeps the transform of a nearly constant duration right.
    """

    def __init__(self, rate: float, beyond: Floats, decay: float = 0.0, counts: Floats | None = None) -> None:
        self.rate, self.decay, self._counts = rate, decay, counts
        # What is left of a long queue after sixteen digits costs much and tells nothing.
        self.beyond = beyond[: max(1, int(np.count_nonzero(beyond > 1e-17 * beyond[0])))]
        count = len(self.beyond)
        rest = float(self.beyond[-1]) * decay / (1 - decay)
        mean = math.fsum(self.beyond) + rest
        second = 2 * (float(self.beyond @ np.arange(1, count + 1)) + rest * (count + 1 / (1 - decay)))
        self.mean = mean / rate
        self.variance = max(second / rate**2 - self.mean**2, 0.0)

    def at(self, points: Points) -> Complexes:
        """Return 1 - s times the transform of the tail, a power series in rate / (rate + s)."""
        s = points.s
        z = self.rate / (self.rate + s)
        if self._counts is not None:
            direct = np.zeros_like(z)
            for probability in self._counts[::-1].tolist():
                direct = direct * z + probability
            return direct
        series = np.full_like(z, self.beyond[-1]) / (1 - self.decay * z)
        for probability in self.beyond[-2::-1].tolist():
            series = series * z + probability
        result: Complexes = 1 - s / (self.rate + s) * series
        return result

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return Poisson sums, over the counts within ten standard deviations of their mean."""
        tail, density = np.zeros_like(times), np.zeros_like(times)
        for i, x in enumerate((self.rate * times).tolist()):
            first, weights = poisson_weights(x)
            values = self._beyond(first, len(weights) + 1)
            tail[i] = weights @ values[:-1]
            density[i] = self.rate * (weights @ (values[:-1] - values[1:]))
        return tail, density

    def scaled(self, probability: float, factor: float) -> Stages:
        """Return the same shape, more than none with this probability and `factor` times as long."""
        return Stages(self.rate / factor, self.beyond * (probability / float(self.beyond[0])), self.decay)

    def _beyond(self, first: int, number: int) -> Floats:
        """Return P(N > k) for `number` values of k from `first`."""
        known = self.beyond[first : first + number]
        missing = number - len(known)
        if not missing:
            return known
        start = max(first, len(self.beyond)) - len(self.beyond) + 1
        further = self.beyond[-1] * self.decay ** np.arange(start, start + missing, dtype=float)
        return np.concatenate([known, further])


NO_STAGES = Stages(1.0, np.zeros(1))
"""No time at all, in the form of one that takes some."""


def absorbed(up: Floats, down: Floats, ending: Floats, start: Floats) -> Stages:
    """Return how long a birth-death chain runs before it ends (*exact*, but for what a cut-off at the top changes).

    From state n it goes to n+1 at rate `up[n]`, to n-1 at rate `down[n]` (`down[0]` is 0), and ends at `ending[n]`;
    `start` holds the probabilities of where it begins, and what is missing there from 1 takes no time at all. The
    last state has no way up: choose it so far that nobody gets there.
    """
    rate = float((up + down + ending).max())
    stay, rise, fall = 1 - (up + down + ending) / rate, up / rate, down / rate
    stay[-1] += rise[-1]
    state, left = start.astype(float), [float(start.sum())]
    steady, ratio = 0, 0.0
    while left[-1] > _UNSEEN * left[0] and steady < 20:
        if len(left) > _MOST_TICKS:
            raise ValueError(f"a chain of {len(up)} states has not ended after {_MOST_TICKS} ticks of {1 / rate:g} s")
        following = state * stay
        following[1:] += state[:-1] * rise[:-1]
        following[:-1] += state[1:] * fall[1:]
        state = following
        left.append(float(state.sum()))
        known, ratio = ratio, left[-1] / left[-2]
        steady = steady + 1 if abs(ratio - known) < 1e-15 else 0
    return Stages(rate, np.array(left), min(ratio, 1 - 1e-15))


def counted(start: Floats, generator: Floats, seen: Floats | None = None) -> Stages:
    """Return the duration with tail start exp(generator t) seen, whose matrix is not negative off its diagonal.

    `seen` is 1 where it is left out.
    """
    rate = float(-np.diagonal(generator).min())
    ticks = generator.T / rate + np.eye(len(generator))
    weights = np.ones(len(start)) if seen is None else seen
    state, left = start, [float(start @ weights)]
    steady, ratio = 0, 0.0
    while left[-1] > _UNSEEN * left[0] and steady < 20:
        if len(left) > _MOST_TICKS:
            raise ValueError(f"a duration of {len(start)} phases has not ended after {_MOST_TICKS} ticks")
        state = ticks @ state
        left.append(float(state @ weights))
        known, ratio = ratio, left[-1] / left[-2]
        steady = steady + 1 if abs(ratio - known) < 1e-15 else 0
    return Stages(rate, np.array(left), min(ratio, 1 - 1e-15))


def poisson_weights(mean: float, likeliest: float | None = None) -> tuple[int, Floats]:
    """Return the first count that matters, and the Poisson probabilities from there on, to sixteen digits of the whole.

    Counts up to ten standard deviations above `likeliest`, >= mean, are added where what they weigh grows.
    """
    top = mean if likeliest is None else likeliest
    mode = int(mean)
    first = max(0, int(mean - 10 * math.sqrt(mean) - 30))
    last = int(top + 10 * math.sqrt(top) + 30)
    above = np.cumprod(mean / np.arange(mode + 1, last + 1))
    below = np.cumprod(np.arange(mode, first, -1) / mean) if mode > first else np.zeros(0)
    weights = np.concatenate([below[::-1], [1.0], above])
    weights /= weights.sum()
    return first, weights
