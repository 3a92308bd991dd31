"""A larger cache: one that evicts what it could still use gets twice the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.components.cache import Cache
from capacity.pricing import larger
from capacity.steps.base import Proposal, Told, path_of, with_keys
from capacity.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation, Values

NAME: Final = "cache-size"
TITLE: Final = "a larger cache"

_FULL: Final = 0.95
_MIB: Final = 1024**2


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each cache that is full, and for which its machine or a larger one of the family has twice the memory."""
    for name, tier in situation.tiers.items():
        place, arrivals = situation.solution.places[name], situation.solution.arrivals(name)
        if not isinstance(tier, Cache) or arrivals.read_rate == 0 or place.nodes == 0:
            continue
        held, capacity = tier.hits(place, arrivals).objects, tier.capacity(place)
        if held is None or held < _FULL * min(capacity, tier.objects) or capacity >= tier.objects:
            continue
        found = _in_its_host(situation, name, tier) if place.hosted else _on_larger_nodes(situation, name, tier)
        if found is not None:
            values, text = found
            yield from situation.changed(NAME, name, values, Told(text, (), ("takes longer to be warm again",)))


def _in_its_host(situation: Situation, name: str, tier: Cache) -> tuple[Values, str] | None:
    place = situation.solution.places[name]
    more = 2 * float(tier.memory or 0.0)
    if not more or place.memory is None or more > place.memory:
        return None
    values = with_keys(situation.values, path_of(name), memory=f"{int(more / _MIB)}MiB" if more > _MIB else int(more))
    return values, f"{name}: {show_bytes(more)} of every node's memory, not {show_bytes(float(tier.memory or 0.0))}"


def _on_larger_nodes(situation: Situation, name: str, tier: Cache) -> tuple[Values, str] | None:
    machine = situation.system.machines[name]
    if machine is None or machine.memory is None:
        return None
    fitting = larger(machine, "memory", 2 * float(machine.memory), situation.node_types(name))
    if not fitting:
        return None
    values = with_keys(situation.values, path_of(name), node=fitting[0], memory=None)
    return values, f"{name} on {fitting[0]} instead of {tier.node}, with the memory of two"
