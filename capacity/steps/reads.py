"""Reads that a cache could answer: which call they are made in, and what a cache in front of them would hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from capacity.components.cache import Cache
from capacity.steps.base import path_of, plain, with_keys, with_new
from capacity.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.base import Call
    from capacity.components.database import Database
    from capacity.steps.base import Situation, Values

TTL: Final = "60s"
"""How old an answer may be, where nobody has said."""

_SIZE: Final = 4096.0
_OBJECTS: Final = 1_000_000


class Read(NamedTuple):
    """The call that reads most from a database, and nothing else."""

    caller: str
    position: int
    call: Call


def uncached(situation: Situation) -> Iterator[tuple[str, Database, Read]]:
    """Yield each database that nothing caches, with the call that reads most from it without writing."""
    origins = {tier.origin for tier in situation.tiers.values() if isinstance(tier, Cache)}
    for name, tier in situation.databases():
        calls = [Read(*found) for found in situation.waited_calls(name) if found[2].writes == 0]
        most = max(calls, key=lambda read: situation.visits(read.caller, read.call), default=None)
        if name not in origins and most is not None and situation.visits(most.caller, most.call) > 0:
            yield name, tier, most


def contents(name: str, tier: Database, read: Read) -> tuple[Values, tuple[str, ...]]:
    """Return what a cache in front of a database holds, as values of a file, and in words where it comes from.

    Nobody has measured it yet: the database's own keys where the file has them, else its working set in objects.
    """
    size = float(tier.response_size or 0) or _SIZE
    if tier.objects is not None:
        objects, source = int(tier.objects), f"the objects of {name}"
    elif tier.working_set:
        objects, source = max(1, round(float(tier.working_set) / size)), f"the working set of {name}, all of it objects"
    else:
        objects, source = _OBJECTS, "assumed: the file does not say how many"
    skew = f"asked for with a Zipf exponent of {float(tier.popularity):g}"
    seen = ", ".join(read.call.classes) if read.call.classes else "every class"
    cached = {
        "objects": objects,
        "object_size": plain(size),
        "popularity": plain(float(tier.popularity)),
        "ttl": TTL,
    }
    assumes = (
        f"what {seen} reads ({read.caller}.calls[{read.position}]) is asked for by key, and may be {TTL} old",
        f"{objects:,} objects of {show_bytes(size)} ({source}), {skew}: measure it",
    )
    return cached, assumes


def in_front(situation: Situation, read: Read, table: Values) -> Values:
    """Return the values with a cache that a call goes to instead."""
    cache = situation.fresh("cache")
    values = with_new(situation.values, read.caller, {cache: table})
    return with_keys(values, path_of(read.caller, "calls", read.position), to=cache)
