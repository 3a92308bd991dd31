"""Reads of R members at once: against closed forms at 50 digits, and what has to hold for any quorum."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.latency import ZERO, Latency, maximum
from models.queues import NO_WAIT, mgc_wait
from models.quorum_reads import Asked, acknowledged, slowest_wait, slowest_work, visible
from models.service_time import exponential, from_moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MEAN = 0.01
"""Of an exponential lag, s."""

QUORUMS = [(3, 1, 1), (3, 1, 2), (3, 2, 1), (5, 2, 2), (5, 1, 3), (5, 3, 1), (5, 2, 3), (7, 2, 4), (7, 3, 2)]
"""Members, R and W that need not meet."""

CLOSED = 1e-6
"""Relative, of shares: exponential tails are exact on a grid, and lags are inverted to 1e-8."""

ON_GRID = 1e-3
"""Relative, of times: what is said of maxima."""


def exact_missed(nodes: int, reads: int, writes: int, after: float, distance: float) -> float:
    """Return P(a read misses a write) at 50 digits: lags are a distance and an exponential time, all independent.

    Of exponential times the one that makes it k-th among m is a sum, of which each part multiplies.
    """
    with mpmath.workdps(50):
        rate, t, d = 1 / mpmath.mpf(MEAN), mpmath.mpf(after), mpmath.mpf(distance)
        others = 1 - mpmath.mpf(reads) / nodes
        if writes == 1:
            first = mpmath.exp(-rate * max(t - d, mpmath.mpf(0)))
            return float(others * first * mpmath.exp(-rate * t) ** (reads - 1))
        left = nodes - 1 - reads
        done = mpmath.fprod(mpmath.mpf(left - i) / (left - i + reads) for i in range(writes - 1))
        return float(others * done * mpmath.exp(-rate * (reads * t + d + 2 * d * (reads - 1))))


def lag_of(distance: float) -> Latency:
    """Return an exponential lag after a distance."""
    return Latency.of(exponential(MEAN)) + Latency.constant(distance)


def together(primary: Asked, replica: Asked, nodes: int, reads: int, distance: float = 0.0) -> Latency:
    """Return the time of one read."""
    wait = slowest_wait(primary, replica, nodes, reads, distance)
    return Latency.waiting(wait) + slowest_work(primary, replica, nodes, reads, distance)


def busy(rate: float, servers: int = 1, mean: float = MEAN) -> Asked:
    """Return a member that is asked so often."""
    return Asked(mgc_wait(rate, exponential(mean), servers), Latency.of(exponential(mean)))


def solved(tail: Callable[[float], float], left: float) -> float:
    """Return where a tail falls to what is left, by halving."""
    low, high = 0.0, 1.0
    while tail(high) > left:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > left else (low, middle)
    return high


# A write is missed as often as the closed form says, in distance and without, right after it and later.
@pytest.mark.parametrize("distance", [0.0, 0.002])
@pytest.mark.parametrize(("nodes", "reads", "writes"), QUORUMS)
def test_missed_in_closed_form(nodes: int, reads: int, writes: int, distance: float) -> None:
    found = visible(lag_of(distance), nodes, reads, writes, distance)
    for after in (1e-9, 0.001, 0.005, 0.02, 0.05):
        wanted = exact_missed(nodes, reads, writes, after, distance)
        assert found.exceeds(after) == pytest.approx(wanted, rel=CLOSED)


# The same among hundreds of members, where the acknowledgement comes at nearly always the same time.
@pytest.mark.parametrize(("nodes", "reads", "writes"), [(101, 2, 50), (1001, 1, 500), (1001, 3, 10), (10001, 2, 9000)])
def test_many_members(nodes: int, reads: int, writes: int) -> None:
    found = visible(lag_of(0.0), nodes, reads, writes, 0.0)
    for after in (1e-9, 0.005, 0.02):
        assert found.exceeds(after) == pytest.approx(exact_missed(nodes, reads, writes, after, 0.0), rel=CLOSED)


# The same for a lag that is not exponential, where the time of the acknowledgement has to be averaged over.
def test_missed_with_erlang_lags() -> None:
    lag, rate = Latency.of(from_moments(MEAN, 0.5)), 2 / MEAN

    def late(t: mpmath.mpf) -> mpmath.mpf:
        return mpmath.exp(-rate * t) * (1 + rate * t)

    for after in (1e-9, 0.004, 0.02):
        with mpmath.workdps(30):
            # N 5, R 2, W 2: the first of the two that are not asked, whose density is 2 f(x) P(L > x).
            missed = mpmath.quad(
                lambda x: 2 * rate**2 * x * mpmath.exp(-rate * x) * late(x) * late(x + mpmath.mpf(after)) ** 2,  # noqa: B023
                [0, MEAN, 10 * MEAN, 60 * MEAN],
            )
        assert visible(lag, 5, 2, 2, 0.0).exceeds(after) == pytest.approx(float(missed) * 3 / 5, rel=ON_GRID)


# Where R + W > N nothing is ever missed; with one and one it is any member, the primary one of them.
def test_both_ends() -> None:
    lag = lag_of(0.001)
    for nodes in range(1, 8):
        for reads in range(1, nodes + 1):
            assert visible(lag, nodes, reads, nodes + 1 - reads, 0.001) is ZERO
    assert visible(lag, 4, 1, 1, 0.001).exceeds(0.02) == pytest.approx(0.75 * lag.exceeds(0.02), rel=1e-9)


# Lags that are always the same: two acknowledgements mean that everybody has it, one means that nobody but one does.
def test_constant_lags() -> None:
    lag = Latency.constant(0.01)
    assert visible(lag, 5, 2, 2, 0.002).mean == pytest.approx(0.0, abs=1e-9)
    one = visible(lag, 3, 1, 1, 0.0)
    assert one.exceeds(0.009) == pytest.approx(2 / 3)
    assert one.exceeds(0.011) == 0
    two = visible(lag, 5, 2, 1, 0.002)  # the second member is asked 2 ms later than the first
    assert two.exceeds(0.0079) == pytest.approx(3 / 5, rel=1e-6)
    assert two.exceeds(0.0081) == pytest.approx(0.0, abs=1e-6)


# A write is done with the k-th of m lags: for exponential ones a sum of 1/(m - i), and the way back.
@pytest.mark.parametrize(
    ("nodes", "writes"), [(3, 2), (3, 3), (5, 2), (5, 3), (5, 5), (9, 4), (61, 30), (62, 30), (1001, 400), (1001, 1001)]
)
def test_acknowledged(nodes: int, writes: int) -> None:
    found = acknowledged(lag_of(0.002), nodes, writes, 0.002)
    wanted = 0.004 + MEAN * sum(1 / (nodes - 1 - i) for i in range(writes - 1))
    assert found.mean == pytest.approx(wanted, rel=ON_GRID)
    assert acknowledged(lag_of(0.002), nodes, 1, 0.002) is ZERO


# Waiting for all is waiting for the maximum, as for synchronous replicas.
def test_all_is_the_maximum() -> None:
    lag = lag_of(0.001)
    whole = maximum([lag] * 4) + Latency.constant(0.001)
    assert acknowledged(lag, 5, 5, 0.001).percentile(0.99) == pytest.approx(whole.percentile(0.99), rel=1e-9)


# Of M/M/1 members the response is exponential, and the slowest of R has the power of its distribution function.
@pytest.mark.parametrize(("nodes", "reads"), [(3, 2), (3, 3), (5, 2), (7, 4)])
@pytest.mark.parametrize("use", [0.0001, 0.1, 0.5, 0.9])
def test_slowest_of_equal_members(nodes: int, reads: int, use: float) -> None:
    member, mean = busy(use / MEAN), MEAN / (1 - use)
    found = together(member, member, nodes, reads)
    assert found.mean == pytest.approx(mean * sum(1 / i for i in range(1, reads + 1)), rel=ON_GRID)
    added = (mean - MEAN) * sum(1 / i for i in range(1, reads + 1))
    assert slowest_wait(member, member, nodes, reads, 0.0).mean == pytest.approx(added, rel=ON_GRID)
    for p in (0.5, 0.9, 0.99, 0.999):
        assert found.percentile(p) == pytest.approx(-mean * math.log1p(-(p ** (1 / reads))), rel=ON_GRID)


# The primary is busier than the others, and all but the first that is asked are some way off: every case in turn.
@pytest.mark.parametrize(("nodes", "reads"), [(3, 2), (3, 3), (5, 3)])
def test_slowest_of_unlike_members(nodes: int, reads: int) -> None:
    way, means = 0.003, [MEAN / (1 - 0.8), MEAN / (1 - 0.4)]
    found = together(busy(0.8 / MEAN), busy(0.4 / MEAN), nodes, reads, way)

    def within(which: int, t: float) -> float:
        return -math.expm1(-max(t, 0.0) / means[which])

    def tail(t: float) -> float:
        far = t - 2 * way
        total = 0.0
        for first in range(nodes):
            for primary in (False, True) if first else (True,):
                # The primary is member 0; among the reads - 1 others it is with the probability of a draw.
                share = 1.0 if first == 0 else (reads - 1) / (nodes - 1) if primary else (nodes - reads) / (nodes - 1)
                chosen = within(0 if first == 0 else 1, t)
                rest = within(1, far) ** (reads - 1 - (first > 0 and primary))
                total += share / nodes * chosen * rest * (within(0, far) if first and primary else 1.0)
        return 1 - total

    for p in (0.5, 0.9, 0.99, 0.999):
        assert found.percentile(p) == pytest.approx(solved(tail, 1 - p), rel=ON_GRID)


# Nobody waits: the maximum of the work alone, and no wait at all; constant work has a constant end.
def test_nobody_waits() -> None:
    idle = Asked(NO_WAIT, Latency.of(exponential(MEAN)))
    assert slowest_wait(idle, idle, 3, 2, 0.0).is_negligible
    assert slowest_work(idle, idle, 3, 2, 0.0).mean == pytest.approx(1.5 * MEAN, rel=ON_GRID)
    fixed = Asked(NO_WAIT, Latency.constant(MEAN))
    assert slowest_work(fixed, fixed, 3, 2, 0.002).percentile(0.99) == pytest.approx(MEAN + 0.004)
    waiting = Asked(mgc_wait(0.5 / MEAN, from_moments(MEAN, 0.0), 1), Latency.constant(MEAN))
    found = together(waiting, waiting, 3, 2, 0.002)
    both = maximum([waiting.whole] * 2)
    assert slowest_work(waiting, waiting, 3, 2, 0.0).mean == pytest.approx(MEAN)
    assert together(waiting, waiting, 3, 2).mean == pytest.approx(both.mean, rel=ON_GRID)
    assert found.mean > both.mean


# More members asked, more acknowledgements and more time make a write no harder to find; units make no difference.
@settings(max_examples=40, deadline=None)
@given(
    nodes=st.integers(3, 8),
    draw=st.integers(0, 1000),
    squared_cv=st.sampled_from([0.5, 1.0, 2.0]),
    distance=st.sampled_from([0.0, 0.3, 2.0]),
    after=st.floats(0.01, 3.0),
)
def test_fresher(nodes: int, draw: int, squared_cv: float, distance: float, after: float) -> None:
    reads = 1 + draw % (nodes - 1)
    writes = 1 + draw // 7 % (nodes - reads)
    lag = Latency.of(from_moments(1.0, squared_cv)) + Latency.constant(distance)
    missed = visible(lag, nodes, reads, writes, distance).exceeds(after)
    noise = 1e-6 + ON_GRID * missed
    assert 0 <= missed <= 1 - reads / nodes + 1e-9
    assert visible(lag, nodes, reads + 1, writes, distance).exceeds(after) <= missed + noise
    assert visible(lag, nodes, reads, writes + 1, distance).exceeds(after) <= missed + noise
    assert visible(lag, nodes, reads, writes, distance).exceeds(after * 1.5) <= missed + noise
    ms = Latency.of(from_moments(1000.0, squared_cv)) + Latency.constant(1000 * distance)
    assert visible(ms, nodes, reads, writes, 1000 * distance).exceeds(1000 * after) == pytest.approx(
        missed, rel=ON_GRID, abs=1e-6
    )


# The more members are asked the longer it takes, and the more have to have a write the later it is answered.
@settings(max_examples=30, deadline=None)
@given(nodes=st.integers(3, 8), use=st.floats(0.05, 0.9), distance=st.sampled_from([0.0, 0.002]))
def test_slower(nodes: int, use: float, distance: float) -> None:
    member, lag = busy(use / MEAN), lag_of(distance)
    reading = [together(member, member, nodes, r, distance).percentile(0.99) for r in range(2, nodes + 1)]
    writing = [acknowledged(lag, nodes, w, distance).mean for w in range(1, nodes + 1)]
    assert all(b > a * (1 - ON_GRID) for a, b in pairwise(reading))
    assert all(b > a for a, b in pairwise(writing))


# What is no quorum is refused.
@pytest.mark.parametrize(("nodes", "reads", "writes"), [(3, 0, 1), (3, 4, 1), (3, 1, 0), (3, 1, 4)])
def test_no_quorum(nodes: int, reads: int, writes: int) -> None:
    with pytest.raises(ValueError, match="of 3 members 1 to 3 can be asked"):
        visible(lag_of(0.0), nodes, reads, writes, 0.0)
    with pytest.raises(ValueError, match=r"can be asked|no quorum"):
        slowest_work(busy(1.0), busy(1.0), 3, 4 if reads == 4 else 1, 0.0)
    assert np.isfinite(acknowledged(lag_of(0.0), 3, 2, 0.0).mean)


class Endless:
    """A lag next to saturation, of whose tail an inversion has no digits left: it never falls."""

    mean, variance, least = 1.0, 1.0, 0.0

    def tail(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1 at all times."""
        return np.ones_like(times)


# A tail that never falls ends somewhere: the answer is late without end to speak of, and no error.
def test_a_tail_without_an_end() -> None:
    found = acknowledged(cast("Latency", Endless()), 2, 2, 0.0)
    assert math.isfinite(found.mean)
    assert found.exceeds(1e3) > 0.99
