from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retries import metastable_from, tipping_outage

property_test = settings(max_examples=40)

shares = st.floats(0.01, 0.99)
"""Where a load lies between the one from which retries alone keep a station down (0) and its capacity (1)."""


def load_at(share: float, retries: int) -> float:
    least = metastable_from(1.0, retries)
    return least + share * (1 - least)


def tipping(load: float, retries: int) -> float:
    outage = tipping_outage(load, 1.0, 1.0, retries)
    assert outage is not None
    return outage


def stays_down(outage: float, load: float, retries: int) -> bool:
    """Follow the fluid in steps of a thousandth of the timeout: how many retries came with each step is remembered."""
    step, steps = 1e-3, 1000
    wait, again, late = outage, [0] * steps, 0
    for i in range(1000 * steps):
        wait += (load * (1 + again[i % steps]) - 1) * step
        again[i % steps] = min(retries, again[i % steps] + 1) if wait >= 1 else 0
        late = late + 1 if wait >= 1 else 0
        if late > (retries + 2) * steps:
            return True
        if not any(again):
            return False
    raise AssertionError("neither up nor down")


# Where every try times out a station gets each request 1 + retries times, and then exactly what it can do.
@pytest.mark.parametrize(("retries", "rate"), [(0, 600.0), (1, 300.0), (2, 200.0), (5, 100.0)])
def test_metastable_from(retries: int, rate: float) -> None:
    assert metastable_from(600.0, retries) == pytest.approx(rate, rel=1e-15)


# What all retries together leave room for recovers from any outage; what cannot be carried needs none.
@pytest.mark.parametrize(
    ("rate", "retries", "outage"),
    [
        (30.0, 1, None),
        (50.0, 1, None),
        (33.0, 2, None),
        (99.0, 0, None),
        (100.0, 0, 0.0),
        (100.0, 1, 0.0),
        (120.0, 3, 0.0),
    ],
)
def test_never_and_always(rate: float, retries: int, outage: float | None) -> None:
    assert tipping_outage(rate, 100.0, 2.0, retries) == outage


# One retry, by hand. Tries fail for s timeouts; when their retries set in, one timeout after the first failure, the wait
# has been falling by 1 - load for 1 - s; it rises with 2 load - 1, gets over the timeout after u, rises on until s, and
# falls back: a second such time of load (s - u) / (1 - load). At the edge both are as long; the outage makes the first.
@property_test
@given(st.floats(0.501, 0.999))
def test_one_retry(load: float) -> None:
    by_hand = 1 + load * (1 - load) ** 2 / (1 - 3 * load * (1 - load))
    assert tipping(load, 1) == pytest.approx(by_hand, rel=1e-10)


# Just above the load at which retries alone keep it down, the backlog shrinks until all retries have set in: one after
# the other, each timeout takes off what is left of the capacity.
@pytest.mark.parametrize("retries", [1, 2, 3, 10, 100])
def test_barely_metastable(retries: int) -> None:
    assert tipping(metastable_from(1.0, retries) * (1 + 1e-9), retries) == pytest.approx(1 + retries / 2, rel=1e-8)


# Against the same fluid followed in small steps: 1 % less and it recovers, 1 % more and it does not.
@pytest.mark.parametrize(
    ("load", "retries"), [(0.9, 1), (0.55, 1), (0.7, 2), (0.4, 2), (0.9, 3), (0.3, 5), (0.22, 4), (0.1, 20), (0.6, 20)]
)
def test_in_small_steps(load: float, retries: int) -> None:
    outage = tipping(load, retries)
    assert not stays_down(outage * 0.99, load, retries)
    assert stays_down(outage * 1.01, load, retries)


# At least the timeout, or nothing would be given up; at most what keeps the wait above it until the backlog grows.
@property_test
@given(shares, st.integers(1, 30))
def test_bounds(share: float, retries: int) -> None:
    load = load_at(share, retries)
    growing = math.ceil(1 / load) - 1
    outage = tipping(load, retries)
    assert 1 < outage <= 1 + growing - load * growing * (growing + 1) / 2


# More load or more retries never take a longer outage.
@property_test
@given(shares, shares, st.integers(1, 12))
def test_monotone(share: float, other: float, retries: int) -> None:
    low, high = sorted(load_at(s, retries) for s in (share, other))
    assert tipping(high, retries) <= tipping(low, retries) * (1 + 1e-10)
    assert tipping(low, retries + 1) <= tipping(low, retries) * (1 + 1e-10)


# Neither the unit of time matters nor the size of the station.
@property_test
@given(shares, st.integers(1, 8), st.floats(1e-3, 1e3), st.floats(1, 1e6))
def test_units_do_not_matter(share: float, retries: int, timeout: float, capacity: float) -> None:
    load = load_at(share, retries)
    outage = tipping_outage(load * capacity, capacity, timeout, retries)
    assert outage == pytest.approx(tipping(load, retries) * timeout, rel=1e-9)
