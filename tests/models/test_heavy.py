from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.gridded import is_heavy
from models.heavy import LogNormal, Lomax, log_normal, pareto
from models.latency import Latency, maximum, with_timeout
from models.service_time import exponential, from_moments
from models.transforms import Points

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]

POINTS = np.array([(k, t) for t in (1e-4, 0.01, 0.3, 1.0, 5.0, 100.0, 1e4) for k in (0, 1, 3, 10, 28)])
INVERTED: Any = (14 * math.log(10) / 3 + 1j * math.pi * POINTS[:, 0]) / POINTS[:, 1]
"""Where transforms are asked for: the points of Euler's method, for times from far before to far after the median."""


def exact_log_normal(s: complex, sigma: float) -> Any:
    """Return the transform by adaptive quadrature to 20 digits, along the line through the saddle point."""
    w = mpmath.lambertw(s * mpmath.mpf(sigma) ** 2)
    bell = mpmath.quad(
        lambda v: mpmath.exp(-(w * mpmath.expm1(v) - w * v + v * v / 2) / mpmath.mpf(sigma) ** 2),
        [x * mpmath.mpf(sigma) for x in (-16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16)],
    )
    square = mpmath.mpf(sigma) ** 2
    return bell * mpmath.exp(-w * w / 2 / square - w / square) / mpmath.sqrt(2 * mpmath.pi) / sigma


# The log-normal transform is right to 1e-8 on both sides of where its line changes, for narrow and for wide ones.
@pytest.mark.parametrize("sigma", [0.05, 0.33, 0.34, 0.5, 0.9, 2.0])
def test_log_normal_transform(sigma: float) -> None:
    found = LogNormal(1.0, sigma).at(Points(INVERTED[::6]))
    with mpmath.workdps(20):
        exact = np.array([complex(exact_log_normal(complex(s), sigma)) for s in INVERTED[::6]])
    assert np.abs(found - exact).max() < 1e-8


# Pareto's transform is that of the incomplete gamma function, to 1e-8.
@pytest.mark.parametrize("index", [1.05, 1.5, 2.5, 5.0, 20.0, 100.0])
def test_pareto_transform(index: float) -> None:
    found = Lomax(1.0, index).at(Points(INVERTED[::3]))
    with mpmath.workdps(30):
        a = mpmath.mpf(index)
        exact = [complex(a * mpmath.mpc(s) ** a * mpmath.exp(s) * mpmath.gammainc(-a, s)) for s in INVERTED[::3]]
    assert np.abs(found - np.array(exact)).max() < 1e-8


# Alone, both have the percentiles of their formulas, also of a Pareto time without a variance.
def test_percentiles_alone() -> None:
    z = [math.sqrt(2) * float(mpmath.erfinv(2 * mpmath.mpf(p) - 1)) for p in FRACTIONS]
    # The search stops at steps of 1e-5.
    exact = [0.2 * math.exp(1.3 * x) for x in z]
    assert Latency.of(LogNormal(0.2, 1.3)).percentiles(FRACTIONS) == pytest.approx(exact, rel=1e-7)
    for index in (1.05, 1.5, 2.5):
        exact = [0.3 * (1 - p) ** (-1 / index) for p in FRACTIONS]
        assert pareto(0.3, index).percentiles(FRACTIONS) == pytest.approx(exact, rel=1e-7)


# The moments are those of the formulas; Pareto's variance is infinite up to an index of 2.
def test_moments() -> None:
    assert log_normal(0.3, 4.0).mean == pytest.approx(0.3, rel=1e-14)
    assert log_normal(0.3, 4.0).variance == pytest.approx(0.36, rel=1e-13)
    assert pareto(0.2, 3.0).mean == pytest.approx(0.3, rel=1e-14)
    assert pareto(0.2, 3.0).variance == pytest.approx(0.03, rel=1e-13)
    assert pareto(0.2, 2.0).variance == math.inf


# The sum of a Pareto and an exponential time has its exact tail: one integral, by quadrature to 30 digits.
@pytest.mark.parametrize("index", [1.2, 2.5])
def test_pareto_plus_exponential(index: float) -> None:
    latency = pareto(1.0, index) + Latency.of(exponential(2.0))

    def tail(t: Any) -> Any:
        later = mpmath.quad(lambda x: index * x ** (-index - 1) * mpmath.exp((x - t) / 2), mpmath.linspace(1, t, 9))
        return later + t**-index

    with mpmath.workdps(20):
        for p, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
            # Ten times better than the bar of 0.1 %.
            assert tail(mpmath.mpf(time) * (1 + 1e-4)) < 1 - p < tail(mpmath.mpf(time) * (1 - 1e-4))


