from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import deque
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.limits import rate_limit_rejection, rate_limit_wait
from models.windows import (
    ShaperWait,
    burst_for,
    concurrency_for,
    concurrency_rejection,
    fixed_window_rejection,
    sliding_log_rejection,
    window_limit_for,
)
from tests.cases import cache_cases

property_test = settings(max_examples=60)

WINDOWS = [case for case in cache_cases("rate_limit") if case["kind"] == "window"]

loads = st.floats(-3, 1).map(lambda power: 10**power)
"""Arrivals of a window over its limit."""

limits = st.one_of(st.integers(1, 50), st.integers(1, 2_000))


def exact_fixed(mean: float, limit: int) -> float:
    """Return E[(X - L)+] / a with 50 digits: the Poisson probabilities summed up."""
    with mpmath.workdps(60):
        a = mpmath.mpf(mean)
        weight, kept = mpmath.exp(-a), mpmath.mpf(0)
        for k in range(limit):
            kept += (limit - k) * weight
            weight *= a / (k + 1)
        return float((a - limit + kept) / a)


# The published shares of both windows, printed to seven digits.
@pytest.mark.parametrize("case", WINDOWS, ids=lambda c: f"{c['rho']}-{c['limit']}")
def test_published(case: dict[str, Any]) -> None:
    rate = case["rho"] * case["limit"] / case["window"]
    fixed = fixed_window_rejection(rate, case["limit"], case["window"])
    sliding = sliding_log_rejection(rate, case["limit"], case["window"])
    assert fixed == pytest.approx(case["fixed_exact"], rel=5e-7)
    assert sliding == pytest.approx(case["sliding_erlangB"], rel=5e-7)


# A fixed window turns away the share that 50 digits give, wherever a double can hold it.
@property_test
@given(loads, limits)
def test_fixed_window(load: float, limit: int) -> None:
    mean = load * limit
    assert fixed_window_rejection(mean / 7.0, limit, 7.0) == pytest.approx(
        exact_fixed(mean, limit), rel=1e-12, abs=1e-50
    )


# More room turns fewer away, more requests more; a sliding log is stricter than a fixed window of the same limit.
@property_test
@given(loads, limits, st.floats(1.001, 3))
def test_windows_are_monotone(load: float, limit: int, more: float) -> None:
    rate = load * limit

    def held(rate: float, limit: int, duration: float) -> float:
        return concurrency_rejection(rate, duration, limit)

    for law in (fixed_window_rejection, sliding_log_rejection, held):
        share, wider, busier = law(rate, limit, 1.0), law(rate, limit + 1, 1.0), law(rate * more, limit, 1.0)
        assert wider <= share * (1 + 1e-12)
        assert busier >= share * (1 - 1e-12)
        assert share >= 1 - 1 / load - 1e-12
    assert fixed_window_rejection(rate, limit, 1.0) <= sliding_log_rejection(rate, limit, 1.0) * (1 + 1e-12)


