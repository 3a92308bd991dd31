"""A pool around a call: no more threads of a node than it has wait for a partner, or hold a database's connections."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity.components.cache import Cache
from capacity.components.external import External
from capacity.components.service import Service
from capacity.steps.base import NOTICEABLE, Proposal, Told, path_of, with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capacity.components.base import Call
    from capacity.steps.base import Situation

NAME: Final = "call-pool"
TITLE: Final = "a pool around a call"

_MOST: Final = 0.75
"""Of a node's threads; a pool of all of them keeps none free."""

_ROOM: Final = 2.0
"""Times as many calls as on an ordinary day: half of the nodes may be away."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each partner that could hold all threads of its callers, and each database that is short of connections."""
    for name, tier in situation.tiers.items():
        if isinstance(tier, External):
            yield from _pooled(situation, name, situation.waited_calls(name), f"calls to {name}")
    for name, _ in situation.databases():
        if situation.pressed(name, "connections") >= NOTICEABLE:
            leading = [name, *_caches(situation, name)]
            calls = [found for to in leading for found in situation.waited_calls(to)]
            yield from _pooled(situation, name, calls, f"calls that lead to {name}")


def _caches(situation: Situation, origin: str) -> list[str]:
    """Return the caches in front of a tier, through which its callers hold connections too."""
    found = [n for n, tier in situation.tiers.items() if isinstance(tier, Cache) and tier.origin == origin]
    return [*found, *(name for cache in found for name in _caches(situation, cache))]


def _pooled(situation: Situation, name: str, calls: Sequence[tuple[str, int, Call]], what: str) -> Iterator[Proposal]:
    pools = {(n, i): _pool(situation, n, call) for n, i, call in calls if call.pool is None}
    if not pools or any(pool is None for pool in pools.values()):
        return
    values = situation.values
    for (caller, index), pool in pools.items():
        values = with_keys(values, path_of(caller, "calls", index), pool=pool)
    sizes = ", ".join(f"{pool} for {caller}.calls[{index}]" for (caller, index), pool in pools.items())
    told = Told(
        f"{what} from a pool of each node: {sizes}",
        ("whoever finds the pool full can be told so at once",),
        (f"requests fail that find the pool full, also when {name} works but many ask at once",),
    )
    yield from situation.changed(NAME, name, values, told)


def _pool(situation: Situation, caller: str, call: Call) -> int | None:
    """Return a pool that is hardly ever full on an ordinary day, None where it would keep no thread free.

    By Little's law so many calls are open on average; six standard deviations more are hardly ever.
    """
    tier, place = situation.tiers[caller], situation.solution.places[caller]
    found = [situation.solution.latency(call.to, name, "read") for name in situation.system.classes[call.to]]
    means = [latency.mean for latency in found if latency is not None]
    if not isinstance(tier, Service) or tier.threads is None or not means or len(means) < len(found):
        return None
    open_calls = _ROOM * situation.visits(caller, call) * max(means) / max(1, place.nodes)
    pool = math.ceil(open_calls + 6 * math.sqrt(open_calls)) + 1
    return pool if pool <= _MOST * tier.threads else None
