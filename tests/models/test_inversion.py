from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import mpmath
import numpy as np
import pytest

from models.inversion import tail_and_density
from models.queues import mgc_wait
from models.service_time import ServiceTime, erlang, exponential, from_moments
from models.transforms import Points, Repeated, Sum, Transform

if TYPE_CHECKING:
    from models.transforms import Complexes, Floats


def gamma_tail(phases: int, times: Floats) -> Floats:
    """Return the exact tail of an Erlang distribution of mean 1."""
    return np.array([float(mpmath.gammainc(phases, phases * t, regularized=True)) for t in times.tolist()])


# The tail of Erlang distributions is exact to 1e-8 where smooth, to 1.2e-5 where sharp, and the density with it.
@pytest.mark.parametrize(
    ("phases", "accuracy"), [(2, 1e-8), (5, 1e-8), (20, 3e-7), (100, 2e-7), (200, 1.2e-5), (400, 1e-6)]
)
def test_erlang(phases: int, accuracy: float) -> None:
    times = np.linspace(0.01, 4.0, 200)
    tail, density = tail_and_density(erlang(phases, 1.0), times)
    assert tail == pytest.approx(gamma_tail(phases, times), abs=accuracy)
    exact = [
        float(phases * mpmath.exp((phases - 1) * mpmath.log(phases * t) - phases * t - mpmath.loggamma(phases)))
        for t in times.tolist()
    ]
    # A density of a narrow distribution is high, and as much less precise.
    assert density == pytest.approx(np.array(exact), abs=100 * accuracy)


# What is far from 0 and sharp is resolved as well as what is near: a sum of many parts is Erlang, or at last normal.
@pytest.mark.parametrize(
    ("copies", "accuracy"), [(4, 1e-6), (10, 1e-6), (25, 1e-6), (50, 1e-6), (100, 1e-3), (2500, 1e-3)]
)
def test_far_and_sharp(copies: int, accuracy: float) -> None:
    phases = 400 * copies
    times = 1 + np.linspace(-6, 6, 121) / np.sqrt(phases)
    found, density = tail_and_density(Repeated(erlang(400, 1 / copies), copies), times)
    assert found == pytest.approx(gamma_tail(phases, times), abs=accuracy)
    assert density.max() == pytest.approx(np.sqrt(phases / (2 * np.pi)), rel=1e-3)
    before, none = tail_and_density(Repeated(erlang(400, 1 / copies), copies), np.array([1e-9, 0.5]))
    assert before.tolist() == [1, 1]
    assert none == pytest.approx([0, 0], abs=1e-9)


# What knows its own tail is not inverted: exponentials are exact far into the tail.
def test_known_tails_are_exact() -> None:
    times = np.array([1e-9, 1.0, 100.0, 500.0])
    tail, density = tail_and_density(exponential(1.0), times)
    assert tail == pytest.approx(np.exp(-times), rel=1e-14)
    assert density == pytest.approx(np.exp(-times), rel=1e-14)
    wait = mgc_wait(0.8, exponential(1.0), 1)
    assert tail_and_density(wait, times)[0] == pytest.approx(0.8 * np.exp(-0.2 * times), rel=1e-12)
    mixed = from_moments(1.0, 9.0)
    exact = sum(w * np.exp(-rate * times) for w, _, rate in mixed.phases)
    assert tail_and_density(mixed, times)[0] == pytest.approx(exact, rel=1e-14)


# At a kink the tail is off by up to 1.1e-4, and no farther: the wait of M/D/1 around one service time.
@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5, 0.9])
def test_kink(rho: float) -> None:
    wait = mgc_wait(rho, ServiceTime((), ((1.0, 1.0),)), 1)
    times = np.linspace(0.8, 1.2, 101)
    after = (rho * np.maximum(times - 1, 0)) * np.exp(rho * (times - 1))
    exact = 1 - (1 - rho) * (np.exp(rho * times) - after)
    assert tail_and_density(wait, times)[0] == pytest.approx(exact, abs=1.1e-4)


class Counted(Transform):
    """A duration that notes at how many points it was asked."""

    def __init__(self, part: Transform) -> None:
        self.part, self.mean, self.variance, self.points = part, part.mean, part.variance, 0

    def at(self, points: Points) -> Complexes:
        """Return the part's."""
        self.points += points.s.size
        return points.value(self.part)


# Only what does not settle is asked for at more points: smooth times take 29 each, a kink 911 next to it.
def test_more_points_where_they_are_needed() -> None:
    times = np.array([0.5, 1.0, 3.0])
    for squared_cv in (0.5, 1.5, 4.0):
        smooth = Counted(Sum((mgc_wait(0.8, from_moments(1.0, squared_cv), 1), from_moments(1.0, squared_cv))))
        tail_and_density(smooth, times)
        assert smooth.points == 29 * 3
    kink = Counted(mgc_wait(0.5, ServiceTime((), ((1.0, 1.0),)), 1))
    tail_and_density(kink, times)
    assert 29 * 3 + 71 + 239 + 911 <= kink.points < 29 * 3 + 3 * (71 + 239 + 911)


# So is it where a nearly constant part disappears in a broad sum; the reference adds up small steps, to 1e-7.
def test_sharp_part_in_a_broad_sum() -> None:
    step = 1e-3
    grid: Floats = np.array([i * step for i in range(3001)])
    on_grid, decay = gamma_tail(50, grid), np.exp(-step / 0.3)
    later, exact = 0.0, []
    for before, after in pairwise(on_grid.tolist()):
        later = later * decay + (before - after) * np.sqrt(decay)
        exact.append(later + after)
    found, _ = tail_and_density(Sum((erlang(50, 1.0), exponential(0.3))), grid[1:])
    assert found == pytest.approx(np.array(exact), abs=1e-5)


# Tail and density at a time are the same to the last bit, whatever other times are asked for with it.
@pytest.mark.parametrize(
    "duration", [erlang(3, 1.0), erlang(100, 1.0), Sum((from_moments(1.0, 0.4), exponential(2.0)))]
)
def test_other_times_do_not_matter(duration: Transform) -> None:
    times = np.linspace(0.05, 8.0, 23) * duration.mean
    tail, density = tail_and_density(duration, times)
    for some in (slice(0, 1), slice(3, 8), slice(11, 13), slice(0, 23, 4)):
        found = tail_and_density(duration, times[some])
        assert (found[0] == tail[some]).all()
        assert (found[1] == density[some]).all()
