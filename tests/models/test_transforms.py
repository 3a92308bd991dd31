from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.service_time import erlang, exponential, from_moments
from models.terms import alternatives
from models.transforms import (
    INSTANT,
    Complexes,
    Delay,
    GeometricSum,
    KeptPoints,
    Mixture,
    PiecewiseHazard,
    Points,
    Repeated,
    Stretched,
    Sum,
    Transform,
    flat,
    mixture,
    total,
)

property_test = settings(max_examples=60)

grids = st.lists(st.tuples(st.floats(0.01, 2), st.floats(0.01, 0.99)), min_size=1, max_size=12)


def moments(transform: Transform, share: float) -> tuple[float, float]:
    """Return mean and variance from the transform near 0: a parabola through log E[exp(-s X)] (1e-4, as tested)."""
    step = share / (transform.mean + math.sqrt(transform.variance))
    logs = np.log(transform.at(Points(np.array([1, 2], dtype=np.complex128) * step)).real)
    second = (logs[1] - 2 * logs[0]) / step**2
    return float((second * step**2 / 2 - logs[0]) / step), float(second)


def assert_moments(transform: Transform, share: float = 1e-4) -> None:
    mean, variance = moments(transform, share)
    assert transform.mean == pytest.approx(mean, rel=1e-4)
    # The third cumulant, left out of the parabola, weighs `share` of what it is relative to the mean.
    assert transform.variance == pytest.approx(variance, rel=0.05, abs=1e-3 * mean**2)


