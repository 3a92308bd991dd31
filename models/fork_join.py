"""Fork and join of queues: every request is sent to K equal queues at once, and ends when the last of them ends.

The branches meet the same arrivals, so that they are long together: the maximum of independent ones is too high, at
the median by up to a third. Given the arrivals, though, the branches *are* independent. So P(all within t) = E[U^K],
where U is the probability that one branch is within t, given the arrivals; its mean is the distribution function of one
branch, its second moment that of two. Two moments of -log U and the family of tempered stable laws (Hougaard 1986) then
tell the K-th. For two M/M/1 queues the second moment is exact: the chain of both queue lengths (Flatto and Hahn 1984)
was solved by matrix-analytic means and is kept below as a table of Chebyshev coefficients.

Exact for one branch, and to 1e-4 in the mean for two M/M/1; measured against simulation for up to 64 branches, other
services, several servers and unlike branches in docs/theory/latency.md.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from models.extremes import Known
from models.latency import Latency
from models.terms import Term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.service_time import ServiceTime
    from models.transforms import Floats, Transform

_ASSOCIATION: Final = np.array(
    [
        (-3.53949, -2.36963, -2.65412, -1.07223, -0.33345, -0.06871, 0.00349, 0.00911, 0.00177),
        (0.76765, 0.53219, 0.94244, 0.54182, 0.18215, 0.06397, 0.01493, 0.00095, 0.00203),
        (-0.08435, -0.37070, -0.13966, -0.18303, -0.07983, -0.02855, -0.00752, -0.00082, -0.00242),
        (0.04761, 0.05257, 0.06957, 0.03649, 0.01995, 0.01555, -0.00003, -0.00223, 0.00145),
        (0.00142, -0.02570, 0.00573, -0.01716, 0.00512, -0.00217, -0.00004, 0.00283, 0.00028),
    ]
)
"""Logarithm of the association over the utilization: in rows by utilization, in columns by the logarithm of x.

