"""How every figure of an answer about a cache came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.calculators.cache_asked import Asked, asked
from capacity.calculators.explainer import Explainer
from capacity.explanations import Numbers
from capacity.units import show_percent

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation

_COUNTED_IN_READS = {
    "lambda": "reads of all objects, one each unit of time: time is told in reads",
    "r": "reads of the object, of all reads",
}
_CHE = "Fagin 1977; Che, Tung and Wang 2002"


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: how likely an object is there, summed over all, and what follows from it."""
    cache, told = asked(given), Explainer(found)
    accuracy = found.accuracy if found.exact else f"approximate: {found.accuracy}"
    ratio = told.value("hit_ratio")
    _hit_ratio(cache, found, told, accuracy)
    _misses(cache, told, ratio, accuracy)
    _room(cache, found, told, accuracy)
    _times(found, told, accuracy)
    _shares(given, told)
    _locals(told)
    _lost(given, told, ratio)
    _trace(told)
    return told.told()


def _hit_ratio(cache: Asked, found: Answer, told: Explainer, accuracy: str) -> None:
    from models.formulas import caches, keys  # noqa: PLC0415

    time, room = found.more.get("characteristic_time_s"), found.more.get("room")
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
        told.formula("hit_ratio", keys.CLOCK, numbers, notes=notes)
        told.last(by_formula=None)
    elif cache.policy in ("lru", "fifo", "random") and not cache.sliding and not cache.local_caches:
        by_ttl = cache.ttl is not None and (stays is None or cache.policy == "random" or stays >= cache.ttl)
        bounded = stays is not None and (cache.policy == "random" or not by_ttl)
        law = caches.hit_ratio(
            cache.policy, ttl=by_ttl or (cache.ttl is not None and bounded), writes=cache.writes > 0, bounded=bounded
        )
        if law is not None and told.has("hit_ratio"):
            shares, counts = cache.popularity.share.tolist(), cache.popularity.count.tolist()
            effects = law.differences(numbers.given, shares, counts)
            by_formula = law.value(numbers.given, shares, counts)[0]
            if abs(by_formula - told.value("hit_ratio")) > _SAME:
                own = f"the figure itself is by the model of {found.model}, {accuracy}"
                notes = [
                    own,
                    f"by the characteristic time, which is shown, it would be {show_percent(by_formula)}",
                    *notes,
                ]
            told.formula("hit_ratio", law.one, numbers, notes=notes, effects=effects, moved="H")
            told.last(by_formula=by_formula)
    how = f"{found.model}: solved in numbers, and summed over all objects"
    told.method(["hit_ratio"], how, found.source, accuracy)


def _misses(cache: Asked, told: Explainer, ratio: float, accuracy: str) -> None:
    from models.formulas import shares  # noqa: PLC0415

    if cache.rate is not None:
        told.formula("misses_per_s", shares.MISSES, Numbers({"lambda": cache.rate, "H": ratio}))
        told.last(accuracy=f"as the hit ratio: {accuracy}")


def _room(cache: Asked, found: Answer, told: Explainer, accuracy: str) -> None:
    how = "the fewest whole objects with which --hit-ratio holds, searched by halving"
    given = "as given" if cache.room is not None else how
    told.method(["capacity_objects"], given, "the hit ratio above", accuracy if cache.room is None else "exact")
    told.method(["share_of_objects"], "room over all objects", "definition")
    told.method(["memory_bytes"], "room times the bytes of each object", "definition")
    each = "as given, or key and value with what Redis or memcached add to them"
    source = "layouts of Redis, jemalloc and memcached in their documentation"
    told.method(["bytes_per_object"], each, source, "exact to 0.02 bytes for Redis 7.0, to the item for memcached 1.6")
    held = "how likely each object is there, summed over all"
    told.method(["held_objects"], held, found.source, accuracy)


def _times(found: Answer, told: Explainer, accuracy: str) -> None:
    how = "the time that makes the objects held fill the room, by secants on logarithms"
    told.method(["stays_s", "stays_reads"], how, found.source, accuracy)
    warm = "the sum over objects of how likely each is there that long after, until it passes 95 % of its end"
    told.method(["warm_s"], warm, f"{_CHE}; renewal theory", "approximate: as hit ratios by a characteristic time are")


def _shares(given: Given, told: Explainer) -> None:
    from models.formulas import shares  # noqa: PLC0415

    objects, exponent = given.maybe("objects"), given.maybe("zipf")
    if objects is not None and exponent and objects <= _SUMMED and objects == int(objects):
        told.formula("busiest_share", shares.ZIPF, Numbers({"N": int(objects), "s": exponent, "k": 1}))
    how = "its share of the reads: of the trace, or by Zipf's law over the sum of all weights"
    told.method(["busiest_share"], how, "Zipf 1949", "exact to 1e-8")


def _locals(told: Explainer) -> None:
    how = "local caches by their characteristic time; behind them, reads that come after a dead time"
    keys = ["local_hit_ratio", "behind_hit_ratio"]
    told.method(keys, how, "Martina, Garetto and Leonardi 2014", "approximate: within 3.5e-4; independent requests")


def _lost(given: Given, told: Explainer, ratio: float) -> None:
    """Explain what the loss of a node does, and how uneven nodes are."""
    from models.formulas import keys  # noqa: PLC0415

    if given.has("nodes"):
        here = Numbers({"H": ratio, "n": given.count("nodes")})
        for formula, hashing in ((keys.NODE_LOST, "consistent"), (keys.NODE_LOST_MODULO, "modulo")):
            load, hits = f"lost_{hashing}_load", f"lost_{hashing}_hit_ratio"
            if 0 < ratio < 1 and given.count("nodes") > 1:
                told.formula(load, formula, here, [hits])
            told.method([hits, load], "what the nodes that are left still have", formula.source)
    how = "4000 seeded placements of the 256 most popular keys, the rest as normal shares"
    told.method(["busiest_node"], how, "simulated", "approximate: a standard error of 1 % or less")


def _trace(told: Explainer) -> None:
    told.method(["trace_requests", "trace_objects"], "counted in the trace", "the file")
    fit = "maximum likelihood of Zipf's law for how often each key was asked for"
    told.method(["zipf_exponent", "zipf_distance"], fit, "Clauset, Shalizi and Newman 2009",
                "exact maximum; how sure, by the error beside it")  # fmt: skip
    unseen = "those seen over the share that the law expects to be seen in so many requests"
    told.method(["zipf_objects"], unseen, "Zipf's law", "approximate: told only where the trace is long enough for it")
    stacked = "how many other keys were read since a key was read last, counted for each request"
    told.method(["trace_hit_ratio", "trace_cold"], stacked, "Mattson, Gecsei, Slutz and Traiger 1970")


_SAME = 1e-9
"""A difference that is rounding."""
_SUMMED = 2000
"""Objects up to which a sum over all of them is written out in a moment."""
