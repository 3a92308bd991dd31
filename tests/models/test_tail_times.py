from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import service_time as service
from models.latency import Latency, mixed
from models.looks import looked_at
from models.tail_times import first_times, times_of_tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.transforms import Floats

WANTED = [0.5, 0.1, 0.05, 0.01, 1e-3, 1e-4]


class Looks:
    """A law that counts how often it is looked at."""

    def __init__(self, law: Callable[[Floats], tuple[Floats, Floats]]) -> None:
        self.law, self.number = law, 0

    def __call__(self, times: Floats) -> tuple[Floats, Floats]:
        """Return what the law says."""
        self.number += 1
        return self.law(times)

    def found(self, mean: float, variance: float, wanted: list[float]) -> list[float]:
        """Return where its tail falls to what is wanted."""
        first = first_times(mean, variance)
        return times_of_tail(self, wanted, looked_at(first, *self(first)))


def exponential(times: Floats) -> tuple[Floats, Floats]:
    """Return tail and density of mean 1."""
    return np.exp(-times), np.exp(-times)


def weibull(shape: float) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return the law of a tail whose logarithm is a power of time: bent up (below 1) or down."""
    return lambda t: (np.exp(-(t**shape)), shape * t ** (shape - 1) * np.exp(-(t**shape)))


# The logarithm of an exponential tail is straight: two looks, and every digit.
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_straight(scale: float) -> None:
    looks = Looks(lambda t: (exponential(t / scale)[0], exponential(t / scale)[1] / scale))
    found = looks.found(scale, scale**2, WANTED)
    assert found == pytest.approx([-scale * math.log(p) for p in WANTED], rel=1e-12)
    assert looks.number == 2


# Bent tails: 1e-8, by as few looks as may be.
@settings(max_examples=100)
@given(st.floats(0.6, 3.0))
def test_bent(shape: float) -> None:
    looks = Looks(weibull(shape))
    mean = math.gamma(1 + 1 / shape)
    found = looks.found(mean, math.gamma(1 + 2 / shape) - mean**2, WANTED)
    assert found == pytest.approx([(-math.log(p)) ** (1 / shape) for p in WANTED], rel=1e-8)
    assert looks.number <= 4


# No answer depends on what else is wanted, to the last bit.
@settings(max_examples=40)
@given(st.floats(0.5, 3.0), st.lists(st.floats(1e-5, 0.9), min_size=1, max_size=6, unique=True))
def test_alone_or_together(shape: float, wanted: list[float]) -> None:
    looks = Looks(weibull(shape))
    together = looks.found(1.0, 1.0, wanted)
    assert [looks.found(1.0, 1.0, [one])[0] for one in wanted] == together


# Where a tail jumps over what is wanted, the time is that of the jump.
@pytest.mark.parametrize("jump", [0.02, 0.3])
def test_jump(jump: float) -> None:
    def law(times: Floats) -> tuple[Floats, Floats]:
        kept = np.where(times < 1.5, 1.0, 1 - jump)
        return kept * np.exp(-times), kept * np.exp(-times)

    looks = Looks(law)
    across = math.exp(-1.5) * (1 - jump / 2)
    assert looks.found(1.0, 1.0, [across]) == pytest.approx([1.5], rel=1e-8)


# A first guess far off only costs looks.
@pytest.mark.parametrize("off", [1e-3, 0.1, 10, 1e3])
def test_far_off(off: float) -> None:
    found = Looks(exponential).found(off, off**2 / 4, WANTED)
    assert found == pytest.approx([-math.log(p) for p in WANTED], rel=1e-8)


# A constant before a distribution much narrower than it is no reason to stop early: seen on a plateau and behind a jump.
@pytest.mark.parametrize(
    ("parts", "shift", "fraction", "exact"),
    [
        ((8.761177729186432e-05, 0.1210328628858983, 0.9), 1.0, 0.99, 1.00069093),
        ((3.5086638248310014e-05, 0.035944614197229066, 0.99), 30.0, 0.999, 30.000326),
    ],
)
def test_far_and_narrow(parts: tuple[float, float, float], shift: float, fraction: float, exact: float) -> None:
    quick, slow, often = parts
    kind = [Latency.of(service.exponential(quick)), Latency.of(service.exponential(slow))]
    near = mixed([often, 1 - often], kind)
    both = mixed([0.9, 0.1], [near, near + Latency.constant(shift)])
    found = both.percentile(fraction)
    assert found == pytest.approx(exact, abs=1e-6)
    assert both.exceeds(found) == pytest.approx(1 - fraction, rel=1e-6)


# What ends at once ends at the first moment possible, and nothing before it.
def test_at_once() -> None:
    late = Latency.constant(10.0) + mixed([0.55, 0.45], [Latency.of(service.exponential(m)) for m in (1.5e-4, 0.2347)])
    assert late.percentile(0.5) == pytest.approx(10.00035764, abs=1e-7)
    assert late.percentile(1e-9) >= late.least
    mostly = mixed([0.9, 0.1], [Latency.constant(0.0), late])
    assert mostly.percentiles([0.1, 0.9]) == [0.0, 0.0]
