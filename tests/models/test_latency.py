from __future__ import annotations

import math
from functools import reduce
from itertools import pairwise
from operator import add
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.latency import ZERO, Latency, maximum, mixed, with_timeout
from models.queues import mgc_wait
from models.service_time import erlang, exponential, from_moments
from models.terms import MOST_TERMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]

SMOOTH = 1e-4
"""Relative error granted to percentiles: a tenth of what the planner promises. The largest seen is 2e-5, at P99.99."""

SEARCH = 2e-5
"""Relative difference granted between two ways to one percentile: the search for it stops at steps of 1e-5."""

property_test = settings(max_examples=100)


def assert_percentiles(latency: Latency, tail: Callable[[Any], Any], accuracy: float = SMOOTH) -> None:
    """Check that each percentile, moved by `accuracy` to either side, encloses what the exact tail says."""
    with mpmath.workdps(80):
        for fraction, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
            left, right = mpmath.mpf(time) * (1 - accuracy), mpmath.mpf(time) * (1 + accuracy)
            assert tail(right) < 1 - mpmath.mpf(fraction) < tail(left)


def total(parts: Sequence[Latency]) -> Latency:
    return reduce(add, parts)


def hypoexponential(means: Sequence[float]) -> Callable[[Any], Any]:
    """Return the exact tail of a sum of exponentials of distinct means, by partial fractions to 80 digits."""
    with mpmath.workdps(80):
        exact = [mpmath.mpf(m) for m in means]
        shares = [mpmath.fprod(m / (m - other) for other in exact if other is not m) for m in exact]
        return lambda t: mpmath.fsum(share * mpmath.exp(-t / m) for share, m in zip(shares, exact, strict=True))


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


def retried(once: Callable[[Any], Any], timeout: float, retries: int) -> Callable[[Any], Any]:
    """Return the exact tail of a time with this tail, cut off and tried again."""

    def tail(t: Any) -> Any:
        tries = math.floor(t / timeout)
        return once(timeout) ** tries * once(t - tries * timeout) if tries <= retries else 0

    return tail


def shifted(base: float) -> Callable[[Any], Any]:
    """Return the tail of an exponential of mean 1 after a constant."""
    return lambda t: mpmath.exp(min(base - t, 0))


def unlike(squared_cv: float) -> Callable[[Any], Any]:
    """Return the tail of a hyperexponential time of mean 1."""
    phases = from_moments(1.0, squared_cv).phases
    return lambda t: mpmath.fsum(w * mpmath.exp(-rate * t) for w, _, rate in phases)


CUT_OFF = [(0.3, 1.0, 0), (0.3, 1.0, 2), (0.3, 2.5, 3), (0.3, 5.0, 1), (0.0, 0.5, 5)]


# A timeout with retries keeps the mean exactly, and fails with the exact probability.
@pytest.mark.parametrize(("base", "timeout", "retries"), CUT_OFF)
def test_timeout_mean_and_failures(base: float, timeout: float, retries: int) -> None:
    latency, failed = with_timeout(Latency.constant(base) + Latency.of(exponential(1.0)), timeout, retries)
    in_try = base - math.expm1(base - timeout)
    assert failed == pytest.approx(math.exp(base - timeout), rel=1e-13)
    assert latency.mean == pytest.approx(in_try * sum(failed**i for i in range(retries + 1)), rel=1e-12)
    assert sum(t.weight for t in latency.terms) == pytest.approx(1, rel=1e-13)


# An exponential call after a constant, with timeout and retries, has its exact tail at any time, and none after the last.
@pytest.mark.parametrize(("base", "timeout", "retries"), CUT_OFF)
def test_timeout_tail(base: float, timeout: float, retries: int) -> None:
    latency, _ = with_timeout(Latency.constant(base) + Latency.of(exponential(1.0)), timeout, retries)
    times = np.linspace(0.0, 1.1 * (retries + 1) * timeout, 1000)[1:]
    exact = retried(shifted(base), timeout, retries)
    assert latency.tail(times) == pytest.approx(np.array([float(exact(t)) for t in times.tolist()]), abs=1e-13)
    assert latency.exceeds(timeout * (retries + 1)) == pytest.approx(0, abs=1e-15)
    # A percentile at a jump is the upper end of an interval of 1e-9.
    assert max(latency.percentiles(FRACTIONS)) <= timeout * (retries + 1) * (1 + 1e-9)


