"""Where hit ratios, replication lag, backlogs and what partners hold come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.explaining_work import held
from capacity.explanations import Explanation, Numbers, explanation, shown

if TYPE_CHECKING:
    from capacity.explaining_work import Asked

_DELAYED: Final = (
    "LRU with a TTL beyond the characteristic time: how long an object stays follows from the delay equation "
    "S'(u) = -r exp(-r T) S(u - T), summed as a series over whole multiples of T; the hit ratio is then the sum "
    "of p r M / (1 + r M) with the mean stay M"
)


def hit_ratio(asked: Asked) -> Explanation | None:
    """Explain the hit ratio of a cache: an implicit equation for how long an object stays."""
    from models.formulas import caches  # noqa: PLC0415

    tier, place, arrivals = asked.tier, asked.solution.places[asked.name], asked.solution.arrivals(asked.name)
    value = asked.result.details.get("hit_ratio")
    if value is None or arrivals.read_rate == 0 or place.nodes == 0:
        return None
    found, popularity, life = tier.hits(place, arrivals), tier.asked(arrivals), tier.ttl
    copies = place.nodes if place.hosted else 1
    time, writes = found.characteristic_time, tier.known_writes(place, arrivals)
    by_ttl = life is not None and (time is None or tier.eviction == "random" or time >= life)
    bounded = time is not None and (tier.eviction == "random" or not by_ttl)
    law = caches.hit_ratio(
        tier.eviction, ttl=by_ttl or (life is not None and bounded), writes=writes > 0, bounded=bounded
    )
    words = "share of reads that hit"
    if law is None or place.warm != 1:
        return _no_law(asked, value, words, popularity.objects)
    key = ("components", asked.name)
    numbers = Numbers(
        {
            "lambda": arrivals.read_rate / copies, "omega": writes, "T": time or 1.0, "D": float(life or 1.0),
            "p": popularity.busiest,
        },
        {"lambda": "reads that one copy sees", "p": "share of the reads of one object (here: the most popular)"},
        {"D": (*key, "ttl")},
    )  # fmt: skip
    shares, counts = popularity.share.tolist(), popularity.count.tolist()
    effects = law.differences(numbers.given, shares, counts)
    room = tier.capacity(place)
    law_of = f"asked for by Zipf's law with exponent {float(tier.popularity):g}; below: the most popular one"
    ends = f"only time ends a stay: {found.objects:,.0f} objects are held, and there is room for them"
    if bounded:
        ends = f"T solves Σ h = K, room for {room:,.0f} objects (implicit: no closed form)"
    notes = [f"hit ratio H = Σ p·h over all {popularity.objects:,.0f} objects, {law_of}", ends]
    told = explanation("hit_ratio", words, law.one, numbers, value, "share", notes, effects, "H")
    return msgspec.structs.replace(told, by_formula=law.value(numbers.given, shares, counts)[0])


def _no_law(asked: Asked, value: float, words: str, objects: float) -> Explanation:
    tier = asked.tier
    reasons = {
        "lfu": "ideal LFU holds the most popular objects: the share of requests for them, less what expires",
        "lru": _DELAYED,
    }
    told = reasons.get(tier.eviction, "everything stays: each object is missed once")
    if asked.solution.places[asked.name].warm != 1:
        told = "a cache that is partly cold: the warm share of its steady hit ratio"
    return Explanation(
        metric="hit_ratio", what=words, value=value, by_formula=None, unit="share", shown=shown(value, "share"),
        exact=False, source="Fagin 1977; Che, Tung and Wang 2002; Martina, Garetto and Leonardi 2014",
        accuracy="within 1e-4 from 1000 objects on; independent requests",
        notes=[told, f"over {objects:,.0f} objects; no closed form, and so no derivatives: see capacity sensitivity"],
    )  # fmt: skip


def lag(asked: Asked) -> Explanation | None:
    """Explain the mean replication lag."""
    from models.formulas import streams  # noqa: PLC0415

    shown: Any = asked.result.details.get("lag")
    tier, place, solution = asked.tier, asked.solution.places[asked.name], asked.solution
    if shown is None:
        return None
    service, station = tier.apply_time(place), solution.station(place, "replica cores")
    if shown["mean_s"] is None or service is None:
        return None if service is None else _diverges()
    arrivals = solution.arrivals(asked.name)
    waits = station.wait if station is not None else None
    key = ("components", asked.name, "replication")
    numbers = Numbers(
        {
            "lambda": arrivals.write_rate * tier.busiest(),
            "s": service.mean,
            "w": 0.0 if waits is None or waits.mean <= 1e-12 * service.mean or waits.is_negligible else waits.mean,
            "d": float(tier.replication.network_delay),
        },
        {"lambda": "writes that one replica applies"},
        {"s": (*key, "apply_time"), "d": (*key, "network_delay")},
    )
    p99 = f"its p99 of {shown['p99_s']!r} s is inverted from the product of the transforms of these parts"
    formula = streams.APPLY_LAG if numbers.given["w"] == 0 else replace(streams.APPLY_LAG, exact=False)
    words = "mean time until a write is visible on a replica"
    return explanation("lag", words, formula, numbers, shown["mean_s"], "s", [p99])


def _diverges() -> Explanation:
    told = "the replicas diverge: the apply thread, or the cores of a replica, are asked for more than there is"
    return Explanation(
        metric="lag", what="mean time until a write is visible on a replica", value=None, by_formula=None, unit="s",
        shown="none", exact=True, source="", accuracy="", notes=[told],
    )  # fmt: skip


def threads(asked: Asked) -> Explanation | None:
    """Explain how many threads are held: of a tier, or by a partner of ours."""
    from models.formulas import work  # noqa: PLC0415
    from models.formulas.symbols import real  # noqa: PLC0415

    numbers, classes = Numbers(), asked.solution.arrivals(asked.name).classes
    if asked.result.details.get("threads_held") is not None and classes:
        held(asked.solution, asked.name, numbers)
        numbers.put(real("q", ""), 1 - asked.result.details["rejected_fraction"])
        formula = work.present(len(classes), kept=True)
        value, words = asked.result.details["threads_held"], "threads of ours that it holds on average"
        return explanation("threads", words, formula, numbers, value, "")
    pool = asked.solution.thread_pools.get(asked.name)
    if pool is None or not classes or pool.wait is None:
        return None
    words = "threads held on average"
    if pool.wait.probability:
        told = f"{pool.wait.probability:.2%} of requests find all {pool.threads} threads taken: the number inside is "
        told += "convolved from its places and limited there; this has no closed form"
        return Explanation(
            metric="threads", what=words, value=pool.in_use, by_formula=None, unit="", shown=f"{pool.in_use:.4g}",
            exact=False, source="flow equivalence: Chandy, Herzog and Woo 1975; Avi-Itzhak and Heyman 1973",
            accuracy="total mean within 5 % of simulation, p99 within 9 %",
            notes=[told],
        )  # fmt: skip
    formula = held(asked.solution, asked.name, numbers)
    return explanation("threads", words, formula, numbers, pool.in_use, "")


def backlog(asked: Asked) -> Explanation | None:
    """Explain how many messages wait or are worked on."""
    from models.formulas.symbols import real  # noqa: PLC0415
    from models.formulas.work import present  # noqa: PLC0415

    value, arrivals = asked.result.details.get("backlog"), asked.solution.arrivals(asked.name)
    if value is None or not arrivals.classes:
        return None
    numbers = Numbers()
    for i, name in enumerate(arrivals.classes, 1):
        latency = asked.solution.latency(asked.tier.consumers, name, "read")
        numbers.put(real(f"lambda_{i}", ""), arrivals.of(name), f"messages of {name}")
        numbers.put(real(f"T_{i}", ""), latency.mean if latency else 0.0, f"mean time of {name} from enqueue to done")
    words = "messages that wait or are worked on"
    return explanation("backlog", words, present(len(arrivals.classes)), numbers, value, "")


def drain(asked: Asked) -> Explanation | None:
    """Explain how long a queue takes to drain after a stop."""
    from models.formulas.streams import DRAIN  # noqa: PLC0415

    value, rate = asked.result.details.get("drain_s"), asked.solution.arrivals(asked.name).rate
    if value is None or rate == 0:
        return None
    capacity = asked.solution.capacity_of(asked.tier.consumers)
    given = {"lambda": rate, "mu": capacity, "t_s": asked.result.details["stop_s"]}
    numbers = Numbers(given, {"lambda": "messages"})
    return explanation("drain", "time until the backlog of a stop is gone", DRAIN, numbers, value, "s")


def rejected(asked: Asked) -> Explanation | None:
    """Explain the share that a partner turns away."""
    from models.formulas import Formula, Step, chained, waiting  # noqa: PLC0415
    from models.formulas.symbols import LOAD, LOSS, RATE, SERVICE, real  # noqa: PLC0415

    value, tier = asked.result.details.get("rejected_fraction"), asked.tier
    if not value:
        return None
    rate, rho_limit = asked.solution.arrivals(asked.name).rate, tier.rate_limit
    numbers, parts, passed = Numbers({"lambda": rate}), [], 1
    key = ("components", asked.name)
    if rho_limit is not None:
        if tier.burst > 10:
            return None
        numbers.put(waiting.LIMIT, float(rho_limit), "", (*key, "rate_limit"))
        numbers.given["b"] = tier.burst
        parts.append(waiting.TOKEN_BUCKET)
        passed = 1 - waiting.TOKEN_BUCKET.result.symbol
    if tier.concurrency_limit is not None:
        numbers.put(SERVICE, float(tier.latency), "the partner's own time", (*key, "latency"))
        numbers.given["c"] = tier.concurrency_limit
        needed = (RATE, SERVICE, *(q for p in parts for q in [p.result]))
        load = Step(LOAD, RATE.symbol * passed * SERVICE.symbol)
        parts += [Formula("", needed, (load,), "Little 1961", exact=True, accuracy=""), waiting.ERLANG_B]
        passed *= 1 - LOSS.symbol
    share = real("q_r", "share of requests that are turned away")
    last = Formula("", tuple(p.result for p in parts), (Step(share, 1 - passed),), "", exact=True, accuracy="")
    formula = chained("rejected", *parts, last)
    return explanation("rejected", share.meaning, formula, numbers, value, "share")
