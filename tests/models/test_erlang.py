from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.erlang import (
    UnstableQueueError,
    erlang_b,
    erlang_c,
    log_erlang_b,
    log_erlang_c,
)
from tests.cases import expected, queue_case

if TYPE_CHECKING:
    from types import FrameType

CLAIM = 1e-12
"""The relative error that the module promises; 2.3e-13 is the largest seen."""

SERVERS = [1, 2, 5, 64, 128, 512, 513, 1_000, 10_000, 100_000, 1_000_000]
UTILIZATIONS = [1e-6, 1e-3, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 0.99999, 1 - 1e-9]

property_test = settings(max_examples=150)


def reference(servers: int, offered_load: float) -> tuple[Any, Any]:
    """Return Erlang B and C to 35 digits and more: the Poisson probability of c over that of at most c.

    The latter is the incomplete gamma function, as 1 less its series over the counts above c.
    """
    with mpmath.workdps(50):
        load, term, above, n = mpmath.mpf(offered_load), mpmath.mpf(1), mpmath.mpf(0), 1
        while term > above * mpmath.mpf(10) ** -45:
            term *= load / (servers + n)
            above += term
            n += 1
        probability = mpmath.exp(servers * mpmath.log(load) - load - mpmath.loggamma(servers + 1))
        blocking = probability / (1 - probability * above)
        return blocking, servers * blocking / ((servers - load) + load * blocking)


def by_recursion(servers: int, offered_load: float) -> Any:
    with mpmath.workdps(50):
        blocking = mpmath.mpf(1)
        for k in range(1, servers + 1):
            blocking = offered_load * blocking / (k + offered_load * blocking)
        return blocking


def assert_agrees(value: float, logarithm: float, true: Any) -> None:
    """Compare the probability, or its logarithm where the true one is too small for a double's precision."""
    if true > 1e-300:
        assert abs(value / true - 1) < CLAIM
    with mpmath.workdps(30):
        # Near a probability of 1 the logarithm is close to 0 and has the probability's absolute error instead.
        assert abs(logarithm - mpmath.log(true)) < CLAIM * (1 + abs(mpmath.log(true)))


# Erlang B and C hold twelve digits against 50-digit arithmetic, from one to a million servers and at any utilization.
@pytest.mark.parametrize("servers", SERVERS)
@pytest.mark.parametrize("utilization", UTILIZATIONS)
def test_twelve_digits_on_the_grid(servers: int, utilization: float) -> None:
    load = utilization * servers
    blocking, waiting = reference(servers, load)
    assert_agrees(erlang_b(servers, load), log_erlang_b(servers, load), blocking)
    assert_agrees(erlang_c(servers, load), log_erlang_c(servers, load), waiting)


# The same between the points of the grid, also across the borders where the method changes.
@property_test
@given(st.integers(1, 3000), st.floats(-6, 0, exclude_max=True) | st.floats(-0.5, 0, exclude_max=True))
def test_twelve_digits_anywhere(servers: int, exponent: float) -> None:
    load = servers * 10**exponent
    assume(load < servers)
    blocking, waiting = reference(servers, load)
    assert_agrees(erlang_b(servers, load), log_erlang_b(servers, load), blocking)
    assert_agrees(erlang_c(servers, load), log_erlang_c(servers, load), waiting)


# Erlang B holds twelve digits above saturation too, where it is no queue but still a loss system.
@property_test
@given(st.integers(0, 1000), st.floats(1, 1000))
def test_twelve_digits_above_saturation(servers: int, excess: float) -> None:
    load = (servers + 1) * excess
    assert abs(erlang_b(servers, load) / by_recursion(servers, load) - 1) < CLAIM


# The published 60-digit values, computed with somebody else's recursion, are met to their tolerance of 1e-12.
@pytest.mark.parametrize(
    "name", ["c1-rho0.9999", "c100-rho0.9999", "c1000-rho0.9999", "c10000-rho0.9", "c1000000-rho0.999999"]
)
def test_published_high_precision(name: str) -> None:
    case = queue_case(f"mp-erlang-{name}")
    servers, load = case["c"], float(case["lambda"])
    for metric, value in (("Erlang B", erlang_b(servers, load)), ("Erlang C", erlang_c(servers, load))):
        assert abs(value / mpmath.mpf(case["expected"][metric]["value"]) - 1) < CLAIM


# Published values to their printed digits: call centres, Netflix' staffing, loads beyond 709 erlangs where exp overflows.
@pytest.mark.parametrize(
    ("servers", "load", "waiting", "digit"),
    [
        (14, 10, 0.17413193359504991, 1e-14),  # pyworkforce, README
        (132, 123, expected("callcentre-123-132", "C"), 5e-5),
        (12421, 12345, expected("callcentre-12345-12421", "C"), 5e-5),
        (16, 10, 0.0573, 5e-5),  # Netflix, beta 1.761
        (118, 100, 0.0516, 5e-5),
        (1056, 1000, 0.0492, 5e-5),
        (745, 710, 0.128649, 5e-7),
        (756, 720, 0.121793, 5e-7),
        (840, 800, 0.105336, 5e-7),
    ],
)
def test_published_waiting(servers: int, load: float, waiting: float, digit: float) -> None:
    assert erlang_c(servers, load) == pytest.approx(waiting, abs=digit)


# A published loss probability to its printed digits.
def test_published_blocking() -> None:
    assert erlang_b(132, 123) == pytest.approx(expected("callcentre-123-132", "B"), abs=5e-5)


