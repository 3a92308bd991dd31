from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.latency import ZERO, Latency, maximum, mixed, with_timeout
from models.queues import mgc_wait
from models.service_time import erlang, exponential, from_moments
from models.terms import MOST_TERMS
from tests.models.latencies import FRACTIONS, SEARCH, assert_percentiles, hypoexponential, total

property_test = settings(max_examples=100)


# A sum of exponentials, up to sixty of them and six orders of magnitude apart, has the exact percentiles.
@pytest.mark.parametrize(
    "means",
    [
        [1, 2, 3],
        [1, 1.01, 1.02, 5],
        [1, 1e-6],
        [1e-6, 1, 1e-3],
        [1e-3, 1.0, 1e3],
        [1 / i for i in range(1, 31)],
        [1 + i / 20 for i in range(40)],
        [1.3**i for i in range(60)],
    ],
)
def test_sums_of_exponentials(means: list[float]) -> None:
    assert_percentiles(total([Latency.of(exponential(m)) for m in means]), hypoexponential(means))


# The same for any means.
@property_test
@given(st.lists(st.floats(-6, 0), min_size=2, max_size=9))
def test_sums_of_any_exponentials(magnitudes: list[float]) -> None:
    means = sorted(10**m for m in magnitudes)
    assume(all(larger > 1.001 * smaller for smaller, larger in pairwise(means)))
    assert_percentiles(total([Latency.of(exponential(m)) for m in means]), hypoexponential(means))


# Erlang distributions, from one phase to a nearly constant 400, have the exact percentiles, as one or as repeated parts.
@pytest.mark.parametrize("phases", [1, 2, 5, 10, 25, 50, 100, 200, 400])
def test_erlang(phases: int) -> None:
    def tail(t: Any) -> Any:
        return mpmath.gammainc(phases, phases * t, regularized=True)

    assert_percentiles(Latency.of(erlang(phases, 1.0)), tail)
    assert_percentiles(Latency.of(exponential(1.0 / phases)).times(phases), tail)


# Hyperexponential times have the exact percentiles, however unlike their phases are.
@pytest.mark.parametrize("squared_cv", [1.5, 4, 9, 100])
def test_hyperexponential(squared_cv: float) -> None:
    service = from_moments(1.0, squared_cv)
    assert_percentiles(
        Latency.of(service), lambda t: mpmath.fsum(w * mpmath.exp(-rate * t) for w, _, rate in service.phases)
    )


# A maximum of exponentials has the percentiles of the product, kept on a grid: seen 0.005 %.
@pytest.mark.parametrize("means", [[1, 1], [1, 5], [1, 0.1, 0.01], [1.0] * 10, [1.0] * 32, [1, 1e-6]])
def test_maximum_of_exponentials(means: list[float]) -> None:
    latency = maximum([Latency.of(exponential(m)) for m in means])
    assert_percentiles(latency, lambda t: 1 - mpmath.fprod(1 - mpmath.exp(-t / mpmath.mpf(m)) for m in means))


# Constants count in a maximum: nothing is faster than the slowest constant, and the rest is the product (seen: 0.007 %).
def test_maximum_with_constants() -> None:
    parts = [Latency.constant(0.5) + Latency.of(exponential(1.0)), Latency.of(exponential(2.0)), Latency.constant(0.7)]
    latency = maximum(parts)
    assert_percentiles(latency, lambda t: 1 - (1 - mpmath.exp(0.5 - t)) * (1 - mpmath.exp(-t / 2)))
    assert latency.least == 0.7
    assert latency.exceeds(0.699) == 1
    assert maximum([Latency.constant(1.0), Latency.constant(3.0)]).percentile(0.5) == 3


# A constant moves every percentile by itself, however large it is against the rest.
@pytest.mark.parametrize("shift", [1e-6, 1.0, 1e6])
def test_constants_shift(shift: float) -> None:
    smooth = Latency.of(exponential(1.0)) + Latency.of(exponential(0.3))
    moved = Latency.constant(shift) + smooth
    assert moved.percentiles(FRACTIONS) == pytest.approx([shift + t for t in smooth.percentiles(FRACTIONS)], rel=SEARCH)
    assert moved.exceeds(shift * (1 - 1e-9)) == 1


# A mixture of shifted exponentials has the percentiles of the mixed tails, also where one begins later.
def test_mixture() -> None:
    latency = mixed(
        [0.7, 0.3],
        [Latency.constant(0.5) + Latency.of(exponential(1.0)), Latency.constant(2.0) + Latency.of(exponential(0.2))],
    )
    late = mpmath.mpf(2)
    assert_percentiles(
        latency,
        lambda t: 0.7 * mpmath.exp(0.5 - t) + 0.3 * (1 if t < late else mpmath.exp(-5 * (t - late))),
    )


