from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import erlang_b, erlang_c
from models.queues import MMc
from models.staffing import (
    load_for_blocking,
    load_for_utilization,
    load_for_wait,
    load_for_wait_mean,
    load_for_wait_percentile,
    servers_for_blocking,
    servers_for_utilization,
    servers_for_wait,
    servers_for_wait_mean,
    servers_for_wait_percentile,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CLAIM = 1e-12
"""The relative error that the module promises for a load."""

property_test = settings(max_examples=100)
loads = st.floats(-3, 6).map(lambda exponent: 10**exponent)
small = st.floats(-250, -0.05).map(lambda exponent: 10**exponent)


def exact(servers: int, load: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return Erlang B and C: below saturation from the series above c, beyond it from the one below c, all positive."""
    if load > servers:
        term, inverse, k = mpmath.mpf(1), mpmath.mpf(1), servers
        while k and term > mpmath.mpf(10) ** -45:
            term *= k / load
            inverse += term
            k -= 1
        return 1 / inverse, mpmath.nan
    term, above, n = mpmath.mpf(1), mpmath.mpf(0), 1
    while term > above * mpmath.mpf(10) ** -45:
        term *= load / (servers + n)
        above += term
        n += 1
    probability = mpmath.exp(servers * mpmath.log(load) - load - mpmath.loggamma(servers + 1))
    blocking = probability / (1 - probability * above)
    return blocking, servers * blocking / ((servers - load) + load * blocking)


def distance(excess: Callable[[mpmath.mpf], mpmath.mpf], load: float) -> mpmath.mpf:
    """Return how far, relatively, the root of an increasing function is from here: one Newton step at 50 digits."""
    value = mpmath.mpf(load)
    return abs(excess(value) / (value * mpmath.diff(excess, value, h=value * mpmath.mpf(10) ** -20)))


# The fewest servers for a target are enough, and one fewer is not: for loss, wait, utilization, mean and percentile.
@property_test
@given(loads, small, st.floats(0.01, 10))
def test_fewest_servers(load: float, target: float, wait: float) -> None:
    def late(c: int) -> float:
        return erlang_c(c, load) * math.exp(-(c - load) * wait)

    share = min(target * 1e3, 0.99)
    checks: list[tuple[int, Callable[[int], float], float, float]] = [
        (servers_for_blocking(load, target), lambda c: erlang_b(c, load), target, -1.0),
        (servers_for_wait(load, target), lambda c: erlang_c(c, load), target, load),
        (servers_for_wait_mean(load, target), lambda c: erlang_c(c, load) / (c - load), target, load),
        (servers_for_wait_percentile(load, wait, target), late, target, load),
        (servers_for_utilization(load, share), lambda c: load / c, share, 0.0),
    ]
    for servers, value, wanted, unstable in checks:
        # The comparison is made on logarithms, whose error is 1e-12 of the probability's own size.
        margin = 1 + 1e-11
        assert value(servers) <= wanted * margin
        assert servers - 1 <= unstable or value(servers - 1) > wanted / margin


# The largest load, put back, gives the target; against 50 digits it holds twelve, deep in the tails as well.
@pytest.mark.parametrize("servers", [1, 10, 512, 513, 5_000, 1_000_000])
@pytest.mark.parametrize("target", [0.3, 0.01, 1e-100, 1e-290])
def test_largest_load_holds_twelve_digits(servers: int, target: float) -> None:
    with mpmath.workdps(50):
        goal = mpmath.log(mpmath.mpf(target))
        late = target / 2
        goal_late = mpmath.log(mpmath.mpf(late))
        found = [
            (load_for_blocking(servers, target), lambda a: mpmath.log(exact(servers, a)[0]) - goal),
            (load_for_wait(servers, target), lambda a: mpmath.log(exact(servers, a)[1]) - goal),
            (load_for_wait_mean(servers, target), lambda a: mpmath.log(exact(servers, a)[1] / (servers - a)) - goal),
            (
                load_for_wait_percentile(servers, 0.25, late),
                lambda a: mpmath.log(exact(servers, a)[1]) - (servers - a) / 4 - goal_late,
            ),
        ]
        for load, excess in found:
            assert distance(excess, load) < CLAIM


# Load and servers are inverse to each other: the largest load that c servers bear asks for c servers.
@property_test
@given(st.integers(1, 100_000), small, st.floats(0.01, 10))
def test_there_and_back(servers: int, target: float, wait: float) -> None:
    # One part in 1e11 less, as the root itself may fall on either side of the border.
    less = 1 - 1e-11
    assert servers_for_blocking(load_for_blocking(servers, target) * less, target) == servers
    assert servers_for_wait(load_for_wait(servers, target) * less, target) <= servers
    assert servers_for_wait_mean(load_for_wait_mean(servers, target) * less, target) <= servers
    assert servers_for_wait_percentile(load_for_wait_percentile(servers, wait, target) * less, wait, target) <= servers


# What is asked for is what the queue itself says.
def test_against_the_queue() -> None:
    load = load_for_wait_mean(16, 0.2)
    assert MMc(load, 1.0, 16).wait_mean == pytest.approx(0.2, rel=CLAIM)
    load = load_for_wait_percentile(16, 0.7, 0.01)
    assert MMc(load, 1.0, 16).wait_percentile(0.99) == pytest.approx(0.7, rel=1e-11)
    assert load_for_utilization(16, 0.75) == 12
    assert servers_for_utilization(12.0, 0.75) == 16


# A wish that any load short of saturation meets is answered by the last load below saturation.
def test_short_of_saturation() -> None:
    assert 49.999 < load_for_wait(50, 1 - 1e-6) < 50
    assert load_for_wait_mean(3, 1e300) == math.nextafter(3.0, 0)


# Without load one server is enough, and none is needed where loss is no loss.
def test_no_load() -> None:
    assert servers_for_wait(0.0, 0.1) == 1
    assert servers_for_wait_mean(0.0, 0.1) == 1
    assert servers_for_blocking(0.0, 1.0) == 0
    assert servers_for_blocking(0.0, 0.5) == 1


# Loads, targets and servers without a meaning are refused.
def test_senseless_input_is_refused() -> None:
    for load in (-1.0, float("nan"), float("inf")):
        for function in (servers_for_blocking, servers_for_wait, servers_for_utilization, servers_for_wait_mean):
            with pytest.raises(ValueError, match="finite number of erlangs"):
                function(load, 0.1)
    for target in (0.0, -0.5, 1.5, float("nan")):
        for function in (servers_for_blocking, servers_for_wait):
            with pytest.raises(ValueError, match="probability lies in"):
                function(10.0, target)
        for inverse in (load_for_blocking, load_for_wait):
            with pytest.raises(ValueError, match="probability lies in"):
                inverse(10, target)
    for inverse in (load_for_blocking, load_for_wait):
        with pytest.raises(ValueError, match="every load"):
            inverse(10, 1.0)
        with pytest.raises(ValueError, match="at least one"):
            inverse(0, 0.5)
    for utilization in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="utilization"):
            servers_for_utilization(3.0, utilization)
        with pytest.raises(ValueError, match="utilization"):
            load_for_utilization(3, utilization)
    with pytest.raises(ValueError, match="mean wait"):
        servers_for_wait_mean(3.0, 0.0)
    with pytest.raises(ValueError, match="a wait"):
        load_for_wait_percentile(3, -1.0, 0.1)
