"""Durations known by their Laplace transform: the smooth pieces that a response time is put together from.

A `Transform` is an immutable value with a mean and a variance, and can be asked for E[exp(-s X)] at many complex
points at once. `Points` remembers what was computed there, so that a piece shared by several sums is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from models.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Complexes: TypeAlias = "NDArray[np.complex128]"
Floats: TypeAlias = "NDArray[np.float64]"
Flags: TypeAlias = "NDArray[np.bool_]"


class Points:
    """Complex points with Re s > 0, and the value there of every transform that was asked for so far."""

    def __init__(self, s: Complexes) -> None:
        self.s = s
        self._values: dict[Transform, Complexes] = {}
        self._multiples: dict[float, Points] = {}

    def value(self, transform: Transform) -> Complexes:
        """Return the transform at these points, computed at most once."""
        known = self._values.get(transform)
        if known is None:
            known = self._values[transform] = transform.at(self)
        return known

    def times(self, factor: float) -> Points:
        """Return the points `factor * s`: a transform there is that of `factor` times the duration."""
        if factor == 1:
            return self
        known = self._multiples.get(factor)
        if known is None:
            known = self._multiples[factor] = Points(factor * self.s)
        return known


class KeptPoints(Points):
    """Points that many distributions are looked at, one after the other: what these have in common stays known.

    What was not asked for lately is forgotten. Threads may ask at the same time: at worst both work a value out.
    """

    def __init__(self, s: Complexes) -> None:
        super().__init__(s)
        self._before: dict[Transform, Complexes] = {}

    def value(self, transform: Transform) -> Complexes:
        """Return the transform at these points, computed anew only where it was not asked for lately."""
        known = self._values.get(transform)
        if known is None:
            known = self._before.get(transform)
            if known is None:
                known = transform.at(self)
            if len(self._values) >= _KEPT:
                self._before, self._values = self._values, {}
            self._values[transform] = known
        return known

    def forget_multiples(self) -> None:
        """Keep nothing of multiples of the points, which only parts of one distribution ask for."""
        self._multiples.clear()


_KEPT: Final = 64
"""Values at one set of points before those that were not asked for since are forgotten; there may be twice as many."""


class Transform:
    """A duration >= 0 in seconds. Compared and hashed by identity: sharing a value means sharing the work."""

    mean: float
    """Seconds."""
    variance: float
    """Seconds squared."""

    @property
    def is_negligible(self) -> bool:
        """Whether it takes any time so rarely that no percentile can tell."""
        return False

    @property
    def is_heavy(self) -> bool:
        """Whether its tail by itself falls more slowly than exponentially."""
        return False

    def at(self, points: Points) -> Complexes:
        """Return E[exp(-s X)] at the points, an array of their shape (*exact* unless the class says otherwise)."""
        raise NotImplementedError

    def tail_at(self, times: Floats) -> tuple[Floats, Floats] | None:
        """Return P(X > t) and the density at times > 0 where they are known without an inversion, else None."""
        return None


@dataclass(frozen=True, eq=False)
class Instant(Transform):
    """No duration at all."""

    mean: float = 0.0
    variance: float = 0.0

    def at(self, points: Points) -> Complexes:
        """Return one everywhere."""
        return np.ones_like(points.s)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return nothing: it is over at once."""
        return np.zeros_like(times), np.zeros_like(times)


NEGLIGIBLE = 1e-12
"""A probability too small to change any percentile that is asked for."""

INSTANT = Instant()


@dataclass(frozen=True, eq=False)
class Delay(Transform):
    """A constant `mean`. Prefer a shift of the whole latency: a jump in a distribution inverts badly."""

    mean: float
    variance: float = 0.0

    def at(self, points: Points) -> Complexes:
        """Return exp(-s d)."""
        return np.exp(-points.s * self.mean)


class Sum(Transform):
    """The sum of independent parts."""

    def __init__(self, parts: tuple[Transform, ...]) -> None:
        self.parts = parts
        mean = variance = 0.0
        for part in parts:
            mean += part.mean
            variance += part.variance
        self.mean, self.variance = mean, variance

    def at(self, points: Points) -> Complexes:
        """Return the product of the parts' transforms."""
        product = points.value(self.parts[0])
        for part in self.parts[1:]:
            product = product * points.value(part)
        return product


@dataclass(frozen=True, eq=False)
class Repeated(Transform):
    """The sum of `times` independent copies of one part."""

    part: Transform
    times: int

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", self.times * self.part.mean)
        object.__setattr__(self, "variance", self.times * self.part.variance)

    def at(self, points: Points) -> Complexes:
        """Return the power of the part's transform."""
        power: Complexes = points.value(self.part) ** self.times
        return power


@dataclass(frozen=True, eq=False)
class Stretched(Transform):
    """`factor` times one duration: the same draw taken several times over, or slowed down."""

    part: Transform
    factor: float

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", self.factor * self.part.mean)
        object.__setattr__(self, "variance", self.factor**2 * self.part.variance)

    def at(self, points: Points) -> Complexes:
        """Return the part's transform at factor * s."""
        return points.times(self.factor).value(self.part)


class Scaled(Stretched):
    """A duration in another unit of time: what it knows of its own tail stays known."""

    def tail_at(self, times: Floats) -> tuple[Floats, Floats] | None:
        """Return the part's, at times divided by the factor."""
        known = self.part.tail_at(times / self.factor)
        return known and (known[0], known[1] / self.factor)


