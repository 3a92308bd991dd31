from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from models.scalability import concurrency_for_latency, relative_capacity
from models.scalability_fit import NAMES, ScalabilityFit, fit, student_quantile
from tests.cases import Case, scalability_cases, scalability_inverses

if TYPE_CHECKING:
    from random import Random


def fitted(case: Case) -> ScalabilityFit:
    """Return our fit of a case's measurements."""
    return fit(case["nodes"], case["throughputs"])


def by_name(name: str) -> Case:
    """Return the case with this id."""
    return next(case for case in scalability_cases() if case["id"] == name)


# Every published fit is met to its last printed digit: numbers, standard errors, residuals, peak, and what is at a bound.
@pytest.mark.parametrize("case", scalability_cases(), ids=lambda case: case["id"])
def test_published_fits(case: Case) -> None:
    found = fitted(case)
    for i, name in enumerate(NAMES):
        value, half_a_digit = case["fitted"][name]
        assert getattr(found, name) == pytest.approx(value, abs=half_a_digit)
        if name in case["errors"]:
            value, half_a_digit = case["errors"][name]
            assert found.errors[i] == pytest.approx(value, abs=half_a_digit)
    assert found.freedom == case["freedom"]
    assert list(found.at_bound) == case["at_bound"]
    if case["residual_error"] is not None:
        assert found.residual_error == pytest.approx(case["residual_error"][0], abs=case["residual_error"][1])
    if case["peak_nodes"] is None:
        assert found.peak_nodes == math.inf
        assert found.peak_error() is None
    else:
        assert found.peak_nodes == pytest.approx(case["peak_nodes"][0], abs=case["peak_nodes"][1])


# The first ten Cisco measurements foretell the number of users at a latency as the book does, five digits.
def test_published_latencies() -> None:
    case, inverse = by_name("cisco"), scalability_inverses()
    first = inverse["fit_of_first_ten"]
    found = fit(case["nodes"][:first], case["throughputs"][:first])
    for seconds, users in inverse["concurrency_at_latency"]:
        inside = concurrency_for_latency(seconds, found.contention, found.coherency, found.throughput_of_one)
        assert inside == pytest.approx(users, rel=2e-5)


# It is a minimum: with 50 digits, the slope of the sum of squares at the fit is as flat as doubles can tell.
@pytest.mark.parametrize("name", ["specsdm91", "cisco"])
def test_nothing_is_closer(name: str) -> None:
    case = by_name(name)
    found = fitted(case)

    def squares(one: float, sigma: float, kappa: float) -> mpmath.mpf:
        return mpmath.fsum(
            (mpmath.mpf(y) - one * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))) ** 2
            for n, y in zip(case["nodes"], case["throughputs"], strict=True)
        )

    with mpmath.workdps(50):
        at = [mpmath.mpf(getattr(found, name)) for name in NAMES]
        least = squares(*at)
        for i in range(3):
            for sign in (-1, 1):
                moved = [x * (1 + sign * mpmath.mpf(10) ** -6) if i == j else x for j, x in enumerate(at)]
                # A millionth of a number away, a true minimum is higher: the fit is within half of that.
                assert squares(*moved) > least


# What was planted is found again from exact throughputs, whatever it was, also at the edges of Amdahl and of no loss.
@settings(max_examples=60)
@given(
    st.floats(1e-3, 1e6),
    st.one_of(st.just(0.0), st.floats(1e-3, 0.9)),
    st.one_of(st.just(0.0), st.floats(-6, -2).map(lambda x: 10**x)),
)
def test_planted_numbers_are_found(one: float, sigma: float, kappa: float) -> None:
    nodes = [1, 2, 4, 8, 16, 32, 64, 128]
    found = fit(nodes, [one * relative_capacity(float(n), sigma, kappa) for n in nodes])
    # Rounding hides a residual of 1e-16, and with it the square root of that in the numbers.
    assert found.throughput_of_one == pytest.approx(one, rel=1e-7)
    assert found.contention == pytest.approx(sigma, abs=1e-7 * (1 + sigma))
    assert found.coherency == pytest.approx(kappa, rel=1e-6, abs=1e-9)