# Calls of any shape that are cut off and tried again have the exact percentiles, a mix of unlike phases within 0.05 %.
@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("failed", [0.47, 0.013, 1.3e-4])
@pytest.mark.parametrize(
    ("call", "once"),
    [
        pytest.param(Latency.of(exponential(1.0)), shifted(0.0), id="M"),
        pytest.param(
            Latency.of(exponential(1.0)) + Latency.of(exponential(3.0)), hypoexponential([1.0, 3.0]), id="sum"
        ),
        pytest.param(Latency.of(erlang(3, 1.0)), lambda t: mpmath.gammainc(3, 3 * t, regularized=True), id="E3"),
        pytest.param(Latency.of(erlang(50, 1.0)), lambda t: mpmath.gammainc(50, 50 * t, regularized=True), id="E50"),
        pytest.param(Latency.of(from_moments(1.0, 4.0)), unlike(4.0), id="H2(4)"),
        pytest.param(Latency.of(from_moments(1.0, 20.0)), unlike(20.0), id="H2(20)"),
        pytest.param(
            mixed([0.8, 0.2], [Latency.of(exponential(0.05)), Latency.constant(0.5) + Latency.of(exponential(1.0))]),
            lambda t: 0.8 * mpmath.exp(-t / mpmath.mpf(0.05)) + 0.2 * mpmath.exp(min(0.5 - t, 0)),
            id="hit-or-miss",
        ),
    ],
)
def test_timeout_percentiles(call: Latency, once: Callable[[Any], Any], failed: float, retries: int) -> None:
    timeout = call.percentile(1 - failed)
    latency, found = with_timeout(call, timeout, retries)
    assert found == pytest.approx(float(once(timeout)), rel=1e-4)
    exact, most = retried(once, timeout, retries), timeout * (retries + 1)
    for fraction, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
        assert time <= most * (1 + 1e-9)
        assert exact(time * 0.9995) >= 1 - fraction
        assert exact(time * 1.0005) <= 1 - fraction


# With an exponential part added to a call that was cut off, percentiles are exact.
@pytest.mark.parametrize(("timeout", "added"), [(1.0, 0.05), (1.0, 0.5), (5.0, 0.2), (5.0, 3.0), (9.0, 0.7)])
def test_timeout_and_more(timeout: float, added: float) -> None:
    call, failed = with_timeout(Latency.of(exponential(1.0)), timeout, 0)
    slope = 1 / added - 1

    def tail(t: Any) -> Any:
        cut = min(t, timeout)
        later = mpmath.exp(-t / added) * mpmath.expm1(cut * slope) / slope
        given_up = failed * (mpmath.exp((timeout - t) / added) if t > timeout else 1)
        return later + given_up + (mpmath.exp(-t) - failed if t < timeout else 0)

    assert_percentiles(call + Latency.of(exponential(added)), tail)


# Cutting off a call of calls that were cut off cuts again: of two tries of two tries at most the outer ones remain.
def test_timeout_in_timeout() -> None:
    inner, _ = with_timeout(Latency.of(exponential(1.0)), 1.0, 1)
    outer, failed = with_timeout(inner, 1.5, 1)
    assert failed == pytest.approx(math.exp(-1.5), rel=1e-12)
    exact = retried(retried(shifted(0.0), 1.0, 1), 1.5, 1)
    times = np.linspace(0.0, 3.2, 400)[1:]
    # The smooth part is exponential, which is kept as it is.
    assert outer.tail(times) == pytest.approx(np.array([float(exact(t)) for t in times.tolist()]), abs=1e-12)


# Many calls with timeouts in turn are folded lightest first: mean and variance stay, and so do percentiles.
def test_timeouts_in_turn() -> None:
    one, _ = with_timeout(Latency.of(exponential(1.0)), 8.0, 1)
    latency = total([one] * 6)
    assert len(latency.terms) <= MOST_TERMS
    assert latency.mean == pytest.approx(6 * one.mean, rel=1e-12)
    assert latency.variance == pytest.approx(6 * one.variance, rel=1e-9)
    assert latency.percentile(0.5) == pytest.approx(total([Latency.of(exponential(1.0))] * 6).percentile(0.5), rel=1e-3)


# A timeout that nothing reaches changes nothing.
def test_timeout_never_reached() -> None:
    latency = Latency.of(exponential(1.0))
    assert with_timeout(latency, 40.0, 3) == (latency, 0.0)


# A call that always takes longer than the timeout fails every time, after exactly all tries.
def test_timeout_always_reached() -> None:
    latency, failed = with_timeout(Latency.constant(2.0) + Latency.of(exponential(1.0)), 1.0, 2)
    assert failed == 1
    assert latency.percentiles([0.01, 0.5, 0.99]) == [3, 3, 3]


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
