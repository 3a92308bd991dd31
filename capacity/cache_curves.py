"""How well a cache would do with other room or another time to live, and how it fills again.

The evaluation's own functions are asked for the same tier with one field replaced, where it stands and with what it is
asked.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.components.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.components.exchange import Arrivals, Place
    from capacity.solve import Solution
    from capacity.system import System

SAMPLES: Final = 21
"""Places along a curve, evenly spread over their logarithm."""

SMALLEST: Final = 1e-4
"""Of all objects: where the curve over size begins."""

TIMES: Final = 1000.0
"""By which a time to live is varied, either way."""


class HitCurve(msgspec.Struct, frozen=True):
    """Hit ratios of reads over a field; `here` is what the file has, None where it has none or it is not known."""

    here: float | None
    hit_ratio: float
    """As it is now."""
    points: list[tuple[float, float]]
    without: float | None = None
    """The hit ratio without the field, where that means something."""


class Room(msgspec.Struct, frozen=True):
    """Bytes on each node: what its objects take and what there is for them, None where that is not known."""

    used: float
    available: float | None


def caches(system: System) -> dict[str, Cache]:
    """Return the caches of a system by name."""
    return {name: tier for name, tier in system.tiers.items() if isinstance(tier, Cache)}


def over_size(solution: Solution, name: str, tick: Callable[[int], None] = lambda _: None) -> HitCurve | None:
    """Return the hit ratio over the bytes of one copy: a local node's, or those of all global nodes together.

    None where objects take no room. As exact as `models.cache` says.
    """
    tier, place, arrivals = _asked(solution, name)
    whole = float(tier.objects) * float(tier.object_size)
    if whole == 0 or place.nodes == 0:
        return None
    copies = 1 if place.hosted else place.count
    held = tier.capacity(place) * float(tier.object_size)
    here = None if math.isinf(held) else held
    sizes = _spread(whole * SMALLEST, 2 * max(whole, here or 0.0), here)
    anywhere, points = replace(place, memory=None), []
    for i, size in enumerate(sizes):
        tick(i)
        larger = msgspec.structs.replace(tier, memory=size / copies)
        points.append((size, larger.hits(anywhere, arrivals).hit_ratio))
    return HitCurve(here, tier.hits(place, arrivals).hit_ratio, points)


def over_ttl(solution: Solution, name: str, tick: Callable[[int], None] = lambda _: None) -> HitCurve | None:
    """Return the hit ratio over the time to live in seconds, and without one; None where nothing is read.

    As exact as `models.cache` says.
    """
    tier, place, arrivals = _asked(solution, name)
    if arrivals.read_rate == 0 or place.nodes == 0:
        return None
    now = tier.hits(place, arrivals)
    here = None if tier.ttl is None else float(tier.ttl)
    around = here or now.characteristic_time or float(tier.objects) / arrivals.read_rate
    points = []
    for i, ttl in enumerate(_spread(around / TIMES, around * TIMES, here)):
        tick(i)
        points.append((ttl, msgspec.structs.replace(tier, ttl=ttl).hits(place, arrivals).hit_ratio))
    without = msgspec.structs.replace(tier, ttl=None).hits(place, arrivals).hit_ratio
    return HitCurve(here, now.hit_ratio, points, without)


def warm_up(solution: Solution, name: str) -> HitCurve | None:
    """Return the hit ratio over the seconds since every copy was empty; `here` is when it is nearly the steady one.

    None where nothing is ever hit. As exact as `models.warmup` says.
    """
    tier, place, arrivals = _asked(solution, name)
    recovery = tier.recovery(place, arrivals, 1.0) if place.nodes else 0.0
    if recovery == 0:
        return None
    times = _spread(recovery / TIMES, recovery * 3, recovery)
    steady = tier.hits(place, arrivals).hit_ratio
    return HitCurve(recovery, steady, [(t, tier.warming(place, arrivals, 1.0, t)) for t in times])


def room(solution: Solution, name: str) -> Room | None:
    """Return what is used of the memory of each node; None without a node."""
    tier, place, arrivals = _asked(solution, name)
    if place.nodes == 0:
        return None
    size, copies = float(tier.object_size), 1 if place.hosted else place.count
    held, most = tier.hits(place, arrivals).objects, tier.capacity(place)
    return Room(held * size / copies, None if math.isinf(most) else most * size / copies)


def _asked(solution: Solution, name: str) -> tuple[Cache, Place, Arrivals]:
    tier = solution.system.tiers[name]
    if not isinstance(tier, Cache):
        raise TypeError(f"{name} is no cache")
    return tier, solution.places[name], solution.arrivals(name)


def _spread(low: float, high: float, here: float | None) -> list[float]:
    """Return places from low to high, what there is now among them."""
    places = {low * (high / low) ** (i / (SAMPLES - 1)) for i in range(SAMPLES)}
    return sorted(places | ({here} if here else set()))
