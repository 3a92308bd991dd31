from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.latency import Latency
from models.limits import rate_limit_rejection, rate_limit_wait
from tests.cases import Case, cache_cases

property_test = settings(max_examples=60)

TOKEN_BUCKETS = [case for case in cache_cases("rate_limit") if case["kind"] == "token_bucket"]


def exact_rejection(rho: float, burst: int) -> float:
    """Return the share turned away by the alternating sum, with as many digits as it cancels."""
    with mpmath.workdps(60 + 2 * burst):
        load = mpmath.mpf(rho)
        work = mpmath.fsum(
            (load * (j - burst + 1)) ** j / mpmath.factorial(j) * mpmath.exp(load * (burst - 1 - j))
            for j in range(burst)
        )
        return float(1 - work / (1 + load * work))


# The token bucket turns away the published share, which is printed to seven digits.
@pytest.mark.parametrize("case", TOKEN_BUCKETS, ids=lambda c: f"{c['rho']}-{c['burst']}")
def test_published_rejection(case: Case) -> None:
    assert rate_limit_rejection(case["rho"], 1.0, case["burst"]) == pytest.approx(case["reject_exact"], rel=2.5e-7)


# The share turned away is that of the alternating sum evaluated with enough digits, for any bucket and any rate.
@property_test
@given(st.floats(0.05, 3), st.integers(1, 120))
def test_exact_rejection(rho: float, burst: int) -> None:
    # Smaller shares have the rounding of what passes.
    assert rate_limit_rejection(rho, 1.0, burst) == pytest.approx(exact_rejection(rho, burst), rel=2e-7, abs=2e-14)


# Next to the limit the share keeps more digits than that, on both sides of it and at it.
@pytest.mark.parametrize("burst", [1, 10, 11, 16, 120, 300])
@pytest.mark.parametrize("spare", [0, 1e-15, 1e-12, 1e-9, 1e-7, 9e-6, 1.1e-5, 1e-3, 0.0099, 0.0101])
def test_rejection_at_the_limit(burst: int, spare: float) -> None:
    for rho in (1 - spare, 1 + spare):
        assert rate_limit_rejection(rho, 1.0, burst) == pytest.approx(exact_rejection(rho, burst), rel=1e-9)


# More tokens turn fewer away and a higher rate more; never fewer than what exceeds the limit.
@property_test
@given(st.floats(0.1, 3), st.integers(1, 14), st.floats(1.01, 2))
def test_monotone(rho: float, burst: int, more: float) -> None:
    rejected = rate_limit_rejection(rho, 1.0, burst)
    more_tokens, more_requests = rate_limit_rejection(rho, 1.0, burst + 1), rate_limit_rejection(rho * more, 1.0, burst)
    # A share is 1 less what passes, and has the rounding of 1.
    assert more_tokens <= rejected + 1e-14
    assert rejected <= more_requests + 1e-14
    assert rejected >= 1 - 1 / rho - 1e-14


# A bucket of one token is a loss system without waiting: Erlang B of one server.
def test_one_token() -> None:
    assert rate_limit_rejection(30.0, 100.0, 1) == pytest.approx(0.3 / 1.3, rel=1e-13)
    assert rate_limit_rejection(0.0, 100.0, 1) == 0


# Who queues before a limiter waits as in M/D/1: mean by Pollaczek and Khinchine, tail by Erlang's series of 1909.
@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.99])
def test_wait_is_that_of_constant_service(rho: float) -> None:
    limit = 50.0
    wait = rate_limit_wait(rho * limit, limit)
    assert wait.exact
    assert wait.mean == pytest.approx(rho / (2 * (1 - rho)) / limit, rel=1e-12)
    with mpmath.workdps(60):
        for services in (0.5, 1.02, 1.5, 3.5, 10.5):
            t = mpmath.mpf(services)
            within = (1 - rho) * mpmath.fsum(
                (rho * (k - t)) ** k / mpmath.factorial(k) * mpmath.exp(rho * (t - k)) for k in range(math.floor(t) + 1)
            )
            # The tail of M/D/1 has a kink at one service time, to which the inversion is 1.1e-4 off at worst.
            assert Latency.of(wait).exceeds(services / limit) == pytest.approx(float(1 - within), abs=1.1e-4)


# Waiting for a limiter that lets less pass than what arrives has no end.
def test_above_the_limit() -> None:
    with pytest.raises(UnstableQueueError) as error:
        rate_limit_wait(120.0, 100.0)
    assert error.value.short == pytest.approx(20)


# Far above the limit a bucket of some tokens lets the limit pass, and no more; of one token a little less.
def test_far_above_the_limit() -> None:
    for burst in (2, 3, 10, 11, 50):
        assert rate_limit_rejection(1e6, 0.01, burst) == pytest.approx(1 - 1e-8, rel=1e-15)
        assert rate_limit_rejection(400.0, 1.0, burst) == pytest.approx(1 - 1 / 400, rel=1e-14)
    assert rate_limit_rejection(400.0, 1.0, 1) == pytest.approx(400 / 401, rel=1e-14)
