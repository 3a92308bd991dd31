from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.replication import apply_lag
from models.service_time import exponential, from_moments

property_test = settings(max_examples=80, deadline=None)


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


# More writes, slower applies, busier cores and a longer way all lengthen the lag, at P99 as well but for the wait for a
# core, which is folded into the shape of the service.
@property_test
@given(st.floats(0.05, 0.6), st.floats(0.01, 0.3))
def test_monotone(rho: float, more: float) -> None:
    base = apply_lag(rho, exponential(1.0), 0.0, 0.1)
    worse = [
        apply_lag(rho + more, exponential(1.0), 0.0, 0.1),
        apply_lag(rho, exponential(1.0 + more), 0.0, 0.1),
        apply_lag(rho, exponential(1.0), more, 0.1),
        apply_lag(rho, exponential(1.0), 0.0, 0.1 + more),
    ]
    for lag in worse:
        assert lag.mean > base.mean
    for lag in worse[:2] + worse[3:]:
        assert lag.percentile(0.99) > base.percentile(0.99)


# Waits for a core add to each apply, exactly in the mean of an exponential apply after an exponential wait.
def test_core_wait_is_part_of_the_service() -> None:
    lag = apply_lag(0.5, exponential(0.6), 0.6, 0.0)
    # Two exponential phases of 0.6: mean 1.2, squared CV 1/2, rho 0.6.
    assert lag.mean == pytest.approx(1.2 + 0.6 * 1.2 * 1.5 / (2 * 0.4), rel=1e-12)


# A replica that cannot keep up diverges, also when only its cores are too busy.
def test_divergence() -> None:
    with pytest.raises(UnstableQueueError):
        apply_lag(1000.0, exponential(0.001), 0.0, 0.01)
    with pytest.raises(UnstableQueueError):
        apply_lag(500.0, exponential(0.001), 0.0015, 0.01)
