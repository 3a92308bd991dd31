"""A local cache: what is read from a database is remembered in the memory of every node that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.steps.base import Proposal, Told
from capacity.steps.reads import TTL, contents, in_front, uncached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "local-cache"
TITLE: Final = "a local cache"

_MIB: Final = 1024**2
_SPARE: Final = 0.75
"""Of the memory that a node has left below the ceiling, what a cache in it may take."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each database without a cache that a service on nodes of known memory mostly reads."""
    for name, tier, read in uncached(situation):
        memory = _left(situation, read.caller)
        if memory < _MIB:
            continue
        cached, assumes = contents(name, tier, read)
        table = {"kind": "cache", "host": read.caller, "memory": f"{int(memory / _MIB)}MiB", "origin": name}
        text = f"{read.caller} remembers what it reads from {name}, in {int(memory / _MIB)} MiB of every node"
        risks = (
            f"answers may be {TTL} old, and differ from node to node",
            "every new node has to learn for itself, and each sees fewer questions",
        )
        values = in_front(situation, read, {**table, "operation_time": "20us", **cached})
        yield from situation.changed(NAME, name, values, Told(text, assumes, risks))


def _left(situation: Situation, host: str) -> float:
    """Return the memory that a cache may have on each node of a service, 0 where it is not known."""
    place = situation.solution.places[host]
    if place.machine is None or place.machine.memory is None:
        return 0.0
    residents = situation.system.residents[place.root]
    places = situation.solution.places
    taken = [situation.tiers[n].memory_used(places[n]) for n in residents]
    sets = [float(getattr(situation.tiers[n], "working_set", None) or 0.0) for n in residents]
    left = float(place.machine.memory) * situation.ceiling - sum(float(part or 0.0) for part in taken) - sum(sets)
    return max(0.0, left) * _SPARE
