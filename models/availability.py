"""Availability: how often too few nodes are up, by failures of nodes, of zones and of single writers, and by restarts.

Every probability is one of being down, an *unavailability*: 1 - 1e-18 is 1 to a double, 1e-18 is not lost. A group is
(nodes, unavailability of each); nodes fail independently of each other, and groups may differ.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from models.elementwise import alone, numbers, require, single, smaller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from models.elementwise import Array

MONTH: Final = 730 * 3600.0
"""Seconds in a month of 730 hours."""

_NEVER: Final = 1e-290
"""Nodes down less often than this count as never down: their terms would leave the range of a double."""

_DROPPED: Final = 50.0
"""Terms that a window leaves out weigh less than 2 exp(-50) of the distribution that it is centred on."""


@overload
def node_unavailability(mtbf: float, mttr: float) -> float: ...
@overload
def node_unavailability(mtbf: ArrayLike, mttr: ArrayLike) -> Array | float: ...
def node_unavailability(mtbf: Any, mttr: Any) -> Any:
    """Return the share of time a node is down that is up for `mtbf` and then down for `mttr` seconds, in the mean.

    *Exact* for any distributions of the two. Source: Ross 1996, Stochastic Processes, theorem 3.4.4 (alternating
    renewal process). Raises ValueError unless mtbf > 0 and mttr is finite and >= 0.
    """
    mtbf, mttr = numbers(mtbf, mttr)
    fine = (mtbf > 0) & (mttr >= 0) & (mttr < math.inf)
    require(fine, "mtbf {} must be > 0 and mttr {} must be >= 0 and finite", mtbf, mttr)
    return mttr / (mtbf + mttr)


def fewer_than(needed: int, groups: Sequence[tuple[int, float]]) -> float:
    """Return the probability that fewer than `needed` nodes of all `groups` together are up.

    *Exact*: k-out-of-n of a sum of binomials (Kuo and Zuo 2003, Optimal Reliability Modeling, chapter 7). Measured
    against 50 digits with up to 1,000,000 nodes: relative error below 1e-12 for results above 1e-280. The time grows
    with the standard deviation of the nodes down, by its square from three large groups on.
    Raises ValueError for an unavailability outside 0..1 or nodes below 0.
    """
    alone(*(("groups", part) for group in groups for part in group), needed=needed)
    if any(nodes < 0 or not 0 <= u <= 1 for nodes, u in groups):
        raise ValueError(f"nodes must be >= 0 and unavailabilities within 0..1: {groups}")
    needed -= sum(nodes for nodes, u in groups if u < _NEVER)
    uncertain = [(nodes, u, 1 - u) for nodes, u in groups if nodes and _NEVER <= u < 1]
    nodes = sum(n for n, _, _ in uncertain)
    if needed <= 0:
        return 0.0
    if needed > nodes:
        return 1.0
    down = nodes - needed + 1
    if down > math.fsum(n * u for n, u, _ in uncertain):
        return min(_at_least(down, uncertain), 1.0)
    # The nodes up are then the smaller tail, and what is left of 1 keeps its digits.
    return 1 - _at_least(needed, [(n, up, u) for n, u, up in uncertain])


def zones_lost(zones: int, unavailability: float) -> list[float]:
    """Return the probabilities that exactly 0..`zones` zones are down, zones + 1 of them (*exact*: binomial)."""
    return [_binomial(zones, m, unavailability, 1 - unavailability) for m in range(zones + 1)]


def left_by_zones(nodes: Sequence[int], zones: int) -> list[dict[tuple[int, ...], float]]:
    """Return for 0..`zones` zones lost how many nodes of each group are left, with the probability of each outcome.

    Every set of as many zones is lost with the same probability. The nodes go round the zones, one group after the
    other, so that some zones hold one more than the others: of one node in three zones nothing is lost two times of
    three. *Exact*: each kind of zone that there is loses by the hypergeometric law. Needs zones >= 1.
    """
    states = {(0, (0,) * len(nodes)): 1}
    for held, alike in Counter(_held(nodes, zones)).items():
        following: Counter[tuple[int, tuple[int, ...]]] = Counter()
        for (lost, left), ways in states.items():
            for gone in range(alike + 1):
                kept = tuple(n + (alike - gone) * more for n, more in zip(left, held, strict=True))
                following[lost + gone, kept] += ways * math.comb(alike, gone)
        states = following
    found: list[dict[tuple[int, ...], float]] = [{} for _ in range(zones + 1)]
    for (lost, left), ways in states.items():
        found[lost][left] = ways / math.comb(zones, lost)
    return found


def _held(nodes: Sequence[int], zones: int) -> list[tuple[int, ...]]:
    """Return what each zone holds of each group."""
    first, held = 0, []
    for group in nodes:
        share, more = divmod(group, zones)
        held.append([share + ((zone - first) % zones < more) for zone in range(zones)])
        first += more
    return list(zip(*held, strict=True)) if held else [()] * zones


def fewer_than_by_zones(needed: int, groups: Sequence[tuple[int, float]], zones: int) -> list[float]:
    """Return the probabilities that fewer than `needed` nodes are up while exactly 0..`zones` zones are down.

    zones + 1 values, each the average over all sets of so many zones. Nodes are spread as evenly as integers allow and
    fail independently within the zones that are up. *Exact*; needs zones >= 1; errors as of fewer_than.

    Tiers that share the zones go down together with them. Where each is spread without regard to the others, a request
    that calls all of them fails with probability sum over m of zones_lost[m] * in_series(tier[m] for each tier).
    """
    downs, known = [down for _, down in groups], dict[tuple[int, ...], float]()

    def fewer(left: tuple[int, ...]) -> float:
        if left not in known:
            known[left] = fewer_than(needed, list(zip(left, downs, strict=True)))
        return known[left]

    outcomes = left_by_zones([nodes for nodes, _ in groups], zones)
    return [min(math.fsum(p * fewer(left) for left, p in outcome.items()), 1.0) for outcome in outcomes]


def zoned(needed: int, groups: Sequence[tuple[int, float]], zones: int, zone_unavailability: float) -> float:
    """Return the probability that fewer than `needed` nodes are up when the nodes of a zone share its fate.

    *Exact*; errors as of fewer_than_by_zones.
    """
    lost = zones_lost(zones, zone_unavailability)
    down = fewer_than_by_zones(needed, groups, zones)
    return min(math.fsum(p * u for p, u in zip(lost, down, strict=True)), 1.0)


@overload
def in_series(unavailabilities: Iterable[float]) -> float: ...
@overload
def in_series(unavailabilities: Iterable[ArrayLike]) -> Array | float: ...
def in_series(unavailabilities: Iterable[Any]) -> Any:
    """Return the probability that at least one of several independent parts is down: 1 - prod(1 - u) (*exact*).

    Each is a number or an array.
    """
    parts = numbers(*unavailabilities)
    if not single(*parts):
        with np.errstate(divide="ignore"):
            return np.abs(np.expm1(sum(np.log1p(-u) for u in parts)))
    if any(u >= 1 for u in parts):
        return 1.0
    return abs(math.expm1(math.fsum(math.log1p(-u) for u in parts)))


@overload
def in_parallel(unavailabilities: Iterable[float]) -> float: ...
@overload
def in_parallel(unavailabilities: Iterable[ArrayLike]) -> Array | float: ...
def in_parallel(unavailabilities: Iterable[Any]) -> Any:
    """Return the probability that all of several independent parts are down: prod(u) (*exact*); 1 without parts.

    Each is a number or an array.
    """
    return math.prod(numbers(*unavailabilities))


@overload
def failovers(mtbf: float, nodes: int, seconds: float) -> float: ...
@overload
def failovers(mtbf: ArrayLike, nodes: ArrayLike, seconds: ArrayLike) -> Array | float: ...
def failovers(mtbf: Any, nodes: Any, seconds: Any) -> Any:
    """Return the share of time that switching over takes: `nodes` single writers, each switching every `mtbf` seconds.

    `seconds` is the duration of one switch. *Exact* while no two switches overlap, else on the safe side; at most 1.
    Raises ValueError unless mtbf > 0.
    """
    mtbf, nodes, seconds = numbers(mtbf, nodes, seconds)
    require(mtbf > 0, "mtbf {} must be > 0", mtbf)
    return smaller(nodes * seconds / mtbf, 1.0)


@overload
def maintenance(restarts_per_month: float, seconds: float, month: float = MONTH) -> float: ...
@overload
def maintenance(restarts_per_month: ArrayLike, seconds: ArrayLike, month: ArrayLike = MONTH) -> Array | float: ...
def maintenance(restarts_per_month: Any, seconds: Any, month: Any = MONTH) -> Any:
    """Return the share of time a node is down for planned restarts of `seconds` each (*exact*); at most 1.

    `month` in seconds.
    """
    restarts, seconds, month = numbers(restarts_per_month, seconds, month)
    return smaller(restarts * seconds / month, 1.0)


@overload
def downtime(unavailability: float, period: float = MONTH) -> float: ...
@overload
def downtime(unavailability: ArrayLike, period: ArrayLike = MONTH) -> Array | float: ...
def downtime(unavailability: Any, period: Any = MONTH) -> Any:
    """Return the expected seconds of downtime in a period of `period` seconds (*exact*)."""
    unavailability, period = numbers(unavailability, period)
    return unavailability * period


def _at_least(total: int, groups: Sequence[tuple[int, float, float]]) -> float:
    """Return the probability of `total` or more successes, for a `total` above the mean.

    A group is (trials, p, 1 - p), 0 < p < 1; both are given, so that neither loses digits.
    """
    tilt = _tilt(total, groups)
    *others, (last, upper) = sorted((_terms(*group, tilt) for group in groups), key=lambda terms: terms[1].size)
    first, head = 0, np.ones(1)
    for start, terms in others:
        first, head = first + start, np.convolve(head, terms)
    # Of the largest group, the tails are enough; added from the far end on, the small ones are not lost.
    tails = np.append(np.cumsum(upper[::-1])[::-1], 0.0)
    return float(np.sum(head * tails[np.clip(total - first - last - np.arange(head.size), 0, upper.size)]))


def _tilt(total: int, groups: Sequence[tuple[int, float, float]]) -> float:
    """Return the theta >= 0 that moves the mean next to `total` when odds p / (1 - p) grow by exp(theta): bisection.

    Of all ways to make up an unlikely total, those near the means of the tilted groups are the likely ones.
    Source: Esscher 1932, On the probability function in the collective theory of risk.
    """
    low, high = 0.0, 750.0
    for _ in range(60):
        theta = (low + high) / 2
        mean = math.fsum(n * _tilted(p, q, theta) for n, p, q in groups)
        if abs(mean - total) < 0.25:
            break
        low, high = (theta, high) if mean < total else (low, theta)
    return theta


def _tilted(p: float, q: float, theta: float) -> float:
    return 1 / (1 + math.exp(math.log(q) - math.log(p) - theta))


def _terms(trials: int, p: float, q: float, theta: float) -> tuple[int, NDArray[np.float64]]:
    """Return the first number of successes that matters, and the probabilities of this and the next ones.

    The window is that of the tilted distribution by Bernstein's inequality (Boucheron, Lugosi and Massart 2013,
    Concentration Inequalities, corollary 2.11), which bounds what it leaves out.
    """
    tilted = _tilted(p, q, theta)
    mean, variance = trials * tilted, trials * tilted * (1 - tilted)
    width = _DROPPED / 3 + math.sqrt(_DROPPED**2 / 9 + 2 * _DROPPED * variance)
    first, last = max(0, math.floor(mean - width)), min(trials, math.ceil(mean + width))
    middle = min(max(round(mean), first), last)
    anchor = _binomial(trials, middle, p, q)
    below = np.arange(middle, first, -1.0)
    above = np.arange(middle, last, 1.0)
    falling = np.cumprod(np.append(anchor, below * q / ((trials - below + 1) * p)))
    rising = np.cumprod(np.append(anchor, (trials - above) * p / ((above + 1) * q)))
    return first, np.append(falling[:0:-1], rising)


def _binomial(trials: int, successes: int, p: float, q: float) -> float:
    """Return the binomial probability, q = 1 - p, with an error of 1e-15 times its logarithm or so.

    Source: Loader 2000, Fast and Accurate Computation of Binomial Probabilities. The difference of logarithms of
    factorials would lose nine digits with 1,000,000 trials.
    """
    failures = trials - successes
    exponent = -_deviance(successes, trials * p) - _deviance(failures, trials * q)
    if not (successes and failures):
        return math.exp(exponent)
    exponent += _stirling(trials) - _stirling(successes) - _stirling(failures)
    return math.exp(exponent) * math.sqrt(trials / (math.tau * successes * failures))


def _deviance(count: int, mean: float) -> float:
    """Return count log(count / mean) + mean - count, without cancellation next to the mean (Loader 2000)."""
    if count == 0:
        return mean
    if mean == 0:
        return math.inf
    v = (count - mean) / (count + mean)
    if abs(v) > 0.4:
        return count * math.log(count / mean) + mean - count
    # 20 terms of 2 (atanh(v) - v) = 2 sum of v^(2j + 1) / (2j + 1).
    series = math.fsum(v ** (2 * j + 1) / (2 * j + 1) for j in range(1, 21))
    return (count - mean) * v + 2 * count * series


def _stirling(n: int) -> float:
    """Return log(n!) less Stirling's formula, n >= 1 (Loader 2000): five terms of the series from 16 on."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - math.log(math.tau) / 2
    s = 1 / (n * n)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / n
