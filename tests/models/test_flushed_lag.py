from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.flush_chain import MOST_PLACES, Flushes, left_at_flush
from models.flushed_lag import FlushedLag
from models.flushes import Flushed, excess_at_ticks
from models.replica_lag import replica_lag
from models.service_time import exponential, from_moments
from models.stations import mmc
from models.transforms import Points

if TYPE_CHECKING:
    from models.latency import Latency

property_test = settings(max_examples=10)

CASES = [(0.3, 0.5, 1.0, 3), (0.5, 10.0, 1.0, 3), (0.7, 2.0, 1.0, 8), (0.8, 100.0, 1.0, 8), (0.6, 5.0, 3.0, 4), (0.5, 0.2, 1.0, 1)]  # fmt: skip


def flushes(load: float, arrivals: float, size: float, appliers: int) -> Flushes:
    """Return flushes of so many writes each, to appliers that take 1 s for one."""
    rate = load * appliers
    return Flushes(arrivals / rate, rate / size, size, 1.0, appliers)


def stepped(given: Flushes) -> np.ndarray:
    """Return the numbers before a flush by the matrix of every move from one to the next: deaths by small steps."""
    most, c = given.top + given.rest, given.appliers
    missing = given.missing()
    come = np.fft.irfft(np.exp(given.interval * given.coming(missing)))[: given.most]
    states = most + len(come)
    # The exponential of the generator: Taylor's series over 1/2^k of the interval, squared k times.
    halvings = max(0, math.ceil(math.log2(c * given.interval))) + 4
    step = given.interval / 2.0**halvings
    move = np.eye(states)
    rates = step * np.minimum(np.arange(states), c)
    term = np.eye(states)
    for k in range(1, 20):
        shifted = np.zeros_like(term)
        shifted[:, :-1] = term[:, 1:] * rates[1:]
        term = (shifted - term * rates) / k
        move += term
    for _ in range(halvings):
        move = move @ move
    whole = np.zeros((most, states))
    for n in range(most):
        whole[n] = come @ move[n : n + len(come)]
    whole[:, most - 1] += whole[:, most:].sum(axis=1)
    equations = whole[:, :most].T - np.eye(most)
    equations[0] = 1.0
    found: np.ndarray = np.linalg.solve(equations, np.eye(most)[0])
    return found


# What is left at a flush, against the whole matrix of moves: 1e-12.
@pytest.mark.parametrize(("load", "arrivals", "size", "appliers"), CASES)
def test_left_at_flush(load: float, arrivals: float, size: float, appliers: int) -> None:
    given = flushes(load, arrivals, size, appliers)
    left = left_at_flush(given)
    exact = stepped(given)
    assert np.abs(left.shares - exact[: len(left.shares)]).max() < 1e-12
    assert math.fsum(left.shares[:-1].tolist()) + left.shares[-1] / (1 - left.ratio) == pytest.approx(1, abs=1e-12)


# Where many are applied between two flushes a few values tell the rest: the same as all of them do.
def test_sampled_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    given = flushes(0.9, 300.0, 1.0, 4)
    few = left_at_flush(given)
    monkeypatch.setattr("models.flush_chain._NODES", 10_000)
    assert np.abs(few.shares - left_at_flush(given).shares).max() < 1e-11


# Tail, density, moments and transform are of one distribution.
@pytest.mark.parametrize(("load", "arrivals", "size", "appliers"), CASES)
def test_one_distribution(load: float, arrivals: float, size: float, appliers: int) -> None:
    given = flushes(load, arrivals, size, appliers)
    lag = FlushedLag(given, exponential(1.0))
    d, end = given.interval, lag.mean + 18 * math.sqrt(lag.variance)
    times = np.concatenate([np.linspace(0, d, 601)[1:], np.linspace(d, end, 1501)[1:]])
    known = [lag.tail_at(np.array([t])) for t in times.tolist()]
    tail = np.array([k[0][0] for k in known if k])
    density = np.array([k[1][0] for k in known if k])
    assert (np.diff(tail) < 1e-12).all()
    whole = np.concatenate([np.ones(1), tail])
    at = np.concatenate([np.zeros(1), times])
    assert np.trapezoid(whole, at) == pytest.approx(lag.mean, rel=1e-4)
    second = np.trapezoid(2 * at * whole, at)
    assert second - lag.mean**2 == pytest.approx(lag.variance, rel=1e-3)
    assert np.trapezoid(density, times) == pytest.approx(tail[0] - tail[-1], abs=1e-3)
    for s in (0.1 / lag.mean, 2 / lag.mean):
        found = lag.at(Points(np.array([s + 0j])))[0]
        assert found == pytest.approx(1 - s * np.trapezoid(np.exp(-s * at) * whole, at), abs=1e-4)


