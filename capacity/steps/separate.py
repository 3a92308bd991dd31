"""Separate tiers that share a machine: one of them moves to machines of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.components.cache import Cache
from capacity.components.database import Database
from capacity.steps.base import Proposal, Told, path_of, with_keys
from capacity.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "separate"
TITLE: Final = "separate tiers that share a machine"


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each tier that lives on another one's machine and is asked; a local cache becomes global elsewhere."""
    for name, tier in situation.tiers.items():
        if tier.host is not None and not isinstance(tier, Cache) and situation.solution.arrivals(name).rate > 0:
            yield from _moved(situation, name)


def _moved(situation: Situation, name: str) -> Iterator[Proposal]:
    system, tier, place = situation.system, situation.tiers[name], situation.solution.places[name]
    work = tier.work(place, situation.solution.arrivals(name))
    busy = sum(each.rate * each.service.mean for each in work if each.pool == "cores") * place.speed
    there = system.machines[name]
    wanted = tier.working_set if isinstance(tier, Database) else tier.memory_used(place)
    memory = float(wanted or 0.0)
    if there is not None and there.memory is not None:
        memory = min(memory, float(there.memory))  # what did not fit before need not fit now
    node = situation.cheapest(name, busy / situation.ceiling, memory)
    values = with_keys(situation.values, path_of(name), host=None, node=node)
    room = f" and {show_bytes(memory)} of memory" if memory else ""
    told = Told(
        f"{name} moves from the machine of {system.roots[name]} to {node} of its own",
        (f"{node} is the cheapest with the cores that it keeps busy at {situation.ceiling:.0%} use{room}",),
        ("one more machine that has to work", "calls to it cross the network, for which no time is counted"),
    )
    yield from situation.changed(NAME, name, values, told)
