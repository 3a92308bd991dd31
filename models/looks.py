"""Looks at a tail, and where between them it falls to a probability: inverse Hermite interpolation.

Time as a function of the logarithm of a tail is smooth, and with it its slope is known. So a polynomial through the
looks on both sides of what is wanted says the time to more digits with each look more, as long as nothing in between
jumps or bends sharply. It is built by Newton's divided differences, every look twice, the nearest first: what the last
looks still changed tells how far it is off.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.transforms import Flags, Floats

_FEWEST: Final = 8
"""Values and slopes before the last changes say anything."""

_MOST: Final = 4
"""Looks on each side; further away the tail is another one."""

_ENOUGH: Final = 4e-7
"""Relative to the time, of the last four changes together: the error is then mostly a tenth of it."""

_CLEAR: Final = math.log(1e-6)
"""The logarithm of a tail that stands out from the noise of an inversion, some 1e-9 of all."""


class Look(NamedTuple):
    """A time, the logarithm of the tail there, and the time that passes while that falls by one, seconds."""

    time: float
    log_tail: float
    pace: float


def looked_at(times: Floats, tails: Floats, densities: Floats) -> tuple[Look, ...]:
    """Return what is known from tails and densities at ascending times, but for where they are mostly noise."""
    told = zip(times.tolist(), tails.tolist(), densities.tolist(), strict=True)
    return tuple([Look(t, math.log(tail), tail / density) for t, tail, density in told if tail > 1e-9 and density > 0])


class Looks(NamedTuple):
    """What is known of a tail: looks in the order of time, and stretches of them on which it is smooth and certain."""

    all: tuple[Look, ...]
    smooth: tuple[tuple[Look, ...], ...]

    @staticmethod
    def at(times: Floats, tails: Floats, densities: Floats, sure: Flags, kinks: Sequence[float]) -> Looks:
        """Return what is known at ascending times.

        A stretch ends where a look is not `sure`, where the tail does not fall, and at every kink.
        """
        known, stretches = looked_at(times, tails, densities), [list[Look]()]
        unsure = {time for time, told in zip(times.tolist(), sure.tolist(), strict=True) if not told}
        for look in known:
            if look.time in unsure:
                stretches.append([])
            elif look.log_tail > _CLEAR:
                if stretches[-1] and _breaks(stretches[-1][-1], look, kinks):
                    stretches.append([])
                stretches[-1].append(look)
        return Looks(known, tuple([tuple(stretch) for stretch in stretches if stretch]))

    def between(self, tail: float) -> float | None:
        """Return the time at which the tail falls to this probability, None where that is not known well enough."""
        for stretch in self.smooth:
            found = time_between(stretch, math.log(tail))
            if found is not None:
                return found
        return None


def _breaks(look: Look, following: Look, kinks: Sequence[float]) -> bool:
    """Return whether a tail is not known to fall smoothly from one look to the next."""
    return following.log_tail >= look.log_tail or any(look.time <= kink < following.time for kink in kinks)


def time_between(looks: Sequence[Look], log_tail: float) -> float | None:
    """Return the time at which a tail falls to exp(log_tail); None where looks in the order of time do not tell it.

    *Approximate*: mostly within 1e-7, at most 1.1e-6 of 2,250 percentiles of sums and mixtures of one to five queues.
    """
    after = bisect_left(looks, -log_tail, key=lambda look: -look.log_tail)
    if after in {0, len(looks)}:
        return None
    low, high = looks[after - 1].time, looks[after].time
    places: list[float] = []
    last: list[float] = []
    changes: list[float] = []
    found, factor = 0.0, 1.0
    for time, place, pace in _outwards(looks, after):
        for twice in (False, True):
            # The new last row of the table: divided differences over one place, two places, and so on.
            value, row = time, [time]
            for difference, start in zip(last, reversed(places), strict=True):
                value = -pace if twice and len(row) == 1 else (value - difference) / (place - start)
                row.append(value)
            change = value * factor
            found += change
            factor *= log_tail - place
            places.append(place)
            changes.append(abs(change))
            last = row
        if len(places) >= _FEWEST and sum(changes[-4:]) <= _ENOUGH * found and low <= found <= high:
            return found
    return None


def _outwards(looks: Sequence[Look], after: int) -> Iterator[Look]:
    """Yield the nearest looks first, one before and one after what is wanted in turn, as long as there are any."""
    before = after - 1
    for _ in range(_MOST):
        if before >= 0:
            yield looks[before]
            before -= 1
        if after < len(looks):
            yield looks[after]
            after += 1
