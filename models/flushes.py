"""Queues that are fed now and then: what was written since the last flush arrives at once with the next.

Right before a flush, what earlier ones left to do is V = max over k >= 0 of A(k d) - k d, with A(t) the work that comes
in a time t. A queue fed at once has W, the same maximum over all times. By Spitzer 1956 their means are the sum over k
of d g(k d) and the integral of g, with g(t) = E[(A(t) - t)+] / t: flushes leave W as seen by the rule of rectangles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from models.inversion import inverted
from models.latency import Latency
from models.quadrature import gauss_legendre
from models.transforms import GeometricSum, Points, Transform

if TYPE_CHECKING:
    from models.service_time import ServiceTime
    from models.transforms import Complexes, Floats

_SHARP: Final = 0.05
"""Below this coefficient of variation 49 points do not tell how far the work of a time is from its mean."""

_MOST_TICKS: Final = 4000
"""Where more flushes than these matter to the mean, they are integrated over, not added."""

_SHORT: Final = 0.05
"""Flushes more often than so many applies: their first correction to the integral is exact enough."""


class Batch(GeometricSum):
    """The applies of a batch of geometric size, one after the other; `size` is the mean, at least 1 (*exact*)."""

    def __init__(self, part: ServiceTime, size: float) -> None:
        super().__init__(part, part, 1 / size)
        object.__setattr__(self, "size", size)

    def moment(self, order: int) -> float:
        """Return E[X**order] for orders 1 to 3, by the factorial moments m, 2 m (m - 1), 6 m (m - 1)**2 of the size."""
        m: float = self.size  # type: ignore[attr-defined]
        once, twice, thrice = (self.first.moment(k) for k in (1, 2, 3))  # type: ignore[attr-defined]
        if order == 1:
            return float(m * once)
        if order == 2:
            return float(m * twice + 2 * m * (m - 1) * once**2)
        return float(m * thrice + 6 * m * (m - 1) * once * twice + 6 * m * (m - 1) ** 2 * once**3)


def behind_flush(interval: float, write_rate: float, part: ServiceTime | Batch) -> Latency:
    """Return the time until the next flush, and until those are worked off that came since the last before oneself.

    *Exact*: `interval` in s, Poisson writes at `write_rate` in 1/s, each of which takes `part`.
    """
    whole = Flushed(interval, write_rate, part)
    # A full flush of many small writes is sharp: seen from where it begins, its inversion resolves it.
    begins = write_rate * interval * part.mean - 10 * math.sqrt(write_rate * interval * part.moment(2))
    if begins <= 0:
        return Latency.of(whole)
    return Latency.constant(begins) + Latency.of(Flushed(interval, write_rate, part, begins))


def excess_at_ticks(write_rate: float, part: ServiceTime | Batch, interval: float) -> float:
    """Return E[V] / E[W]: the work that is left at a flush over what a queue fed at once has to do.

    *Exact* to 1e-4 of the lag where applies vary; where they are constant and fill a flush exactly, 0.005 off.

    `part` is the time that one write takes, `write_rate` in 1/s, their product below 1; `interval` in s > 0.
    """
    load, second = write_rate * part.mean, part.moment(2)
    always = write_rate * second / (2 * (1 - load))
    if always == 0:
        return 0.0
    # g falls like exp(-t / relaxation), at least.
    relaxation = 2 * write_rate * second / (1 - load) ** 2
    ticks = math.ceil(20 * max(relaxation, part.mean) / interval) + 5
    if ticks > _MOST_TICKS and interval < _SHORT * part.mean:
        return max(0.0, 1 - load * interval / 2 / always)
    count = np.arange(1, min(ticks, _MOST_TICKS) + 1, dtype=float)
    mean = float((_above(write_rate, part, count * interval) / count).sum())
    if ticks > _MOST_TICKS:
        mean += _later(write_rate, part, interval, ticks)
    return min(max(mean / always, 0.0), 1.0)


def _later(write_rate: float, part: ServiceTime | Batch, interval: float, ticks: int) -> float:
    """Return the sum over the ticks beyond those added one by one: the integral, by then smooth (Euler, Maclaurin)."""
    nodes, weights = gauss_legendre(16)
    edges = np.log(np.geomspace(_MOST_TICKS, ticks, math.ceil(math.log2(ticks / _MOST_TICKS)) + 1))
    widths = np.diff(edges)
    count = np.exp(edges[:-1, None] + widths[:, None] * nodes).ravel()
    # d k / k is the differential of the logarithm.
    integral = _above(write_rate, part, count * interval) @ (widths[:, None] * weights).ravel()
    last = _above(write_rate, part, np.array([_MOST_TICKS * interval]))[0] / _MOST_TICKS
    return float(integral - last / 2)


def idle_places(arrivals: float, places: int) -> float:
    """Return E[(places - N)+] for the N of Poisson `arrivals` in a flush that come before a random one (*exact*)."""
    # P(N = j) is P(more than j arrive) / arrivals.
    weight = math.exp(-arrivals)
    beyond, total = 1.0, 0.0
    for j in range(places):
        beyond -= weight
        weight *= arrivals / (j + 1)
        total += (places - j) * max(beyond, 0.0) / arrivals
    return min(total, float(places))


def _above(write_rate: float, part: ServiceTime | Batch, times: Floats) -> Floats:
    """Return E[(A(t) - t)+]: its transform over the level is (E[exp(-s A)] - 1 + s E[A]) / s**2.

    Where so much work comes that the inversion does not resolve its spread any more, as a normal one with its skewness.
    """
    mean, deviation = write_rate * part.mean * times, np.sqrt(write_rate * part.moment(2) * times)
    wide = deviation > _SHARP * mean
    result = np.empty_like(times)
    some = times[wide, None]

    def level(s: Complexes) -> Complexes:
        work = np.exp(-write_rate * some * (1 - Points(s).value(part)))
        found: Complexes = (work - 1 + s * (write_rate * part.mean * some)) / s**2
        return found

    if wide.any():
        result[wide] = inverted(level, times[wide])
    z = ((times - mean) / deviation)[~wide]
    skewness = (write_rate * part.moment(3) * times / deviation**3)[~wide]
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    beyond = np.array([math.erfc(x / math.sqrt(2)) / 2 for x in z.tolist()])
    result[~wide] = deviation[~wide] * (density * (1 + skewness * z / 6) - z * beyond)
    return np.maximum(result, 0.0)


@dataclass(frozen=True, eq=False)
class Flushed(Transform):
    """The age of a write at its flush, uniform over the interval, and the work of those before it in the flush."""

    interval: float
    write_rate: float
    part: ServiceTime | Batch
    begins: float = 0.0
    """Counted from here, s: before it, next to nothing."""

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        d, busy = self.interval, self.write_rate * self.part.mean
        object.__setattr__(self, "mean", d / 2 * (1 + busy) - self.begins)
        spread = self.write_rate * d / 2 * self.part.moment(2)
        object.__setattr__(self, "variance", spread + (1 - busy) ** 2 * d * d / 12)

    def at(self, points: Points) -> Complexes:
        """Return the mean of exp(-s u - (d - u) rate (1 - S(s))) over the ages u."""
        back = points.s * self.begins
        until = points.s * self.interval
        ahead = self.write_rate * self.interval * (1 - points.value(self.part)) if self.write_rate else 0 * until
        gap = until - ahead
        # exp(-ahead) (1 - exp(-gap)) / gap, by its series where the two are nearly equal.
        small = np.abs(gap) < 1e-6
        steep = (np.exp(back - ahead) - np.exp(back - until)) / np.where(small, 1.0, gap)
        result: Complexes = np.where(small, np.exp(back - ahead) * (1 - gap / 2), steep)
        return result
