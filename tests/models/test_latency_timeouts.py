"""Calls that are cut off by a timeout, and tried again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest

from models.latency import Latency, mixed, with_timeout
from models.service_time import erlang, exponential, from_moments
from models.terms import MOST_TERMS
from tests.models.latencies import FRACTIONS, assert_percentiles, hypoexponential, total

if TYPE_CHECKING:
    from collections.abc import Callable


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
