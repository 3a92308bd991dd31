"""A longer time to live: a cache that forgets what it could still hold remembers it for longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.components.cache import Cache
from capacity.steps.base import Proposal, Told, path_of, with_keys
from capacity.units import show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "cache-ttl"
TITLE: Final = "a longer time to live"

_TIMES: Final = 5
_HITS_ENOUGH: Final = 0.95
"""The hit ratio from which on forgetting later brings nothing that one would notice."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each cache whose objects end by their age and not for want of memory."""
    for name, tier in situation.tiers.items():
        if not isinstance(tier, Cache) or tier.ttl is None:
            continue
        place, arrivals = situation.solution.places[name], situation.solution.arrivals(name)
        if arrivals.read_rate == 0 or place.nodes == 0:
            continue
        found = tier.hits(place, arrivals)
        room = found.objects is None or found.objects < 0.9 * min(tier.objects, tier.capacity(place))
        if found.hit_ratio < _HITS_ENOUGH and room:
            longer = float(tier.ttl) * _TIMES
            written = f"{longer:g}s"
            text = f"{name}: ttl {show_seconds(longer)}, not {show_seconds(float(tier.ttl))}"
            values = with_keys(situation.values, path_of(name), ttl=written)
            risks = (f"answers may be {show_seconds(longer)} old", "with a cold cache more falls on its origin")
            assumes = (f"{show_seconds(longer)} is not too old for whoever reads",)
            yield from situation.changed(NAME, name, values, Told(text, assumes, risks))
