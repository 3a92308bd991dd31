"""Axes of a chart: where they begin and end, and which values are written along them. Pure; knows no screen.

A place along a logarithmic axis is the decimal logarithm of its value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ROUND: Final = (1, 2, 5)
_FINER: Final = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 1.5, 2, 3, 5, 7), (1, 2, 3, 5))
_SHORT: Final = 1.1
"""Decades of a logarithmic axis up to which 1, 2 and 5 are too few, and what there is then."""

_SMALLEST: Final = 1e-12
"""Of a range, relative to its ends: below that, floating point has no ticks between them."""

_SMALLEST_SHARE: Final = 1e-9
"""Of a number: what differs by less is written alike."""

_NEAR: Final = 0.03
_NEAR_ZERO: Final = 0.25
"""Of its length, how much longer an axis may become to begin or end at a decade, or at 0."""

_GAP: Final = 3
"""Columns between two texts below an axis."""


@dataclass(frozen=True)
class Axis:
    """What is along one side of a chart; `show` writes a value with its unit."""

    label: str
    show: Callable[[float], str]
    log: bool = False
    binary: bool = False
    """Whether round values are powers of two, as they are of bytes."""


def place(axis: Axis, value: float) -> float | None:
    """Return where a value stands along an axis; None for what no logarithmic axis reaches, or what is no number."""
    if not math.isfinite(value) or (axis.log and value <= 0):
        return None
    return math.log10(value) if axis.log else value


def value(axis: Axis, at: float) -> float:
    """Return the value at a place along an axis."""
    return 10.0**at if axis.log else at


def span(axis: Axis, places: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis on which all places are seen: never the same, however equal the places are."""
    low, high = (min(places), max(places)) if places else (0.0, 1.0)
    # The places of a logarithmic axis are exponents: what they differ by is a share of the number already.
    if high - low > (_SMALLEST_SHARE if axis.log else _SMALLEST * max(abs(low), abs(high), 1e-300)):
        return _rounded_off(axis, low, high)
    if axis.log:
        return low - 0.5, high + 0.5
    # What is all the same stands in the middle, with 0 in sight where it is near.
    return (0.0, 2 * low) if low > 0 else (2 * low, 0.0) if low < 0 else (0.0, 1.0)


def _rounded_off(axis: Axis, low: float, high: float) -> tuple[float, float]:
    """Return ends moved outwards to a decade, or to 0, where these are near: there, a text tells most."""
    size = high - low
    if not axis.log:
        return (0.0 if 0 < low <= _NEAR_ZERO * size else low), (0.0 if -_NEAR_ZERO * size <= high < 0 else high)
    return (
        math.floor(low) if low - math.floor(low) <= _NEAR * size else low,
        math.ceil(high) if math.ceil(high) - high <= _NEAR * size else high,
    )


def ticks(axis: Axis, low: float, high: float, room: int, *, across: bool) -> list[tuple[float, str]]:
    """Return as many round places with their texts as fit into `room` cells, across or up."""
    best: list[tuple[float, str]] = []
    candidates = _doublings(low, high) if axis.log and axis.binary else _logarithmic(low, high) if axis.log else None
    for places in candidates or _linear(low, high):
        found = [(at, axis.show(_rounded(value(axis, at)))) for at in places]
        if found and _apart(found, low, high, room, across=across):
            return found
        best = best or found[:1]
    return best


def _apart(found: Sequence[tuple[float, str]], low: float, high: float, room: int, *, across: bool) -> bool:
    """Return whether the texts leave room between them: across, each is in the middle below its place."""
    cell = (high - low) / max(room, 1)
    return all(b - a >= ((len(s) + len(t)) / 2 + _GAP if across else 2) * cell for (a, s), (b, t) in pairwise(found))


def _rounded(number: float) -> float:
    """Return a number without the last digits, in which a sum of steps errs."""
    return float(f"{number:.12g}")


def _linear(low: float, high: float) -> Iterator[list[float]]:
    """Yield multiples of ever larger round steps."""
    power = math.floor(math.log10((high - low) / 20))
    for step in (factor * 10.0**p for p in range(power, power + 4) for factor in _ROUND):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        yield [_rounded(n * step) for n in range(first, last + 1)]


def _doublings(low: float, high: float) -> Iterator[list[float]]:
    """Yield powers of two, then every second, third … of them; less than two doublings as a linear axis."""
    factor = math.log10(2)
    if high - low < 2 * factor:
        yield from _logarithmic(low, high)
    for every in count(1):
        first, last = math.ceil(low / factor - 1e-9), math.floor(high / factor + 1e-9)
        found = [n * factor for n in range(first, last + 1) if n % every == 0]
        yield found
        if len(found) <= 1:
            return


def _logarithmic(low: float, high: float) -> Iterator[list[float]]:
    """Yield 1-2-5 of each decade, then decades, then every second, third … of them; a narrow range in finer steps."""
    if high - low < 0.5:
        for values in _linear(10.0**low, 10.0**high):
            yield [math.log10(v) for v in values if v > 0]
    decades = range(math.floor(low), math.ceil(high) + 1)
    for factors in (*(_FINER if high - low < _SHORT else ()), _ROUND):
        fine = [decade + math.log10(factor) for decade in decades for factor in factors]
        yield [at for at in fine if low - 1e-9 <= at <= high + 1e-9]
    for every in count(1):
        found = [float(d) for d in decades if d % every == 0 and low - 1e-9 <= d <= high + 1e-9]
        yield found
        if len(found) <= 1:
            return