# The sum of two log-normal times has its exact tail, from sigma 0.2 to 2.
@pytest.mark.parametrize("sigma", [0.2, 0.35, 0.9, 2.0])
def test_sum_of_log_normal(sigma: float) -> None:
    latency = Latency.of(LogNormal(1.0, sigma)) + Latency.of(LogNormal(1.0, sigma))
    u, weights = np.polynomial.legendre.leggauss(400)
    for p, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
        for off, sign in ((1e-4, -1), (-1e-4, 1)):
            # P(sum > t) = P(one > t) + P(one <= t, other > t - one), in the normal variable of the one.
            t = time * (1 + off)
            top = math.log(t) / sigma
            z = (u + 1) / 2 * (top + 12) - 12
            left = np.maximum(t - np.exp(sigma * z), 1e-300)
            other = np.array([math.erfc(math.log(x) / sigma / math.sqrt(2)) / 2 for x in left.tolist()])
            inside = float(np.exp(-z * z / 2) @ (weights * other)) * (top + 12) / 2 / math.sqrt(2 * math.pi)
            assert sign * (inside + math.erfc(top / math.sqrt(2)) / 2 - (1 - p)) > 0


# A maximum and a timeout of heavy parts keep their tails over many orders of magnitude (seen: 0.007 %, 0.012 %).
def test_maximum_and_timeout() -> None:
    both = maximum([pareto(1.0, 1.5), pareto(1.0, 1.5)])
    exact = [(1 - math.sqrt(p)) ** (-1 / 1.5) for p in FRACTIONS]
    assert both.percentiles(FRACTIONS) == pytest.approx(exact, rel=5e-4)
    cut, failed = with_timeout(pareto(1.0, 1.5), 10.0, 1)
    assert failed == pytest.approx(10**-1.5, rel=1e-3)
    for p, time in zip(FRACTIONS[:4], cut.percentiles(FRACTIONS[:4]), strict=True):
        tail = time**-1.5 if time < 10 else failed * max(time - 10, 1.0) ** -1.5
        assert tail == pytest.approx(1 - p, rel=2e-3)


# What is heavy is found wherever it hides, and nothing else is.
def test_what_is_heavy() -> None:
    hidden = (Latency.of(LogNormal(1.0, 1.0)) + Latency.of(exponential(1.0))).times(2.5)
    assert hidden.is_heavy
    assert (hidden + Latency.constant(1.0)).scaled(3.0).is_heavy
    assert not Latency.of(from_moments(1.0, 9.0)).times(3).is_heavy
    assert is_heavy(Lomax(1.0, 3.0))


# Whatever is added to whatever, means add, percentiles rise, and a unit of time changes nothing.
@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(-6, 0), st.floats(0.3, 2.5)), min_size=1, max_size=4),
    st.floats(1.1, 6.0),
    st.floats(-5, 5),
)
def test_properties(parts: list[tuple[float, float]], index: float, unit: float) -> None:
    heavy = [Latency.of(LogNormal(10**place, sigma)) for place, sigma in parts]
    latency = reduce(add, heavy, pareto(0.01, index))
    assert latency.mean == pytest.approx(sum(part.mean for part in heavy) + 0.01 * index / (index - 1), rel=1e-12)
    found = latency.percentiles(FRACTIONS)
    assert found == sorted(found)
    assert found[0] >= 0.01
    scaled = latency.scaled(10**unit).percentiles(FRACTIONS)
    assert scaled == pytest.approx([t * 10**unit for t in found], rel=2e-5)
    # Who ends within a percentile is that fraction; a narrow part in a broad sum leaves 1e-5 (see models.inversion).
    assert latency.cdf(found) == pytest.approx(np.array(FRACTIONS), abs=1e-5)


# Senseless parameters are refused with what would be right.
@pytest.mark.parametrize(
    "make",
    [
        lambda: LogNormal(0.0, 1.0),
        lambda: LogNormal(1.0, 0.0),
        lambda: LogNormal(1.0, 11.0),
        lambda: Lomax(1.0, 1.0),
        lambda: Lomax(-1.0, 2.0),
        lambda: log_normal(1.0, math.nan),
        lambda: Latency.constant(1.0).scaled(0.0),
    ],
)
def test_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"> 0|> 1|at most"):
        make()
