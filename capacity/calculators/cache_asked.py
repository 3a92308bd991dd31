"""What `capacity cache` was asked: keys and how often each is read, the room, the policy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from capacity.errors import DocumentError, Problem, UsageError
from models.memory import memcached_bytes, redis_bytes
from models.popularity import Popularity, zipf
from models.reuse import HitCurve, hit_curve
from models.trace import ZipfFit, fit_zipf, measured

if TYPE_CHECKING:
    from capacity.calculators.calculator import Given

TIMED: Final = ("lru", "fifo", "random", "lfu", "redis-lru")
"""Policies that are known with a TTL as well."""

INVALIDATED: Final = ("lru", "fifo", "random", "lfu")
REDIS: Final = ("redis-lru", "redis-lfu")

_FILLS: Final = 4
_STEEPEST: Final = 10.0
"""From this exponent on all but one read in a thousand are of the same object."""
_MOST_NODES: Final = 2000
"""Their busiest one is found by placing keys on them at random, thousands of times."""


@dataclass(frozen=True, eq=False)
class Traced:
    """What a trace of keys tells."""

    popularity: Popularity
    curve: HitCurve
    fit: ZipfFit | None
    """None where no key was asked for twice."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """The cache of the options: rates in 1/s, times in s, sizes in bytes; `room` in objects, None to be solved for."""

    popularity: Popularity
    policy: str
    rate: float | None
    writes: float
    ttl: float | None
    sliding: bool
    samples: int
    room: float | None
    bytes_each: float | None
    """Memory of one object, the overhead of its store included."""
    wanted: float | None
    traced: Traced | None
    local_caches: int
    """LRU caches in front; 0 for none."""
    local_room: float

    @property
    def reads(self) -> float:
        """Reads per second; without a rate a time is a number of reads."""
        return self.rate or 1.0


def asked(given: Given) -> Asked:
    """Return what was asked; raises UsageError where options are missing or do not go together."""
    policy = str(given.word("policy"))
    traced = _traced(given)
    if traced is None and not given.has("objects"):
        raise UsageError("--objects: needed where there is no --trace")
    if traced is not None and given.has("objects"):
        raise UsageError("--objects: with a --trace they are counted; leave it out")
    if given.number("zipf") > _STEEPEST:
        raise UsageError(
            f"--zipf: found {given.number('zipf'):g}; allowed: a number, at least 0, at most {_STEEPEST:g}"
        )
    popularity = zipf(given.count("objects"), given.number("zipf")) if traced is None else traced.popularity
    if (given.maybe_count("nodes") or 1) > _MOST_NODES:
        raise UsageError(f"--nodes: found {given.count('nodes'):,}; allowed: at most {_MOST_NODES:,}")
    _check_times(given, policy)
    each = _bytes_each(given, popularity.objects)
    room = _room(given, each)
    if room is None and not given.has("hit_ratio"):
        raise UsageError("--capacity, --size or --hit-ratio: one of them is needed")
    return Asked(
        popularity=popularity,
        policy=policy,
        rate=given.maybe("rate"),
        writes=given.number("writes"),
        ttl=given.maybe("ttl"),
        sliding=given.flag("sliding"),
        samples=given.count("samples"),
        room=room,
        bytes_each=each,
        wanted=given.maybe("hit_ratio"),
        traced=traced,
        local_caches=given.maybe_count("locals") or 0,
        local_room=given.maybe("local_capacity") or 0.0,
    )


def _check_times(given: Given, policy: str) -> None:
    if given.has("ttl") and policy not in TIMED:
        raise UsageError(f"--ttl: not modelled for {policy}; it is for {', '.join(TIMED)}")
    if given.number("writes") and policy not in INVALIDATED:
        raise UsageError(f"--writes: not modelled for {policy}; they are for {', '.join(INVALIDATED)}")
    if given.flag("sliding") and not given.has("ttl"):
        raise UsageError("--sliding: needs a --ttl")
    if given.flag("sliding") and policy in REDIS:
        raise UsageError(f"--sliding: not modelled for {policy}")
    needing = "--ttl" if given.has("ttl") else "--writes" if given.number("writes") else None
    needing = f"--policy {policy}" if policy in REDIS else needing
    if needing and not given.has("rate"):
        raise UsageError(f"--rate: needed with {needing}")
    if given.has("locals") != given.has("local_capacity"):
        raise UsageError("--locals and --local-capacity: give both or none")
    if given.has("locals") and (policy != "lru" or given.has("ttl") or given.number("writes")):
        raise UsageError("--locals: modelled in front of an LRU cache without a TTL or writes")


def _bytes_each(given: Given, objects: float) -> float | None:
    size, store = given.maybe("object_size"), given.word("store")
    if size is None:
        if store or given.has("size"):
            raise UsageError(f"--object-size: needed with {'--store' if store else '--size'}")
        return None
    if not size > 0:
        raise UsageError("--object-size: must be above 0")
    if store is None:
        return size
    key, value = round(given.number("key_size")), round(size)
    if store == "memcached":
        return float(memcached_bytes(key, value))
    keys = min(given.maybe("capacity") or objects, objects)
    for _ in range(_FILLS):
        each = redis_bytes(key, value, keys, ttl=given.has("ttl"))
        if not given.has("size"):
            break
        # The table grows in doubles, so that its share of a key depends on how many there is room for.
        keys = max(1.0, min(given.number("size") / each, objects))
    return each


def _room(given: Given, each: float | None) -> float | None:
    if given.has("capacity") and given.has("size"):
        raise UsageError("--capacity and --size: give one of them")
    if given.has("capacity"):
        return float(given.count("capacity"))
    if not given.has("size") or each is None:
        return None
    room = given.number("size") / each
    if room < 1:
        raise UsageError(f"--size: there is no room for one object of {each:,.0f} bytes")
    return room


def _traced(given: Given) -> Traced | None:
    if not given.has("trace"):
        return None
    text = given.text("trace", "a trace of keys", "a text file")
    found = _read_trace(text)
    if found is None:
        source = str(given.word("trace"))
        shown = "<stdin>" if source == "-" else source
        raise DocumentError([Problem((), "holds no key: one is wanted in each line", source=shown)])
    return found


@lru_cache(maxsize=2)
def _read_trace(text: str) -> Traced | None:
    keys = [key for line in text.split("\n") if (key := line.strip())]
    if not keys:
        return None
    counts = Counter(keys).values()
    fit = fit_zipf(counts) if len(counts) > 1 and max(counts) > 1 else None
    return Traced(measured(counts), hit_curve(keys), fit)