# A mixture of constants jumps where it should.
def test_mixture_of_constants() -> None:
    latency = mixed([0.5, 0.3, 0.2], [Latency.constant(t) for t in (1.0, 2.0, 3.0)])
    assert latency.percentiles([0.49, 0.51, 0.79, 0.81, 0.999]) == pytest.approx([1, 2, 2, 3, 3], rel=SEARCH)
    assert [latency.exceeds(t) for t in (0.5, 1.5, 2.5, 3.5)] == pytest.approx([1, 0.5, 0.2, 0], abs=1e-15)


# Means and variances of independent parts add; repeating multiplies them; a mixture is what the second moments say.
@property_test
@given(st.lists(st.tuples(st.floats(1e-6, 1e3), st.floats(0, 20), st.floats(0, 10)), min_size=1, max_size=6))
def test_moments(parts: list[tuple[float, float, float]]) -> None:
    latencies = [Latency.of(from_moments(mean, cv)) + Latency.constant(shift) for mean, cv, shift in parts]
    means = [mean + shift for mean, _, shift in parts]
    # A variance is the difference of two squares: it keeps its digits relative to the squared mean.
    variances = [part.variance for part in latencies]
    together = total(latencies)
    assert together.mean == pytest.approx(sum(means), rel=1e-12)
    assert together.variance == pytest.approx(sum(variances), rel=1e-9, abs=1e-12 * sum(means) ** 2)
    assert latencies[0].times(7).mean == pytest.approx(7 * means[0], rel=1e-12)
    assert latencies[0].times(2.25).mean == pytest.approx(2.25 * means[0], rel=1e-12)
    either = mixed([1 / len(parts)] * len(parts), latencies)
    second = sum(v + m * m for v, m in zip(variances, means, strict=True)) / len(parts)
    assert either.mean == pytest.approx(sum(means) / len(parts), rel=1e-12)
    assert either.variance == pytest.approx(second - either.mean**2, rel=1e-9, abs=1e-12 * sum(means) ** 2)


# The order in which parts are added changes nothing.
@property_test
@given(st.permutations(range(4)))
def test_order_does_not_matter(order: list[int]) -> None:
    shared = Latency.waiting(exponential(2.0))
    parts = [
        shared + Latency.of(exponential(1.0)),
        Latency.constant(0.5),
        mixed([0.4, 0.6], [shared, Latency.of(from_moments(3.0, 4.0))]),
        Latency.of(erlang(3, 1.0)),
    ]
    expected, found = total(parts), total([parts[i] for i in order])
    assert found.mean == pytest.approx(expected.mean, rel=1e-13)
    assert found.percentiles(FRACTIONS) == pytest.approx(expected.percentiles(FRACTIONS), rel=SEARCH)


# Scaling every duration scales every percentile: the result does not depend on the unit of time.
@property_test
@given(st.floats(-9, 6), st.lists(st.floats(0.01, 100), min_size=1, max_size=5))
def test_units_do_not_matter(magnitude: float, means: list[float]) -> None:
    unit = 10**magnitude
    plain = total([Latency.of(from_moments(m, 2.0)) for m in means])
    scaled = total([Latency.of(from_moments(m * unit, 2.0)) for m in means])
    expected = [t * unit for t in plain.percentiles(FRACTIONS)]
    assert scaled.percentiles(FRACTIONS) == pytest.approx(expected, rel=SEARCH)


# No time at all is neutral, and no visits take no time.
def test_nothing_is_neutral() -> None:
    latency = Latency.of(exponential(1.0))
    assert (latency + ZERO) is latency
    assert (ZERO + latency) is latency
    assert latency.times(0).mean == 0
    assert latency.times(0).percentile(0.99) == 0
    assert latency.times(1) is latency


# Too many paths are folded: mean and variance are kept, percentiles to 0.1 % (seen: 0.002 %).
def test_folding_constants_keeps_moments() -> None:
    count = 4 * MOST_TERMS
    shifts = np.linspace(0.0, 3.0, count)
    latency = mixed([1 / count] * count, [Latency.constant(s) + Latency.of(exponential(1.0)) for s in shifts])
    assert len(latency.terms) <= MOST_TERMS
    assert latency.mean == pytest.approx(1 + float(shifts.mean()), rel=1e-13)
    assert latency.variance == pytest.approx(1 + float(shifts.var()), rel=1e-12)
    assert_percentiles(
        latency, lambda t: mpmath.fsum(1 if t < s else mpmath.exp(s - t) for s in shifts.tolist()) / count, 1e-3
    )