@dataclass(frozen=True, eq=False)
class Mixture(Transform):
    """One of several durations, each with its probability; the probabilities sum to 1."""

    weights: tuple[float, ...]
    parts: tuple[Transform, ...]

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        pairs = list(zip(self.weights, self.parts, strict=True))
        mean = sum([w * part.mean for w, part in pairs])
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", sum([w * (part.variance + (part.mean - mean) ** 2) for w, part in pairs]))

    def at(self, points: Points) -> Complexes:
        """Return the weighted sum of the transforms."""
        total = self.weights[0] * points.value(self.parts[0])
        for weight, part in zip(self.weights[1:], self.parts[1:], strict=True):
            total = total + weight * points.value(part)
        return total

    def tail_at(self, times: Floats) -> tuple[Floats, Floats] | None:
        """Return the weighted sums, where every part knows its own."""
        tail, density = np.zeros_like(times), np.zeros_like(times)
        for weight, part in zip(self.weights, self.parts, strict=True):
            known = part.tail_at(times)
            if known is None:
                return None
            tail += weight * known[0]
            density += weight * known[1]
        return tail, density


@dataclass(frozen=True, eq=False)
class GeometricSum(Transform):
    """`first` plus a geometric number of independent `further`: each one follows with probability `ratio`.

    `remaining` is 1 - ratio, given apart because near saturation the difference of two doubles would lose it.
    """

    first: Transform
    further: Transform
    remaining: float

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        number, spread = (1 - self.remaining) / self.remaining, (1 - self.remaining) / self.remaining**2
        further = self.further
        object.__setattr__(self, "mean", self.first.mean + number * further.mean)
        variance = self.first.variance + number * further.variance + spread * further.mean**2
        object.__setattr__(self, "variance", variance)

    def at(self, points: Points) -> Complexes:
        """Return (1-r) A / (1 - r B), the denominator as (1-r) + r (1-B)."""
        further = points.value(self.further)
        denominator = self.remaining + (1 - self.remaining) * (1 - further)
        return self.remaining * points.value(self.first) / denominator


class PiecewiseHazard(Transform):
    """A duration given by its tail on a grid, with a constant hazard between neighbours (*approximation*).

    `times` ascend from 0, `tail` is P(X > t) there, falling from at most 1. The last hazard goes on for ever, or one
    of a thousandth of the grid's length, if that is more. Exact
    on the grid, log-linear between: for an exponential tail that is exact everywhere, for a smooth one the error is
    of second order in the spacing.
    """

    def __init__(self, times: Floats, tail: Floats) -> None:
        widths = np.diff(times)
        hazard = np.maximum(-np.diff(np.log(tail)) / widths, 1e-9 / times[-1])
        self.times, self.tail = times, tail
        # What goes on after the grid must not go on for ages: its moments would drown those of the grid.
        onwards = max(float(hazard[-1]), 1e-3 / float(times[-1]))
        self.hazard = np.append(hazard, onwards)
        decay = hazard * widths
        first = np.append(-np.expm1(-decay) / hazard, 1 / onwards)
        exact = (1 - (1 + decay) * np.exp(-decay)) / np.maximum(decay, 1e-9) ** 2
        near = np.where(decay < 1e-4, 0.5 - decay / 3, exact)
        second = np.append(near * widths**2, 1 / onwards**2)
        self.mean = float((tail * first).sum())
        self.variance = max(2 * float((tail * (times * first + second)).sum()) - self.mean**2, 0.0)

    def at(self, points: Points) -> Complexes:
        """Return 1 - s * integral of tail(t) exp(-s t), each piece in closed form."""
        s = points.s.reshape(-1, 1)
        pieces = self.tail * np.exp(-s * self.times)
        areas = pieces
        areas[:, :-1] -= pieces[:, 1:]
        result: Complexes = 1 - s[:, 0] * (areas / (s + self.hazard)).sum(axis=1)
        return result.reshape(points.s.shape)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the exponential of the piece that each time falls in."""
        piece = np.searchsorted(self.times, times, side="right") - 1
        tail = self.tail[piece] * np.exp(-self.hazard[piece] * (times - self.times[piece]))
        return tail, self.hazard[piece] * tail


def total(parts: Sequence[Transform]) -> Transform:
    """Return the sum of independent durations, one after the other, leaving out what takes no time."""
    lasting = tuple([part for part in parts if part is not INSTANT])
    return summed(lasting) if lasting else INSTANT


def summed(parts: tuple[Transform, ...]) -> Transform:
    """Return the sum of independent durations, at least one, each of which takes time."""
    return parts[0] if len(parts) == 1 else _sum(parts)


@remembered(2048)
def _sum(parts: tuple[Transform, ...]) -> Sum:
    return Sum(tuple([inner for part in parts for inner in flat(part)]))


def flat(duration: Transform) -> tuple[Transform, ...]:
    """Return the independent parts that a duration is the sum of."""
    if isinstance(duration, Sum):
        return duration.parts
    return () if duration is INSTANT else (duration,)


def mixture(weights: Sequence[float], parts: Sequence[Transform]) -> Transform:
    """Return a mixture, or its only part."""
    if len(parts) == 1 or all(part is parts[0] for part in parts):
        return parts[0]
    return _mixture(tuple(weights), tuple(parts))


@remembered(512)
def _mixture(weights: tuple[float, ...], parts: tuple[Transform, ...]) -> Mixture:
    return Mixture(weights, parts)


@remembered(512)
def stretched(part: Transform, factor: float) -> Stretched:
    """Return `factor` times one duration, the same object for the same."""
    return Stretched(part, factor)
