from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.extremes import earliest, hedged, minimum
from models.heavy import pareto
from models.latency import Latency, maximum, mixed
from models.queues import mgc_wait
from models.service_time import exponential, from_moments

if TYPE_CHECKING:
    from collections.abc import Callable

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]

SEARCH = 2e-5
"""Relative difference granted between two ways to one percentile: the search for it stops at steps of 1e-5."""

MOMENTS = 1e-6
"""Relative: what is said of the moments of smooth tails."""


def random_exponential(mean: float) -> Latency:
    return Latency.of(exponential(mean))


# The first of exponential times is exponential: percentiles, mean, and what is added to it.
def test_minimum_of_exponentials() -> None:
    first = minimum([random_exponential(m) for m in (1.0, 2.0, 5.0)])
    rate = 1 + 1 / 2 + 1 / 5
    assert first.percentiles(FRACTIONS) == pytest.approx([-math.log1p(-p) / rate for p in FRACTIONS], rel=SEARCH)
    assert first.mean == pytest.approx(1 / rate, rel=1e-9)
    assert first.variance == pytest.approx(1 / rate**2, rel=1e-8)
    more, plain = first + random_exponential(3.0), random_exponential(1 / rate) + random_exponential(3.0)
    assert more.percentiles(FRACTIONS) == pytest.approx(plain.percentiles(FRACTIONS), rel=SEARCH)


# The k-th of n equal exponential times has the binomial tail, and the mean of the harmonic sums.
@pytest.mark.parametrize(("needed", "number"), [(1, 3), (2, 3), (3, 3), (2, 5), (7, 16)])
def test_kth_of_n(needed: int, number: int) -> None:
    latency = earliest(needed, [random_exponential(2.0)] * number)
    for p, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
        q = math.exp(-time / 2)
        tail = sum(math.comb(number, k) * (1 - q) ** k * q ** (number - k) for k in range(needed))
        # The slope of the tail turns the search's 1e-5 in time into at most 2e-4 of it.
        assert tail == pytest.approx(1 - p, rel=2e-4)
    assert latency.mean == pytest.approx(2 * sum(1 / (number - i) for i in range(needed)), rel=MOMENTS)


# All of n is the maximum, one of n the minimum, for parts that are unlike, shifted, and mixtures.
def test_edges() -> None:
    parts = [
        Latency.constant(0.5) + random_exponential(1.0),
        mixed([0.7, 0.3], [random_exponential(0.2), Latency.constant(1.0) + Latency.of(from_moments(2.0, 4.0))]),
        Latency.of(from_moments(1.5, 0.3)),
    ]
    last = earliest(3, parts)
    # The maximum is kept on a grid: 0.06 % for unlike paths.
    assert maximum(parts).percentiles(FRACTIONS) == pytest.approx(last.percentiles(FRACTIONS), rel=6e-4)
    times = np.linspace(0.05, 6.0, 60)
    each = np.array([part.tail(times) for part in parts])
    assert minimum(parts).tail(times) == pytest.approx(each.prod(axis=0), abs=1e-7)
    assert last.tail(times) == pytest.approx(1 - (1 - each).prod(axis=0), abs=1e-7)


# A constant ends the wait for the others: nothing is longer, and the probability of reaching it is theirs.
def test_minimum_with_a_constant() -> None:
    latency = minimum([random_exponential(1.0), Latency.constant(0.7), Latency.constant(2.0)])
    assert latency.percentile(0.3) == pytest.approx(-math.log(0.7), rel=SEARCH)
    assert latency.percentiles([0.6, 0.99]) == pytest.approx([0.7, 0.7], rel=1e-8)
    assert latency.mean == pytest.approx(-math.expm1(-0.7), rel=1e-9)
    assert minimum([Latency.constant(3.0), Latency.constant(2.0)]).percentile(0.5) == 2
    assert earliest(2, [Latency.constant(t) for t in (3.0, 2.0, 5.0)]).percentile(0.5) == 3


# The first of two Pareto times is Pareto with twice the index, and the k-th keeps a tail of power k'.
def test_heavy() -> None:
    first = minimum([pareto(1.0, 1.5)] * 2)
    assert first.percentiles(FRACTIONS) == pytest.approx([(1 - p) ** (-1 / 3) for p in FRACTIONS], rel=SEARCH)
    assert first.mean == pytest.approx(1.5, rel=1e-4)


# A wait that is often none keeps that atom: both of two are waited for only if both wait.
def test_atom_at_zero() -> None:
    wait = Latency.waiting(mgc_wait(0.8, exponential(1.0), 1))
    first = minimum([wait, Latency.waiting(mgc_wait(0.8, exponential(1.0), 1))])
    assert float(first.cdf(0.0)) == pytest.approx(1 - 0.64, abs=1e-8)
    assert first.percentile(0.99) == pytest.approx(math.log(0.64 / 0.01) / 0.4, rel=SEARCH)


# A spare try after a delay: until then one tail, after it the product of two.
@pytest.mark.parametrize("after", [0.0, 0.5, 3.0])
def test_hedged(after: float) -> None:
    call = Latency.of(from_moments(1.0, 4.0))
    latency = hedged(call, after)
    times = np.linspace(0.01, 9.0, 50)
    later = np.where(times > after, call.tail(np.maximum(times - after, 1e-9)), 1.0)
    assert latency.tail(times) == pytest.approx(call.tail(times) * later, rel=1e-9)
    assert latency.percentile(0.99) < call.percentile(0.99)


# The k-th of n is later the more are needed, and earlier the more run; every part of a maximum is earlier than it.
@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-4, 1), st.floats(0.1, 9), st.floats(0, 2)), min_size=2, max_size=6))
def test_order(parts: list[tuple[float, float, float]]) -> None:
    latencies = [Latency.constant(shift) + Latency.of(from_moments(10**m, cv)) for m, cv, shift in parts]
    ordered = [earliest(k, latencies) for k in range(1, len(parts) + 1)]
    for fraction in (0.5, 0.99):
        found = [latency.percentile(fraction) for latency in ordered]
        for sooner, later in pairwise(found):
            assert sooner <= later * (1 + SEARCH)
        single = [latency.percentile(fraction) for latency in latencies]
        assert found[0] <= min(single) * (1 + SEARCH)
        assert found[-1] >= max(single) * (1 - SEARCH)
        fewer = earliest(1, latencies[1:]).percentile(fraction)
        assert found[0] <= fewer * (1 + SEARCH)


# More than there are cannot be waited for, nor the first of none, nor a spare try before the call.
@pytest.mark.parametrize(
    "make",
    [
        lambda: earliest(3, [Latency.constant(1.0)] * 2),
        lambda: earliest(0, [Latency.constant(1.0)] * 2),
        lambda: minimum([]),
        lambda: hedged(Latency.constant(1.0), -1.0),
        lambda: hedged(Latency.constant(1.0), math.nan),
    ],
)
def test_refused(make: Callable[[], Latency]) -> None:
    with pytest.raises(ValueError, match=r"waited for|never ends|>= 0"):
        make()