Made by `python -m tests.models.association_reference`.
"""

_NEAR, _FAR = 0.05, 20.0
"""Beyond these x the association is taken as at them: below nobody asks, above it is nothing."""

_LOGS: Final = np.linspace(math.log(_NEAR), math.log(_FAR), 300)
"""Where the law of -log U is fitted to the association."""


def association(x: Floats, utilization: float) -> Floats:
    """Return the correlation of "branch 1 is within t" with "branch 2 is" for two M/M/1 queues with the same arrivals.

    `x` is -log P(one branch takes longer than t), an array; `utilization` in [0, 1). Within 3e-4 of the exact chain for
    utilizations from 0.02 to 0.95.
    """
    place = np.clip(2 * np.log(np.clip(x, _NEAR, _FAR) / _NEAR) / math.log(_FAR / _NEAR) - 1, -1.0, 1.0)
    row = np.polynomial.chebyshev.chebval(2 * utilization - 1, _ASSOCIATION)
    found: Floats = utilization * np.exp(np.polynomial.chebyshev.chebval(place, row))
    return found


@dataclass(frozen=True)
class Branch:
    """One queue of a fork: what a request waits in it, what it is served, and the utilization of its servers."""

    wait: Transform
    service: ServiceTime
    utilization: float

    def __post_init__(self) -> None:
        if not 0 <= self.utilization < 1:
            raise ValueError(f"a branch has a utilization in [0, 1), not {self.utilization!r}")

    @cached_property
    def response(self) -> Latency:
        """Wait and service."""
        return Latency.waiting(self.wait) + Latency.of(self.service)

    @property
    def waiting_share(self) -> float:
        """How much of what varies in the response is the wait, over what it is in M/M/1 at this utilization."""
        alone = self.utilization * (2 - self.utilization)
        varying = self.wait.variance + self.service.variance
        return self.wait.variance / varying / alone if varying > 0 and alone > 0 else 0.0


def fork_join(branches: Sequence[Branch]) -> Latency:
    """Return the time until the last of the branches has ended what they were sent together (*approximate*).

    Every arrival is sent to all branches, and nothing else is. Equal M/M/1: mean and percentiles within 1 % of
    simulation for up to 16 branches, within 2 % for 64. Equal M/G/1 with squared CV of 0.25 to 9 within 2 %, of 0.1
    within 4 %; M/M/4 within 3 %. Unlike branches: P95 and beyond within 2 %, P50 up to 5 % high. Branches that other
    work shares are less alike than this says: there the maximum of independent ones is the safe side.
    """
    if not branches:
        raise ValueError("a fork has at least one branch")
    groups = list(Counter(branches).items())
    if len(branches) == 1 or (len(groups) == 1 and groups[0][0].service.variance == 0):
        return branches[0].response
    base = max(branch.response.least for branch in branches)
    reach = max(_length(branch.response, base) for branch in branches)

    def tail_and_density(times: Floats) -> tuple[Floats, Floats]:
        return _last(groups, times + base)

    heavy = any(branch.response.is_heavy for branch in branches)
    return Latency([Term(1.0, base, Known(tail_and_density, reach, heavy=heavy), ())])


def nelson_tantawi(branches: int, utilization: float, service_time: float) -> float:
    """Return the mean time (s) of a fork and join of equal M/M/1 queues (*exact* for one and two, else *approximate*).

    Within 1 % up to a utilization of 0.5, 2 to 5 % low at 0.8 to 0.95. Source: Nelson and Tantawi 1988.
    """
    if branches < 1 or not (0 <= utilization < 1 and service_time > 0):
        raise ValueError(
            "a branch at least, a utilization in [0, 1) and a service time > 0 are needed, "
            f"not {branches!r}, {utilization!r} and {service_time!r}"
        )
    alone = service_time / (1 - utilization)
    if branches == 1:
        return alone
    ratio = math.fsum(1 / i for i in range(1, branches + 1)) / 1.5
    return (ratio + 4 / 11 * (1 - ratio) * utilization) * (12 - utilization) / 8 * alone


def _length(response: Latency, base: float) -> float:
    return max(response.mean - base, 0.0) + math.sqrt(min(response.variance, response.mean**2))


def _last(groups: Sequence[tuple[Branch, int]], times: Floats) -> tuple[Floats, Floats]:
    """Return P(the last takes longer than t) and the density, for groups of equal branches.

    A group alone follows its own law. Unlike groups are associated as the geometric mean of what each is with its like:
    -log U of each is its own number times one that all share, whose law is that mean of theirs, each by the root of
    how much it weighs.
    """
    known = [branch.response.tail_and_density(times) for branch, _ in groups]
    tails = np.clip(np.array([tail for tail, _ in known]), 1e-300, 1 - 1e-15)
    within = -np.log1p(-tails)
    counts = np.array([[count] for _, count in groups])
    spread, index = np.array(
        [_mixing(branch, -np.log(tail)) for (branch, _), tail in zip(groups, tails, strict=True)]
    ).transpose(1, 0, 2)
    scale = within / np.expm1(index * np.log1p(spread))
    alone = scale * np.expm1(index * np.log1p(counts * spread))
    weight = np.sqrt(alone) / np.sqrt(alone).sum(axis=0)
    common, shape = np.exp((weight * np.log(scale)).sum(axis=0)), (weight * index).sum(axis=0)
    grown = np.minimum(np.log1p(alone / common) / shape, 600.0)
    together = np.log1p(np.expm1(grown).sum(axis=0))
    tail = -np.expm1(-common * np.expm1(shape * together))
    # The slope with the laws held: each branch's density, by how much its number weighs in its group and in the sum.
    slope = counts * np.exp((1 - index) * (np.log1p(spread) - np.log1p(counts * spread)))
    slope *= np.exp((1 - shape) * (grown - together))
    density = (1 - tail) * sum(w * d / (1 - t) for w, t, (_, d) in zip(slope, tails, known, strict=True))
    return tail, density


def _mixing(branch: Branch, x: Floats) -> tuple[Floats, Floats]:
    """Return how far -log U spreads over the arrivals, and the index of its law, where one branch has the tail e^-x."""
    spread, index = _mixings(branch.utilization, branch.service.squared_cv, branch.waiting_share)
    logs = np.log(np.clip(x, _NEAR, _FAR))
    return np.exp(np.interp(logs, _LOGS, spread)), np.interp(logs, _LOGS, index)


@lru_cache(maxsize=256)
def _mixings(utilization: float, squared_cv: float, waiting_share: float) -> tuple[Floats, Floats]:
    """Return logarithms of the spread, and the indices, at `_LOGS`: such that two branches are associated as they are.

    Fitted to simulation: the index to equal M/M/1 queues, what the squared CV does to squared CVs of 0.25 and 4.
    """
    x = np.exp(_LOGS)
    like = waiting_share * 1.4 / (0.4 + squared_cv)
    together = np.clip(association(x * squared_cv**0.2, utilization) * like, 1e-12, 0.99)
    longer, within = np.exp(-x), -np.expm1(-x)
    # Of how many independent branches two are worth: 2 where nothing is common, 1 where all is.
    worth = 1 + np.log(within + together * longer) / np.log1p(-longer)
    index = np.clip(0.8 * np.log2(worth), 0.05, max((0.68 - 0.45 * utilization) * squared_cv**0.3, 0.05))
    low, high = np.full_like(x, -30.0), np.full_like(x, 60.0)
    for _ in range(45):
        middle = (low + high) / 2
        found = np.expm1(index * np.log1p(2 * np.exp(middle))) / np.expm1(index * np.log1p(np.exp(middle)))
        low, high = np.where(found < worth, low, middle), np.where(found < worth, middle, high)
    return (low + high) / 2, index
