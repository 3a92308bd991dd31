"""Several visits of one request to the same queues: what their waits have in common.

A request that met a queue meets what is left of it again. Between two visits the excess that it met is served, goes
where requests go next, and comes back with those that do. So the excesses of all queues on a path follow a linear law:
each drains at the rate at which its queue forgets, and flows along the path. Whatever the path, this has the variance
of each queue and the slope of all covariances at lag 0; for two visits in a row to M/M/1 it gives the exact
correlation of their responses, which is the utilization: whom a request leaves behind came while it was there.

From the covariances to a law: responses of M/M/1 that meet each other's queue are jointly exponential (Downton 1970).
The sum of n of them with equal correlations g**2 is one exponential time 1 + (n-1) g as long as one of them, and n - 1
that are 1 - g as long: the eigenvalues of the matrix of the g (Krishnamoorthy and Parthasarathy 1951).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from models.queues import Memory, Wait
from models.remembered import remembered
from models.service_time import ServiceTime, exponential
from models.transforms import INSTANT, Repeated, Stretched, Transform, mixture, stretched, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.transforms import Floats

Marks = tuple[tuple[Transform, float], ...]
"""Waits that are shared, and how many times each is waited."""


class Span(NamedTuple):
    """When the first and the last of the `visits` to a queue begin: seconds from the start of a path, on average."""

    first: float
    last: float
    visits: float

    def before(self, time: float) -> float:
        """Return how many visits begin before a time, taken as evenly spread."""
        if time <= self.first or not math.isfinite(self.visits):
            return 0.0
        if self.last <= self.first:
            return self.visits
        apart = (self.last - self.first) / (self.visits - 1)
        return min(math.ceil((time - self.first) / apart - 1e-9), self.visits)


_MOST_VISITS: Final = 48
"""Of a longer path several visits in turn are taken as one, as many times as heavy."""


_UNFELT: Final = 0.005
"""Below this share of the variance of a path, what the visits have in common is no more than 0.2 % of a percentile."""

_FELT: Final = 0.02
"""From this share on it is worked out in full; between the two it sets in by degrees, so that nothing jumps."""


def forgetting(marks: Marks, others: float) -> float:
    """Return how far it matters that queues forget between visits, from 0 to 1; `others` is other variance."""
    repeated = 0.0
    for wait, n in marks:
        if n > 1:
            repeated += n * (n - 1) * wait.variance
    if repeated == 0:
        return 0.0
    share = repeated / (others + repeated + sum([n * wait.variance for wait, n in marks]))
    return min(max((share - _UNFELT) / (_FELT - _UNFELT), 0.0), 1.0)


def shared_waits(marks: Marks, spans: tuple[Span, ...], felt: float = 1.0) -> tuple[Transform, ...]:
    """Return the sums of the waits at each queue of a path, as independent durations.

    Means are *exact*; beyond one visit the rest is *approximate*: variances as right as the linear law, percentiles
    measured in docs/theory/latency.md. Other requests are taken to go the same path. What queues of different tiers
    have in common is counted for those that are visited again. A wait that does not tell what its queue forgets
    (`Wait.memory`) is one and the same at every visit, and so is every wait as far as that is not `felt`, from 0 to 1.
    """
    if felt == 0 or all(n == 1 for _, n in marks):
        return tuple([wait if n == 1 else stretched(wait, n) for wait, n in marks])
    return _remembering(marks, spans, felt)


@remembered(512)
def _remembering(marks: Marks, spans: tuple[Span, ...], felt: float) -> tuple[Transform, ...]:
    """Return the sums of the waits where queues remember some of what a request met before."""
    queues = [
        _Queue(wait, wait.memory, int(span.visits), span)
        for (wait, n), span in zip(marks, spans, strict=True)
        if isinstance(wait, Wait) and wait.memory is not None and n == span.visits
    ]
    common = {
        queue.wait: felt * covariance + (1 - felt) * queue.wait.variance
        for queue, covariance in zip(queues, _covariances(queues), strict=True)
    }
    return tuple(_several(w, int(n), common[w]) if w in common else w if n == 1 else stretched(w, n) for w, n in marks)


class _Queue(NamedTuple):
    """A queue on a path, what it forgets, and the visits to it."""

    wait: Wait
    memory: Memory
    visits: int
    span: Span

    @property
    def forgets(self) -> float:
        """At which rate (1/s) the number that is waited for drains back to its mean: the slope at lag 0."""
        idle = 1 - self.memory.utilization
        return idle / (self.wait.conditional.mean * (1 + self.memory.utilization - self.wait.probability))

    @property
    def step(self) -> float:
        """How much longer one more in the queue makes the wait, seconds."""
        return self.wait.conditional.mean * (1 - self.memory.utilization)

    @property
    def common(self) -> float:
        """The covariance (s squared) of two waits with nothing but the service of one between: that of the numbers."""
        rho, waits, mean = self.memory.utilization, self.wait.probability, self.wait.conditional.mean
        uneven = self.wait.conditional.variance - mean**2
        return max(waits * ((1 + rho - waits) * mean**2 + rho * uneven), 0.0)

    @property
    def stay(self) -> float:
        """Seconds of one visit."""
        return self.wait.mean + self.memory.service_time

    @property
    def starts(self) -> tuple[Floats, float]:
        """When visits begin, evenly spread, and how many one of these stands for."""
        kept = min(self.visits, _MOST_VISITS)
        return np.linspace(self.span.first, self.span.last, kept), self.visits / kept


def _covariances(queues: Sequence[_Queue]) -> list[float]:
    """Return for each queue the mean covariance of two visits to it, with what it shares with the other queues."""
    if all(queue.visits == 1 for queue in queues):
        return [0.0] * len(queues)
    if len(queues) == 1:
        away = (queues[0].span.last - queues[0].span.first) / (queues[0].visits - 1) - queues[0].stay
        if away <= 1e-3 * queues[0].stay:
            return [_in_a_row(queues[0])]
    found = _pairs(queues)
    alike = [found[i, i] if queue.visits > 1 else 0.0 for i, queue in enumerate(queues)]
    scale = found.sum() / sum(alike) if sum(alike) > 0 else 0.0
    return [2 * scale * c / (q.visits * (q.visits - 1)) if c > 0 else 0.0 for c, q in zip(alike, queues, strict=True)]


def _in_a_row(queue: _Queue) -> float:
    """Return the mean covariance of visits that follow each other: what drains comes back but for a last visit."""
    kept = math.exp(-queue.forgets / queue.visits * queue.stay)
    pairs = sum((queue.visits - j) * kept ** (j - 1) for j in range(1, min(queue.visits, 10_000)))
    return queue.common * queue.memory.same * 2 * pairs / (queue.visits * (queue.visits - 1))


def _pairs(queues: Sequence[_Queue]) -> Floats:
    """Return the sum of the covariances of a visit to each queue (column) and a later one to each (row)."""
    known = [queue.starts for queue in queues]
    times = np.concatenate([starts for starts, _ in known])
    order = np.argsort(times, kind="stable")
    tier = np.repeat(np.arange(len(queues)), [len(starts) for starts, _ in known])[order].tolist()
    heavy = [weight for _, weight in known]
    gaps = np.diff(times[order])
    stays = np.minimum([queues[i].stay for i in tier[:-1]], gaps)
    lasting, which = np.unique(np.concatenate([stays, gaps - stays]).round(_digits(times)), return_inverse=True)
    decays = _decays(_drains(queues, tier, gaps - stays, heavy), lasting)[which]
    number = len(queues)
    excess, found = np.zeros((len(decays[0]), number)), np.zeros((number, number))
    for k, i in enumerate(tier):
        queue, weight = queues[i], heavy[i]
        found[i] += weight * queue.step * queue.memory.same * excess[i]
        found[i, i] += weight * (weight - 1) / 2 * queue.common * queue.memory.same
        if k < len(gaps):
            excess = decays[k] @ excess
            excess[i, i] += weight * queue.common / queue.step
            excess = decays[len(gaps) + k] @ excess
    return found


def _digits(times: Floats) -> int:
    """Return the decimals to which times that differ by rounding are the same."""
    return 9 - math.floor(math.log10(max(float(times.max()), 1e-300)))


def _drains(queues: Sequence[_Queue], tier: Sequence[int], away: Floats, heavy: Sequence[float]) -> Floats:
    """Return the rates at which excesses leave each queue (diagonal) and enter each other, with those on their way.

    Beyond the queues come as many places where what left each of them is until it enters the next.
    """
    number = len(queues)
    follows, absent = np.zeros((number, number)), np.zeros(number)
    for k, (i, j) in enumerate(pairwise(tier)):
        follows[j, i] += 1
        absent[i] += away[k]
    for i, weight in enumerate(heavy):
        follows[i, i] += (weight - 1) * tier.count(i)
    left = follows.sum(axis=0)
    rates = np.array([queue.forgets for queue in queues])
    # A place that is passed at once is left fast enough not to matter, and slowly enough to be computed with.
    longest = np.maximum(absent / np.maximum(left, 1), 0.02 * np.array([queue.stay for queue in queues]))
    follows /= np.array([queue.visits for queue in queues])
    returns = follows.sum(axis=0)
    result = np.zeros((2 * number, 2 * number))
    result[:number, :number] = np.diag(rates)
    result[number:, :number] = -np.diag(rates * returns)
    result[:number, number:] = -follows / np.maximum(returns, 1e-300) / longest
    result[number:, number:] = np.diag(1 / longest)
    return result


def _decays(drains: Floats, times: Floats) -> Floats:
    """Return exp(-drains t) for every time: by its series, halved until that is quick and squared again."""
    scaled = -drains * times[:, None, None]
    halvings = max(0, math.ceil(math.log2(max(float(np.abs(scaled).sum(axis=1).max(initial=0.0)), 1e-9))) + 1)
    scaled /= 2.0**halvings
    result = term = np.broadcast_to(np.eye(len(drains)), scaled.shape)
    for k in range(1, 9):
        term = term @ scaled / k
        result = result + term
    for _ in range(halvings):
        result = result @ result
    return result


def _several(wait: Wait, visits: int, covariance: float) -> Transform:
    """Return the sum of the waits of several visits, two of which have this covariance on average."""
    if visits == 1:
        return wait
    waits, one = wait.probability, wait.conditional
    common = covariance / one.mean**2
    alone = _exponential_mean(one)
    if alone is not None and common <= waits:
        # The responses of M/M/1 with these correlations, less services: for one visit, a wait.
        return _less(alone, math.sqrt(common), 1 - waits, visits)
    uneven = one.variance / one.mean**2
    if common >= waits * (1 - waits):
        within = min((common - waits * (1 - waits)) / (waits * uneven), 1.0) if uneven > 0 else 1.0
        return Wait(waits, _joint(one, alone, math.sqrt(within), visits), exact=False)
    return _joint(wait, None, math.sqrt(min(covariance / wait.variance, 1.0)), visits)


def _less(mean: float, g: float, less: float, visits: int) -> Transform:
    long, short = ((1 + (visits - 1) * g) * mean, (1 - g) * mean)
    # (1 + less s) / (1 + k s): shares below 0 where k < less, which the other factors outweigh.
    shares = [1 - less * mean / each for each in (long, short)]
    parts = [mixture([1 - q, q], [INSTANT, exponential(each)]) for q, each in zip(shares, (long, short), strict=True)]
    return total([parts[0], Repeated(parts[1], visits - 1)])


def _joint(one: Transform, mean: float | None, g: float, visits: int) -> Transform:
    long, short = 1 + (visits - 1) * g, 1 - g
    parts = [exponential(k * mean) if mean is not None else Stretched(one, k) for k in (long, short) if k > 1e-9]
    return total([parts[0], *(Repeated(part, visits - 1) for part in parts[1:])])


def _exponential_mean(duration: Transform) -> float | None:
    if isinstance(duration, Stretched):
        inner = _exponential_mean(duration.part)
        return None if inner is None else inner * duration.factor
    return duration.mean if isinstance(duration, ServiceTime) and duration.is_exponential else None
