"""The same topology with one tier on other machines, and all other tiers as they are planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.advice import describe as words
from capacity.fewest import fewest_near
from capacity.search import Search
from capacity.system import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.search import Conflict
    from capacity.system import Counts
    from capacity.topology import Topology


PRICE_UNKNOWN: Final = "price unknown"
"""Why a type is out that passes everything, and of which nobody knows what it costs."""

MOST_LOOKS: Final = 64
"""Counts below a guess that are tried one by one, where more nodes make a limit worse."""


def pinned(topology: Topology, counts: Counts) -> Topology:
    """Return the topology with these counts given."""
    components = {
        name: msgspec.structs.replace(tier, **{tier.counted: counts[name]}) if name in counts and tier.counted else tier
        for name, tier in topology.components.items()
    }
    return msgspec.structs.replace(topology, components=components)


def with_tier(topology: Topology, name: str, **changes: Any) -> Topology:
    """Return the topology with some fields of one tier changed, its count left to be found."""
    tier = topology.components[name]
    free: dict[str, Any] = {tier.counted: "auto"} if tier.counted else {}
    changed = msgspec.structs.replace(tier, **free, **changes)
    return msgspec.structs.replace(topology, components={**topology.components, name: changed})


def searched(topology: Topology, tick: Callable[[int], None]) -> Search:
    """Return a search of a topology."""
    return Search.of(resolve(topology), tick)


def first_passing(search: Search, counts: Counts, name: str, guess: int) -> tuple[int | None, Conflict | None]:
    """Return the fewest nodes of one tier with which everything passes, all others as given; else what is in the way.

    Starts from a guess, which costs two looks where it is right.
    """
    least, most = search.system.tiers[name].least_count(), search.most(name)
    last: list[Conflict] = []
    looked: dict[int, Conflict | None] = {}

    def enough(count: int) -> bool:
        if count not in looked:
            looked[count] = next(search.conflicts({**counts, name: count}), None)
        conflict = looked[count]
        if conflict is not None:
            last[:] = [conflict]
        return conflict is None

    if search.more_may_be_slower(name):
        found = search.first(name, enough, least)
        # Between too few and too many, few counts may pass: the planned one is known to.
        found = min(max(guess, least), most) if found is None and enough(min(max(guess, least), most)) else found
    else:
        bound = _bounded(enough, search, name, guess, last)
        found = fewest_near(enough, guess, least, bound)
        if found is None and bound < most:
            found = next((count for count in range(max(least, bound - MOST_LOOKS), bound) if enough(count)), None)
    if found is not None:
        return found, None
    enough(most)
    return None, last[0] if last else None


def _bounded(enough: Callable[[int], bool], search: Search, name: str, guess: int, last: list[Conflict]) -> int:
    """Return the most nodes worth a look: no more than a guess that fails for what no node of the tier relieves."""
    most = search.most(name)
    guess = min(guess, most)
    return guess if not enough(guess) and name not in search.helpers(last[0].violation) else most


def reason(conflict: Conflict | None) -> str:
    """Return in one line why a count does not pass."""
    if conflict is None:
        return "does not pass"
    violation = conflict.violation
    when = f" {conflict.phrase}" if conflict.phrase else ""
    if violation.constraint == "nodes":
        return f"{'nothing' if violation.limit <= 1 else 'no quorum'} is left{when}"
    return f"{violation.name} {words(violation)}{when}"
