"""A response-time distribution from what was measured: raw samples, or the counts of a histogram.

Shapes of few parameters are tried first, as they are smooth and say something beyond the slowest sample; the closest is
taken if it could have made the data (Kolmogorov's distance at the 1 % level; the parameters being fitted to the same
data, it rejects less often than it says). Else the data are kept as they are, in pieces between their own quantiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from models.fitting import Fit, FitError, from_percentiles, pieces
from models.heavy import LogNormal, pareto
from models.latency import Latency
from models.service_time import from_moments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike

    from models.transforms import Floats

FEWEST: Final = 20
"""Samples below which no shape can be told."""

_KOLMOGOROV: Final = 1.63
"""Times 1 / sqrt(n): the distance that is exceeded by chance in one of a hundred cases."""

_COMPARED: Final = 500
"""Quantiles at which a distribution is compared with samples."""

_ASKED: Final = (0.5, 0.9, 0.95, 0.99, 0.999)

_Candidate = tuple[Latency, str, "Mapping[str, float]"]


def from_samples(values: ArrayLike) -> Fit:
    """Return the fit to response times in s, > 0, a one-dimensional array of at least 20.

    The closest of log-normal, log-normal after a constant, two moments, Pareto; where none could have made the samples,
    their own quantiles. `off` compares those percentiles beyond which ten samples lie.
    """
    samples = np.sort(np.asarray(values, dtype=float).ravel())
    if len(samples) < FEWEST:
        raise FitError(f"a shape is told from {FEWEST} samples at least, not from {len(samples)}")
    if not (np.isfinite(samples).all() and samples[0] > 0):
        raise FitError("samples are finite times > 0 s; the smallest is " + repr(float(samples[0])))
    number = len(samples)
    times = np.unique(samples[np.linspace(0, number - 1, min(number, _COMPARED)).astype(int)])
    below = np.searchsorted(samples, times, side="right") / number
    if samples[0] == samples[-1]:
        candidates: list[_Candidate] = [(Latency.constant(float(samples[0])), "constant", {"value": float(samples[0])})]
        gaps = [0.0]
    else:
        candidates = list(_shapes(samples))
        gaps = [_distance(latency, times, below) for latency, _, _ in candidates]
    best = int(np.argmin(gaps))
    latency, family, parameters = candidates[best]
    gap = gaps[best]
    if gap > _KOLMOGOROV / math.sqrt(number):
        latency, family, parameters = _kept(samples), "own quantiles", {}
        gap = _distance(latency, times, below)
    told = f"what is slower than {10 / number:.2g} of all: fewer than ten samples are"
    asked = [p for p in _ASKED if (1 - p) * number >= 10 - 1e-9]
    off = _off(latency, {p: float(np.quantile(samples, p)) for p in asked})
    return Fit(latency, family, parameters, gap, off, told)


def _shapes(samples: Floats) -> Iterator[_Candidate]:
    """Yield the shapes that might have made these sorted samples."""
    logs = np.log(samples)
    part = LogNormal(math.exp(float(logs.mean())), max(float(logs.std()), 1e-6))
    yield Latency.of(part), "log-normal", {"median": part.median, "sigma": part.sigma}
    mean, squared_cv = float(samples.mean()), float(samples.var() / samples.mean() ** 2)
    yield Latency.of(from_moments(mean, squared_cv)), "two moments", {"mean": mean, "squared_cv": squared_cv}
    try:
        fit = from_percentiles({p: float(np.quantile(samples, p)) for p in (0.1, 0.5, 0.95)})
    except FitError:
        pass  # many samples are equal: no smooth shape
    else:
        if fit.family.startswith("log-normal"):
            yield fit.latency, fit.family, fit.parameters
    least = float(samples[0])
    excess = float((logs - logs[0]).mean())
    if 0 < excess < 1 / 1.01:
        yield pareto(least, 1 / excess), "Pareto", {"least": least, "index": 1 / excess}


def _kept(samples: Floats) -> Latency:
    """Return the samples in pieces between their quantiles, closer together the fewer are slower."""
    number = len(samples)
    slower = np.concatenate([np.linspace(1.0, 0.1, 100), np.geomspace(0.1, max(5 / number, 1e-5), 60)[1:]])
    times = np.unique(np.quantile(samples, 1 - slower, method="higher"))
    tail = 1 - np.searchsorted(samples, times, side="right") / number
    return pieces(times[1:].tolist(), tail[1:].tolist(), float(times[0]), 1 - float(tail[0]))


def from_histogram(bounds: Sequence[float], counts: Sequence[float], *, cumulative: bool = False) -> Fit:
    """Return the fit to a histogram: `counts` of the times above the bound before (first 0) and up to each of `bounds`.

    Bounds ascend, in s; the last may be infinite. `cumulative` for counts of everything up to each bound (Prometheus).
    Log-normal where that could have made the counts, else pieces that meet every bound (*exact* there). Raises FitError
    for counts that are negative or fall, for bounds that do not ascend, and where most are in the last, open bucket.
    """
    edges, number = np.asarray(bounds, dtype=float), np.asarray(counts, dtype=float)
    if edges.ndim != 1 or edges.shape != number.shape or len(edges) == 0:
        raise FitError(f"a histogram has a count for every bound, not {number.size} counts for {edges.size} bounds")
    if not (edges[0] > 0 and (np.diff(edges) > 0).all()):
        raise FitError(f"the bounds of a histogram ascend from above 0 s: {edges.tolist()}")
    number = np.diff(number, prepend=0.0) if cumulative else number
    if not (np.isfinite(number).all() and (number >= 0).all() and number.sum() > 0):
        raise FitError(
            "the counts of a histogram are finite, none is negative (cumulative ones never fall), one is > 0"
        )
    total = float(number.sum())
    closed = np.isfinite(edges)
    beyond = float(number[~closed].sum()) / total
    edges, below = edges[closed], np.cumsum(number[closed]) / total
    if beyond > 0.5:
        raise FitError(f"{beyond:.3g} of all lie in the open bucket: even their median is known only to be longer")
    told = f"how long the {beyond:.3g} in the open bucket take" if beyond else "where in a bucket a time lies"
    smooth = _log_normal(edges, number[closed], total)
    if smooth is not None:
        latency, family, parameters = smooth
        gap = _distance(latency, edges, below)
        if gap <= _KOLMOGOROV / math.sqrt(total):
            return Fit(latency, family, parameters, gap, (), told)
    latency = pieces(edges.tolist(), (1 - below).tolist())
    return Fit(latency, "straight pieces", {}, _distance(latency, edges, below), (), told)


def _log_normal(edges: Floats, counts: Floats, total: float) -> _Candidate | None:
    """Return the log-normal time that makes these counts likeliest; None where fewer than three buckets have any."""
    if int((counts > 0).sum()) < 3:
        return None
    from scipy.optimize import minimize  # noqa: PLC0415, 0.3 s that only a fit needs
    from scipy.special import ndtr  # noqa: PLC0415

    logs = np.log(edges)
    middle = (logs + np.concatenate([[logs[0] - 0.7], logs[:-1]])) / 2
    mean = float(counts @ middle / counts.sum())
    spread = math.sqrt(float(counts @ (middle - mean) ** 2 / counts.sum())) or 0.1

    def unlikely(point: Floats) -> float:
        share = ndtr((logs - point[0]) / math.exp(point[1]))
        cells = np.diff(np.concatenate([[0.0], share, [1.0]]))
        number = np.append(counts, total - counts.sum())
        return -float(number @ np.log(np.maximum(cells, 1e-300))) / total

    found = minimize(unlikely, [mean, math.log(spread)], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    median, sigma = math.exp(float(found.x[0])), math.exp(float(found.x[1]))
    if not 1e-3 < sigma < 5:
        return None
    return Latency.of(LogNormal(median, sigma)), "log-normal", {"median": median, "sigma": sigma}


def _distance(latency: Latency, times: Floats, below: Floats) -> float:
    """Return the largest difference between the distribution function and what share was seen below some times."""
    return float(np.abs(latency.cdf(times) - below).max())


def _off(latency: Latency, wanted: Mapping[float, float]) -> tuple[tuple[float, float], ...]:
    found = latency.percentiles(list(wanted))
    return tuple((p, have / want - 1) for (p, want), have in zip(wanted.items(), found, strict=True))
