"""Percentiles where the fast inversion is not enough: kinks, sharp parts in broad sums, far percentiles.

Euler's method (`models.inversion`) guesses the rest of a Fourier series from 29 points, and from up to 911 where it
sees that it guesses badly, which leaves 1.1e-4 of the whole at a kink. Here the series is added up as far as 4000
terms (Dubner and Abate 1968; Abate and Whitt 1992), and only what is left is averaged. The tail is then
right to 2e-9 where it is smooth and to 3e-5 at a kink itself; it costs some fifty times as much, a few milliseconds.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from models.looks import looked_at
from models.tail_times import times_of_tail
from models.transforms import INSTANT, Points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.latency import Latency
    from models.transforms import Floats, Transform

_TERMS: Final = 4000
"""Terms of the series that are added up; a distribution narrower than a thousandth of its place is not resolved."""

_AVERAGED: Final = 16
"""Of the last so many partial sums the binomial average is taken, which takes off what alternates."""

_DAMPING: Final = 20.0
"""The error of a series instead of an integral is exp(-damping); rounding grows by exp(damping / 2)."""


def _series() -> tuple[Floats, Floats]:
    """Return the imaginary parts of the points and the weights of the terms, both to be divided by t."""
    k = np.arange(_TERMS + _AVERAGED + 1)
    kept = np.ones(len(k))
    kept[0] = 0.5
    beyond = np.cumsum([math.comb(_AVERAGED, j) for j in range(_AVERAGED + 1)]) / 2.0**_AVERAGED
    kept[_TERMS:] = 1 - np.concatenate([[0.0], beyond[:-1]])
    weights: Floats = math.exp(_DAMPING / 2) * kept * (-1.0) ** k
    return np.asarray(math.pi * k), weights


_PLACES, _WEIGHTS = _series()


def precise_tail(latency: Latency, times: Floats) -> Floats:
    """Return P(latency > t) for a one-dimensional array of times in seconds (to 2e-9, at a kink 3e-5)."""
    return _tail_and_density(latency, np.asarray(times, dtype=float))[0]


def precise_percentiles(latency: Latency, fractions: Sequence[float]) -> list[float]:
    """Return the times within which these fractions of requests stay, to 1e-6 up to P99.99.

    Parts that are kept on a grid themselves (maxima, timeouts) stay as right as those are.
    """
    if latency.variance == 0:
        return [latency.mean] * len(fractions)
    nearly = np.unique(latency.percentiles(fractions))
    known = looked_at(nearly, *_tail_and_density(latency, nearly))
    return times_of_tail(partial(_tail_and_density, latency), [1 - p for p in fractions], known)


def _tail_and_density(latency: Latency, times: Floats) -> tuple[Floats, Floats]:
    tail, density = np.zeros_like(times), np.zeros_like(times)
    for weight, shift, rest in latency.by_shift:
        later = (times > shift) if rest is not INSTANT else np.zeros(len(times), dtype=bool)
        tail += weight * (times < shift) if rest is INSTANT else weight * ~later
        if later.any():
            t, d = _inverted(rest, times[later] - shift)
            tail[later] += weight * t
            density[later] += weight * d
    return np.clip(tail, 0.0, 1.0), np.maximum(density, 0.0)


def _inverted(transform: Transform, times: Floats) -> tuple[Floats, Floats]:
    known = transform.tail_at(times)
    if known is not None:
        return known
    s = np.asarray((_DAMPING / 2 + 1j * _PLACES) / times[:, None], dtype=np.complex128)
    values = Points(s).value(transform)
    tail = (((1 - values) / s).real @ _WEIGHTS) / times
    return np.clip(tail, 0.0, 1.0), np.maximum((values.real @ _WEIGHTS) / times, 0.0)
