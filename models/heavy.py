"""Durations with heavy tails: log-normal, and Pareto from 0 (Lomax). Their own tails are exact; added, transforms are.

Neither has a transform in elementary functions. The log-normal one is an integral over the logarithm u of time, taken
along a horizontal line in the complex plane: for small sigma through the saddle point u = -W(s sigma^2 e^mu) of the
integrand, W being Lambert's function (Asmussen, Jensen and Rojas-Nandayapa 2016, "On the Laplace transform of the
lognormal distribution"), for large sigma where s e^u is real, so that nothing oscillates but the bell. On either line
the trapezoidal rule with few points is right to 1e-8. A Pareto time is an exponential one whose rate is gamma
distributed (Harris 1968), so that its transform is a mixture of exponential ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from models.latency import Latency
from models.transforms import Transform

if TYPE_CHECKING:
    from models.transforms import Complexes, Floats, Points

_SADDLE: Final = np.arange(-16, 17) * 0.5
"""Where the integrand of a narrow log-normal transform is taken, in its own widths."""

_WIDE: Final = 0.34
"""From this sigma on the line is the one where s e^u is real."""


@dataclass(frozen=True, eq=False)
class LogNormal(Transform):
    """A duration whose logarithm is normal with mean `log(median)` and standard deviation `sigma` > 0.

    `median` in s, > 0. Tail and moments *exact*; transform to 1e-8 of the whole (measured for sigma 0.05 to 9).
    """

    median: float
    sigma: float

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        if not (0 < self.median < math.inf and 0 < self.sigma < math.inf):
            raise ValueError(
                f"a log-normal time needs median > 0 and sigma > 0, not {self.median!r} and {self.sigma!r}"
            )
        if self.sigma > 10:
            raise ValueError(f"a log-normal time with sigma {self.sigma:g} is no response time: at most 10 is meant")
        mean = self.median * math.exp(self.sigma**2 / 2)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", mean**2 * math.expm1(self.sigma**2))

    @property
    def is_heavy(self) -> bool:
        """Return that it is."""
        return True

    def at(self, points: Points) -> Complexes:
        """Return the integral along the line that suits sigma."""
        s = points.s * self.median
        return _through_saddle(s, self.sigma) if self.sigma < _WIDE else _turned(s, self.sigma)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the normal tail of the logarithm."""
        z = np.log(times / self.median) / self.sigma
        tail = np.array([math.erfc(x / math.sqrt(2)) / 2 for x in z.tolist()])
        return tail, np.exp(-z * z / 2) / (math.sqrt(2 * math.pi) * self.sigma * times)


