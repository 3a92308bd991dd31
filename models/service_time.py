"""Service times from their mean and squared coefficient of variation, and mixtures of them.

Two moments leave the shape open. The convention here, the usual one: exponential at 1, a mixture of two neighbouring
Erlangs below (Tijms 1994, eq. A.13), a hyperexponential with balanced means above (Morse 1955), constant at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.remembered import remembered
from models.transforms import Transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.transforms import Complexes, Floats, Points

MOST_PHASES = 400
"""An Erlang mixture has at most this many phases: below a squared CV of 1/400 the rest is taken as constant."""


@dataclass(frozen=True, eq=False)
class ServiceTime(Transform):
    """A mixture of Erlang distributions and constants (*exact*: this is the distribution, not a fit to one).

    `phases` holds (weight, number of phases, rate per second), `constants` holds (weight, seconds); all weights
    together sum to 1.
    """

    phases: tuple[tuple[float, int, float], ...]
    constants: tuple[tuple[float, float], ...] = ()

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        mean = self.moment(1)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", max(self.moment(2) - mean**2, 0.0))

    @property
    def squared_cv(self) -> float:
        """Variance over squared mean."""
        return self.variance / self.mean**2 if self.mean > 0 else 0.0

    @property
    def is_exponential(self) -> bool:
        """Whether this is one exponential phase and nothing else."""
        return len(self.phases) == 1 and not self.constants and self.phases[0][1] == 1

    def moment(self, order: int) -> float:
        """Return E[X**order]."""
        total = 0.0
        for weight, k, rate in self.phases:
            rising = float(k)
            for i in range(1, order):
                rising *= k + i
            total += weight * rising / rate**order
        for weight, value in self.constants:
            total += weight * value**order
        return total

    def at(self, points: Points) -> Complexes:
        """Return the transform: a sum of powers and exponentials."""
        s = points.s
        parts: list[Complexes] = []
        for weight, count, rate in self.phases:
            parts.append(weight * rate / (rate + s) if count == 1 else weight * (rate / (rate + s)) ** count)
        for weight, value in self.constants:
            jump: Complexes = np.exp(-s * value)
            parts.append(weight * jump)
        result = parts[0]
        for part in parts[1:]:
            result = result + part
        return result

    def tail_at(self, times: Floats) -> tuple[Floats, Floats] | None:
        """Return the sums of exponentials, where there is nothing else."""
        if self.constants or any(count > 1 for _, count, _ in self.phases):
            return None
        tail, density = np.zeros_like(times), np.zeros_like(times)
        for weight, _, rate in self.phases:
            part = weight * np.exp(-rate * times)
            tail += part
            density += rate * part
        return tail, density

    def slowed(self, factor: float) -> ServiceTime:
        """Return `factor` times this duration."""
        if factor == 1:
            return self
        return ServiceTime(
            tuple((w, k, rate / factor) for w, k, rate in self.phases),
            tuple((w, value * factor) for w, value in self.constants),
        )


@dataclass(frozen=True, eq=False)
class Residual(Transform):
    """What remains of a service in progress when a random observer looks: the equilibrium distribution (*exact*)."""

    whole: ServiceTime

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        once, twice, thrice = (self.whole.moment(order) for order in (1, 2, 3))
        mean = twice / (2 * once)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", max(thrice / (3 * once) - mean**2, 0.0))

    def at(self, points: Points) -> Complexes:
        """Return (1 - S(s)) / (s E[S]), each phase in closed form.

        Where the service is short against the time that is looked at, 1 - S(s) would lose digits: a P99.9 was 2e-5 off.
        """
        s = points.s
        result: Complexes = np.zeros_like(s)
        for weight, count, rate in self.whole.phases:
            result += weight / rate * _powers(rate / (rate + s), count)
        for weight, value in self.whole.constants:
            result += weight * -np.expm1(-s * value) / s
        return result / self.whole.mean


def _powers(x: Complexes, count: int) -> Complexes:
    """Return x + x**2 + ... + x**count, by doubling."""
    if count == 1:
        return x
    half = _powers(x, count // 2)
    even: Complexes = half + half * x ** (count // 2)
    return even if count % 2 == 0 else x + x * even


@remembered(4096)
def exponential(mean: float) -> ServiceTime:
    """Return the exponential distribution with this mean in seconds, > 0."""
    return ServiceTime(((1.0, 1, 1.0 / mean),))


def erlang(phases: int, mean: float) -> ServiceTime:
    """Return the Erlang distribution with this number of phases and this mean in seconds."""
    return ServiceTime(((1.0, phases, phases / mean),))


@remembered(4096)
def from_moments(mean: float, squared_cv: float) -> ServiceTime:
    """Return the conventional distribution with this mean (seconds, > 0) and squared CV (>= 0) (*exact* in both)."""
    if not (0 < mean < math.inf and 0 <= squared_cv < math.inf):
        raise ValueError(f"a service time needs a finite mean > 0 and squared CV >= 0, not {mean!r} and {squared_cv!r}")
    if abs(squared_cv - 1) < 1e-12:
        return exponential(mean)
    if squared_cv > 1:
        p = (1 + math.sqrt((squared_cv - 1) / (squared_cv + 1))) / 2
        return ServiceTime(((p, 1, 2 * p / mean), (1 - p, 1, 2 * (1 - p) / mean)))
    if squared_cv < 1 / MOST_PHASES:
        return ServiceTime((), ((1.0, mean),))
    k = math.ceil(1 / squared_cv - 1e-9)
    if abs(k * squared_cv - 1) < 1e-9:
        return erlang(k, mean)
    p = (k * squared_cv - math.sqrt(k * (1 + squared_cv) - k**2 * squared_cv)) / (1 + squared_cv)
    rate = (k - p) / mean
    return ServiceTime(((p, k - 1, rate), (1 - p, k, rate)))


def from_three_moments(mean: float, squared_cv: float, third: float) -> ServiceTime:
    """Return the two-phase hyperexponential with this mean, squared CV > 1 and third moment E[X**3], in s (*exact*).

    Raises ValueError where there is none: the third moment must exceed 3/2 E[X**2]**2 / E[X]. Source: Whitt 1982,
    "Approximating a point process by a renewal process", section 3.
    """
    second = (squared_cv + 1) * mean**2
    if not (mean > 0 and squared_cv > 1 and third > 1.5 * second**2 / mean * (1 + 1e-12)):
        raise ValueError(
            f"no mixture of two exponentials has mean {mean!r}, squared CV {squared_cv!r} and third moment {third!r}: "
            "squared CV > 1 and E[X^3] > 1.5 E[X^2]^2 / E[X] are needed"
        )
    one, two, three = 1.0, second / 2 / mean**2, third / 6 / mean**3
    # The two means are the roots of x^2 - total x + product; moments over factorials obey that recurrence.
    total, product = (three - one * two) / (two - one), (one * three - two * two) / (two - one)
    root = math.sqrt(total * total - 4 * product)
    slow = (total + root) / 2
    fast = product / slow
    p = (one - fast) / root
    return ServiceTime(((p, 1, 1 / (slow * mean)), (1 - p, 1, 1 / (fast * mean))))


def mixed(weights: Sequence[float], parts: Sequence[ServiceTime]) -> ServiceTime:
    """Return the mixture of several service times, weighted in proportion to `weights` (*exact*)."""
    scale = math.fsum(weights)
    phases: dict[tuple[int, float], float] = {}
    constants: dict[float, float] = {}
    for weight, part in zip(weights, parts, strict=True):
        for w, k, rate in part.phases:
            phases[k, rate] = phases.get((k, rate), 0.0) + w * weight / scale
        for w, value in part.constants:
            constants[value] = constants.get(value, 0.0) + w * weight / scale
    return ServiceTime(
        tuple((w, k, rate) for (k, rate), w in phases.items() if w > 0),
        tuple((w, value) for value, w in constants.items() if w > 0),
    )
