"""The hit ratio of a cache of the options with a given room: which model answers, and how good it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from models import small_caches
from models.cache import Eviction, hits
from models.hierarchy import two_levels
from models.interpolated import Between, between
from models.policies import Policy, list_hits
from models.sampled_lfu import sampled_lfu
from models.sampled_lru import sampled_lru

if TYPE_CHECKING:
    from capacity.calculators.cache_asked import Asked

_EXACT_ROOM, _SECOND_ORDER_ROOM = 100, 3000
_CHE: Final = "Fagin 1977; Che, Tung and Wang 2002; Martina, Garetto and Leonardi 2014"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A hit ratio, and what it stands on; `time` is how long an object stays that is not read again, in s."""

    hit_ratio: float
    objects: float
    time: float | None
    model: str
    source: str
    exact: bool = False
    accuracy: str = ""


def found(asked: Asked, room: float) -> Found:
    """Return the hit ratio with room for so many objects."""
    if asked.policy in ("lru", "fifo", "random", "lfu"):
        return _classic(asked, room)
    if asked.policy in ("clock", "slru", "2q", "s3fifo"):
        return _lists(asked, room)
    return _redis(asked, room) if asked.policy.startswith("redis") else _between(asked, room)


def _classic(asked: Asked, room: float) -> Found:
    policy = cast("Eviction", asked.policy)
    plain = hits(
        asked.popularity,
        asked.reads,
        room,
        eviction=policy,
        ttl=asked.ttl,
        write_rate=asked.writes,
        sliding=asked.sliding,
    )
    time, name = plain.characteristic_time, asked.policy.upper()
    held = Found(hit_ratio=plain.hit_ratio, objects=plain.objects, time=time, model="", source=_CHE)
    if policy == "lfu":
        return replace(
            held,
            model="ideal LFU",
            exact=True,
            source="the most popular objects",
            accuracy="exact for an LFU that knows the popularity; what counts hits is below it",
        )
    if time is None:
        return replace(
            held,
            model=f"{name}, which evicts nothing here",
            exact=True,
            source="renewal theory; Fofack et al. 2014",
            accuracy="exact for independent requests",
        )
    if asked.local_caches:
        return replace(
            held,
            hit_ratio=two_levels(asked.popularity, asked.reads, asked.local_caches, asked.local_room, room).total,
            model="LRU behind local LRU caches, whose misses have a dead time",
            source="Martina, Garetto and Leonardi 2014; renewal theory",
            accuracy="within 3.5e-4; independent requests",
        )
    whole = math.floor(room)
    if asked.ttl is None and not asked.writes and 1 <= whole == room and whole <= _SECOND_ORDER_ROOM:
        return _small(asked, whole, time, name)
    told = "within 1e-4" if policy == "lru" else "within 1.1e-4 from 1000 objects on, 5e-4 from 100 on"
    if asked.ttl is not None or asked.writes:
        told = "within 3e-4"
    return replace(held, model=f"{name} by its characteristic time", accuracy=f"{told}; independent requests")


def _small(asked: Asked, room: int, time: float | None, name: str) -> Found:
    exact = room <= _EXACT_ROOM
    lru = small_caches.lru if exact else small_caches.second_order_lru
    fifo = small_caches.fifo if exact else small_caches.second_order_fifo
    ratio = (lru if asked.policy == "lru" else fifo)(asked.popularity, room)
    return Found(
        hit_ratio=ratio,
        objects=float(room),
        time=time,
        model=f"{name} of {'few' if exact else 'some'} objects",
        exact=exact,
        source="Flajolet, Gardy and Thimonier 1992; King 1971, Gelenbe 1973",
        accuracy="exact for independent requests" if exact else "second order, within 1e-5; independent requests",
    )


def _lists(asked: Asked, room: float) -> Found:
    plain = list_hits(cast("Policy", asked.policy), asked.popularity, asked.reads, room)
    names = {"clock": "CLOCK", "slru": "segmented LRU of four lists", "2q": "2Q", "s3fifo": "S3-FIFO"}
    errors = {"clock": "3.5e-4", "slru": "3.5e-4", "2q": "3.3e-4 from 1000 objects on, 1.1e-3 at 100", "s3fifo": "4e-4"}
    return Found(
        hit_ratio=plain.hit_ratio,
        objects=plain.objects,
        time=plain.characteristic_time,
        model=f"{names[asked.policy]}, a characteristic time for each list",
        source="Gast and Van Houdt 2016; renewal theory",
        accuracy=f"within {errors[asked.policy]}; independent requests",
    )


def _redis(asked: Asked, room: float) -> Found:
    held = min(room, asked.popularity.objects)
    if asked.policy == "redis-lfu":
        ratio = sampled_lfu(asked.popularity, asked.reads, room, samples=asked.samples).hit_ratio
        return Found(
            hit_ratio=ratio,
            objects=held,
            time=None,
            model="Redis' LFU as a mean field",
            source="the documentation of Redis",
            accuracy="within 2.2e-3 of Redis 7.0; independent requests",
        )
    sampled = sampled_lru(asked.popularity, asked.reads, room, samples=asked.samples)
    ratio, told = sampled.hit_ratio, "within 3e-4 of Redis 7.0 where keys stay for 2 s or longer"
    if asked.ttl is not None:
        lru, timed = (hits(asked.popularity, asked.reads, room, ttl=ttl) for ttl in (None, asked.ttl))
        lost = lru.hit_ratio - ratio if timed.characteristic_time is not None else 0.0
        ratio, held, told = max(0.0, timed.hit_ratio - lost), timed.objects, "within 6e-4 of Redis 7.0"
    return Found(
        hit_ratio=ratio,
        objects=held,
        time=sampled.eviction_age,
        model="Redis' sampled LRU as a mean field",
        source="Yang, Wang and Wang 2021; the documentation of Redis",
        accuracy=f"{told}; independent requests",
    )


def _between(asked: Asked, room: float) -> Found:
    told = between(cast("Between", asked.policy), asked.popularity, room)
    beyond = "" if told.measured else "; beyond what was measured, 0.1 to 30 % of the objects"
    return Found(
        hit_ratio=told.hit_ratio,
        objects=min(room, asked.popularity.objects),
        time=None,
        model=f"{asked.policy} interpolated between LRU and ideal LFU, no model of its own",
        source="simulated traces of Zipf's law",
        accuracy=f"within {told.error:.1e}{beyond}",
    )
