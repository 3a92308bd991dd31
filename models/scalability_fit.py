"""Fitting the Universal Scalability Law to measured throughputs, with what the measurements leave uncertain.

Nonlinear least squares in the three numbers of the law, throughput of one node, contention and coherency, each within
its bounds: a negative contention or coherency, which free fits of noisy data like to find, has no meaning and no peak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.scalability import peak_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NAMES: Final = ("throughput_of_one", "contention", "coherency")
"""The three numbers, in the order of all arrays here."""

_STEPS: Final = 400
_CLOSE: Final = 1e-15


@dataclass(frozen=True)
class ScalabilityFit:
    """A law fitted to measurements: throughputs in their unit, nodes (or users) in theirs.

    `errors` are standard errors, None for what is held at a bound or where there are no more points than numbers.
    `at_bound` names what is at a bound: the data alone would take it beyond.
    """

    throughput_of_one: float
    contention: float
    coherency: float
    errors: tuple[float | None, float | None, float | None]
    at_bound: tuple[str, ...]
    nodes: tuple[float, ...]
    throughputs: tuple[float, ...]
    residual_error: float | None
    """Standard error of the residuals; None without a degree of freedom."""
    freedom: int
    """Points less numbers that were fitted freely."""
    r_squared: float
    covariance: Floats
    """Of the three numbers, 0 for those at a bound; empty without a degree of freedom."""

    def throughput(self, nodes: float) -> float:
        """Return the fitted throughput of so many nodes."""
        return self.throughput_of_one * float(_shape(np.array([nodes]), self.contention, self.coherency)[0])

    @property
    def peak_nodes(self) -> float:
        """Nodes at which throughput peaks: infinite without coherency."""
        return peak_nodes(self.contention, self.coherency)

    def peak_error(self) -> float | None:
        """Return the standard error of the nodes at the peak, by the delta method (*approximate*: linear)."""
        if not self.covariance.size or self.coherency == 0 or self.contention >= 1:
            return None
        peak = self.peak_nodes
        slope = np.array([0.0, -peak / (2 * (1 - self.contention)), -peak / (2 * self.coherency)])
        return math.sqrt(float(slope @ self.covariance @ slope))

    def interval(self, nodes: float, level: float = 0.95, *, measured: bool = True) -> tuple[float, float] | None:
        """Return low and high of the throughput at so many nodes; None without a degree of freedom.

        With `measured` those of another measurement (a prediction interval), else of the law itself (a confidence
        interval). *Approximate*: the law is taken as linear in its numbers over their errors, and the noise as normal
        and equally large everywhere; of 1,000 simulated data sets like SDM91 94.6 % of new points lay inside 95 %.
        """
        if self.residual_error is None:
            return None
        slope = _slopes(np.array([nodes]), np.array([self.throughput_of_one, self.contention, self.coherency]))[0]
        spread = float(slope @ self.covariance @ slope) + (self.residual_error**2 if measured else 0.0)
        reach = student_quantile((1 + level) / 2, self.freedom) * math.sqrt(spread)
        middle = self.throughput(nodes)
        return middle - reach, middle + reach


def fit(
    nodes: Sequence[float],
    throughputs: Sequence[float],
    *,
    contention: tuple[float, float] = (0.0, 1.0),
    coherency: tuple[float, float] = (0.0, math.inf),
) -> ScalabilityFit:
    """Return the law that is closest to measured throughputs: the least sum of squared differences.

    `nodes` > 0 and `throughputs` > 0, equally many; bounds (low, high), equal to hold a number: coherency=(0, 0) fits
    Amdahl's law. Of several starts the best; the result is a minimum to about 1e-8 of each number, where rounding
    hides the rest. Raises ValueError for fewer points, or fewer different nodes, than numbers to be fitted. Source:
    Gunther 2007, chapter 5, which fits a parabola to transformed data instead; here the throughputs themselves are
    fitted, as R's usl package does since version 2 (Moeding 2020).
    """
    n, y = np.asarray(nodes, dtype=float), np.asarray(throughputs, dtype=float)
    low = np.array([0.0, contention[0], coherency[0]])
    high = np.array([math.inf, contention[1], coherency[1]])
    _check(n, y, low, high)
    found = min(
        (_descend(n, y, start, low, high) for start in _starts(n, y, low, high)), key=lambda p: _missed(n, y, p)
    )
    held = (found[1:] <= low[1:]) | (found[1:] >= high[1:])
    free = np.array([True, *~held])
    freedom = len(n) - int(free.sum())
    squares = _missed(n, y, found)
    error = math.sqrt(squares / freedom) if freedom > 0 else None
    covariance = _covariance(n, found, free, error) if error is not None else np.zeros((0, 0))
    errors = tuple(math.sqrt(covariance[i, i]) if error is not None and free[i] else None for i in range(len(NAMES)))
    around = float(np.sum((y - y.mean()) ** 2))
    return ScalabilityFit(
        throughput_of_one=float(found[0]),
        contention=float(found[1]),
        coherency=float(found[2]),
        errors=(errors[0], errors[1], errors[2]),
        at_bound=tuple(name for name, at, a, b in zip(NAMES[1:], held, low[1:], high[1:], strict=True) if at and a < b),
        nodes=tuple(n.tolist()),
        throughputs=tuple(y.tolist()),
        residual_error=error,
        freedom=freedom,
        r_squared=1 - squares / around if around > 0 else 1.0,
        covariance=covariance,
    )


def _check(n: Floats, y: Floats, low: Floats, high: Floats) -> None:
    if n.shape != y.shape or n.ndim != 1:
        raise ValueError("as many nodes as throughputs are needed, in one row each")
    if not (np.all(np.isfinite(n) & (n > 0)) and np.all(np.isfinite(y) & (y > 0))):
        raise ValueError("nodes and throughputs are finite and above 0")
    if not (0 <= low[1] <= high[1] and 0 <= low[2] <= high[2] and math.isfinite(low[1]) and math.isfinite(low[2])):
        raise ValueError("bounds go from low to high, and from 0 on")
    numbers = 1 + int(np.sum(low[1:] < high[1:]))
    different = len(np.unique(n))
    if different < numbers:
        raise ValueError(
            f"{different} different numbers of nodes cannot fix {numbers} numbers: measure at {numbers} or more"
        )


def _shape(n: Floats, contention: float, coherency: float) -> Floats:
    return np.asarray(n / (1 + contention * (n - 1) + coherency * n * (n - 1)))


def _slopes(n: Floats, at: Floats) -> Floats:
    """Return the derivatives of the throughput by the three numbers: a row for each point."""
    shape = _shape(n, at[1], at[2])
    return np.stack([shape, -at[0] * shape**2 * (n - 1) / n, -at[0] * shape**2 * (n - 1)], axis=1)


def _missed(n: Floats, y: Floats, at: Floats) -> float:
    return float(np.sum((y - at[0] * _shape(n, at[1], at[2])) ** 2))


def _starts(n: Floats, y: Floats, low: Floats, high: Floats) -> list[Floats]:
    """Return where to begin: the law is linear in N / X, and a few guesses in case noise spoils that."""
    columns = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1) / n[:, None] * y[:, None]
    a, b, c = np.linalg.lstsq(columns, np.ones_like(n), rcond=None)[0]
    guesses = [(b / a, c / a)] if a > 0 else []
    most = float(n.max())
    guesses += [(0.01, 1e-2 / most**2), (0.1, 0.0), (0.0, 1 / most**2), (0.5, 0.1 / most)]
    starts = []
    for guess in guesses:
        sigma, kappa = np.clip(guess, low[1:], high[1:])
        shape = _shape(n, float(sigma), float(kappa))
        starts.append(np.array([float(y @ shape / (shape @ shape)), sigma, kappa]))
    return starts


def _descend(n: Floats, y: Floats, start: Floats, low: Floats, high: Floats) -> Floats:
    """Return the minimum below a start, by Levenberg and Marquardt's steps cut off at the bounds."""
    at, damping, missed = start, 1e-3, _missed(n, y, start)
    for _ in range(_STEPS):
        slopes, rest = _slopes(n, at), y - at[0] * _shape(n, at[1], at[2])
        downhill = slopes.T @ rest
        stuck = ((at <= low) & (downhill < 0)) | ((at >= high) & (downhill > 0)) | (low == high)
        step = _step(slopes[:, ~stuck], rest, damping)
        moved = at.copy()
        moved[~stuck] += step
        moved = np.clip(moved, low, high)
        now = _missed(n, y, moved)
        if now > missed:
            damping *= 4
            if damping > 1e16:
                break
            continue
        settled = np.all(np.abs(moved - at) <= _CLOSE * np.abs(at))
        at, missed, damping = moved, now, max(damping / 5, 1e-14)
        if settled:
            break
    return at


