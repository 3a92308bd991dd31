from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.latency import Latency, mixed
from models.looks import Looks
from models.queues import mgc_wait
from models.service_time import exponential, from_moments
from models.tail_times import first_times, times_of_tail

if TYPE_CHECKING:
    from models.transforms import Floats

WANTED = [0.5, 0.1, 0.05, 0.01, 1e-3]


def weibull(shape: float, times: Floats) -> tuple[Floats, Floats]:
    """Return tail and density of a law whose logarithm of the tail is a power of time."""
    tail = np.exp(-(times**shape))
    return tail, shape * times ** (shape - 1) * tail


def looks(shape: float, kinks: tuple[float, ...] = (), unsure: tuple[int, ...] = ()) -> Looks:
    mean = math.gamma(1 + 1 / shape)
    times = first_times(mean, math.gamma(1 + 2 / shape) - mean**2)
    sure = np.ones(len(times), dtype=bool)
    sure[list(unsure)] = False
    return Looks.at(times, *weibull(shape, times), sure, kinks)


# Where looks tell a time, it is right to 1e-6; bent tails are told nearly always.
@settings(max_examples=100)
@given(st.floats(0.6, 2.0))
def test_what_is_told_is_right(shape: float) -> None:
    told = [(p, looks(shape).between(p)) for p in WANTED]
    assert sum(time is None for _, time in told) <= 1
    for p, time in told:
        assert time is None or time == pytest.approx((-math.log(p)) ** (1 / shape), rel=1e-6)


# A straight tail is told to the last digits.
def test_straight() -> None:
    assert [looks(1.0).between(p) for p in WANTED] == pytest.approx([-math.log(p) for p in WANTED], rel=1e-12)


# Nothing is told across a kink or a doubtful look, or beyond the last one.
def test_nothing_is_told_across_what_is_not_smooth() -> None:
    assert looks(1.0, kinks=(math.log(10),)).between(0.1) is None
    assert looks(1.0).between(1e-9) is None
    doubtful = looks(1.0, unsure=tuple(range(0, 30, 2))[:8])
    assert doubtful.between(0.5) is None


# Two looks of one logarithm are a plateau, over which nothing is told.
def test_plateau() -> None:
    times = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    tails = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.05])
    flat = Looks.at(times, tails, np.full(6, 0.1), np.ones(6, dtype=bool), ())
    assert flat.between(0.3) is None


# Looks that are noise, at which the tail rises, tell nothing.
def test_noise() -> None:
    times = np.arange(1.0, 11.0)
    tails = np.array([0.9, 0.8, 0.7, 0.6, 0.3, 0.4, 0.2, 0.15, 0.1, 0.05])
    noisy = Looks.at(times, tails, np.full(10, 0.1), np.ones(10, dtype=bool), ())
    assert noisy.between(0.35) is None


# Percentiles that looks tell are those of a search to the end, whatever the response time is put together from.
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(1e-4, 1.0),
            st.sampled_from([0.1, 0.25, 0.5, 1.0, 1.4, 4.0]),
            st.sampled_from([1, 2, 4, 16]),
            st.floats(0.05, 0.95),
            st.sampled_from(["", "twice", "a hit is short", "after a constant"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_percentiles_are_those_of_a_search(parts: list[tuple[float, float, int, float, str]]) -> None:
    whole = Latency.constant(0.0)
    for mean, squared_cv, servers, load, kind in parts:
        service = from_moments(mean, squared_cv)
        one = Latency.waiting(mgc_wait(load * servers / mean, service, servers)) + Latency.of(service)
        if kind == "twice":
            one = one.times(2)
        elif kind == "a hit is short":
            one = mixed([0.8, 0.2], [Latency.of(exponential(mean / 20)), one])
        elif kind == "after a constant":
            one = Latency.constant(mean) + one
        whole = whole + one
    fractions = [1 - p for p in WANTED]
    found = whole.percentiles(fractions)
    assert whole._known is not None
    searched = times_of_tail(whole.tail_and_density, [1 - p for p in fractions], whole._known.all, whole.least)
    assert found == pytest.approx(searched, rel=1.5e-6)


# Where an inversion has not settled nothing is told: waits before constant and nearly constant services, and what follows.
def test_what_has_not_settled_is_searched() -> None:
    unsettled = 0
    for squared_cv, load, servers in ((0.0, 0.5, 1), (0.0, 0.2, 1), (0.003, 0.3, 1), (0.01, 0.8, 1), (0.05, 0.5, 2)):
        for after in (0.02, 0.2, 1.0):
            service = from_moments(1.0, squared_cv)
            queue = Latency.waiting(mgc_wait(load * servers, service, servers)) + Latency.of(service)
            whole = queue + Latency.of(exponential(after))
            fractions = [1 - p for p in WANTED]
            found = whole.percentiles(fractions)
            known = whole._known
            assert known is not None
            unsettled += len(known.all) > max(map(len, known.smooth), default=0) + 2
            searched = times_of_tail(whole.tail_and_density, [1 - p for p in fractions], known.all, whole.least)
            assert found == pytest.approx(searched, rel=2e-6)
    assert unsettled > 3


# A jump in the middle, by whom no time is spent but a constant one: percentiles on both sides of it, and on it.
@pytest.mark.parametrize(("share", "constant"), [(1e-5, 4.5), (1e-4, 8.25), (3e-4, 5.75), (0.05, 3.0)])
def test_next_to_a_jump(share: float, constant: float) -> None:
    service = from_moments(1.0, 0.5)
    queue = Latency.waiting(mgc_wait(0.6, service, 1)) + Latency.of(service)
    whole = mixed([1 - share, share], [queue, Latency.constant(constant)])
    before, after = (float(whole.tail(np.array([constant * (1 + e)]))[0]) for e in (-1e-9, 1e-9))
    assert before - after == pytest.approx(share, rel=1e-3)
    for tail in (2 * before, 1.01 * before, (before + after) / 2, 0.99 * after, after / 2):
        if tail >= 0.9:
            continue
        low, high = 1e-3, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if whole.tail(np.array([middle]))[0] > tail else (low, middle)
        assert whole.percentile(1 - tail) == pytest.approx(low, rel=2e-5 if after < tail < before else 3e-6)