# Other units, or all points twice, give the same law; and the order of measurements does not matter.
@settings(max_examples=30)
@given(st.floats(1e-6, 1e6), st.randoms(use_true_random=False))
def test_invariance(unit: float, order: Random) -> None:
    case = by_name("specsdm91")
    found = fitted(case)
    pairs = list(zip(case["nodes"], case["throughputs"], strict=True))
    order.shuffle(pairs)
    other = fit([n for n, _ in pairs], [x * unit for _, x in pairs])
    twice = fit(case["nodes"] * 2, case["throughputs"] * 2)
    # The minimum is flat: each number is good to about eight digits.
    for same in (other, twice):
        assert same.contention == pytest.approx(found.contention, rel=1e-6)
        assert same.coherency == pytest.approx(found.coherency, rel=1e-6)
    assert other.throughput_of_one == pytest.approx(found.throughput_of_one * unit, rel=1e-6)
    assert twice.errors[1] is not None
    assert twice.errors[1] < (found.errors[1] or 0)


# Bounds hold: data of a law that is better than linear is told to be at the bound, not given a contention below 0.
def test_at_the_bound() -> None:
    nodes = [1, 2, 4, 8, 16]
    found = fit(nodes, [n**1.1 for n in nodes])
    assert found.at_bound == ("contention", "coherency")
    assert (found.contention, found.coherency) == (0.0, 0.0)
    assert found.errors[1:] == (None, None)
    assert found.errors[0] is not None
    held = fit(nodes, [n / (1 + 0.1 * (n - 1)) for n in nodes], coherency=(0.0, 0.0))
    assert held.at_bound == ()
    assert held.contention == pytest.approx(0.1, rel=1e-9)


# As many points as numbers are met exactly and leave no error to be told; fewer are refused, as is what is no number.
def test_few_points() -> None:
    found = fit([1, 4, 16], [1.0, 3.5, 9.0])
    assert found.freedom == 0
    assert found.residual_error is None
    assert found.interval(8) is None
    assert [found.throughput(n) for n in (1, 4, 16)] == pytest.approx([1.0, 3.5, 9.0], rel=1e-9)
    with pytest.raises(ValueError, match="2 different numbers of nodes cannot fix 3"):
        fit([1, 4, 4, 1], [1.0, 3.0, 3.1, 1.1])
    assert fit([1, 4], [1.0, 3.0], coherency=(0, 0)).contention == pytest.approx(1 / 9, rel=1e-9)
    wrong: list[tuple[list[float], list[float]]] = [
        ([1, 2, 0], [1, 2, 3]),
        ([1, 2, 3], [1, math.nan, 3]),
        ([1, 2], [1, 2, 3]),
    ]
    for nodes, rates in wrong:
        with pytest.raises(ValueError, match=r"above 0|as many"):
            fit(nodes, rates)
    with pytest.raises(ValueError, match="bounds"):
        fit([1, 2, 3], [1, 2, 3], contention=(0.5, 0.1))


# A prediction interval holds 95 % of new measurements, inside and beyond the measured range, and a confidence interval
# the law: 300 data sets of known noise.
def test_intervals_hold_what_they_promise() -> None:
    case = by_name("specsdm91")
    law = fitted(case)
    noise = np.random.default_rng(20261123)
    truth = [law.throughput(n) for n in case["nodes"]]
    held = dict.fromkeys((96, 300), 0)
    laws = 0
    for _ in range(300):
        again = fit(case["nodes"], [max(x + 82.8 * e, 1.0) for x, e in zip(truth, noise.normal(size=7), strict=True)])
        for nodes in held:
            low, high = again.interval(nodes) or (0.0, 0.0)
            held[nodes] += low <= law.throughput(nodes) + 82.8 * noise.normal() <= high
        low, high = again.interval(96, measured=False) or (0.0, 0.0)
        laws += low <= law.throughput(96) <= high
    # Three standard errors of 300 draws of 95 %: 3.8 points.
    assert all(0.912 <= count / 300 <= 0.988 for count in (*held.values(), laws))


# Student's quantiles are those of SciPy, for every degree of freedom that a load test can have.
@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 10, 29, 30, 101, 1000])
@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.9995])
def test_student_quantile(probability: float, freedom: int) -> None:
    # SciPy's own last digits differ.
    assert student_quantile(probability, freedom) == pytest.approx(stdtrit(freedom, probability), rel=1e-11)