def tail_on(pieces: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return a grid of times and a tail that falls on it by random shares."""
    times = np.concatenate([[0.0], np.cumsum([width for width, _ in pieces])])
    tail = np.concatenate([[1.0], np.cumprod([share for _, share in pieces])])
    return times, tail


# A tail kept with constant hazards is itself on the grid, and its moments and density are those of its transform.
@property_test
@given(grids)
def test_piecewise_hazard(pieces: list[tuple[float, float]]) -> None:
    times, tail = tail_on(pieces)
    kept = PiecewiseHazard(times, tail)
    assert kept.tail_at(times)[0] == pytest.approx(tail, rel=1e-12)
    between = (times[1:] + times[:-1]) / 2
    assert kept.tail_at(between)[0] == pytest.approx(np.sqrt(tail[1:] * tail[:-1]), rel=1e-12)
    assert_moments(kept)


# A tail that is exponential stays exponential, on any grid: moments, transform, tail, and beyond the grid.
@property_test
@given(st.lists(st.floats(0.05, 3), min_size=1, max_size=20), st.floats(0.1, 10))
def test_piecewise_hazard_of_an_exponential(widths: list[float], mean: float) -> None:
    times, points = np.concatenate([[0.0], np.cumsum(widths)]), Points(np.array([0.3 + 1j, 5 + 0.1j, 40 - 7j]))
    kept, exact = PiecewiseHazard(times, np.exp(-times / mean)), exponential(mean)
    assert kept.mean == pytest.approx(mean, rel=1e-9)
    assert kept.variance == pytest.approx(mean**2, rel=1e-8)
    assert kept.at(points) == pytest.approx(exact.at(points), rel=1e-9, abs=1e-12)
    assert kept.tail_at(10 * times)[0] == pytest.approx(np.exp(-10 * times / mean), rel=1e-9, abs=1e-300)


# A tail that begins below 1 jumps at 0: the rest takes no time.
def test_piecewise_hazard_with_a_jump() -> None:
    times = np.linspace(0.0, 3.0, 7)
    kept = PiecewiseHazard(times, 0.4 * np.exp(-times / 2))
    assert kept.mean == pytest.approx(0.8, rel=1e-12)
    assert kept.at(Points(np.array([1e9 + 0j])))[0].real == pytest.approx(0.6, rel=1e-6)
    assert_moments(kept)


# A geometric number of exponentials after one of them is exponential: the wait of M/M/1.
@property_test
@given(st.floats(1e-6, 1), st.floats(0.01, 100))
def test_geometric_sum_of_exponentials(remaining: float, mean: float) -> None:
    one = exponential(mean)
    together = GeometricSum(one, one, remaining)
    assert together.mean == pytest.approx(mean / remaining, rel=1e-12)
    assert together.variance == pytest.approx((mean / remaining) ** 2, rel=1e-9)
    points = Points(np.array([1 + 1j, 0.1 + 3j], dtype=np.complex128) * (remaining / mean))
    assert together.at(points) == pytest.approx(exponential(mean / remaining).at(points), rel=1e-8)


# Every way of putting durations together has the moments of its transform.
@pytest.mark.parametrize(
    "transform",
    [
        Delay(2.0),
        Sum((erlang(3, 1.0), exponential(2.0))),
        Repeated(erlang(2, 1.0), 5),
        Stretched(erlang(2, 1.0), 5),
        Mixture((0.3, 0.7), (exponential(1.0), Delay(4.0))),
        GeometricSum(exponential(1.0), erlang(4, 2.0), 0.25),
        from_moments(1.0, 4.0),
    ],
    ids=lambda t: type(t).__name__,
)
def test_moments(transform: Transform) -> None:
    assert_moments(transform)


# What knows its own tail agrees with the formula; a mixture knows it where all its parts do.
def test_tails_known_without_an_inversion() -> None:
    times = np.array([0.1, 1.0, 7.0])
    for known in (exponential(2.0), from_moments(2.0, 3.0), mixture([0.5, 0.5], [exponential(1.0), exponential(4.0)])):
        answer = known.tail_at(times)
        assert answer is not None
        tail, density = answer
        nearby = known.tail_at(times + 1e-6)
        assert nearby is not None
        # A difference over 1e-6 keeps five digits.
        assert density == pytest.approx((tail - nearby[0]) / 1e-6, rel=1e-5)
    for unknown in (erlang(2, 1.0), from_moments(1.0, 0.0), Mixture((0.5, 0.5), (exponential(1.0), erlang(2, 1.0)))):
        assert unknown.tail_at(times) is None


class Counted(Transform):
    """An exponential that counts how often it is asked."""

    mean = 1.0
    variance = 1.0

    def __init__(self) -> None:
        self.asked = 0

    def at(self, points: Points) -> Complexes:
        """Return 1 / (1 + s)."""
        self.asked += 1
        result: Complexes = 1 / (1 + points.s)
        return result


# A part that several sums share is computed once for the same points, and once for each stretch of it.
def test_points_remember() -> None:
    part = Counted()
    points = Points(np.array([1 + 1j, 2 + 0j]))
    whole = Sum((part, Mixture((0.5, 0.5), (part, Sum((part, exponential(1.0))))), Repeated(part, 3)))
    for _ in range(3):
        points.value(whole)
    assert part.asked == 1
    for _ in range(2):
        points.value(Sum((Stretched(part, 2.0), Stretched(part, 2.0), Stretched(part, 1.0))))
    assert part.asked == 2
    assert points.value(Stretched(part, 2.0)) == pytest.approx(1 / (1 + 2 * points.s), rel=1e-15)


# Sums and mixtures leave out what adds nothing.
def test_shortcuts() -> None:
    one = exponential(1.0)
    assert total([]) is INSTANT
    assert total([INSTANT, one, INSTANT]) is one
    assert mixture([1.0], [one]) is one
    assert mixture([0.2, 0.8], [one, one]) is one
    assert math.isclose(total([one, one]).mean, 2)


# Paths that have parts in common are the mixture of them, whatever is multiplied first; a part that is there twice counts
# twice, one that only some have stays with them.
def test_alternatives_are_a_mixture() -> None:
    a, b, c, d = (from_moments(0.01 * (i + 1), 0.5 + i) for i in range(4))
    wholes = [total([total([a, b]), b, c]), total([a, c]), total([total([c, a]), d]), total([c, a, INSTANT])]
    weights = [0.4, 0.3, 0.2, 0.1]
    together, plain = alternatives(weights, wholes), mixture(weights, wholes)
    assert together.mean == pytest.approx(plain.mean, rel=1e-13)
    assert together.variance == pytest.approx(plain.variance, rel=1e-12)
    points = Points(np.array([0.5 + 1j, 30 + 2j, 200 - 90j]))
    assert points.value(together) == pytest.approx(points.value(plain), rel=1e-13)
    assert set(flat(together)) & {a, b, c, d} == {a, c}
    assert alternatives([0.5, 0.5], [a, b]).mean == pytest.approx((a.mean + b.mean) / 2)
    assert alternatives([1.0], [a]) is a


# What is asked again at the same points is known; what was not asked for lately is forgotten, and multiples always.
def test_kept_points_forget() -> None:
    points = KeptPoints(np.array([1.0 + 1j]))
    first = points.value(exponential(1.0))
    assert points.value(exponential(1.0)) is first
    for i in range(500):
        points.value(Stretched(exponential(0.5), 1 + i / 1000))
        points.value(exponential(1.0))
        assert len(points._values) + len(points._before) <= 2 * 64
    assert points.value(exponential(1.0)) is first
    assert points._multiples
    points.forget_multiples()
    assert not points._multiples
