from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest

from models.deterministic import constant_service
from models.fourier import precise_percentiles, precise_tail
from models.latency import Latency
from models.queues import mgc_wait
from models.service_time import ServiceTime, erlang, exponential, from_moments

if TYPE_CHECKING:
    from collections.abc import Callable

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]

PRECISE = 2e-6
"""Relative: what the search for a percentile leaves, and room; the largest seen against 120 digits is 3e-7."""


def assert_percentiles(latency: Latency, tail: Callable[[Any], Any], digits: int) -> None:
    with mpmath.workdps(digits):
        for p, time in zip(FRACTIONS, precise_percentiles(latency, FRACTIONS), strict=True):
            early, late = (tail(mpmath.mpf(time) * (1 + off)) for off in (-PRECISE, PRECISE))
            assert late <= 1 - mpmath.mpf(p) <= early


def md1_tail(rho: float, t: Any) -> Any:
    """Return P(wait > t) in M/D/1 of service time 1 (Erlang 1909): alternating terms, hence the digits."""
    r = mpmath.mpf(rho)
    if t < 0:
        return mpmath.mpf(1)
    return 1 - (1 - r) * mpmath.fsum(
        (r * (k - t)) ** k / mpmath.factorial(k) * mpmath.exp(r * (t - k)) for k in range(int(t) + 1)
    )


# The response of M/D/1 has the exact percentiles from rho 0.1 to 0.95, kinks and all.
@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_constant_service(rho: float) -> None:
    service = ServiceTime((), ((1.0, 1.0),))
    latency = Latency.waiting(mgc_wait(rho, service, 1)) + Latency.of(service)
    assert_percentiles(latency, lambda t: md1_tail(rho, t - 1), 150)


# So has a nearly constant time in a broad sum, where the fast inversion is up to 1 % off.
@pytest.mark.parametrize(("phases", "mean"), [(50, 0.3), (400, 0.1), (400, 0.02), (100, 1.0)])
def test_sharp_part_in_a_broad_sum(phases: int, mean: float) -> None:
    latency = Latency.of(erlang(phases, 1.0)) + Latency.of(exponential(mean))

    def tail(t: Any) -> Any:
        b, r = 1 / mpmath.mpf(mean), mpmath.mpf(phases)
        alone = mpmath.gammainc(phases, r * t, mpmath.inf, regularized=True)
        inside = mpmath.gammainc(phases, 0, (r - b) * t, regularized=True)
        return alone + mpmath.exp(-b * t) * (r / (r - b)) ** phases * inside

    assert_percentiles(latency, tail, 40)


# Where the fast inversion is right the two agree: mixtures after constants, shared waits, an atom at zero.
def test_agreement() -> None:
    wait = mgc_wait(0.7, from_moments(1.0, 2.0), 1)
    shared = (Latency.waiting(wait) + Latency.of(from_moments(1.0, 2.0))).times(2.5) + Latency.constant(0.5)
    # 2e-5 is what is claimed for the fast one.
    assert precise_percentiles(shared, FRACTIONS) == pytest.approx(shared.percentiles(FRACTIONS), rel=2e-5)
    times = np.linspace(0.01, 20.0, 30)
    assert precise_tail(shared, times) == pytest.approx(shared.tail(times), abs=2e-8)
    assert precise_percentiles(Latency.constant(2.0), [0.5, 0.9]) == [2, 2]


# M/D/1 whose wait knows its own tail needs no inversion at all: exact at every percentile in light load, too.
@pytest.mark.parametrize("rho", [0.1, 0.3, 0.8])
def test_exact_wait_before_constant_service(rho: float) -> None:
    latency = constant_service(rho, 1.0, 1).response
    with mpmath.workdps(150):
        for p, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
            # The search may stop a step of 1e-5 before a kink; the bar is 0.1 %.
            early, late = (md1_tail(rho, mpmath.mpf(time) * (1 + off) - 1) for off in (-2e-5, 2e-5))
            assert late <= 1 - mpmath.mpf(p) <= early
