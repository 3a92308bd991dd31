from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attempts import retried
from models.latency import Latency
from models.queues import mgc_wait
from models.service_time import exponential, from_moments

FRACTIONS = [0.5, 0.9, 0.99, 0.999]

SEARCH = 2e-5
"""Relative difference granted between two ways to one percentile: the search for it stops at steps of 1e-5."""


# A call that never fails is itself; one that always fails takes all tries and pauses, and fails for good.
def test_edges() -> None:
    call = Latency.of(exponential(1.0))
    never, lost = retried(call, 0.0, [1.0, 2.0])
    assert lost == 0
    assert never.percentiles(FRACTIONS) == pytest.approx(call.percentiles(FRACTIONS), rel=SEARCH)
    always, lost = retried(call, 1.0, [1.0, 2.0])
    assert lost == 1
    assert always.mean == pytest.approx(6.0, rel=1e-14)
    assert always.least == 3
    once, lost = retried(call, 0.3, [])
    assert (once.mean, lost) == (1.0, 0.3)


# A geometric number of exponential tries is exponential: with a failure rate of q it lasts 1 / (1 - q) as long.
def test_geometric_sum() -> None:
    latency, lost = retried(Latency.of(exponential(1.0)), 0.4, [0.0] * 40)
    assert lost == pytest.approx(0.4**41, rel=1e-12)
    assert latency.percentiles(FRACTIONS) == pytest.approx([-math.log1p(-p) / 0.6 for p in FRACTIONS], rel=SEARCH)


# The mean is that of all tries and pauses that are made, and grows with every chance to fail.
@settings(max_examples=50)
@given(st.floats(0.001, 0.9), st.lists(st.floats(0, 5), max_size=4), st.floats(0, 4))
def test_mean(failing: float, pauses: list[float], squared_cv: float) -> None:
    call = Latency.of(from_moments(2.0, squared_cv))
    latency, lost = retried(call, failing, pauses)
    wanted = 2.0 * sum(failing**i for i in range(len(pauses) + 1))
    wanted += sum(pause * failing ** (i + 1) for i, pause in enumerate(pauses))
    # What is rarer than 1e-12 is left out.
    assert latency.mean == pytest.approx(wanted, rel=1e-9)
    assert lost == pytest.approx(failing ** (len(pauses) + 1), rel=1e-12)


# The next try meets what is left of the queue that the first one met: the longer it pauses, the less.
def test_shared_waits() -> None:
    wait = mgc_wait(0.8, exponential(1.0), 1)
    variances = [retried(Latency.waiting(wait), 1.0, [p, p])[0].variance for p in (0.0, 10.0, 100.0, 10_000.0)]
    assert variances == sorted(variances, reverse=True)
    assert 7.8 * wait.variance < variances[0] < 9 * wait.variance
    assert variances[-1] == pytest.approx(3 * wait.variance, rel=5e-3)


# Probabilities and pauses that are none are refused.
@pytest.mark.parametrize(
    ("failing", "pauses"), [(1.1, []), (-0.1, []), (math.nan, []), (0.5, [-1.0]), (0.5, [math.inf])]
)
def test_refused(failing: float, pauses: list[float]) -> None:
    with pytest.raises(ValueError, match="probability"):
        retried(Latency.constant(1.0), failing, pauses)
