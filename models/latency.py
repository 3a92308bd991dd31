"""Response times as values: add them, mix them, repeat them, take their maximum, cut them off; then ask percentiles.

A `Latency` is a mixture of *terms*. Each term is a constant shift, a smooth independent part, and *marks*: waiting
times that are shared. Visits of one request to the same tier are not independent: a request that met a queue meets
it again. Adding two latencies that carry the same mark adds its counts, and n marks mean n times one waiting time
instead of n waiting times (measured: within 1 % at p99, where independence is 20 % low). Constants are kept apart
because a transform with a jump inverts badly.
"""

from __future__ import annotations

import math
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.inversion import tail_and_density
from models.service_time import ServiceTime
from models.transforms import (
    INSTANT,
    NEGLIGIBLE,
    Delay,
    PiecewiseDensity,
    PiecewiseHazard,
    Repeated,
    Stretched,
    Transform,
    TruncatedExponential,
    mixture,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from models.transforms import Floats

MOST_TERMS = 64
"""Beyond this many distinct terms the lightest are folded: marks become independent, shifts become transforms."""

GRID_POINTS = 120
"""Points of the grid on which a maximum or a cut-off distribution is kept."""

Marks = tuple[tuple[Transform, int], ...]


class Term(NamedTuple):
    """One path of a mixture: with probability `weight`, `shift` seconds plus `smooth` plus what is marked."""

    weight: float
    shift: float
    smooth: Transform
    marks: Marks

    def whole(self) -> Transform:
        """Return the part after the shift as one transform; n equal marks are n times one waiting time."""
        waits = [wait if n == 1 else Stretched(wait, n) for wait, n in self.marks]
        return total([self.smooth, *waits])


class Latency:
    """The distribution of a response time in seconds. Immutable; compared by identity."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = _merged(terms)

    @staticmethod
    def constant(seconds: float) -> Latency:
        """Return a latency that is always the same."""
        return Latency([Term(1.0, seconds, INSTANT, ())])

    @staticmethod
    def of(duration: Transform) -> Latency:
        """Return a latency of its own, independent of every other; constants inside become shifts."""
        if not isinstance(duration, ServiceTime):
            return Latency([Term(1.0, 0.0, duration, ())])
        terms = [Term(weight, value, INSTANT, ()) for weight, value in duration.constants]
        smooth = math.fsum(weight for weight, _, _ in duration.phases)
        if smooth > 0:
            part = ServiceTime(tuple((w / smooth, k, rate) for w, k, rate in duration.phases))
            terms.append(Term(smooth, 0.0, duration if not duration.constants else part, ()))
        return Latency(terms)

    @staticmethod
    def waiting(wait: Transform) -> Latency:
        """Return a waiting time that is shared by every visit of one request to the same place."""
        if wait.is_negligible:
            return ZERO
        return Latency([Term(1.0, 0.0, INSTANT, ((wait, 1),))])

    @cached_property
    def mean(self) -> float:
        """Seconds (*exact* for the terms)."""
        return sum(t.weight * (t.shift + t.smooth.mean + sum(n * w.mean for w, n in t.marks)) for t in self.terms)

    @cached_property
    def variance(self) -> float:
        """Seconds squared (*exact* for the terms)."""
        second = 0.0
        for t in self.terms:
            mean = t.shift + t.smooth.mean + sum(n * w.mean for w, n in t.marks)
            second += t.weight * (t.smooth.variance + sum(n * n * w.variance for w, n in t.marks) + mean**2)
        return max(second - self.mean**2, 0.0)

    @cached_property
    def least(self) -> float:
        """The shortest time possible, seconds."""
        return min(t.shift for t in self.terms)

    def __add__(self, other: Latency) -> Latency:
        """Return the latency of one after the other: independent but for shared marks."""
        if self is ZERO:
            return other
        if other is ZERO:
            return self
        return Latency(
            Term(a.weight * b.weight, a.shift + b.shift, total([a.smooth, b.smooth]), _joined(a.marks, b.marks))
            for a in self.terms
            for b in other.terms
        )

    def times(self, count: float) -> Latency:
        """Return `count` >= 0 of these one after another; a fraction mixes the two neighbouring integers."""
        whole = math.floor(count)
        below = self._repeated(whole)
        if count == whole:
            return below
        return mixed([whole + 1 - count, count - whole], [below, below + self])

    def _repeated(self, count: int) -> Latency:
        if count == 1:
            return self
        if len(self.terms) == 1:
            t = self.terms[0]
            smooth = INSTANT if t.smooth is INSTANT or count == 0 else Repeated(t.smooth, count)
            marks = tuple((wait, n * count) for wait, n in t.marks) if count else ()
            return Latency([Term(1.0, t.shift * count, smooth, marks)])
        result, square = ZERO, self
        while count:
            if count & 1:
                result = result + square
            count >>= 1
            if count:
                square = square + square
        return result

    def with_waits(self, replaced: Mapping[Transform, Transform]) -> Latency:
        """Return the same latency with some shared waits exchanged for others."""
        return Latency(t._replace(marks=tuple((replaced.get(w, w), n) for w, n in t.marks)) for t in self.terms)

    def tail(self, times: Floats) -> Floats:
        """Return P(latency > t) for an array of times in seconds (*approximate*: inversion, about 1e-8)."""
        return self._tail_and_density(np.asarray(times, dtype=float))[0]

    def exceeds(self, seconds: float) -> float:
        """Return P(latency > seconds)."""
        return float(self.tail(np.array([seconds]))[0])

    @cached_property
    def _by_shift(self) -> tuple[tuple[float, float, Transform], ...]:
        """(probability, shift, the rest as one transform), one for each distinct shift."""
        groups: dict[float, list[Term]] = {}
        for term in self.terms:
            groups.setdefault(term.shift, []).append(term)
        result = []
        for shift, terms in groups.items():
            weight = math.fsum(t.weight for t in terms)
            result.append((weight, shift, mixture([t.weight / weight for t in terms], [t.whole() for t in terms])))
        return tuple(result)

    def _tail_and_density(self, times: Floats) -> tuple[Floats, Floats]:
        tail, density = np.zeros_like(times), np.zeros_like(times)
        for weight, shift, rest in self._by_shift:
            if rest is INSTANT:
                tail += weight * (times < shift)
                continue
            later = times > shift
            tail += weight * ~later
            if later.any():
                t, d = tail_and_density(rest, times[later] - shift)
                tail[later] += weight * t
                density[later] += weight * d
        return tail, density

    def percentile(self, fraction: float) -> float:
        """Return the time in seconds that this fraction of requests stays within."""
        return self.percentiles([fraction])[0]

    def percentiles(self, fractions: Sequence[float]) -> list[float]:
        """Return the times within which these fractions (each in (0, 1)) of requests stay, all at once.

        *Approximate*: relative error below 1e-6 for smooth distributions. Newton on the logarithm of the tail,
        inside a bracket that also holds where the distribution jumps.
        """
        if any(not 0 < p < 1 for p in fractions):
            raise ValueError(f"percentiles are asked for as fractions between 0 and 1, not {list(fractions)!r}")
        if self.variance == 0:
            return [self.mean] * len(fractions)
        wanted = 1 - np.asarray(fractions, dtype=float)
        spread = math.log1p(self.variance / self.mean**2)
        normal = np.array([NormalDist().inv_cdf(p) for p in fractions])
        return _solve(self._tail_and_density, wanted, self.mean * np.exp(math.sqrt(spread) * normal - spread / 2))


def _solve(function: Callable[[Floats], tuple[Floats, Floats]], wanted: Floats, guess: Floats) -> list[float]:
    """Return where the tail falls to `wanted`."""
    low, high, times = np.zeros_like(guess), np.full_like(guess, np.inf), guess
    active = np.ones(len(guess), dtype=bool)
    for _ in range(80):
        t = times[active]
        tail, density = function(t)
        above = tail > wanted[active]
        low[active] = np.where(above, t, low[active])
        high[active] = np.where(above, high[active], t)
        lowest, highest = low[active], high[active]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = t + np.log(tail / wanted[active]) * tail / density
            # The first steps are damped: far from the root the logarithm of the tail need not be nearly straight.
            step = np.clip(step, t / 4, t * 4)
            middle = np.where(np.isfinite(highest), np.sqrt(np.maximum(lowest, highest / 1024) * highest), 2 * t)
            usable = np.isfinite(step) & (step > lowest) & (step < highest)
        updated = np.where(usable, step, middle)
        narrow = np.isfinite(highest) & (highest - lowest <= 1e-9 * highest)
        done = narrow | (np.abs(updated - t) <= 1e-5 * t)
        times[active] = np.where(narrow, highest, updated)
        active[active] = ~done
        if not active.any():
            break
    return [float(t) for t in times]


def mixed(weights: Sequence[float], latencies: Sequence[Latency]) -> Latency:
    """Return one latency or another, with the given probabilities (which sum to 1)."""
    return Latency(
        t._replace(weight=t.weight * w) for w, part in zip(weights, latencies, strict=True) if w > 0 for t in part.terms
    )


def maximum(latencies: Sequence[Latency]) -> Latency:
    """Return the latency of waiting for all of several that start together, taken as independent.

    *Approximate*: distribution functions multiply on a grid (percentiles within 0.05 %). For branches that share
    queues independence is an upper bound (associated variables): up to 4 % high at p99.
    """
    if len(latencies) == 1:
        return latencies[0]
    base = max(part.least for part in latencies)

    def tail(times: Floats) -> Floats:
        inside = np.ones_like(times)
        for part in latencies:
            inside *= 1 - part.tail(times + base)
        return 1 - inside

    reach = max(max(part.mean - base, 0.0) + 2 * math.sqrt(part.variance) for part in latencies)
    if reach == 0:
        return Latency.constant(base)
    while tail(np.array([reach]))[0] > 1e-9:
        reach *= 1.5
    times = _grid(tail, reach)
    at_once = float(tail(times[1:2] * 1e-6)[0])
    kept = np.minimum.accumulate(np.clip(np.append(at_once, tail(times[1:])), 1e-12, 1.0))
    return Latency([Term(1.0, base, PiecewiseHazard(times, kept), ())])


def with_timeout(latency: Latency, timeout: float, retries: int) -> tuple[Latency, float]:
    """Return the latency of a call given up after `timeout` seconds and tried `retries` times more; P(a try fails).

    The last failure ends the call as well, so nothing takes longer than (retries + 1) * timeout. The tries are taken
    as independent. *Exact* for an exponential time after a constant; else what arrives in time is kept on a grid.
    """
    failed = latency.exceeds(timeout)
    if failed <= NEGLIGIBLE:
        return latency, 0.0
    terms = [Term(failed ** (retries + 1), (retries + 1) * timeout, INSTANT, ())]
    if failed < 1:
        in_time = _in_time(latency, timeout, failed)
        tries = ((i, (1 - failed) * failed**i) for i in range(retries + 1))
        terms += [Term(p, in_time.shift + i * timeout, in_time.smooth, ()) for i, p in tries if p > NEGLIGIBLE]
    return Latency(terms), failed


def _in_time(latency: Latency, timeout: float, failed: float) -> Term:
    """Return the latency given that it is within the timeout."""
    base = latency.least
    only = latency.terms[0]
    if len(latency.terms) == 1 and not only.marks and isinstance(only.smooth, ServiceTime) and only.smooth.is_exponential:
        return Term(1.0, base, TruncatedExponential(1 / only.smooth.mean, timeout - base), ())

    def tail(times: Floats) -> Floats:
        return (latency.tail(times + base) - failed) / (1 - failed)

    times = _grid(tail, timeout - base)
    kept = np.minimum.accumulate(np.clip(np.concatenate([[1.0], tail(times[1:-1]), [0.0]]), 0.0, 1.0))
    return Term(1.0, base, PiecewiseDensity(times, kept), ())


def _grid(tail: Callable[[Floats], Floats], end: float) -> Floats:
    """Return times from 0 to `end`, closest where a tail function falls fastest."""
    coarse = end * np.concatenate([np.geomspace(1e-6, 0.02, 24, endpoint=False), np.linspace(0.02, 1.0, 60)])
    values = np.minimum.accumulate(np.clip(tail(coarse), 1e-12, 1.0))
    ruler = -np.log(values) / 8 + 3 * (1 - values) + np.log(coarse / end) / 14 + 2 * coarse / end
    fine = np.interp(np.linspace(ruler[0], ruler[-1], GRID_POINTS), ruler, coarse)
    return np.concatenate([[0.0], fine])


def _joined(a: Marks, b: Marks) -> Marks:
    if not a or not b:
        return a or b
    counts = dict(a)
    for wait, n in b:
        counts[wait] = counts.get(wait, 0) + n
    return tuple(counts.items())


def _merged(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return the terms with those of equal shift and marks made one, and folded where they are too many."""
    listed = tuple(terms)
    if len(listed) == 1:
        return listed
    merged = _grouped(listed, lambda t: (t.shift, frozenset(t.marks)))
    if len(merged) > MOST_TERMS:
        merged = _grouped((t._replace(smooth=t.whole(), marks=()) for t in merged), lambda t: t.shift)
    if len(merged) > MOST_TERMS:
        smooth = [t._replace(shift=0.0, smooth=total([t.smooth, Delay(t.shift)])) for t in merged]
        merged = _grouped(smooth, lambda t: t.shift)
    return tuple(merged)


def _grouped(terms: Iterable[Term], key: Callable[[Term], object]) -> list[Term]:
    groups: dict[object, list[Term]] = {}
    for term in terms:
        if term.weight > 0:
            groups.setdefault(key(term), []).append(term)
    result = []
    for group in groups.values():
        if len(group) == 1:
            result.append(group[0])
            continue
        weight = math.fsum(t.weight for t in group)
        smooth = mixture([t.weight / weight for t in group], [t.smooth for t in group])
        result.append(group[0]._replace(weight=weight, smooth=smooth))
    return result


ZERO = Latency.constant(0.0)
"""No time at all."""
