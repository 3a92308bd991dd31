"""A global cache: one memory on nodes of its own that all nodes share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.components.cache import Cache
from capacity.steps.base import Proposal, Told, path_of, with_keys
from capacity.steps.reads import TTL, contents, in_front, uncached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "global-cache"
TITLE: Final = "a global cache"

_COMMAND: Final = 60e-6
"""Of one core, over the network: what a command of a cache server takes; s."""

_RISKS: Final = (
    "one more thing to fail: without it the database has to bear everything",
    "every read crosses the network, for which no time is counted",
)


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each local cache, which moves out, and each database that is read and has no cache."""
    for name, tier in situation.tiers.items():
        if isinstance(tier, Cache) and tier.host is not None and situation.solution.arrivals(name).read_rate > 0:
            yield from _moved_out(situation, name, tier)
    for name, tier, read in uncached(situation):
        cached, assumes = contents(name, tier, read)
        size = float(tier.response_size or 0) or float(cached["object_size"])
        node = situation.cheapest(read.caller, memory=cached["objects"] * size)
        table = {"kind": "cache", "node": node, "origin": name, "operation_time": f"{_COMMAND * 1e6:g}us", **cached}
        text = f"{read.caller} asks a cache on {node} before {name}"
        risks = (f"answers may be {TTL} old", *_RISKS)
        values = in_front(situation, read, table)
        yield from situation.changed(NAME, name, values, Told(text, (*assumes, _holding(node)), risks))


def _moved_out(situation: Situation, name: str, tier: Cache) -> Iterator[Proposal]:
    host = str(tier.host)
    node = situation.cheapest(host, memory=tier.objects * float(tier.object_size))
    keys = {"host": None, "memory": None, "invalidation": None, "node": node}
    assumes = [_holding(node)]
    if tier.operation_time < _COMMAND:
        keys["operation_time"] = f"{_COMMAND * 1e6:g}us"
        assumes.append(f"a command takes {keys['operation_time']} of a core there")
    values = with_keys(situation.values, path_of(name), **keys)
    text = f"{name} moves from the memory of {host} to {node} of its own: what one node has read, all know"
    yield from situation.changed(NAME, name, values, Told(text, tuple(assumes), _RISKS))


def _holding(node: str) -> str:
    return f"{node} is the cheapest that holds every object"
