from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.service_time import MOST_PHASES, Residual, ServiceTime, erlang, exponential, from_moments, mixed
from models.transforms import Points

property_test = settings(max_examples=100)

means = st.floats(1e-9, 1e6)
cvs = st.floats(0, 100)


# A fit has the mean and the squared CV that were asked for; below 1/400 it is a constant instead.
@property_test
@given(means, cvs | st.floats(1 / MOST_PHASES, 1))
def test_moments_are_met(mean: float, squared_cv: float) -> None:
    service = from_moments(mean, squared_cv)
    assert service.mean == pytest.approx(mean, rel=1e-12)
    # The variance is a difference of squares, relative to which its digits are lost.
    assert service.squared_cv == pytest.approx(squared_cv if squared_cv >= 1 / MOST_PHASES else 0, abs=1e-9, rel=1e-9)


# The fit is a distribution: weights are probabilities, and there are at most 400 phases.
@property_test
@given(means, cvs | st.floats(1 / MOST_PHASES, 1))
def test_weights_are_probabilities(mean: float, squared_cv: float) -> None:
    service = from_moments(mean, squared_cv)
    weights = [w for w, *_ in service.phases] + [w for w, _ in service.constants]
    assert sum(weights) == pytest.approx(1, rel=1e-12)
    assert all(0 <= w <= 1 for w in weights)
    assert all(1 <= k <= MOST_PHASES for w, k, _ in service.phases if w > 0)


# The convention: exponential at 1, Erlang at 1/k, balanced means above, constant at 0.
def test_convention() -> None:
    assert from_moments(2.0, 1.0).phases == ((1.0, 1, 0.5),)
    assert from_moments(2.0, 0.25).phases == erlang(4, 2.0).phases
    assert from_moments(2.0, 0.0).constants == ((1.0, 2.0),)
    (p, _, fast), (q, _, slow) = from_moments(2.0, 9.0).phases
    assert p / fast == pytest.approx(q / slow, rel=1e-12)
    assert p == pytest.approx((1 + math.sqrt(0.8)) / 2, rel=1e-12)


# Moments are the derivatives of the transform at 0: taken here by differences, good to 1e-4.
@property_test
@given(st.floats(0.2, 5), st.sampled_from([0.0, 0.1, 0.4, 1.0, 4.0]))
def test_transform_has_the_moments(mean: float, squared_cv: float) -> None:
    service, h = from_moments(mean, squared_cv), 1e-3 / mean
    for part in (service, Residual(service)):
        before, at, after = part.at(Points(np.array([1.0, 2.0, 3.0], dtype=np.complex128) * h)).real
        second = (before - 2 * at + after) / h**2
        assert (1 - before) / h == pytest.approx(part.mean, rel=0.03)
        assert second == pytest.approx(part.variance + part.mean**2, rel=0.25)
    assert service.moment(1) == pytest.approx(mean)


# What remains of a service in progress: all of an exponential, half of a constant, and more than all beyond a CV of 1.
def test_residual() -> None:
    assert Residual(exponential(3.0)).mean == pytest.approx(3)
    constant = Residual(from_moments(3.0, 0.0))
    assert constant.mean == pytest.approx(1.5)
    assert constant.variance == pytest.approx(9 / 12)
    assert Residual(from_moments(3.0, 4.0)).mean == pytest.approx(7.5)


# A short service, looked at for a long time, keeps its digits: against 40 digits of (1 - S(s)) / (s E[S]).
@pytest.mark.parametrize("squared_cv", [0.0, 1 / 300, 0.03, 0.4, 0.5, 1.0, 9.0])
def test_what_remains_of_a_short_service_keeps_its_digits(squared_cv: float) -> None:
    service, s = from_moments(1.0, squared_cv), 1e-6 * (1 + 2j)
    with mpmath.workdps(40):
        point = mpmath.mpc(s)
        parts = [w * (mpmath.mpf(rate) / (rate + point)) ** k for w, k, rate in service.phases]
        parts += [w * mpmath.exp(-point * value) for w, value in service.constants]
        weights = sum(mpmath.mpf(w) for w, *_ in (*service.phases, *service.constants))
        exact = complex((weights - mpmath.fsum(parts)) / (point * mpmath.mpf(service.mean)))
    assert abs(Residual(service).at(Points(np.array([s])))[0] - exact) < 1e-13


# Slowing down scales the mean and keeps the shape.
@property_test
@given(means, cvs, st.floats(0.01, 100))
def test_slowed(mean: float, squared_cv: float, factor: float) -> None:
    service = from_moments(mean, squared_cv)
    slower = service.slowed(factor)
    assert slower.mean == pytest.approx(factor * mean, rel=1e-12)
    assert slower.squared_cv == pytest.approx(service.squared_cv, rel=1e-9, abs=1e-12)


# Moments of a mixture are mixed moments, whatever the scale of the weights; equal phases are joined.
@property_test
@given(st.lists(st.tuples(st.floats(0.1, 10), means, cvs), min_size=1, max_size=5))
def test_mixture(parts: list[tuple[float, float, float]]) -> None:
    services = [from_moments(mean, cv) for _, mean, cv in parts]
    weights = [w for w, _, _ in parts]
    mixture = mixed(weights, services)
    for order in (1, 2, 3):
        expected = sum(w * s.moment(order) for w, s in zip(weights, services, strict=True)) / sum(weights)
        assert mixture.moment(order) == pytest.approx(expected, rel=1e-12)
    assert mixed([1.0, 3.0], [services[0]] * 2).phases == mixed([1.0], [services[0]]).phases


# Only one exponential phase and nothing else is exponential.
def test_is_exponential() -> None:
    assert exponential(1.0).is_exponential
    for other in (erlang(2, 1.0), from_moments(1.0, 2.0), from_moments(1.0, 0.0)):
        assert not other.is_exponential
    assert not ServiceTime(((0.5, 1, 1.0),), ((0.5, 1.0),)).is_exponential


# A duration without length, or a variance without meaning, is refused.
@pytest.mark.parametrize(
    ("mean", "squared_cv"), [(0.0, 1.0), (-1.0, 1.0), (math.inf, 1.0), (math.nan, 1.0), (1.0, -0.1), (1.0, math.nan)]
)
def test_senseless_moments_are_refused(mean: float, squared_cv: float) -> None:
    with pytest.raises(ValueError, match="finite mean > 0"):
        from_moments(mean, squared_cv)
