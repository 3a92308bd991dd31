"""The closed forms behind an answer of `capacity cache`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from capacity.calculators.cache_asked import Asked, asked
from capacity.explanations import Numbers, explanation

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation


_COUNTED_IN_READS = {
    "lambda": "reads of all objects, one each unit of time: time is told in reads",
    "r": "reads of the object, of all reads",
}


def explained(given: Given, answer: Answer) -> list[Explanation]:
    """Return how likely an object is there, summed over all, and what the loss of a node does."""
    from models.formulas import keys  # noqa: PLC0415

    cache = asked(given)
    result = {row.key: row.value for row in answer.rows}
    ratio = float(result.get("hit_ratio") or 0.0)
    told = []
    presence = _presence(cache, answer, ratio)
    if presence is not None:
        told.append(presence)
    if "lost_consistent_load" in result and 0 < ratio < 1:
        here = Numbers({"H": ratio, "n": given.count("nodes")})
        for formula, key in ((keys.NODE_LOST, "consistent"), (keys.NODE_LOST_MODULO, "modulo")):
            value = result[f"lost_{key}_load"]
            told.append(explanation(key, formula.name, formula, here, None if value is None else float(value), ""))
    return told


def _presence(cache: Asked, answer: Answer, ratio: float) -> Explanation | None:
    from models.formulas import caches, keys  # noqa: PLC0415

    time, room = answer.more.get("characteristic_time_s"), answer.more.get("room")
    stays = float(time) if isinstance(time, float) else None
    numbers = Numbers(
        {
            "lambda": cache.reads, "omega": cache.writes, "T": stays or 1.0, "D": cache.ttl or 1.0,
            "p": cache.popularity.busiest, "r": cache.reads * cache.popularity.busiest,
        },
        {"lambda": "reads of all objects"} if cache.rate else _COUNTED_IN_READS,
        units={} if cache.rate else {"lambda": "", "omega": "", "r": "", "x": "", "T": "reads", "M": "reads"},
    )  # fmt: skip
    held = (
        f"T solves Σ h = K, room for {room:,.0f} objects" if isinstance(room, float) and stays else "nothing is evicted"
    )
    notes = ["hit ratio H = Σ p·h over all objects; below: the busiest one", held]
    if cache.policy == "clock" and stays:
        return explanation("hit_ratio", "share of reads that hit", keys.CLOCK, numbers, ratio, "share", notes)
    if cache.policy not in ("lru", "fifo", "random") or cache.sliding or cache.local_caches:
        return None
    by_ttl = cache.ttl is not None and (stays is None or cache.policy == "random" or stays >= cache.ttl)
    bounded = stays is not None and (cache.policy == "random" or not by_ttl)
    law = caches.hit_ratio(
        cache.policy, ttl=by_ttl or (cache.ttl is not None and bounded), writes=cache.writes > 0, bounded=bounded
    )
    if law is None:
        return None
    shares, counts = cache.popularity.share.tolist(), cache.popularity.count.tolist()
    effects = law.differences(numbers.given, shares, counts)
    told = explanation("hit_ratio", "share of reads that hit", law.one, numbers, ratio, "share", notes, effects, "H")
    return msgspec.structs.replace(told, by_formula=law.value(numbers.given, shares, counts)[0])
