"""A response-time distribution from the few numbers that people have: a mean and a p99, or a handful of percentiles.

    FitError(ValueError)        catch it for anything that cannot be fitted
      ImpossibleError           no distribution has these numbers, whatever its shape
      UnreachableError          some distribution has them, none of the shapes that are tried does

A `Fit` says which shape was taken, how far it is from what was given, and what was not given and is therefore the
shape's word alone: everything beyond the last percentile. Samples and histograms are in `models.measured`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from models.heavy import LogNormal
from models.latency import Latency
from models.service_time import ServiceTime
from models.transforms import PiecewiseHazard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class FitError(ValueError):
    """What was given cannot be fitted."""


class ImpossibleError(FitError):
    """No distribution of durations has these numbers."""


class UnreachableError(FitError):
    """Distributions with these numbers exist, but not of a shape that is tried."""


@dataclass(frozen=True)
class Fit:
    """A fitted response time.

    `parameters` are those of the `family`, in seconds where they are times. `gap` is the largest difference between
    its distribution function and what was given, in probability. `off` holds (fraction, relative error) of percentiles.
    `told` says in a sentence what the numbers do not tell.
    """

    latency: Latency
    family: str
    parameters: Mapping[str, float]
    gap: float
    off: tuple[tuple[float, float], ...]
    told: str


def from_mean(mean: float, time: float, fraction: float = 0.99) -> Fit:
    """Return the fit with this mean (s) and this percentile: `time` (s) is what a `fraction` of requests stays within.

    Log-normal, which meets both (*exact*); where the percentile is too far out for that, two exponentials. Raises
    ImpossibleError where the slow ones alone would exceed the mean (Markov's inequality), UnreachableError where they
    are nearly all of it.
    """
    _positive({"mean": mean, "percentile": time})
    _within(fraction)
    slow, label = 1 - fraction, _label(fraction)
    if time * slow > mean * (1 + 1e-12):
        raise ImpossibleError(
            f"a {label} of {time:g} s makes the mean at least {time * slow:g} s, as {slow:.3g} of all take so long; "
            f"the mean given is {mean:g} s"
        )
    if time < mean * (1 - 1e-12):
        raise UnreachableError(
            f"a mean of {mean:g} s above the {label} of {time:g} s says that the slowest {slow:.3g} take most of the "
            "time; give percentiles beyond it, or samples"
        )
    z, ratio = NormalDist().inv_cdf(fraction), math.log(time / mean)
    if ratio < 1e-12:
        return _fitted(Latency.constant(mean), "constant", {"value": mean}, {fraction: time}, "that it never varies")
    told = f"what lies beyond the {label}, and the shape below"
    if z * z > 2 * ratio and z > 0:
        sigma = 2 * ratio / (z + math.sqrt(z * z - 2 * ratio))
        part = LogNormal(mean * math.exp(-sigma * sigma / 2), sigma)
        return _fitted(Latency.of(part), "log-normal", {"median": part.median, "sigma": sigma}, {fraction: time}, told)
    return _two_speeds(mean, time, fraction, told)


def _two_speeds(mean: float, time: float, fraction: float, told: str) -> Fit:
    """Return most requests fast and e times as many slow as lie beyond the percentile: the least mean for its time."""
    share = math.e * (1 - fraction)
    quick = (mean - share * time) / (1 - share) if share < 1 else 0.0
    for _ in range(200):
        # The quick ones beyond the percentile leave less for the slow ones; there are next to none.
        left = 1 - fraction - (1 - share) * math.exp(-time / quick) if quick > 0 else -1.0
        if left <= 0:
            raise UnreachableError(
                f"a mean of {mean:g} s with a {_label(fraction)} of {time:g} s is {time / mean:.3g} times as long: "
                "neither a log-normal time nor two exponential ones do that; give more percentiles, or samples"
            )
        slow = time / math.log(share / left)
        before, quick = quick, (mean - share * slow) / (1 - share)
        if abs(quick - before) < 1e-14 * mean:
            break
    part = ServiceTime(((1 - share, 1, 1 / quick), (share, 1, 1 / slow)))
    return _fitted(
        Latency.of(part), "two speeds", {"share": share, "quick": quick, "slow": slow}, {fraction: time}, told
    )


def from_percentiles(percentiles: Mapping[float, float]) -> Fit:
    """Return the fit that has all these percentiles: seconds by fraction, such as {0.5: 0.02, 0.95: 0.08, 0.99: 0.2}.

    Two are met by a log-normal time, three by one after a constant, where there is one; else straight pieces: the
    logarithm of the tail is straight between what is given, and beyond. All of them meet the numbers (*exact*). Raises
    ImpossibleError where a higher fraction has no longer time.
    """
    given = sorted(percentiles.items())
    if len(given) < 2:
        raise FitError(f"two percentiles at least are needed to know a width; given: {given}")
    for fraction, time in given:
        _within(fraction)
        _positive({_label(fraction): time})
    for (low, early), (high, late) in pairwise(given):
        if late <= early:
            raise ImpossibleError(
                f"the {_label(high)} of {late:g} s must be longer than the {_label(low)} of {early:g} s"
            )
    told = f"what lies beyond the {_label(given[-1][0])}"
    shift = _shift(given)
    if shift is not None:
        z = [NormalDist().inv_cdf(fraction) for fraction, _ in given]
        sigma = math.log((given[-1][1] - shift) / (given[0][1] - shift)) / (z[-1] - z[0])
        median = (given[0][1] - shift) * math.exp(-z[0] * sigma)
        latency = Latency.constant(shift) + Latency.of(LogNormal(median, sigma))
        parameters = {"shift": shift, "median": median, "sigma": sigma}
        return _fitted(latency, "log-normal after a constant" if shift else "log-normal", parameters, percentiles, told)
    latency = pieces([time for _, time in given], [1 - fraction for fraction, _ in given])
    return _fitted(latency, "straight pieces", {}, percentiles, told + ": it goes on as it last fell")


def _shift(given: Sequence[tuple[float, float]]) -> float | None:
    """Return the constant after which a log-normal time has these percentiles: 0 for two; None where there is none."""
    if len(given) == 2:
        return 0.0
    if len(given) > 3:
        return None
    (low, a), (middle, b), (high, c) = ((NormalDist().inv_cdf(fraction), time) for fraction, time in given)
    wanted = (high - low) / (middle - low)

    def bend(shift: float) -> float:
        return math.log((c - shift) / (a - shift)) / math.log((b - shift) / (a - shift))

    # The bend falls as the shift nears the first percentile, towards 1.
    if bend(0.0) < wanted:
        return None
    early, late = 0.0, a * (1 - 1e-9)
    if bend(late) > wanted:
        return None
    for _ in range(60):
        between = (early + late) / 2
        early, late = (between, late) if bend(between) > wanted else (early, between)
    # Nearly all of the first percentile being constant means a tail without end: no response time is like that.
    sigma = math.log((c - early) / (a - early)) / (high - low)
    return early if sigma < 3 else None


def pieces(times: Sequence[float], tail: Sequence[float], least: float = 0.0, at_once: float = 0.0) -> Latency:
    """Return the latency with these tails at these ascending times (s) (*exact* there), exponential in between.

    Nothing is shorter than `least`, and the share `at_once` takes just that. Tails fall; equal ones mean that nothing
    ends between, a tail of 1 that nothing has yet. Beyond the last it goes on as it last fell.
    """
    start = max((t for t, q in zip(times, tail, strict=True) if q >= 1), default=least)
    kept = [(t - start, q) for t, q in zip(times, tail, strict=True) if t > start]
    grid = np.array([0.0, *(t for t, _ in kept)])
    rest = PiecewiseHazard(grid, np.clip(np.array([1.0 - at_once, *(q for _, q in kept)]), 1e-12, 1.0))
    return Latency.constant(start) + Latency.of(rest)


def _fitted(
    latency: Latency, family: str, parameters: Mapping[str, float], given: Mapping[float, float], told: str
) -> Fit:
    """Return the fit with its distances from the percentiles given."""
    fractions, times = list(given), list(given.values())
    found = latency.percentiles(fractions)
    off = tuple((p, have / want - 1) for p, have, want in zip(fractions, found, times, strict=True))
    if latency.variance == 0:
        return Fit(latency, family, parameters, 0.0, off, told)
    gap = max(abs(1 - latency.exceeds(time) - p) for p, time in given.items())
    return Fit(latency, family, parameters, gap, off, told)


def _positive(named: Mapping[str, float]) -> None:
    for name, value in named.items():
        if not 0 < value < math.inf:
            raise FitError(f"the {name} is a finite time > 0 s, not {value!r}")


def _within(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise FitError(f"a percentile is given as a fraction between 0 and 1, not {fraction!r}")


def _label(fraction: float) -> str:
    return f"p{100 * fraction:.6g}"
