"""A thread is held while the calls below it are waited for: two resources at once, solved by flow equivalence.

Requests inside (computing, waiting for a core, or waiting for a call below) form an open network whose population N
has some distribution p(n). With T threads only T requests may be inside; the others wait outside, first come first
served. By flow equivalence (Chandy, Herzog and Woo 1975; Avi-Itzhak and Heyman 1973 for limited populations) the
inside serves at rate lambda p(n-1)/p(n) when n are in it. So the population of the limited system follows p(n) up to
T, and from there falls geometrically with ratio p(T)/p(T-1). Exact for product-form insides whose limit is felt at
one place; *approximate* for general service and shared tiers below. What waits outside does not wait inside too:
the waits inside shrink accordingly.

What serves at rate lambda p(n-1)/p(n) ends holds like exponential times. Where no queue inside is what keeps requests
outside, the pool of threads is M/G/T, and waits as Tijms, van Hoorn and Federgruen 1981 say: whoever finds all threads
taken waits for the first to come free, and then for a geometric number of residual holds. Holds of some that are long
and of others that are short make that wait longer, by up to (1 + squared CV of the hold) / 2; regular ones shorter.

Measured against simulation, with 3 to 24 threads: mean response within 4 %, P99 within 8 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.erlang import erlang_b, erlang_c
from models.queues import NO_WAIT, Wait
from models.service_time import Residual, exponential, from_moments
from models.transforms import GeometricSum, Stretched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.transforms import Floats, Transform

UNFELT: Final = 1e-9
"""Below this probability of all threads being taken, the limit is not felt and nothing is computed."""

MOST_STATES: Final = 20_000
"""Beyond this many threads the population is taken as normal around its mean instead of convolved."""


@dataclass(frozen=True)
class Inside:
    """One place where a request inside spends time: a queue with servers, or a pure delay (servers None).

    `arrival_rate` counts visits made by the requests of this pool (1/s), `busy` is the mean number of them in
    service or delay, `wait` what one visit waits, `others` the share of the queue's traffic that comes from elsewhere.
    """

    arrival_rate: float
    busy: float
    wait: Wait = NO_WAIT
    utilization: float = 0.0
    servers: int | None = None
    others: float = 0.0
    only_waits: bool = False
    """Whether what is held afterwards is told by other places: the wait for a thread of a tier below."""
    peakedness: float = 1.0
    """Variance over mean of the number in a pure delay: 1 where it is unlimited, less where a bulkhead cuts it off."""

    @property
    def is_delay(self) -> bool:
        """Whether nobody waits here: servers without number, or a queue that is taken to have as many as it takes."""
        return self.servers is None or (self.busy >= self.servers and self.others == 0 and not self.only_waits)


@dataclass(frozen=True)
class ThreadPool:
    """What a limit on threads does (*approximate*).

    `wait` is the time for a thread, None when the threads cannot carry the load; `in_use` the mean number held;
    `inner_waits` the factor by which the waits inside shrink, in [0, 1].
    """

    threads: int
    wait: Wait | None
    in_use: float
    inner_waits: float
    ratio: float = 0.0
    """Of the geometric number that waits outside, given that some do."""


@dataclass(frozen=True)
class Bulkhead:
    """Threads set apart for one call: `held` of them on average, at most so many, and none waits for one.

    `peakedness` is the variance over the mean of the number held; `second_moment` of the holds is per second, in s.
    """

    turned_away: float
    held: float
    peakedness: float
    second_moment: float


def bulkhead(threads: int, nodes: int, offered_load: float, second_moment: float) -> Bulkhead:
    """Return what `threads` on each of `nodes` do to calls that would hold `offered_load` of them were there enough.

    Erlang's loss system on each node: *exact* for Poisson arrivals, whatever the distribution of the holds. An infinite
    load, of calls that are never answered, holds all of them for good. `second_moment` is the rate of calls times
    the second moment of a hold (s).
    """
    if math.isinf(offered_load):
        return Bulkhead(1.0, float(threads * nodes), 0.0, 0.0)
    each = offered_load / nodes
    full = float(erlang_b(threads, each))
    held = each * (1 - full)
    variance = held - (each - held) * (threads - held)
    peakedness = min(max(variance / held, 0.0), 1.0) if held > 0 else 1.0
    return Bulkhead(full, held * nodes, peakedness, second_moment * (1 - full))


def thread_pool(
    threads: int, arrival_rate: float, places: Sequence[Inside], hold_squared_cv: float = 1.0
) -> ThreadPool:
    """Return the wait for one of `threads` threads at `arrival_rate` requests per second.

    `hold_squared_cv` tells how unequal the times are for which requests hold a thread.
    """
    waiting = [place.arrival_rate * place.wait.mean for place in places]
    population = sum(place.busy for place in places) + sum(waiting)
    unfelt = ThreadPool(threads, NO_WAIT, population, 1.0)
    if arrival_rate == 0 or threads > population + 40 * math.sqrt(population + 1) + 40 * sum(waiting):
        return unfelt
    if threads > MOST_STATES:
        return unfelt if population < threads else ThreadPool(threads, None, population, 1.0)
    p = _population(places, threads)
    full, exhausted = float(p[threads]), ThreadPool(threads, None, population, 1.0)
    if float(p.sum()) < 1e-9:
        return exhausted  # nothing but rounding is left: there are far too few
    # Far above the threads p(T) vanishes as well: only below them does that mean that the limit is not felt. Long waits
    # of few leave no probability either: on average there are many inside, and hardly ever so many at once.
    if full == 0 or (full < UNFELT / threads and population < threads):
        return unfelt
    ratio = full / float(p[threads - 1]) if p[threads - 1] > 0 else math.inf
    if ratio >= 1 - 1e-9:
        return exhausted
    beyond = full * ratio / (1 - ratio)
    scale = float(p.sum()) + beyond
    waits = (full + beyond) / scale
    in_use = float(np.arange(threads + 1) @ p + threads * beyond) / scale
    # What the limit keeps outside is the product form's own queue, so it is compared with that queue, and then
    # stretched like it: general service waits longer or shorter than exponential service does.
    queued = sum(_queue_length(place) for place in places)
    kept_out = max(0.0, sum(place.busy for place in places) + queued - in_use)
    inner = 1.0 if queued == 0 else max(0.0, 1 - kept_out / queued)
    displaced = min(1.0, kept_out * (1 / ratio - 1) / waits) if queued > 0 else 0.0
    conditional = _time_outside(arrival_rate, ratio, 1 + (1 - displaced) * (hold_squared_cv - 1))
    if displaced > 0:
        conditional = Stretched(conditional, 1 + displaced * (sum(waiting) / queued - 1))
    held = sum(place.busy for place in places) + inner * sum(waiting)
    return ThreadPool(threads, Wait(waits, conditional, exact=False), min(held, threads), inner, ratio)


def _time_outside(arrival_rate: float, ratio: float, hold_squared_cv: float) -> Transform:
    """Return the wait of those who find all threads taken, where a thread comes free every ratio / arrival_rate."""
    between = ratio / arrival_rate
    if abs(hold_squared_cv - 1) < 1e-6:
        return exponential(between / (1 - ratio))
    further = Residual(from_moments(between, max(hold_squared_cv, 0.0)))
    return GeometricSum(exponential(between), further, 1 - ratio)


def _queue_length(place: Inside) -> float:
    """Return the mean number of these requests that wait at a place, were its service exponential."""
    if place.servers is None or place.is_delay:
        return 0.0
    if place.others > 0 or place.only_waits:
        ratio = _thinned_ratio(place)
        return place.wait.probability * ratio / (1 - ratio)
    rho = place.busy / place.servers
    return erlang_c(place.servers, place.busy) * rho / (1 - rho)


def _thinned_ratio(place: Inside) -> float:
    """Return the ratio of the geometric number of these requests that wait, among those of others."""
    return place.utilization * (1 - place.others) / (1 - place.utilization * place.others)


def _population(places: Sequence[Inside], most: int) -> Floats:
    """Return the probabilities of 0..most requests inside without a limit, the independent places convolved."""
    free = [place for place in places if place.peakedness == 1]
    delays = sum(place.busy for place in free if place.is_delay or place.others > 0 or place.only_waits)
    result = _poisson(delays, most)
    for place in places:
        if place.peakedness < 1:
            result = _convolved(result, _binomial(place.busy, place.peakedness, most))
        if place.servers is None or place.is_delay:
            continue
        if place.others > 0 or place.only_waits:
            ratio = _thinned_ratio(place)
            waiting = place.wait.probability * (1 - ratio) * ratio ** np.arange(most + 1.0)
            waiting[0] += 1 - place.wait.probability
            result = _convolved(result, waiting)
        else:
            result = _convolved(result, _mmc(place.busy, place.servers, most))
    return result


def _poisson(mean: float, most: int) -> Floats:
    """Return the Poisson probabilities of 0..most, relative to each other where they underflow."""
    if mean == 0:
        return np.concatenate([[1.0], np.zeros(most)])
    return _from_ratios(mean / np.arange(1.0, most + 1), math.exp(-mean) if mean < 700 else None)


def _binomial(mean: float, peakedness: float, most: int) -> Floats:
    """Return the binomial probabilities of 0..most with this mean and variance / mean, the number rounded up."""
    number = max(1, math.ceil(mean / (1 - peakedness) - 1e-9))
    share = min(mean / number, 1 - 1e-12)
    k = np.arange(1.0, min(number, most) + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((number - k + 1) / k * (share / (1 - share))))])
    p: Floats = np.zeros(most + 1)
    p[: len(logs)] = np.exp(logs + number * math.log1p(-share))
    return p


def _mmc(offered: float, servers: int, most: int) -> Floats:
    """Return P(n in M/M/c) for n = 0..most."""
    reach = max(most, servers) + 1
    ratios = offered / np.minimum(np.arange(1.0, reach + 1), servers)
    p = _from_ratios(ratios, None)
    rest = p[-1] * (offered / servers) / (1 - offered / servers)
    inside: Floats = p[: most + 1] / (p.sum() + rest)
    return inside


def _from_ratios(ratios: Floats, first: float | None) -> Floats:
    """Return probabilities with these ratios between neighbours; the largest is 1 where the first is not known."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    top = 0.0 if first is not None else float(logs.max())
    p: Floats = np.exp(logs - top) * (first if first is not None else 1.0)
    return p if first is not None else p / p.sum()


def _convolved(a: Floats, b: Floats) -> Floats:
    """Return the first len(a) terms of the convolution of two sequences of equal length."""
    if len(a) <= 512:
        direct: Floats = np.convolve(a, b)[: len(a)]
        return direct
    size = 2 * len(a)
    product: Floats = np.fft.irfft(np.fft.rfft(a, size) * np.fft.rfft(b, size), size)[: len(a)]
    return np.maximum(product, 0.0)
