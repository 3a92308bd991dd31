"""Reads that ask R of the N members of a store at once, while writes wait for W: how long both take, and how fresh.

One member, the primary, takes a write first; the N - 1 replicas get it from there, each visible after its own lag. The
write is done with the W-th member that has it, the primary being one. A read asks R members at random, and waits for
the slowest: the first that it asks is beside whoever asks, each other one is `distance` seconds away, and as many back.
It misses the write if the primary is not asked and the write is visible at none of the R when the question arrives.

`models.quorum` has the other kind of store, in which all N are asked and the first R answers count.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from models.gridded import on_grid
from models.latency import ZERO, Latency, mixed
from models.quadrature import gauss_legendre
from models.queues import NO_WAIT, Wait
from models.remembered import remembered
from models.terms import Term
from models.transforms import INSTANT, NEGLIGIBLE, PiecewiseHazard, Transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.transforms import Complexes, Floats, Points

    Tail = Callable[[Floats], Floats]

_FARTHEST: Final = 1e6
"""Times as far as mean and deviation reach: next to saturation a tail is all noise, and never ends."""

_RAREST: Final = 1e-9
"""Where a tail ends on its grid."""

_LEAST: Final = 1e-12

_LEVELS: Final = 48
"""Points over the time of the acknowledgement that decides."""

_WIDE: Final = 8.0
"""Standard deviations of its level on each side that matter."""

_SUMMED: Final = 60
"""Replicas up to which probabilities are summed one by one."""


class Asked(NamedTuple):
    """What one member takes for a read: the wait for a core alone, and the work after it."""

    wait: Wait
    work: Latency

    @property
    def whole(self) -> Latency:
        """Both."""
        return Latency.waiting(self.wait) + self.work


def check(nodes: int, reads: int, writes: int) -> None:
    """Raise ValueError unless 1 <= R, W <= N."""
    if not (1 <= reads <= nodes and 1 <= writes <= nodes):
        raise ValueError(f"of {nodes} members 1 to {nodes} can be asked, not {reads} and {writes}")


def slowest_work(primary: Asked, replica: Asked, nodes: int, reads: int, distance: float) -> Latency:
    """Return the time until the slowest of R >= 2 members has answered, if none of them waited for a core; s.

    The work of members is taken as independent (*exact* where it is), on a grid: percentiles within 1e-3.
    """
    return _slowest(primary, replica, nodes, reads, distance)[0]


def slowest_wait(primary: Asked, replica: Asked, nodes: int, reads: int, distance: float) -> Wait:
    """Return what waiting for cores adds to `slowest_work`: together they are the time of the slowest of R members.

    *Approximate*: the waits are taken as independent, and those of members that the same reads and writes meet are
    associated: at 58 % use the mean of a read is 1.5 % high, at 82 % 3 to 5 %, at 70 % with all of 5 asked 9 %; p99
    within 4 %. Shared by the visits of one request like every wait, though the next read may ask other members: four
    reads one after another have a p99 that is 10 to 28 % high (`docs/theory/replication.md`).
    """
    return _slowest(primary, replica, nodes, reads, distance)[1]


@remembered(64)
def _slowest(primary: Asked, replica: Asked, nodes: int, reads: int, distance: float) -> tuple[Latency, Wait]:
    check(nodes, reads, 1)
    if reads < 2:
        raise ValueError("one member that is asked is no quorum: it is answered as any node answers")
    away, members = 2 * distance, (primary, replica)
    base = away + min(member.work.least for member in members)
    works = [member.work for member in members]
    idle = all(member.wait.is_negligible for member in members)
    if idle and all(work.variance == 0 for work in works):
        return Latency.constant(away + max(work.mean for work in works)), NO_WAIT
    wholes = works if idle else [member.whole for member in members]

    def tail_of(parts: list[Latency]) -> Tail:
        return lambda times: _until_all(parts, nodes, reads, times + base, away)

    kept, short = _kept(tail_of(wholes), _reach(wholes) + away - base), None
    if idle:
        return Latency([Term(1.0, base, kept, ())]), NO_WAIT
    work = Latency.constant(base)
    if any(part.variance > 0 for part in works) or works[0].mean != works[1].mean:
        # On one grid, fine enough for both, so that what both are off by cancels in what is between them.
        times = np.union1d(kept.times, _kept(tail_of(works), _reach(works) + away - base).times)
        kept = _on(times, tail_of(wholes))
        short = PiecewiseHazard(times, np.minimum(_on(times, tail_of(works)).tail, kept.tail))
        work = Latency([Term(1.0, base, short, ())])
    waits = [member.wait.probability for member in members]
    here = reads / nodes
    nobody = (here * (1 - waits[0]) + (1 - here) * (1 - waits[1])) * (1 - waits[1]) ** (reads - 1)
    return work, Wait(1 - nobody, _Longer(kept, short or INSTANT, 1 - nobody), exact=False)


class _Longer(Transform):
    """What has to be added, by whoever waits, to a duration `short` so that it is `whole`: their transforms' ratio."""

    def __init__(self, whole: PiecewiseHazard, short: Transform, share: float) -> None:
        self._whole, self._short, self._share = whole, short, share
        added = max(whole.mean - short.mean, 0.0)
        self.mean = added / share
        self.variance = max((whole.variance - short.variance + added**2) / share - self.mean**2, 0.0)

    def at(self, points: Points) -> Complexes:
        """Return the transform that with the share of those who wait gives the ratio."""
        ratio = points.value(self._whole) / points.value(self._short)
        return 1 - (1 - ratio) / self._share