# The utilization at which 30 % of arrivals wait, as published to three or four digits: more servers, less headroom.
@pytest.mark.parametrize(
    ("servers", "headroom", "digit"),
    [
        (1, 0.700, 5e-4),
        (2, 0.5305, 5e-5),
        (4, 0.390, 5e-4),
        (8, 0.282, 5e-4),
        (16, 0.2022, 5e-5),
        (32, 0.1442, 5e-5),
        (64, 0.1025, 5e-5),
        (128, 0.0727, 5e-5),
    ],
)
def test_published_headroom(servers: int, headroom: float, digit: float) -> None:
    below, above = servers * (1 - headroom - digit), servers * (1 - headroom + digit)
    assert erlang_c(servers, below) < 0.30 < erlang_c(servers, above)


# More load or fewer servers make both loss and waiting more likely, and a wait is more likely than a loss.
@property_test
@given(st.integers(1, 5000), st.floats(0.3, 0.999), st.floats(1e-6, 0.5))
def test_monotone(servers: int, utilization: float, more: float) -> None:
    load = servers * utilization
    assume(erlang_b(servers, load) > 1e-300)
    greater = load + more * (servers - load)
    assert erlang_b(servers + 1, load) < erlang_b(servers, load) < erlang_b(servers, greater)
    assert erlang_c(servers + 1, load) < erlang_c(servers, load) < erlang_c(servers, greater) < 1
    assert erlang_b(servers, load) < erlang_c(servers, load)


# The work does not grow with the servers: as few lines run for a million as for ten thousand.
@pytest.mark.parametrize("servers", [10_000, 1_000_000])
@pytest.mark.parametrize("utilization", [0.5, 0.9, 0.99, 0.999, 1 - 1e-9])
def test_work_does_not_grow(servers: int, utilization: float) -> None:
    lines = [0]

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        lines[0] += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        erlang_c(servers, servers * utilization)
    finally:
        sys.settrace(before)
    assert 0 < lines[0] < 400


# A queue that cannot keep up says by how many servers' worth of work it is short.
def test_unstable_says_how_short() -> None:
    with pytest.raises(UnstableQueueError, match=r"13 erlangs offered to 10 servers") as error:
        erlang_c(10, 13.0)
    assert error.value.short == 3
    with pytest.raises(UnstableQueueError) as error:
        log_erlang_c(10, 10.0)
    assert error.value.short == 0


# Arrays broadcast against each other and give what the scalars give, to the claimed digits; scalars stay scalars.
def test_arrays_broadcast() -> None:
    servers, loads = np.array([[1], [200], [5000]]), np.array([0.1, 0.5, 0.9])
    for function in (erlang_b, erlang_c):
        table = function(servers, loads)
        assert isinstance(table, np.ndarray)
        assert table.shape == (3, 3)
        single = [[function(int(c), float(a)) for a in loads] for c in servers[:, 0]]
        np.testing.assert_allclose(table, single, rtol=CLAIM, atol=0)
    assert isinstance(erlang_b(np.int64(3), np.float64(2.0)), float)
    assert np.shape(erlang_c(np.array([], dtype=int), 1.0)) == (0,)


# Ten thousand queues at once, of every size and load, hold the digits of the single ones.
def test_many_at_once() -> None:
    draws = np.random.default_rng(6)
    servers = np.round(10 ** draws.uniform(0, 6, 10_000))
    loads = servers * np.where(
        draws.random(10_000) < 0.5, draws.uniform(0, 1, 10_000), 1 - 10 ** draws.uniform(-9, 0, 10_000)
    )
    tables = (erlang_b(servers, loads), erlang_c(servers, loads))
    for i in range(0, 10_000, 50):
        c, a = int(servers[i]), float(loads[i])
        for table, single in zip(tables, (erlang_b(c, a), erlang_c(c, a)), strict=True):
            assert isinstance(table, np.ndarray)
            if single > 1e-300:
                assert table[i] == pytest.approx(single, rel=2 * CLAIM, abs=0)


# An array with one queue that cannot keep up, or one senseless number, is refused with what is wrong.
def test_arrays_are_checked() -> None:
    with pytest.raises(UnstableQueueError, match="13 erlangs offered to 10 servers"):
        erlang_c([20, 10], 13.0)
    with pytest.raises(ValueError, match="finite number of erlangs"):
        erlang_b([3, 4], [1.0, float("nan")])


# Without load nothing is lost and nobody waits; without servers all is lost.
def test_limits() -> None:
    assert erlang_b(5, 0.0) == 0
    assert erlang_c(5, 0.0) == 0
    assert erlang_b(0, 3.0) == 1


# The logarithm stays exact where the probability has long underflowed: for one and two servers it is known.
@pytest.mark.parametrize("load", [1e-295, 1e-200, 1e-300])
def test_logarithm_of_next_to_nothing(load: float) -> None:
    for servers, factorial in ((1, 1), (2, 2), (5, 120)):
        with mpmath.workdps(40):
            exact = servers * mpmath.log(load) - mpmath.log(factorial)
            assert abs(log_erlang_b(servers, load) / exact - 1) < CLAIM


# Input without a meaning is refused instead of answered.
@pytest.mark.parametrize(
    ("servers", "load"),
    [
        (-1, 1.0),
        (3, -0.1),
        (3, float("nan")),
        (3, float("inf")),
        (2.5, 1.0),
        (float("nan"), 1.0),
        (float("inf"), 1.0),
    ],
)
def test_senseless_input_is_refused(servers: float, load: float) -> None:
    for function in (erlang_b, erlang_c):
        with pytest.raises(ValueError, match=r"server|erlangs"):
            function(servers, load)


# So are a queue without servers and the logarithm of nothing.
def test_senseless_queues_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one server"):
        erlang_c(0, 0.0)
    with pytest.raises(ValueError, match="at least one server"):
        log_erlang_c(0, 0.0)
    with pytest.raises(ValueError, match="logarithm"):
        log_erlang_b(3, 0.0)