def _step(slopes: Floats, rest: Floats, damping: float) -> Floats:
    """Return the damped Gauss-Newton step by least squares of the scaled slopes, which loses no digits to squaring."""
    size = np.sqrt(np.sum(slopes**2, axis=0))
    size[size == 0] = 1.0
    scaled = np.vstack([slopes / size, math.sqrt(damping) * np.eye(slopes.shape[1])])
    wanted = np.append(rest, np.zeros(slopes.shape[1]))
    return np.asarray(np.linalg.lstsq(scaled, wanted, rcond=None)[0] / size)


def _covariance(n: Floats, at: Floats, free: NDArray[np.bool_], error: float) -> Floats:
    slopes = _slopes(n, at)[:, free]
    size = np.sqrt(np.sum(slopes**2, axis=0))
    _, values, turned = np.linalg.svd(slopes / size, full_matrices=False)
    scaled = turned.T / values / size[:, None]
    whole = np.zeros((3, 3))
    whole[np.ix_(free, free)] = error**2 * (scaled @ scaled.T)
    return whole


def student_quantile(probability: float, freedom: int) -> float:
    """Return the quantile of Student's t with a whole number of degrees of freedom >= 1, at a probability in (0.5, 1).

    *Exact* to 1e-12: halving on the distribution as a finite sum. Source: Abramowitz and Stegun 1964, 26.7.3 and
    26.7.4.
    """
    if not (0.5 < probability < 1 and freedom >= 1):
        raise ValueError(f"a probability in (0.5, 1) and a freedom >= 1 are needed, not {probability!r}, {freedom!r}")
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, freedom) < 2 * probability - 1 else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """Return P(|t| < tan(angle) sqrt(freedom))."""
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + sine * total)