@dataclass(frozen=True, eq=False)
class Lomax(Transform):
    """A duration with the tail (1 + t / scale)^-index: Pareto's, counted from its least value.

    `scale` in s, > 0; `index` > 1, as otherwise there is no mean. The variance is infinite up to an index of 2.
    Tail and moments *exact*; transform to 1e-8 of the whole.
    """

    scale: float
    index: float

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        if not (0 < self.scale < math.inf and 1 < self.index < math.inf):
            raise ValueError(
                f"a Pareto time needs scale > 0 and index > 1 (else its mean is infinite), "
                f"not {self.scale!r} and {self.index!r}"
            )
        mean = self.scale / (self.index - 1)
        object.__setattr__(self, "mean", mean)
        variance = mean**2 * self.index / (self.index - 2) if self.index > 2 else math.inf
        object.__setattr__(self, "variance", variance)

    @property
    def is_heavy(self) -> bool:
        """Return that it is."""
        return True

    @cached_property
    def _rates(self) -> tuple[Floats, Floats]:
        """Rates times the scale, and their probabilities: the gamma distribution on logarithms a step apart."""
        top = math.log(self.index + 9 * math.sqrt(self.index) + 25)
        bottom = math.log(self.index) - 21 / self.index - 1
        step = min(0.42, 0.5 / math.sqrt(self.index))
        logs = np.arange(bottom, top, step)
        weights = np.exp(self.index * logs - np.exp(logs) - (self.index * math.log(self.index) - self.index))
        return np.exp(logs), weights / weights.sum()

    def at(self, points: Points) -> Complexes:
        """Return the mixture of the transforms of exponential times."""
        rates, weights = self._rates
        s = points.s * self.scale
        # rate / (rate + s) with the real and the imaginary part apart: one real division for both.
        inverse = 1 / ((s.real[..., None] + rates) ** 2 + (s.imag**2)[..., None])
        once, twice = inverse @ (weights * rates), inverse @ (weights * rates**2)
        result: Complexes = twice + s.conj() * once
        return result

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the power."""
        tail = (1 + times / self.scale) ** -self.index
        return tail, self.index * tail / (self.scale + times)


def _through_saddle(s: Complexes, sigma: float) -> Complexes:
    """Return the transform of a log-normal time of median 1 along the line through the saddle point."""
    square = sigma**2
    w = _lambert(s * square)
    width = sigma / np.sqrt(np.abs(1 + w))
    v = width[..., None] * _SADDLE
    bell = np.exp(-(w[..., None] * (np.expm1(v) - v) + v * v / 2) / square).sum(axis=-1)
    scale = (_SADDLE[1] - _SADDLE[0]) / (math.sqrt(2 * math.pi) * sigma) * width
    result: Complexes = scale * np.exp(-w * (w / 2 + 1) / square) * bell
    return result


def _turned(s: Complexes, sigma: float) -> Complexes:
    """Return the transform of a log-normal time of median 1 along the line on which s e^u is real."""
    u, bell = _bell(sigma)
    angle, square = np.angle(s), sigma**2
    # Euler's points lie on the same rays whatever the time: what depends on the ray alone is computed once.
    rays = angle[:1] if s.ndim == 2 and np.abs(angle - angle[:1]).max() < 1e-13 else angle
    phases = np.exp((1j / square) * rays[..., None] * u + (rays**2 / (2 * square))[..., None]) * bell
    body = np.exp(-np.abs(s)[..., None] * np.exp(u))
    result: Complexes = (body * phases).sum(axis=-1)
    return result


@lru_cache(maxsize=256)
def _bell(sigma: float) -> tuple[Floats, Floats]:
    """Return points on the logarithm of time, and the normal density there times their distance."""
    step = min(0.42, 0.46 * sigma)
    count = math.ceil(6.6 * sigma / step)
    u: Floats = step * np.arange(-count, count + 1.0)
    return u, np.exp(-u * u / (2 * sigma**2)) * (step / (math.sqrt(2 * math.pi) * sigma))


def _lambert(z: Complexes) -> Complexes:
    """Return the principal branch of Lambert's W at complex points that are not negative, by Halley's method."""
    first = np.log1p(z)
    w: Complexes = first * (1 - np.log1p(first) / (2 + first))
    for _ in range(3):
        grown = np.exp(w)
        off = w * grown - z
        w = w - off / (grown * (w + 1) - (w + 2) * off / (2 * w + 2))
    return w


def log_normal(mean: float, squared_cv: float) -> LogNormal:
    """Return the log-normal time with this mean in s, > 0, and squared coefficient of variation > 0 (*exact*)."""
    if not (0 < mean < math.inf and 0 < squared_cv < math.inf):
        raise ValueError(f"a log-normal time needs a mean > 0 and a squared CV > 0, not {mean!r} and {squared_cv!r}")
    square = math.log1p(squared_cv)
    return LogNormal(mean * math.exp(-square / 2), math.sqrt(square))


def pareto(least: float, index: float) -> Latency:
    """Return Pareto's distribution: never below `least` (s, > 0), and beyond it P(X > t) = (least / t)^index.

    *Exact*. A latency and not a transform, as it begins at a constant, which latencies keep apart.
    """
    return Latency.constant(least) + Latency.of(Lomax(least, index))