# Folding shared waits also keeps what sharing adds to the variance inside each path.
def test_folding_shared_waits_keeps_moments() -> None:
    paths = [
        Latency.waiting(exponential(1.0 + i)).times(3) + Latency.of(exponential(0.5)) for i in range(2 * MOST_TERMS)
    ]
    means = [3 * (1.0 + i) + 0.5 for i in range(2 * MOST_TERMS)]
    variances = [9 * (1.0 + i) ** 2 + 0.25 for i in range(2 * MOST_TERMS)]
    latency = mixed([1 / len(paths)] * len(paths), paths)
    assert len(latency.terms) <= MOST_TERMS
    assert latency.mean == pytest.approx(np.mean(means), rel=1e-13)
    assert latency.variance == pytest.approx(np.mean(variances) + np.var(means), rel=1e-12)


# Only fractions between 0 and 1 are percentiles.
@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 99.0, math.nan])
def test_senseless_percentiles_are_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Latency.of(exponential(1.0)).percentile(fraction)


# What is said of limits that are looked up with percentiles is what is said of them alone, to the last bit.
def test_limits_beside_percentiles() -> None:
    parts = Latency.waiting(mgc_wait(8.0, exponential(0.1), 1)) + Latency.of(exponential(0.1)) + Latency.constant(0.3)
    late, failed = with_timeout(parts, 1.5, 1)
    assert failed > 0
    limits = [0.1, 0.31, 0.9, 1.6, 4.0]
    alone = [Latency(late.terms).exceeds(limit) for limit in limits]
    asked = Latency(late.terms)
    assert asked.percentiles([0.5, 0.99], limits) == Latency(late.terms).percentiles([0.5, 0.99])
    assert [asked.exceeds(limit) for limit in limits] == alone


# The distribution function takes one time or an array of any shape, and is the other side of the tail.
def test_cdf_of_arrays() -> None:
    latency = Latency.constant(0.5) + Latency.of(exponential(2.0)) + Latency.of(exponential(1.0))
    times = np.array([[0.0, 0.5, 0.6], [1.0, 3.0, 20.0]])
    assert latency.cdf(times).shape == (2, 3)
    assert latency.cdf(times)[1] == pytest.approx(1 - latency.tail(times[1]), abs=1e-15)
    assert float(latency.cdf(3.0)) == pytest.approx(1 - latency.exceeds(3.0), abs=1e-15)
    assert latency.cdf([-1.0, 0.0, 0.4]).tolist() == [0, 0, 0]
    assert latency.percentiles(np.array(FRACTIONS)) == latency.percentiles(FRACTIONS)
    assert latency.cdf(latency.percentiles(FRACTIONS)) == pytest.approx(np.array(FRACTIONS), abs=1e-7)


# Who does not wait is counted at 0, or right after a constant: an atom belongs to its time.
def test_atom_at_zero() -> None:
    wait = Latency.waiting(mgc_wait(0.8, exponential(1.0), 1))
    assert float(wait.cdf(0.0)) == pytest.approx(0.2, abs=1e-8)
    assert float((wait + Latency.constant(3.0)).cdf(3.0)) == pytest.approx(0.2, abs=1e-8)
    assert float(Latency.constant(3.0).cdf(3.0)) == 1
    assert wait.percentile(0.1) == pytest.approx(0.0, abs=1e-6)


# Scaling multiplies every duration: moments, percentiles, and waits that are shared before and after it.
@property_test
@given(st.floats(-6, 6), st.floats(0, 4))
def test_scaling(magnitude: float, squared_cv: float) -> None:
    factor = 10**magnitude
    wait = mgc_wait(0.8, exponential(1.0), 1)
    latency = Latency.constant(0.3) + Latency.waiting(wait) + Latency.of(from_moments(1.0, squared_cv))
    scaled = latency.scaled(factor)
    assert scaled.mean == pytest.approx(factor * latency.mean, rel=1e-12)
    assert scaled.variance == pytest.approx(factor**2 * latency.variance, rel=1e-10)
    expected = [factor * t for t in latency.percentiles(FRACTIONS)]
    assert scaled.percentiles(FRACTIONS) == pytest.approx(expected, rel=SEARCH)
    alone = from_moments(1.0, squared_cv).variance
    assert (latency + scaled).variance == pytest.approx(
        (1 + factor) ** 2 * wait.variance + (1 + factor**2) * alone, rel=1e-9
    )
