"""What `capacity cache` answers: hit ratio, misses, room and memory, times, local caches, lost nodes, a trace's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from capacity import judging
from capacity.calculators.cache_asked import Asked, asked
from capacity.calculators.cache_policies import Found, found
from capacity.calculators.calculator import Answer, Row
from capacity.units import digits, show_amount, show_bytes, show_percent
from models.cache_sizing import UnreachableHitRatioError, smallest
from models.hierarchy import two_levels
from models.sharding import node_loss, shards, useful_shards
from models.warmup import recovery_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given

_NEARLY = 0.95
_NEAR = 256
"""Whole objects by which a rough room is at most too large."""


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    cache = asked(given)
    if cache.room is not None:
        return _told(given, cache, cache.room, solved=False)
    try:
        room = _least_room(cache)
    except UnreachableHitRatioError as error:
        return _unreachable(cache, error.best)
    return _told(given, cache, room, solved=True)


def _least_room(cache: Asked) -> float:
    """Return the fewest whole objects that there must be room for."""
    wanted = cache.wanted or 0.0

    def ratio(room: float) -> float:
        return found(cache, room).hit_ratio

    if cache.policy == "redis-lfu":
        # Each point takes a second: whole per cents of the room are enough.
        return _stepwise(cache, wanted)
    rough = smallest(lambda room: found(cache, room + 1e-7).hit_ratio, wanted, cache.popularity.objects)
    objects = math.ceil(cache.popularity.objects - 1e-6)
    room = min(objects, max(1, math.ceil(rough * (1 - 1e-6))))
    # Small caches are answered more exactly for whole objects: a few more or less than the rough ones.
    low, high, step = room, room, 1
    while low > 1 and ratio(float(low)) >= wanted * (1 - 1e-9) and step < _NEAR:
        high, low, step = low, max(1, low - step), 2 * step
    step = 1
    while high < objects and ratio(float(high)) < wanted * (1 - 1e-9):
        low, high, step = high, min(objects, high + step), 2 * step
    while high > low + 1:
        middle = (low + high) // 2
        low, high = (middle, high) if ratio(float(middle)) < wanted * (1 - 1e-9) else (low, middle)
    return float(low if ratio(float(low)) >= wanted * (1 - 1e-9) else high)


def _stepwise(cache: Asked, wanted: float) -> float:
    low, high = 1.0, cache.popularity.objects
    if found(cache, low).hit_ratio >= wanted:
        return low
    while high > low * 1.01 + 1:
        middle = math.floor(math.sqrt(low * high))
        low, high = (middle, high) if found(cache, middle).hit_ratio < wanted else (low, middle)
    return float(math.ceil(high))


def _told(given: Given, cache: Asked, room: float, *, solved: bool) -> Answer:
    here = found(cache, room)
    rows = [*_main(cache, here, room, solved=solved), *_around(cache, here, room)]
    if given.has("locals"):
        rows += _locals(cache, room)
    if given.has("nodes"):
        rows += _nodes(given, cache, here)
    if cache.traced is not None:
        rows += _trace(cache, room)
    met = None if cache.wanted is None else here.hit_ratio >= cache.wanted * (1 - 1e-9)
    share = _percent(here.hit_ratio)
    held = "object" if math.floor(room) == 1 else "objects"
    headline = f"room for {_count(room)} {held} hits {share} of the reads"
    if solved:
        headline = f"{_percent(cache.wanted or 0.0)} of the reads hit with room for {_count(room)} {held}"
        headline += f", {show_bytes(room * cache.bytes_each)}" if cache.bytes_each else ""
    elif cache.wanted is not None:
        headline += f"; {judging.wanted(bool(met), _percent(cache.wanted))}"
    return Answer(
        headline=headline, rows=rows, model=here.model, source=here.source, exact=here.exact, accuracy=here.accuracy,
        notes=[*_notes(cache, room)], met=met, more={"room": room, "characteristic_time_s": here.time},
    )  # fmt: skip


def _percent(share: float) -> str:
    return show_percent(share) if share >= 0.995 else f"{share * 100:.3g}%"


def _count(value: float) -> str:
    return f"{math.floor(value):,}"


def _unreachable(cache: Asked, best: float) -> Answer:
    here = found(cache, cache.popularity.objects)
    return Answer(
        headline=f"no size reaches {_percent(cache.wanted or 0.0)}: with room for everything {_percent(best)} hit",
        rows=[Row("hit_ratio", "hit ratio with room for all", best, "share", "", "Hit ratio")],
        model=here.model, source=here.source, exact=here.exact, accuracy=here.accuracy, met=False,
        notes=["what expires or is written is missed in a cache of any size: a longer TTL, or fewer writes, mend it"],
    )  # fmt: skip


def _main(cache: Asked, here: Found, room: float, *, solved: bool) -> Iterator[Row]:
    met = cache.wanted is None or here.hit_ratio >= cache.wanted * (1 - 1e-9)
    note = "" if cache.wanted is None else judging.wanted(met, _percent(cache.wanted))
    yield Row("hit_ratio", "hit ratio", here.hit_ratio, "share", note, "Hit ratio")
    if cache.rate is not None:
        yield Row("misses_per_s", "misses", cache.rate * (1 - here.hit_ratio), "/s", "to the origin", "Misses")
    yield Row("capacity_objects", "room for", math.floor(room), "objects", "solved for" if solved else "", "Room")
    yield Row("share_of_objects", "  of all objects", min(1.0, room / cache.popularity.objects), "share")
    if cache.bytes_each is not None:
        yield Row("memory_bytes", "memory", room * cache.bytes_each, "B", "", "Memory")
        yield Row("bytes_per_object", "  of each object", cache.bytes_each, "B")
    yield Row("held_objects", "objects held", here.objects, "objects")


def _around(cache: Asked, here: Found, room: float) -> Iterator[Row]:
    if cache.rate is not None:
        note = "" if here.time is not None else "nothing is evicted" if room >= cache.popularity.objects else ""
        if here.time is not None or note:
            yield Row("stays_s", "stays if not read", here.time, "s", note, "Stays")
        if cache.policy in ("lru", "fifo", "random", "lfu"):
            warm = recovery_time(
                _NEARLY, cache.popularity, cache.rate, room, eviction=cache.policy,  # type: ignore[arg-type]
                ttl=None if cache.sliding else cache.ttl, write_rate=cache.writes,
            )  # fmt: skip
            yield Row("warm_s", f"from empty to {_NEARLY:.0%} of the hits", warm, "s")
    elif here.time is not None:
        yield Row("stays_reads", "stays if not read", here.time, "reads", "", "Stays")
    yield Row("busiest_share", "reads of the busiest", cache.popularity.busiest, "share")


def _locals(cache: Asked, room: float) -> Iterator[Row]:
    levels = two_levels(cache.popularity, cache.reads, cache.local_caches, cache.local_room, room)
    yield Row("local_hit_ratio", f"hit in {cache.local_caches} local caches", levels.local, "share", "", "Local")
    yield Row("behind_hit_ratio", "  of their misses, behind them", levels.of_misses, "share", "", "Behind")


def _nodes(given: Given, cache: Asked, here: Found) -> Iterator[Row]:
    nodes = given.count("nodes")
    for hashing, words in (("consistent", "one node lost, on a ring"), ("modulo", "lost, hashed modulo nodes")):
        lost = node_loss(here.hit_ratio, nodes, hashing="modulo" if hashing == "modulo" else "consistent")
        yield Row(f"lost_{hashing}_hit_ratio", words, lost.hit_ratio, "share", "at once")
        yield Row(f"lost_{hashing}_load", "  the origin gets, times", lost.load)
    uneven = shards(cache.popularity, nodes)
    note = f"in the worst 5%: {digits(uneven.p95)}" if nodes > 1 else ""
    yield Row("busiest_node", "busiest node over the mean", uneven.mean, "", note)


def _trace(cache: Asked, room: float) -> Iterator[Row]:
    traced = cache.traced
    if traced is None:
        return
    yield Row("trace_requests", "requests in the trace", traced.curve.requests)
    yield Row("trace_objects", "different keys", round(cache.popularity.objects))
    if traced.fit is not None:
        fit = traced.fit
        note = f"± {fit.standard_error:.2g}"
        yield Row("zipf_exponent", "Zipf exponent that fits", fit.exponent, "", note)
        yield Row("zipf_distance", "  largest difference", fit.distance, "share")
        yield Row("zipf_objects", "  objects in all", fit.objects if fit.certain else None, "objects")
    ratio = traced.curve.hit_ratio(room)
    yield Row("trace_hit_ratio", "LRU on the trace itself", ratio, "share", "", "On the trace")
    yield Row("trace_cold", "  reads of new keys", traced.curve.cold, "share", "always missed")


def _notes(cache: Asked, room: float) -> Iterator[str]:
    if cache.traced is not None:
        fit = cache.traced.fit
        if fit is not None and fit.distance > 0.05:
            yield "Zipf's law does not fit these keys: the measured popularity is used"
        if cache.traced.curve.hit_ratio(room) > found(cache, room).hit_ratio + 0.02:
            yield "the trace hits more often than independent requests would: keys are read again soon after"
    if cache.ttl is not None and cache.rate is not None and cache.policy == "redis-lru":
        yield "Redis holds expired keys for a while: up to a fifth more memory than for the live ones"
    if cache.bytes_each is not None and cache.rate is not None and cache.rate * cache.popularity.busiest > 50_000:
        yield f"the busiest key alone is read {show_amount(cache.rate * cache.popularity.busiest, '/s')}"
    if cache.popularity.objects > 1 and useful_shards(cache.popularity) < 8:
        yield f"beyond {digits(useful_shards(cache.popularity))} nodes the busiest key alone is more than an even share"