def _reach(parts: list[Latency]) -> float:
    return max(part.mean + 2 * math.sqrt(part.variance) for part in parts)


def _on(times: Floats, tail: Tail) -> PiecewiseHazard:
    """Return a duration kept on a grid that begins at 0."""
    ends = np.append(times[1:2] * 1e-6, times[1:])
    return PiecewiseHazard(times, np.minimum.accumulate(np.clip(tail(ends), _LEAST, 1.0)))


def _until_all(parts: list[Latency], nodes: int, reads: int, times: Floats, away: float) -> Floats:
    """Return P(the slowest of R members takes longer), of which the first asked is near and the others are away."""
    near = [1 - part.tail(times) for part in dict.fromkeys(parts)]
    far = near if away == 0 else [1 - part.tail(times - away) for part in dict.fromkeys(parts)]
    # Members that take alike are asked once: the last of the list is any replica.
    first = near[0] * far[-1] ** (reads - 1)
    among = near[-1] * far[0] * far[-1] ** (reads - 2)
    none = near[-1] * far[-1] ** (reads - 1)
    within: Floats = (first + (reads - 1) * among + (nodes - reads) * none) / nodes
    return 1 - within


@remembered(64)
def acknowledged(lag: Latency, nodes: int, writes: int, distance: float) -> Latency:
    """Return the time from a write on the primary until W of N members have it, and say so `distance` seconds later.

    `lag` is the time until one replica shows a write; the lags are taken as independent (*approximate*: writes are
    late on all replicas together). The primary is the first of the W: for W = 1 nothing is waited for.
    """
    check(nodes, 1, writes)
    replicas, needed = nodes - 1, writes - 1
    if needed == 0:
        return ZERO
    if lag.variance == 0:
        return lag + Latency.constant(distance)
    base = lag.least
    kept = _kept(
        lambda times: _fewer(needed, replicas, lag.tail(times + base)), lag.mean - base + 2 * math.sqrt(lag.variance)
    )
    return Latency([Term(1.0, base, kept, ())]) + Latency.constant(distance)