def simulated(rate: float, limit: int, window: float, requests: int, seed: int) -> tuple[float, float]:
    """Return the shares turned away by a fixed window and by a sliding log, request by request."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    now, counted, passed, kept = 0.0, -1, 0, deque[float]()
    fixed = sliding = 0
    for _ in range(requests):
        now += draws.expovariate(rate)
        if int(now / window) != counted:
            counted, passed = int(now / window), 0
        passed += 1
        fixed += passed > limit
        while kept and kept[0] <= now - window:
            kept.popleft()
        if len(kept) < limit:
            kept.append(now)
        else:
            sliding += 1
    return fixed / requests, sliding / requests


# Both windows as simulated request by request.
@pytest.mark.parametrize(("rho", "limit"), [(0.8, 5), (1.0, 20), (1.3, 10)])
def test_simulated_windows(rho: float, limit: int) -> None:
    fixed, sliding = simulated(rho * limit / 2, limit, 2.0, 150_000, seed=3)
    # Rejections come in clusters of up to a window: four standard errors, of a fifth as many independent requests.
    for found, wanted in (
        (fixed_window_rejection(rho * limit / 2, limit, 2.0), fixed),
        (sliding_log_rejection(rho * limit / 2, limit, 2.0), sliding),
    ):
        assert found == pytest.approx(wanted, abs=4 * math.sqrt(wanted / 30_000))


# What is looked for is the least that is enough.
@property_test
@given(st.floats(1, 5e3), st.floats(-6, -0.5).map(lambda power: 10**power))
def test_the_least_that_is_enough(rate: float, rejected: float) -> None:
    for law in (fixed_window_rejection, sliding_log_rejection):
        limit = window_limit_for(law, rate, 1.0, rejected)
        assert law(rate, limit, 1.0) <= rejected
        assert limit == 1 or law(rate, limit - 1, 1.0) > rejected
    places = concurrency_for(rate, 0.1, rejected)
    assert concurrency_rejection(rate, 0.1, places) <= rejected
    assert places == 1 or concurrency_rejection(rate, 0.1, places - 1) > rejected
    burst = burst_for(rate, rate * 1.1, rejected)
    assert burst is not None
    assert rate_limit_rejection(rate, rate * 1.1, burst) <= rejected
    assert burst == 1 or rate_limit_rejection(rate, rate * 1.1, burst - 1) > rejected


# No bucket lets more pass than its rate.
def test_no_burst_is_enough() -> None:
    assert burst_for(120.0, 100.0, 0.1) is None
    assert burst_for(120.0, 100.0, 0.17) is not None


# A shaper of one token is M/D/1; with more, its mean is what the tail of M/D/1 leaves beyond the saved tokens.
@pytest.mark.parametrize("rho", [0.3, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("burst", [1, 2, 7, 40])
def test_shaper(rho: float, burst: int) -> None:
    limit = 50.0
    wait = ShaperWait(rho * limit, limit, burst)
    if burst == 1:
        assert wait.mean == pytest.approx(rate_limit_wait(rho * limit, limit).mean, rel=1e-9)
        assert wait.probability == pytest.approx(rho, rel=1e-12)
    # A mean falls with every token by the integral of the tail over it.
    one_more = ShaperWait(rho * limit, limit, burst + 1)
    points = 400
    step = 1 / limit / points
    strip = math.fsum(wait.tail((i + 0.5) * step) for i in range(points)) * step
    # The middle rule over 400 stretches is 1e-5 off; beyond 15 decimals of the wait nothing is left to compare.
    assert wait.mean - one_more.mean == pytest.approx(strip, rel=1e-5, abs=1e-13)
    if wait.probability > 0.01:
        assert wait.tail(wait.percentile(0.99)) == pytest.approx(0.01, rel=1e-8)
    else:
        assert wait.percentile(0.99) == 0


# A shaper as simulated: tokens saved up to the burst, whoever finds none waits for the next.
@pytest.mark.parametrize(("rho", "burst"), [(0.8, 1), (0.9, 5), (0.95, 10)])
def test_simulated_shaper(rho: float, burst: int) -> None:
    draws = random.Random(9)  # noqa: S311, nothing is kept secret
    now, due, waits = 0.0, 0.0, []
    for _ in range(300_000):
        now += draws.expovariate(rho)
        due = max(due, now - (burst - 1))
        waits.append(max(0.0, due - now))
        due += 1.0
    found = ShaperWait(rho, 1.0, burst)
    ordered = sorted(waits)
    # At these loads waits stay correlated over 2 / (1 - rho)**2 requests: 10 % of noise at most.
    assert found.mean == pytest.approx(math.fsum(waits) / len(waits), rel=0.1)
    assert found.probability == pytest.approx(1 - bisect_right(ordered, 0.0) / len(waits), abs=0.02)
    assert found.percentile(0.9) == pytest.approx(ordered[int(0.9 * len(waits))], rel=0.12, abs=0.2)


# Without an end, or without a meaning: said so.
def test_bad_input() -> None:
    with pytest.raises(UnstableQueueError):
        ShaperWait(100.0, 100.0, 5)
    with pytest.raises(ValueError, match="limit >= 1"):
        fixed_window_rejection(1.0, 0, 1.0)
    with pytest.raises(ValueError, match="turned away"):
        window_limit_for(fixed_window_rejection, 1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="turned away"):
        burst_for(1.0, 1.0, 1.0)
    assert fixed_window_rejection(0.0, 3, 1.0) == 0
