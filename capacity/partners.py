"""Which tiers a new one can be put before: the service that takes a queue's messages, the tier behind a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.reachable import reachable

if TYPE_CHECKING:
    from capacity.components.base import Tier
    from capacity.topology import Topology


def partners(topology: Topology, room: type[Tier], caller: str | None) -> list[str]:
    """Return the tiers that a new one of a kind may lead to, the best first.

    Neither the caller nor what leads to it is one of them: work would come back to where it came from. Where a caller
    is known, what stores is put only before what stores too or what the caller asks already.
    """
    tiers = topology.components
    called = [] if caller is None else [to for to, _, _ in tiers[caller].outgoing()]
    before = set() if caller is None else _leading_to(topology, caller)
    fitting = [
        name
        for name, tier in tiers.items()
        if name not in before and (tier.stores or name in called or caller is None or not room.stores)
    ]

    def preference(name: str) -> tuple[bool, bool, bool]:
        tier = tiers[name]
        return not tier.stores, name not in called, tier.warms_up

    return sorted(fitting, key=preference)


def _leading_to(topology: Topology, name: str) -> set[str]:
    """Return a tier and all whose work reaches it, whether they wait for it or not."""
    callers: dict[str, list[str]] = {called: [] for called in topology.components}
    for caller, tier in topology.components.items():
        for to, _, _ in tier.outgoing():
            callers[to].append(caller)
    return reachable([name], callers.__getitem__)
