"""A pool around a call to a partner: no more threads of a node wait for it than the pool has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity.components.external import External
from capacity.components.service import Service
from capacity.steps.base import Proposal, Told, path_of, with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.base import Call
    from capacity.steps.base import Situation

NAME: Final = "call-pool"
TITLE: Final = "a pool around a call"

_MOST: Final = 0.75
"""Of a node's threads; a pool of all of them keeps none free."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each partner that is called from limited threads, all of which it could hold."""
    for partner, tier in situation.tiers.items():
        calls = [found for found in situation.waited_calls(partner) if found[2].pool is None]
        pools = {(n, i): _pool(situation, n, call) for n, i, call in calls}
        if not isinstance(tier, External) or not pools or any(pool is None for pool in pools.values()):
            continue
        values = situation.values
        for (caller, index), pool in pools.items():
            values = with_keys(values, path_of(caller, "calls", index), pool=pool)
        sizes = ", ".join(f"{pool} of each node of {caller}" for (caller, _), pool in pools.items())
        told = Told(
            f"calls to {partner} from a pool: {sizes}",
            ("whoever finds the pool full can be told so at once",),
            (f"requests fail that find the pool full, also when {partner} works but many ask at once",),
        )
        yield from situation.changed(NAME, partner, values, told)


def _pool(situation: Situation, caller: str, call: Call) -> int | None:
    """Return a pool that is hardly ever full on an ordinary day, None where it would keep no thread free.

    By Little's law so many calls are open on average; four standard deviations more are hardly ever.
    """
    tier, nodes = situation.tiers[caller], max(1, situation.solution.places[caller].nodes)
    found = [situation.solution.latency(call.to, name, "read") for name in situation.system.classes[call.to]]
    means = [latency.mean for latency in found if latency is not None]
    if not isinstance(tier, Service) or tier.threads is None or not means or len(means) < len(found):
        return None
    open_calls = situation.visits(caller, call) * max(means) / nodes
    pool = math.ceil(open_calls + 4 * math.sqrt(open_calls)) + 1
    return pool if pool <= _MOST * tier.threads else None
