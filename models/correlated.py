"""One server whose arrivals are correlated: bursts of bursts, phases of the day, classes that come together.

A marked Markovian arrival process: a hidden phase moves by D0 without an arrival and by D1, D2, ... with one of class
1, 2, ...; each class has a phase-type service (initial shares, generator). First come first served. The age of whoever
is in service rises while it is served and falls by the gap to the next arrival: a fluid queue, whose rising spells have
a matrix-exponential density (He 2012; Horvath and Van Houdt 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.erlang import UnstableQueueError
from models.phases import stationary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from models.service_time import ServiceTime
    from models.transforms import Floats

Phases = tuple["ArrayLike", "ArrayLike"]
"""A phase-type time: the shares in which its phases begin, and their generator, 1/s, each row summing to at most 0."""

_DOUBLINGS: Final = 60


@dataclass(frozen=True, eq=False)
class Sojourn:
    """How long one class of requests stays, wait and service together, s: moments, tail and percentiles (*exact*)."""

    start: Floats
    generator: Floats
    ends: Floats
    """Rates at which each state ends."""

    def moment(self, order: int) -> float:
        """Return E[time^order]: relative error below 1e-10 while the load is below 0.99."""
        row, factor = self.start, float(math.factorial(order))
        for _ in range(order + 1):
            row = np.asarray(-np.linalg.solve(self.generator.T, row), dtype=float)
        return factor * float(row @ self.ends) / self._whole

    @property
    def mean(self) -> float:
        """Seconds."""
        return self.moment(1)

    @property
    def variance(self) -> float:
        """Seconds squared."""
        return self.moment(2) - self.mean**2

    @property
    def _whole(self) -> float:
        return float(-np.linalg.solve(self.generator.T, self.start) @ self.ends)

    def tail(self, seconds: float) -> float:
        """Return P(time > t)."""
        if seconds <= 0:
            return 1.0
        left = self.start @ exponential_of(self.generator * seconds)
        return float(-np.linalg.solve(self.generator.T, left) @ self.ends) / self._whole

    def percentile(self, fraction: float) -> float:
        """Return the time within which this fraction, in (0, 1), is done, by halving."""
        if not 0 < fraction < 1:
            raise ValueError(f"a fraction lies in (0, 1), not {fraction!r}")
        low, high = 0.0, self.mean
        while self.tail(high) > 1 - fraction:
            low, high = high, 2 * high
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if self.tail(middle) > 1 - fraction else (low, middle)
        return high


def correlated_arrivals(silent: ArrayLike, marks: Sequence[ArrayLike], services: Sequence[Phases]) -> list[Sojourn]:
    """Return how long each class stays at one server, first come first served (*exact*): MMAP[K]/PH[K]/1.

    `silent` is D0 and `marks` D1, D2, ..., square and of one size, 1/s: off the diagonal of D0 nothing is negative, and
    all rows of their sum are 0. One service for each mark. Raises UnstableQueueError when the load reaches 1,
    ValueError for matrices without that meaning. Source: He 2012, "Analysis of the continuous time SM[K]/PH[K]/1/FCFS
    queue"; Riccati's equation by doubling (Guo, Lin and Xu 2006).
    """
    d0, arrivals = np.asarray(silent, dtype=float), [np.asarray(m, dtype=float) for m in marks]
    shapes = [(np.asarray(start, dtype=float), np.asarray(rates, dtype=float)) for start, rates in services]
    _check(d0, arrivals, shapes)
    n = len(d0)
    sizes = [len(start) for start, _ in shapes]
    first = np.cumsum([0, *sizes])
    serving: Floats = np.zeros((first[-1], first[-1]))
    ending: Floats = np.zeros((first[-1], len(shapes)))
    for k, (_, rates) in enumerate(shapes):
        part = slice(first[k], first[k + 1])
        serving[part, part], ending[part, k] = rates, -rates.sum(axis=1)
    one = np.eye(n)
    up: Floats = np.kron(serving, one).astype(float)
    down: Floats = np.kron(ending.sum(axis=1)[:, None], one).astype(float)
    begin = np.hstack([np.kron(start[None, :], m) for (start, _), m in zip(shapes, arrivals, strict=True)])
    back = _return(up, down, d0, begin)
    growth = up + back @ begin
    # An idle spell begins in a phase, ends with an arrival, and the busy spell after it ends in a phase.
    idle = np.linalg.solve(-d0, begin)
    start = stationary(idle @ back - one) @ idle
    return [Sojourn(start, growth, np.kron(ending[:, k], np.ones(n)).astype(float)) for k in range(len(shapes))]


def switched(rates: Sequence[float], leaving: ArrayLike) -> tuple[Floats, list[Floats]]:
    """Return D0 and [D1] of arrivals whose rate, 1/s, depends on a phase that moves by a generator (MMPP).

    Two phases, a quiet one and a burst, are the simplest correlated arrivals: a switched Poisson process.
    """
    moves, arrivals = np.asarray(leaving, dtype=float), np.diag(np.asarray(rates, dtype=float))
    return moves - arrivals, [arrivals]


def phases_of(service: ServiceTime) -> Phases:
    """Return a mixture of Erlang times as phases; raises ValueError for constant parts, which have none."""
    if service.constants:
        raise ValueError("a constant time has no phases: take an Erlang time of many")
    size = sum(count for _, count, _ in service.phases)
    start, rates, place = np.zeros(size), np.zeros((size, size)), 0
    for weight, count, rate in service.phases:
        start[place] = weight
        for i in range(place, place + count):
            rates[i, i] = -rate
            if i + 1 < place + count:
                rates[i, i + 1] = rate
        place += count
    return start, rates


def _return(up: Floats, down: Floats, falling: Floats, begin: Floats) -> Floats:
    """Return the phases in which the age is back where it was, from each in which it rises: Riccati's least solution.

    up X + X falling + down + X begin X = 0, by doubling, which squares the error with each step.
    """
    rate = max(float(-np.diag(up).min()), float(-np.diag(falling).min()))
    one, other = np.eye(len(up)), np.eye(len(falling))
    a, d = rate * one - up, rate * other - falling
    # Both generators are moved by their fastest rate, so that what is inverted has no negative entry.
    w = np.linalg.inv(a - down @ np.linalg.solve(d, begin))
    v = np.linalg.inv(d - begin @ np.linalg.solve(a, down))
    e = one - 2 * rate * w
    f = other - 2 * rate * v
    g = 2 * rate * np.linalg.solve(d, begin) @ w
    h = 2 * rate * w @ down @ np.linalg.inv(d)
    for _ in range(_DOUBLINGS):
        left, right = np.linalg.inv(other - g @ h), np.linalg.inv(one - h @ g)
        step = e @ right @ h @ f
        g = g + f @ left @ g @ e
        h, e, f = h + step, e @ right @ e, f @ left @ f
        if np.abs(step).max() <= 1e-16 * np.abs(h).max():
            break
    return np.asarray(h)


def exponential_of(matrix: Floats) -> Floats:
    """Return the exponential of a matrix, by Taylor's series of a part of it, squared up again."""
    squarings = max(0, math.ceil(math.log2(max(float(np.abs(matrix).sum(axis=1).max()), 1e-300))) + 4)
    part = matrix / 2**squarings
    term = found = np.eye(len(matrix))
    for k in range(1, 16):
        term = term @ part / k
        found = found + term
    for _ in range(squarings):
        found = found @ found
    return found


def _check(d0: Floats, arrivals: list[Floats], shapes: list[tuple[Floats, Floats]]) -> None:
    if len(arrivals) != len(shapes) or not arrivals or any(m.shape != d0.shape for m in arrivals) or d0.ndim != 2:
        raise ValueError("D0 and as many marks of its size as services are needed")
    whole = d0 + sum(arrivals)
    off = d0 - np.diag(np.diag(d0))
    if min(float(m.min()) for m in [off, *arrivals]) < 0 or np.abs(whole.sum(axis=1)).max() > 1e-9 * np.abs(d0).max():
        raise ValueError("rates are >= 0 but for the diagonal of D0, and the rows of all marks together sum to 0")
    load = 0.0
    shares = stationary(whole)
    for m, (start, rates) in zip(arrivals, shapes, strict=True):
        if abs(start.sum() - 1) > 1e-9 or rates.shape != (len(start), len(start)):
            raise ValueError("the shares of a service's phases sum to 1, and its generator is square")
        load += float(shares @ m.sum(axis=1)) * float(start @ np.linalg.solve(-rates, np.ones(len(start))))
    if load >= 1:
        raise UnstableQueueError(1, load)