# Flushes all the time are none: M/M/c.
def test_often() -> None:
    lag = replica_lag(2.1, exponential(1.0), flush_interval=0.01, appliers=3)
    plain = mmc(2.1, 1.0, 3)
    assert lag.exact
    assert lag.applied.mean == pytest.approx(plain.response_mean + 0.005, rel=1e-3)
    assert lag.applied.percentile(0.99) == pytest.approx(plain.response_percentile(0.99), rel=2e-3)


# One applier: Spitzer's sum and the transform of what comes before in the flush, which share nothing with the chain.
@pytest.mark.parametrize("load", [0.3, 0.8, 0.97])
@pytest.mark.parametrize("arrivals", [0.2, 3.0, 50.0, 1000.0])
def test_one_applier(load: float, arrivals: float) -> None:
    given = flushes(load, arrivals, 1.0, 1)
    lag = FlushedLag(given, exponential(1.0))
    left = excess_at_ticks(load, exponential(1.0), given.interval) * load / (1 - load)
    apart = Flushed(given.interval, load, exponential(1.0)).mean + left + 1
    assert lag.mean == pytest.approx(apart, rel=1e-4)


# Near saturation what is left is the sum over very many flushes, long ones too: as the chain has it.
def test_excess_of_many_long_flushes() -> None:
    for arrivals in (30.0, 1000.0):
        given = flushes(0.997, arrivals, 1.0, 1)
        exact = FlushedLag(given, exponential(1.0)).mean
        left = excess_at_ticks(0.997, exponential(1.0), given.interval) * 0.997 / 0.003
        assert Flushed(given.interval, 0.997, exponential(1.0)).mean + left + 1 == pytest.approx(exact, rel=1e-4)


# Where flushes are too large to count, the fluid goes on where the chain ends: mean 1 %, P99 2 %.
@pytest.mark.parametrize("appliers", [2, 8, 32])
@pytest.mark.parametrize("load", [0.5, 0.9, 0.99])
def test_fluid(load: float, appliers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    interval = 4000.0 / (load * appliers)
    exact = replica_lag(load * appliers, exponential(1.0), flush_interval=interval, appliers=appliers)
    monkeypatch.setattr("models.replica_lag.MOST_PLACES", 0)
    fluid = replica_lag(load * appliers, exponential(1.0), flush_interval=interval, appliers=appliers)
    assert exact.exact
    assert not fluid.exact
    assert fluid.applied.mean == pytest.approx(exact.applied.mean, rel=0.01)
    assert fluid.applied.percentile(0.99) == pytest.approx(exact.applied.percentile(0.99), rel=0.02)


# Any flushes: a proper distribution, no shorter than its flush and its apply, and longer with more load.
@property_test
@given(st.floats(0.01, 0.95), st.floats(1e-3, 60), st.sampled_from([1.0, 2.0]), st.sampled_from([1, 2, 5, 20]), st.sampled_from([0.0, 0.3, 1.0, 3.0]))  # fmt: skip
def test_any_flushes(load: float, arrivals: float, size: float, appliers: int, squared_cv: float) -> None:
    interval = arrivals / (load * appliers)

    def lag(rate: float) -> Latency:
        return replica_lag(
            rate, from_moments(1.0, squared_cv), flush_interval=interval, appliers=appliers, batch=size
        ).applied

    found = lag(load * appliers)
    assert found.mean >= (interval / 2 + 1) * (1 - 1e-9)
    p50, p99 = found.percentiles([0.5, 0.99])
    assert 0 < p50 < p99 < math.inf
    assert lag((load + 1) / 2 * appliers).mean >= found.mean * (1 - 1e-3)


# Flushes that are too many, too large or too much for so many appliers are not told apart.
def test_too_many() -> None:
    assert not flushes(0.5, 1e6, 1.0, 4).is_within(MOST_PLACES)
    assert not flushes(0.99999, 1.0, 1.0, 4).is_within(MOST_PLACES)
    assert not flushes(0.5, 1.0, 1.0, 500).is_within(MOST_PLACES)
    assert flushes(0.5, 1.0, 1.0, 4).is_within(MOST_PLACES)
