from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.limits import rate_limit_rejection
from models.retry_budgets import rejects_at_most, with_retries

property_test = settings(max_examples=60)


def simulated(
    rate: float, burst: int, retries: int, budget: float, *, delay: float, requests: int, seed: int
) -> tuple[float, float]:
    """Return tries per request and the share that never gets through, before a bucket of one token per second.

    A retry comes an exponential `delay` later, if the budget, filled by each request, has a whole retry left.
    """
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    tokens, last, saved, tries, failed, come = float(burst), 0.0, 0.0, 0, 0, 0
    events = [(draws.expovariate(rate), 0)]
    while events:
        now, tried = heapq.heappop(events)
        if tried == 0:
            come += 1
            saved = min(saved + budget, 100.0) if budget < math.inf else math.inf
            if come < requests:
                heapq.heappush(events, (now + draws.expovariate(rate), 0))
        tokens, last = min(float(burst), tokens + now - last), now
        tries += 1
        if tokens >= 1:
            tokens -= 1
        elif tried < retries and saved >= 1:
            saved -= 1
            heapq.heappush(events, (now + draws.expovariate(1 / delay), tried + 1))
        else:
            failed += 1
    return tries / requests, failed / requests


CASES = [(0.9, 5, 2, math.inf), (1.1, 5, 3, math.inf), (1.1, 5, 3, 0.1), (1.5, 2, 2, 0.2), (0.8, 1, 3, math.inf), (0.8, 1, 3, 0.1)]  # fmt: skip


# Tries and failures before a token bucket as simulated, retries coming within twenty buckets.
@pytest.mark.parametrize(("rho", "burst", "retries", "budget"), CASES)
def test_simulated(rho: float, burst: int, retries: int, budget: float) -> None:
    tries, failed = simulated(rho, burst, retries, budget, delay=20.0 * burst, requests=120_000, seed=4)
    found = with_retries(rho, lambda rate: rate_limit_rejection(rate, 1.0, burst), retries, budget)
    # Retries that come late are all but independent: 1 % of tries and 5 % of failures, and 1 % of noise.
    assert found.tries / rho == pytest.approx(tries, rel=0.02)
    assert found.failed == pytest.approx(failed, rel=0.05, abs=0.002)


# Rejected tries and retries balance: what passes is what is not turned away, and each request passes once or never.
@property_test
@given(st.floats(0.1, 3), st.integers(1, 30), st.integers(0, 6), st.floats(0, 2))
def test_balance(rho: float, burst: int, retries: int, budget: float) -> None:
    found = with_retries(rho, lambda rate: rate_limit_rejection(rate, 1.0, burst), retries, budget)
    assert found.tries * (1 - found.rejected) == pytest.approx(found.passed, rel=1e-9, abs=1e-12)
    assert found.passed == pytest.approx(rho * (1 - found.failed), rel=1e-9)
    assert found.passed <= min(rho, 1.0) * (1 + 1e-9)
    assert found.tries <= rho * (1 + min(budget, retries)) * (1 + 1e-12)
    assert 0 <= found.allowed <= 1
    # Every retry that is allowed is of a rejected try.
    again = math.fsum((found.rejected * found.allowed) ** i for i in range(1, retries + 1))
    assert found.tries / rho - 1 == pytest.approx(again, rel=1e-6, abs=1e-9)


# More retries fail fewer requests and make more tries; a budget lies between none and all.
@property_test
@given(st.floats(0.1, 3), st.integers(1, 30), st.integers(1, 6), st.floats(0.01, 1))
def test_between(rho: float, burst: int, retries: int, budget: float) -> None:
    def law(rate: float) -> float:
        return rate_limit_rejection(rate, 1.0, burst)

    none, some, free = (with_retries(rho, law, n, b) for n, b in ((0, 1.0), (retries, budget), (retries, math.inf)))
    assert none.tries <= some.tries * (1 + 1e-12)
    assert some.tries <= free.tries * (1 + 1e-12)
    assert none.failed >= some.failed - 1e-9
    assert some.failed >= free.failed - 1e-9


# Where rejection rises so steeply that two states keep themselves up, both are found.
def test_two_states() -> None:
    def cliff(rate: float) -> float:
        return 0.0 if rate < 1.5 else 0.6

    calm, storm = (with_retries(1.0, cliff, 3, worst=worst) for worst in (False, True))
    assert calm.tries == 1.0
    assert storm.tries == pytest.approx(1 + 0.6 + 0.36 + 0.216)
    assert storm.failed == pytest.approx(0.6**4)


# Whether a share is kept is what the fixed point says, a hair on either side of it, without the whole way there. The
# hair is five times what the law itself is off by: 2e-7, and 1e-12 of shares that are next to none.
@property_test
@given(st.floats(0.3, 1.6), st.integers(1, 40), st.integers(0, 6), st.floats(0, 1))
def test_rejects_at_most(rho: float, burst: int, retries: int, budget: float) -> None:
    def law(rate: float) -> float:
        return rate_limit_rejection(rate, 1.0, burst)

    share = with_retries(rho, law, retries, budget).rejected
    assert rejects_at_most(rho, law, retries, share * (1 + 1e-6) + 5e-12, budget)
    assert share < 1e-8 or not rejects_at_most(rho, law, retries, share * (1 - 1e-6), budget)
