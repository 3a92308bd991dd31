"""How long a write waits for its flush and is then applied by one of several appliers.

Of a write y before the end of an interval it is known how many came before it in the flush, and t after its commit how
many of these are applied: between the two the number before it is a random walk in y, whose average over y has a
closed form in the transform of numbers. So for exponential applies one sum over a ring of angles gives P(lag > t).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from models.flush_chain import left_at_flush
from models.gridded import on_grid
from models.service_time import exponential
from models.stations import mgc
from models.transforms import Transform

if TYPE_CHECKING:
    from models.flush_chain import Flushes
    from models.service_time import ServiceTime
    from models.transforms import Complexes, Floats, PiecewiseHazard, Points

_SOME_STATES: Final = 70
"""Of a chain that is followed for an approximation, which need not be exact itself."""

_MOST_WORK: Final = 2e7
"""Angles times times: more are looked up between 120 of them."""


class FlushedLag(Transform):
    """From commit to applied, behind flushes; `flushes.is_within` must hold.

    *Exact* for exponential applies: mean 1e-9, tail 1e-11. For other ones *approximate*: as many are left at a flush as
    if they were exponential, and busy appliers take the next write whenever a further apply, c times as fast, is done;
    stretched so that the mean is what `_stretch` says.
    """

    def __init__(self, flushes: Flushes, apply_time: ServiceTime) -> None:
        self.flushes, self.apply_time = flushes, apply_time
        missing = flushes.missing()
        d, c, places = flushes.interval, flushes.appliers, flushes.places
        self._coming, self._going = flushes.coming(missing), flushes.going(missing)
        # Those left by earlier flushes, and those before it in its own batch.
        self._before = left_at_flush(flushes).transform(missing) / (1 + (flushes.size - 1) * missing)
        exponent = d * self._coming
        average = _ramp(exponent)
        number, later = np.fft.irfft(self._before * average), np.fft.irfft(self._before * _ramp_of_ramp(exponent))
        ahead = np.maximum(np.arange(places) - c + 1.0, 0.0)
        queued, stretch = float(number @ ahead), 1.0
        if queued > 0 and not apply_time.is_exponential:
            stretch = _stretch(flushes, apply_time, np.fft.irfft(average / (1 + (flushes.size - 1) * missing)), queued)
        self._step = apply_time.slowed(stretch / c)
        step, spread = self._step.mean, self._step.variance
        wait, square = queued * step, float(number @ (ahead * (ahead * step * step + spread)))
        self.mean = d / 2 + wait + apply_time.mean
        together = 2 * d * float(later @ ahead) * step
        self.variance = d * d / 3 + together + square - (d / 2 + wait) ** 2 + apply_time.variance

    @cached_property
    def _weights(self) -> tuple[Complexes, Complexes]:
        """What a number before the write says of it: applied or not, had all appliers always been busy; and the rest.

        With c or more before it, it is not taken; c - 1 - n applies after it was, it is still there with probability
        (1 - 1/c)**(c - 1 - n). One that is taken at once stays longer than that, as idle appliers apply nothing.
        """
        places, c, half = self.flushes.places, self.flushes.appliers, self.flushes.places // 2
        n = np.arange(places)
        n = np.where(n > self.flushes.reach, n - places, n)
        here = np.where(n >= c, 1.0, (1 - 1 / c) ** np.maximum(c - 1.0 - n, 0.0))
        idle = np.where((n >= 0) & (n < c), 1 - here, 0.0)
        # Of a sum over the whole ring, the half with its mirror image.
        double = np.concatenate([np.ones(1), np.full(half - 1, 2.0), np.ones(1)]) / places
        return np.fft.rfft(here).conj() * double, np.fft.rfft(idle).conj() * double

    def tail_at(self, times: Floats) -> tuple[Floats, Floats] | None:
        """Return P(lag > t) and the density at times > 0, where applies are exponential."""
        if not self.apply_time.is_exponential:
            return None
        if len(times) * self.flushes.places > _MOST_WORK:
            return self._gridded.tail_at(times)
        both = np.array([self._at_time(t) for t in times.tolist()]).reshape(len(times), 2)
        return np.clip(both[:, 0], 0.0, 1.0), np.maximum(both[:, 1], 0.0)

    def _at_time(self, t: float) -> tuple[float, float]:
        flushes, d, mu = self.flushes, self.flushes.interval, 1 / self.flushes.apply_time
        # Nothing is left to be seen after this.
        end = d + (flushes.reach + 40 * flushes.appliers) * flushes.apply_time / flushes.appliers
        inside, after, young = min(t, d), min(max(t - d, 0.0), end), max(d - t, 0.0)
        tail, density = young / d, 0.0
        here, idle = self._weights
        sides: tuple[tuple[Complexes | float, Complexes], ...] = (self._going, here), (-mu, idle)
        for going, weights in sides:
            both = self._coming + going
            seen = np.exp(self._coming * young + going * after) * self._before
            share = seen * _ramp(inside * both) * (inside / d)
            tail += float((share * weights).real.sum())
            change = going * share if t >= d else seen * np.exp(both * inside) / d - self._coming * share
            density -= float((change * weights).real.sum())
        return tail, density + (1 / d if t < d else 0.0)

    @cached_property
    def _gridded(self) -> PiecewiseHazard:
        """The same kept on a grid (percentiles within 0.01 %), for many times at once."""
        reach = self.mean + 2 * self.variance**0.5
        while self._at_time(reach)[0] > 1e-9:
            reach *= 1.5
        return on_grid(lambda times: np.array([self._at_time(t)[0] for t in times.tolist()]), reach)

    def at(self, points: Points) -> Complexes:
        """Return E[exp(-s lag)]: all before it but c - 1 take busy appliers one after another."""
        steps, own = points.value(self._step).ravel().tolist(), points.value(self.apply_time)
        waits = [self._waits(s, step) for s, step in zip(points.s.ravel().tolist(), steps, strict=True)]
        result: Complexes = own * np.array(waits).reshape(points.s.shape)
        return result

    def _waits(self, s: complex, step: complex) -> complex:
        """Return E[exp(-s (age + wait))], each of those queued before it weighed with `step`."""
        half, reach = self.flushes.places // 2, self.flushes.reach
        weighed = np.zeros(2 * half, dtype=complex)
        weighed[:reach] = step ** np.maximum(np.arange(reach) - self.flushes.appliers + 1.0, 0.0)
        weighed = np.fft.ifft(weighed)
        # Numbers are real but what they are weighed with is not: both halves of the ring.
        up = self._with_age(s, self._coming) * self._before
        down = self._with_age(s, self._coming.conj()) * self._before.conj()
        return complex((up * weighed[: half + 1]).sum() + (down[1:half] * weighed[:half:-1]).sum())

    def _with_age(self, s: complex, coming: Complexes) -> Complexes:
        """Return the mean over y of exp(-s (d - y)) E[x**come in y], divided by nothing that vanishes."""
        d = self.flushes.interval
        gap = d * (s + coming)
        small = np.abs(gap) < 1e-6
        steep = (np.exp(d * coming) - np.exp(-s * d)) / np.where(small, 1.0, gap)
        result: Complexes = np.where(small, np.exp(-s * d) * (1 + gap / 2), steep)
        return result


def _stretch(flushes: Flushes, apply_time: ServiceTime, number: Floats, queued: float) -> float:
    """Return how much longer a write waits than for exponential applies (*approximate*: mean lag within 3.5 %).

    `number` are the probabilities of so many before it in its own flush, `queued` writes are queued before it in all.
    Behind its own flush, with appliers that begin together, it waits (c - 1) / c (1 - cv2) / 2 applies longer: what is
    left of a random apply is (1 + cv2) / 2 of one. Above a squared CV of 1 that is not so, as some never stop. Behind
    what earlier flushes left, as much longer as a write that comes alone.
    """
    c, mean, cv2 = flushes.appliers, apply_time.mean, apply_time.squared_cv
    rate = flushes.batch_rate * flushes.size
    plain = mgc(rate, exponential(mean), c).wait_mean
    # In batches of b applies vary together by a b-th of that (Burke 1975).
    alone = 1 + (mgc(rate, apply_time, c, _SOME_STATES).wait_mean / plain - 1) / flushes.size if plain > 0 else 1.0
    shares = np.maximum(np.arange(len(number)) - c + 1.0, 0.0) / c
    own = float(number @ shares) * c
    off = (c - 1) / c * max(1 - cv2, 0.0) / 2
    taken = shares + off * (shares > 0)
    return (float(number @ taken) * c + (queued - own) * alone) / queued


def _ramp(z: Complexes) -> Complexes:
    """Return (exp(z) - 1) / z."""
    small = np.abs(z) < 1e-9
    result: Complexes = np.where(small, 1 + z / 2, np.expm1(z) / np.where(small, 1.0, z))
    return result


def _ramp_of_ramp(z: Complexes) -> Complexes:
    """Return (exp(z) - 1 - z) / z**2, by its series where the difference would lose digits."""
    small = np.abs(z) < 0.03
    safe = np.where(small, 1.0, z)
    series = 1 / 2 + z / 6 * (1 + z / 4 * (1 + z / 5 * (1 + z / 6 * (1 + z / 7))))
    result: Complexes = np.where(small, series, (np.expm1(z) - z) / safe**2)
    return result
