"""Durations kept on a grid of times, where only their tail is known: a maximum, a minimum, what a timeout cuts off.

Between neighbours the tail falls exponentially, so that what is log-linear is exact and what is smooth is right to
second order in the spacing. The points lie closest where that matters for percentiles from P50 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.transforms import PiecewiseHazard, Transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.transforms import Floats

GRID_POINTS = 120
"""Points of the grid on which a maximum or a cut-off distribution is kept."""

WIDE_POINTS = 500
"""The same where a heavy tail is followed over many orders of magnitude."""


def on_grid(tail: Callable[[Floats], Floats], end: float) -> PiecewiseHazard:
    """Return the duration with this tail, kept at times up to `end`, beyond which its hazard stays."""
    times = _grid(tail, end)
    at_once = float(tail(times[1:2] * 1e-6)[0])
    return PiecewiseHazard(times, np.minimum.accumulate(np.clip(np.append(at_once, tail(times[1:])), 1e-12, 1.0)))


def on_wide_grid(tail: Callable[[Floats], Floats], end: float) -> PiecewiseHazard:
    """Return the duration with this tail, kept over nine orders of magnitude below `end`.

    A power law bends on every scale: the points are spread over the logarithms of time and of the tail.
    """
    coarse = end * np.geomspace(1e-9, 1.0, 600)
    values = np.minimum.accumulate(np.clip(tail(coarse), 1e-12, 1.0))
    ruler = -np.log(values) / 8 + 3 * (1 - values) + np.log(coarse / end) / 5
    times = np.exp(np.interp(np.linspace(ruler[0], ruler[-1], WIDE_POINTS), ruler, np.log(coarse)))
    times = np.concatenate([[0.0], times])
    at_once = float(tail(times[1:2] * 1e-6)[0])
    return PiecewiseHazard(times, np.minimum.accumulate(np.clip(np.append(at_once, tail(times[1:])), 1e-12, 1.0)))


def is_heavy(duration: Transform) -> bool:
    """Return whether a part of a duration falls more slowly than exponentially."""
    waiting, seen = [duration], {duration}
    while waiting:
        part = waiting.pop()
        if part.is_heavy:
            return True
        # Parts are shared: each is looked at once, however many ways lead to it.
        held = [x for value in vars(part).values() for x in (value if isinstance(value, tuple) else (value,))]
        inside = {x for x in held if isinstance(x, Transform)} - seen
        waiting += inside
        seen |= inside
    return False


def _grid(tail: Callable[[Floats], Floats], end: float) -> Floats:
    """Return times from 0 to `end`, closest where a tail function falls fastest and where its logarithm bends."""
    coarse = end * np.concatenate([np.geomspace(1e-6, 0.02, 24, endpoint=False), np.linspace(0.02, 1.0, 60)])
    values = np.minimum.accumulate(np.clip(tail(coarse), 1e-12, 1.0))
    ruler = -np.log(values) / 8 + 3 * (1 - values) + np.log(coarse / end) / 14 + 2 * coarse / end
    ruler[1:] += 4 * np.cumsum(_bends(coarse, values) * np.diff(coarse))
    fine = np.interp(np.linspace(ruler[0], ruler[-1], GRID_POINTS), ruler, coarse)
    return np.concatenate([[0.0], fine])


def _bends(times: Floats, tail: Floats) -> Floats:
    """Return, per second and for each interval, how many points keep a time read off straight pieces equally right.

    Straight pieces of width h are off by h**2 L''/8 in the logarithm L of the tail, by L''/L' in time. Short times
    weigh little, as nobody asks for low percentiles, and tails below 1e-7 nothing, where an inversion is noise.
    """
    widths = np.diff(times)
    hazard = np.maximum(-np.diff(np.log(tail)) / widths, 1e-3 / times[-1])
    bend = np.abs(np.diff(hazard)) / (widths[1:] + widths[:-1]) * 2
    points = (1 - tail[1:-1]) * np.sqrt(bend / (times[1:-1] * np.minimum(hazard[1:], hazard[:-1])))
    points = np.concatenate([[0.0], np.where(tail[2:] > 1e-7, points, 0.0), [0.0]])
    between: Floats = (points[1:] + points[:-1]) / 2
    return between
