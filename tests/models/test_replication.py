from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.replication import apply_lag
from models.service_time import erlang, exponential, from_moments

property_test = settings(max_examples=80)


# With exponential applies and idle cores the lag is the network delay plus an exponential of mean 1/(mu - lambda), exactly.
@property_test
@given(st.floats(0.01, 0.999), st.floats(0, 0.5), st.floats(1e-5, 1))
def test_exponential_applies(rho: float, network: float, apply_time: float) -> None:
    lag = apply_lag(rho / apply_time, exponential(apply_time), 0.0, network)
    sojourn = apply_time / (1 - rho)
    assert lag.mean == pytest.approx(network + sojourn, rel=1e-12)
    assert lag.variance == pytest.approx(sojourn**2, rel=1e-9)
    # The search for a percentile stops at steps of 1e-5.
    for fraction in (0.5, 0.99, 0.999):
        assert lag.percentile(fraction) == pytest.approx(network - sojourn * math.log(1 - fraction), rel=2e-5)


# Any other apply time follows Pollaczek and Khinchine.
@property_test
@given(st.floats(0.01, 0.999), st.sampled_from([0.0, 0.5, 4.0]))
def test_general_applies(rho: float, squared_cv: float) -> None:
    lag = apply_lag(rho, from_moments(1.0, squared_cv), 0.0, 0.1)
    assert lag.mean == pytest.approx(1.1 + rho * (1 + squared_cv) / (2 * (1 - rho)), rel=1e-9)


# More writes, slower applies, busier cores and a longer way all lengthen the lag, in the mean and at P99.
@property_test
@given(st.floats(0.05, 0.6), st.floats(0.001, 0.3), st.sampled_from([0.0, 0.002, 0.5, 1.0, 4.0]), st.floats(0, 0.05))
def test_monotone(rho: float, more: float, squared_cv: float, core_wait: float) -> None:
    base = apply_lag(rho, from_moments(1.0, squared_cv), core_wait, 0.1)
    worse = [
        apply_lag(rho + more, from_moments(1.0, squared_cv), core_wait, 0.1),
        apply_lag(rho, from_moments(1.0 + more, squared_cv), core_wait, 0.1),
        apply_lag(rho, from_moments(1.0, squared_cv), core_wait + more, 0.1),
        apply_lag(rho, from_moments(1.0, squared_cv), core_wait, 0.1 + more),
    ]
    for lag in worse:
        assert lag.mean > base.mean
        # Constant applies give the lag a kink, next to which the inversion is less precise than small changes.
        assert lag.percentile(0.99) > base.percentile(0.99) * (1 if squared_cv >= 0.5 else 1 - 1e-3)


# An exponential wait for a core before an exponential apply of the same mean is a service of two phases, exactly.
def test_core_wait_is_part_of_the_service() -> None:
    lag, two = apply_lag(0.5, exponential(0.6), 0.6, 0.0), erlang(2, 1.2)
    # Mean 1.2, squared CV 1/2, rho 0.6.
    assert lag.mean == pytest.approx(1.2 + 0.6 * 1.2 * 1.5 / (2 * 0.4), rel=1e-12)
    whole = apply_lag(0.5, two, 0.0, 0.0)
    assert lag.variance == pytest.approx(whole.variance, rel=1e-12)
    assert lag.percentiles([0.5, 0.99, 0.999]) == pytest.approx(whole.percentiles([0.5, 0.99, 0.999]), rel=1e-6)


# Hardly any wait for a core is nearly none.
@pytest.mark.parametrize("squared_cv", [0.0, 0.5, 1.0, 4.0])
def test_core_wait_begins_at_nothing(squared_cv: float) -> None:
    service = from_moments(1.0, squared_cv)
    none, little = (apply_lag(0.7, service, core_wait, 0.0) for core_wait in (0.0, 1e-7))
    assert little.mean == pytest.approx(none.mean, rel=1e-6)
    assert little.percentile(0.99) == pytest.approx(none.percentile(0.99), rel=1e-6 if squared_cv else 1e-3)


# A replica that cannot keep up diverges, also when only its cores are too busy.
def test_divergence() -> None:
    with pytest.raises(UnstableQueueError):
        apply_lag(1000.0, exponential(0.001), 0.0, 0.01)
    with pytest.raises(UnstableQueueError):
        apply_lag(500.0, exponential(0.001), 0.0015, 0.01)
