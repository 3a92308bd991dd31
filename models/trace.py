"""Popularity and hit ratios from a trace: the keys that were asked for, in their order.

Zipf's exponent is fitted by maximum likelihood to the most popular keys, whose order is known, with the number of
objects such that as many different keys are expected as were seen: a plain fit over all keys seen takes the unseen ones
for none. How well it fits is told by `distance`; and by the hit ratios that the trace itself has (`models.reuse`), in
which what is asked for again soon after, which no popularity knows, hits more often.

Sources: maximum likelihood for power laws and the distance of Kolmogorov and Smirnov as its goodness, Clauset, Shalizi
and Newman 2009; the number of different keys, Good and Toulmin 1956.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.popularity import Popularity, zipf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from models.transforms import Floats

_SURE: Final = 10
"""Requests from which the rank of a key is taken as known; a standard deviation of a third."""

_MOST_OBJECTS: Final = 10**12
_EXPONENTS: Final = (0.0, 3.0)


def measured(counts: Iterable[int]) -> Popularity:
    """Return the popularity of keys asked for so many times each: what is asked for equally often is one entry.

    Raises ValueError without a request, or for a count below 1.
    """
    alike = Counter(counts)
    if not alike or min(alike) < 1:
        raise ValueError("a popularity needs keys that were asked for at least once each")
    times = np.array(sorted(alike, reverse=True), dtype=float)
    count = np.array([alike[int(n)] for n in times], dtype=float)
    return Popularity(times / float((times * count).sum()), count)


@dataclass(frozen=True)
class ZipfFit:
    """Zipf's law for a trace: `exponent` with its `standard_error`, `objects` in all, of which `seen` were asked for.

    `distance` is the largest difference of the share of requests to the i most popular keys, fitted and measured: up to
    0.02 the law will do, from 0.05 on use the measured popularity. `certain` says whether the number of objects follows
    from the trace: not where each key is as good as new.
    """

    exponent: float
    standard_error: float
    objects: int
    seen: int
    requests: int
    distance: float
    certain: bool


def fit_zipf(counts: Iterable[int]) -> ZipfFit:
    """Return Zipf's law for keys asked for so many times each, in any order.

    *Approximate*: in traces drawn from the law, 100,000 requests or more, the exponent is found within 0.012 and the
    objects within 6 %. Raises ValueError for fewer than 2 keys, or none that was asked for twice.
    """
    ranked = np.array(sorted(counts, reverse=True), dtype=float)
    if len(ranked) < 2 or ranked[-1] < 1 or ranked[0] < 2:
        raise ValueError("a fit needs at least two keys, one of which was asked for twice")
    requests, seen = float(ranked.sum()), len(ranked)
    head = max(2, int((ranked >= _SURE).sum()))

    def objects_for(exponent: float) -> int:
        low, high = seen, _MOST_OBJECTS
        if _different(zipf(seen, exponent), requests) >= seen or seen == head:
            return seen
        while high > low + max(1, low // 1000):
            # Of two small neighbours the root is the lower one again.
            middle = max(math.isqrt(low * high), low + 1)
            low, high = (middle, high) if _different(zipf(middle, exponent), requests) < seen else (low, middle)
        return high

    logs = np.log(np.arange(1, head + 1))

    def likelihood(exponent: float) -> float:
        law = zipf(objects_for(exponent), exponent)
        rest = max(1 - law.top(head), 1e-300)
        known = float((ranked[:head] * (math.log(law.busiest) - exponent * logs)).sum())
        return known + float(ranked[head:].sum()) * math.log(rest)

    exponent = _highest(likelihood, *_EXPONENTS)
    step = max(0.01, 1e-3 - exponent)
    middle = max(exponent, step)
    bend = (likelihood(middle + step) - 2 * likelihood(middle) + likelihood(middle - step)) / step**2
    objects = objects_for(exponent)
    law = zipf(objects, exponent)
    distance = _distance(ranked, head, law)
    error = 1 / math.sqrt(-bend) if bend < 0 else _EXPONENTS[1]
    return ZipfFit(exponent, error, objects, seen, int(requests), distance, objects < _MOST_OBJECTS // 2)


def _distance(ranked: Floats, head: int, law: Popularity) -> float:
    """Return the largest difference between a trace and what is expected of the law: by rank, then by count.

    Of keys whose rank is sure, the share of requests to the i most popular; of the others the share that goes to keys
    asked for at most j times, as a key that was seen once says nothing of its rank.
    """
    requests = float(ranked.sum())
    places = np.unique(np.geomspace(1, head, 200).astype(int))
    by_rank = np.array([law.top(float(i)) for i in places]) - np.cumsum(ranked)[places - 1] / requests
    expected = law.share * requests
    chance, often, rarely = law.count * np.exp(-expected), 0.0, []
    for j in range(1, _SURE):
        chance = chance * expected / j
        often += j * float(chance.sum()) / requests
        rarely.append(often - float(ranked[ranked <= j].sum()) / requests)
    return float(max(np.abs(by_rank).max(), np.abs(rarely).max()))


def _different(popularity: Popularity, requests: float) -> float:
    """Return how many different keys so many requests are expected to ask for."""
    return float((popularity.count * -np.expm1(-popularity.share * requests)).sum())


def _highest(height: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function of one hill is highest, to 1e-5: golden section."""
    shrink = (math.sqrt(5) - 1) / 2
    left, right = high - shrink * (high - low), low + shrink * (high - low)
    at_left, at_right = height(left), height(right)
    while high - low > 1e-5:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - shrink * (high - low)
            at_left = height(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + shrink * (high - low)
            at_right = height(right)
    return (low + high) / 2