def _fewer(needed: int, replicas: int, late: Floats) -> Floats:
    """Return P(fewer than `needed` of the replicas have a write), each of which is late with these probabilities."""
    if needed == replicas:
        return 1 - (1 - late) ** needed
    if replicas > _SUMMED:
        from scipy.special import betainc  # noqa: PLC0415

        found: Floats = betainc(replicas - needed + 1, needed, late)
        return found
    total: Floats = np.zeros_like(late)
    for ended in range(needed):
        total += math.comb(replicas, ended) * (1 - late) ** ended * late ** (replicas - ended)
    return total


@remembered(64)
def visible(lag: Latency, nodes: int, reads: int, writes: int, distance: float) -> Latency:
    """Return the time from the acknowledgement of a write until a read sees it: P(longer than t) misses it after t.

    Nothing at all where R + W > N: every read meets every write. Else, with L the lags of replicas that are taken as
    independent (*approximate*), x the time until W - 1 of those that are not asked have the write, d the distance:
    P(missed) = (1 - R / N) E[P(L > x + d + t) P(L > x + 2d + t)**(R - 1)], without x and its d for W = 1. Who is asked
    and has no write yet cannot have acknowledged it. Within 1e-6 of 50 digits for exponential lags, 1e-3 for others.
    """
    check(nodes, reads, writes)
    if reads + writes > nodes:
        return ZERO
    if reads == writes == 1:
        return mixed([1 / nodes, 1 - 1 / nodes], [ZERO, lag])
    late = _late(lag)
    times, weights = _done(lag, nodes - 1 - reads, writes - 1)
    times = times + distance if writes > 1 else times

    def missed(after: Floats) -> Floats:
        since = after[:, None] + times
        found: Floats = late(since) * late(since + distance) ** (reads - 1) @ weights
        return found * (1 - reads / nodes)

    at_once = float(missed(np.zeros(1))[0])
    if at_once <= NEGLIGIBLE:
        return ZERO
    kept = _kept(lambda after: missed(after) / at_once, lag.mean + math.sqrt(lag.variance))
    return Latency([Term(1 - at_once, 0.0, INSTANT, ()), Term(at_once, 0.0, kept, ())])


def _late(lag: Latency) -> Tail:
    """Return P(lag > t) as a function that costs little: kept on a grid beyond its shortest time."""
    base = lag.least
    if lag.variance == 0:
        return lambda times: (times < base).astype(float)
    kept = _kept(lambda times: lag.tail(times + base), lag.mean - base + 2 * math.sqrt(lag.variance))

    def late(times: Floats) -> Floats:
        after = np.maximum(times - base, 0.0)
        return np.where(times < base, 1.0, kept.tail_at(after)[0])

    return late


def _done(lag: Latency, others: int, needed: int) -> tuple[Floats, Floats]:
    """Return times at which so many of the others have a write, and weights that average over them: percentiles."""
    if needed == 0:
        return np.zeros(1), np.ones(1)
    if lag.variance == 0:
        return np.array([lag.mean]), np.ones(1)
    s, weights = gauss_legendre(_LEVELS)
    # The k-th smallest of m has the level of a Beta(k, m - k + 1): a narrow peak where m is large.
    level = needed / (others + 1)
    width = _WIDE * math.sqrt(level * (1 - level) / (others + 2))
    low, high = max(level - width, 0.0), min(level + width, 1.0)
    levels, weights = low + (high - low) * s * s * (3 - 2 * s), weights * s * (1 - s)
    density = (needed - 1) * np.log(levels) + (others - needed) * np.log1p(-levels)
    weights = weights * np.exp(density - density.max())
    return np.array(lag.percentiles(levels.tolist())), weights / weights.sum()


def _kept(tail: Tail, reach: float) -> PiecewiseHazard:
    reach = max(reach, 1e-12)
    farthest = reach * _FARTHEST
    while reach < farthest and tail(np.array([reach]))[0] > _RAREST:
        reach *= 1.5
    return on_grid(tail, reach)
