"""Stampedes: how often a popular key is fetched when it expires, unprotected, one fetch at a time, or early by chance.

One key, read as a Poisson process, fetched in a constant time, kept for a TTL from the end of its last fetch. Renewal
theory: what a cycle from one expiry to the next holds, over its length. *Exact* for TTLs of many fetch times. Sources:
early by chance (XFetch), Vattani, Chierichetti and Lowenstein 2015; single flight, as leases, Nishtala et al. 2013.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from models.arrays import over
from models.elementwise import Number, either, expm1, numbers, require, single
from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from models.transforms import Floats

_MOST: Final = 36.0
"""An exponential variable of mean 1 is larger once in 4e15."""

Protection = Literal["none", "single-flight", "xfetch"]


@dataclass(frozen=True)
class Stampede:
    """Fetches per second and at once, and the share of reads that wait for one.

    `per_expiry` are the mean fetches that one expiry causes, `at_start` those of an empty cache, which no early fetch
    prevents; `cycle` the mean seconds from one expiry to the next.
    """

    fetch_rate: float
    per_expiry: float
    at_start: float
    waiting: float
    cycle: float


def stampede(
    read_rate: Any, ttl: Any, fetch_time: Any, *, protection: Protection = "none", beta: Any = 1.0
) -> Stampede:
    """Return what the expiry of a key read at `read_rate` > 0 per second causes; times in s, above 0.

    `beta` > 0 is how early XFetch is. With n local caches there are n such keys, each with its share of the reads.
    Numbers or arrays, then of all figures; XFetch, which is an integral for each, by `models.arrays.over`. Raises
    ValueError for a rate, time or beta that is not above 0.
    """
    read_rate, ttl, fetch_time, beta = numbers(read_rate, ttl, fetch_time, beta)
    fine = (read_rate > 0) & (ttl > 0) & (fetch_time > 0) & (beta > 0)
    wanted = "rate, TTL, fetch time and beta must be above 0: {!r}, {!r}, {!r}, {!r}"
    require(fine, wanted, read_rate, ttl, fetch_time, beta)
    during = read_rate * fetch_time
    if protection == "single-flight":
        cycle = ttl + 1 / read_rate + fetch_time
        (once,) = numbers(1.0, during)[:1]
        return Stampede(1 / cycle, once, once, (1 + during) / (read_rate * cycle), cycle)
    if protection == "xfetch":
        if single(read_rate):
            return _early(read_rate, ttl, fetch_time, beta)
        many = over(_early)(read_rate, ttl, fetch_time, beta)
        return Stampede(*(getattr(many, figure.name) for figure in fields(Stampede)))
    # Every read during the first fetch starts one of its own, and the last to end sets the time to live again.
    cycle = ttl + 1 / read_rate + fetch_time + _last(during) * fetch_time
    return Stampede((1 + during) / cycle, 1 + during, 1 + during, (1 + during) / (read_rate * cycle), cycle)


def _last(during: Number) -> Number:
    """Return when the last of a Poisson number of reads in a unit of time comes, 0 without any."""
    return either(during > 1e-6, lambda: 1 + expm1(-during) / during, lambda: during / 2)


def _early(read_rate: float, ttl: float, fetch_time: float, beta: float) -> Stampede:
    """Return the same where a read u s before the expiry fetches with probability exp(-u / (beta * fetch_time)).

    Fetches start as a Poisson process in the time t to the expiry with a known mean up to t, so that the mean up to the
    first is exponential; who starts until the first ends is Poisson again.
    """
    scale = beta * fetch_time
    whole = read_rate * scale

    def mean(time: Floats) -> Floats:
        late = np.maximum(time, 0.0)
        return whole * np.exp(np.minimum(time, 0.0) / scale) + read_rate * late

    def start(drawn: Floats) -> Floats:
        early = scale * np.log(np.minimum(drawn, whole) / whole)
        return np.where(drawn < whole, early, (drawn - whole) / read_rate)

    # The exponential variable in parts: between them the expiry comes before a fetch ends, or before one starts.
    nodes, weights = gauss_legendre(64)
    edges = sorted({0.0, min(whole * math.exp(-1 / beta), _MOST), min(whole, _MOST), _MOST})
    total = np.zeros(4)
    for low, high in pairwise(edges):
        # The cubic crowds the points where the logarithm is steep.
        drawn = low + (high - low) * nodes**2 * (3 - 2 * nodes)
        w = (high - low) * weights * 6 * nodes * (1 - nodes) * np.exp(-drawn)
        first = start(drawn)
        end = first + fetch_time
        more = mean(end) - drawn
        # The time of the last start: what is left of the fetch after it, by its probability of no start in between.
        inner, inner_weights = gauss_legendre(32)
        quiet = np.exp(-(mean(end)[:, None] - mean(first[:, None] + fetch_time * inner)))
        last = fetch_time * (1 - quiet @ inner_weights)
        waited = np.where(first >= 0, 1 + read_rate * fetch_time, read_rate * np.maximum(end, 0.0))
        total += np.array([(w * x).sum() for x in (1 + more, first, last, waited)])
    fetches, first_start, last_start, waited_reads = (float(x) for x in total)
    cycle = ttl + fetch_time + first_start + last_start
    return Stampede(fetches / cycle, fetches, 1 + read_rate * fetch_time, waited_reads / (read_rate * cycle), cycle)
