"""Caches: policies, small caches, hierarchies, Redis, shards, stampedes, memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from models import small_caches
from models.cache import Eviction, hits
from models.hierarchy import two_levels
from models.interpolated import Between, between
from models.memory import redis_bytes
from models.policies import Policy, list_hits
from models.popularity import zipf
from models.sampled_lfu import sampled_lfu
from models.sampled_lru import sampled_lru
from models.sharding import ring, shards
from models.stampede import stampede
from models.warmup import hit_ratio_after
from tests.accuracy.comparison import Comparison, Family, relative
from tests.cache_simulation import Redis, expected_hits, zipf_stream
from tests.cases import Case, cache_cases, cache_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRACES: Final = "libCacheSim, 8 to 12 million requests"
BEYOND: Final = "Redis 7.0.15, beyond three standard errors of the run"
SIMULATED: Final = "simulation for this project"


def simulated(policy: str, least: int = 0, most: int = 10**12) -> Callable[[], Iterator[float]]:
    """Return a measure against twenty million simulated requests."""

    def errors() -> Iterator[float]:
        for case in cache_cases("irm_sim"):
            if case["policy"] == policy and least <= case["C"] <= most:
                eviction: Eviction = "lru" if policy == "LRU" else "fifo" if policy == "FIFO" else "random"
                found = hits(zipf(case["N"], case["alpha"]), 1.0, case["C"], eviction=eviction)
                yield found.hit_ratio - case["hit_sim_rb"]

    return errors


def hundred() -> Iterator[float]:
    """Compare the exact hit ratio of FIFO with room for 100 objects."""
    for case in cache_cases("irm_sim"):
        if case["policy"] == "FIFO" and case["C"] == 100:
            yield small_caches.fifo(zipf(case["N"], case["alpha"]), 100) - case["hit_sim_rb"]


def traced(theirs: str, policy: Policy, least: int = 0) -> Callable[[], Iterator[float]]:
    """Return a measure against traces."""

    def errors() -> Iterator[float]:
        for case in cache_cases("libcachesim_policies"):
            if case["C"] >= least:
                found = list_hits(policy, zipf(case["N"], case["alpha"]), 1.0, case["C"])
                yield found.hit_ratio - case["hit"][theirs]

    return errors


def interpolated(theirs: str, policy: Between) -> Callable[[], Iterator[float]]:
    """Return a measure against the same traces."""

    def errors() -> Iterator[float]:
        for case in cache_cases("libcachesim_policies"):
            yield between(policy, zipf(case["N"], case["alpha"]), case["C"]).hit_ratio - case["hit"][theirs]

    return errors


def small(law: Callable[[Any, int], float], key: str, least: int = 1, most: int = 100) -> Callable[[], Iterator[float]]:
    """Return a measure against exact small caches."""

    def errors() -> Iterator[float]:
        for case in cache_cases("exact_small"):
            if least <= case["C"] <= most:
                yield law(zipf(case["N"], case["alpha"]), case["C"]) - case[key]

    return errors


def without_capacity() -> Iterator[float]:
    """Compare TTLs, from insertion and from the last read, and writes."""
    for case in cache_cases("ttl_infinite"):
        found = hits(zipf(case["N"], case["alpha"]), case["rate"], 1e15, ttl=case["ttl_s"], sliding=case["reset"])
        yield found.hit_ratio - case["hit_sim"]
    for case in cache_cases("ttl_write_invalidate"):
        writes = case["read_rate"] * case["write_fraction_of_reads"]
        popularity = zipf(case["N"], case["alpha"])
        found = hits(popularity, case["read_rate"], 1e15, ttl=case["ttl_s"], write_rate=writes)
        yield found.hit_ratio - case["hit_sim"]


def with_capacity() -> Iterator[float]:
    """Compare LRU with a TTL."""
    for case in cache_cases("ttl_plus_lru"):
        found = hits(zipf(case["N"], case["alpha"]), case["rate"], case["live"], ttl=case["ttl_s"])
        yield found.hit_ratio - case["hit_sim"]


def hierarchies(part: str) -> Callable[[], Iterator[float]]:
    """Return a measure of what the global cache adds, or of both together."""

    def errors() -> Iterator[float]:
        for case in cache_cases("hierarchy"):
            found = two_levels(zipf(case["N"], case["alpha"]), 1.0, case["n_local"], case["C1"], case["C2"])
            told = found.total if part == "h_total" else found.total - found.local
            yield told - case[part]

    return errors


def redis(*runs: str) -> Callable[[], Iterator[float]]:
    """Return a measure against runs of a real server."""

    def errors() -> Iterator[float]:
        for case in cache_cases("redis_real"):
            if case["run"] in runs:
                popularity, rate, room = zipf(case["N"], float(case["alpha"])), case["rate_rps"], case["mean_dbsize"]
                lfu = case["policy"] == "allkeys-lfu"
                found = (sampled_lfu if lfu else sampled_lru)(popularity, rate, room).hit_ratio
                yield found - case["hit_ratio"]

    return errors


def beyond_noise(run: str) -> Callable[[], Iterator[float]]:
    """Return a measure against one run of a real server: what three standard errors of it do not explain."""

    def errors() -> Iterator[float]:
        error = next(case["stat_se"] for case in cache_cases("redis_real") if case["run"] == run)
        yield from (max(abs(found) - 3 * error, 0.0) for found in redis(run)())

    return errors


def documented(*, lfu: bool, requests: int, warm: int) -> Callable[[], Iterator[float]]:
    """Return a measure against the algorithm of Redis as documented, run request by request: noise below 1e-4."""

    def errors() -> Iterator[float]:
        objects, room, rate, tick = 100_000, 9476, 2000.0, 60.0 if lfu else 1.0
        popularity, weights = zipf(objects, 1.0), [1 / i for i in range(1, objects + 1)]
        whole = math.fsum(weights)
        cache = Redis(room, [weight / whole for weight in weights], rate * tick, seed=21, lfu=lfu)
        ratio = expected_hits(cache, zipf_stream(objects, 1.0, requests, seed=22), warm)
        if lfu:
            yield sampled_lfu(popularity, rate, room, decay=tick).hit_ratio - ratio
        else:
            yield sampled_lru(popularity, rate, room, tick=tick, documented=True).hit_ratio - ratio

    return errors


def cold_starts() -> Iterator[float]:
    """Compare the hit ratio while a cache fills."""
    for case in cache_cases("cold_start"):
        for point in case["points"]:
            found = hit_ratio_after(point["requests"], zipf(case["N"], case["alpha"]), 1.0, case["C"])
            yield found - point["hit_sim"]


def many_points(case: Case) -> bool:
    """Return whether a ring is even enough for some hundred simulated ones to tell its mean."""
    return bool(case["vnodes"] >= 100)


def rings() -> Iterator[float]:
    """Compare the busiest node of a ring."""
    for case in filter(many_points, cache_cases("ring_imbalance")):
        yield relative(ring(case["nodes"], case["vnodes"]).mean, case["max_over_mean"])


def hashed() -> Iterator[float]:
    """Compare the busiest of hashed shards."""
    for case in cache_cases("shard_imbalance"):
        yield relative(shards(zipf(case["N"], case["alpha"]), case["shards"]).mean, case["max_over_mean"])


def unprotected() -> Iterator[float]:
    """Compare the fetches of unprotected keys that are read often."""
    for case in cache_cases("stampede"):
        if case["protect"] == "none" and case["rate"] >= 1000:
            yield relative(
                stampede(case["rate"], case["ttl"], case["fetch_s"]).fetch_rate * case["ttl"], case["fetches_per_ttl"]
            )


def memory() -> Iterator[float]:
    """Compare the bytes of a key in Redis."""
    for case in cache_run("redis_memory")["cases"]:
        found = redis_bytes(case["key_len"], case["value_len"], case["N"], ttl=case["ttl"])
        yield found - case["bytes_per_key"]


def _one(
    law: str,
    against: str,
    region: str,
    measure: Callable[[], Iterator[float]],
    bar: float | None,
    *,
    note: str = "",
    slow: bool = False,
) -> Comparison:
    return Comparison(
        law=law, against=against, region=region, measure=measure, bar=bar, kind="absolute", note=note, slow=slow
    )


_RAISED: Final = "10^5 and 10^6 objects, exponents 0.6 to 1.2, room 0.1 to 30 %"
_EXACT: Final = "exact values, seven digits"

FAMILY: Final = Family(
    "Caches",
    40,
    "Errors of hit ratios are absolute: 1e-4 is one read in ten thousand. The bars are those that were set for this "
    "project; simulations have a noise of 1e-4 (the "
    "traces 3e-4). A bar is shown with one digit. `docs/theory/caches.md` says what each law assumes.",
    (
        _one("LRU", SIMULATED, _RAISED, simulated("LRU"), 1e-4),
        _one("FIFO, from 1000 objects", SIMULATED, _RAISED, simulated("FIFO", 1000), 1.05e-4),
        _one("RANDOM, from 1000 objects", SIMULATED, _RAISED, simulated("RANDOM", 1000), 1.05e-4),
        _one("FIFO, 100 objects", SIMULATED, _RAISED, simulated("FIFO", 0, 999), 5.05e-4),
        _one("FIFO, 100 objects, exact", SIMULATED, _RAISED, hundred, 1e-4),
        _one("RANDOM, 100 objects", SIMULATED, _RAISED, simulated("RANDOM", 0, 999), 5.1e-4),
        _one("LRU, exact", _EXACT, "room for 1 to 100 objects", small(small_caches.lru, "lru_exact"), 5.5e-8),
        _one("FIFO and RANDOM, exact", _EXACT, "room for 1 to 100", small(small_caches.fifo, "fifo_random_exact"), 5.5e-8),
        _one("LRU, second order", _EXACT, "room for 1 to 4", small(small_caches.second_order_lru, "lru_exact", 1, 4), 1.2e-3),
        _one("LRU, second order", _EXACT, "room for 5 to 9", small(small_caches.second_order_lru, "lru_exact", 5, 9), 3.7e-4),
        _one("LRU, second order", _EXACT, "room for 10 to 19", small(small_caches.second_order_lru, "lru_exact", 10, 19), 1.1e-4),
        _one("LRU, second order", _EXACT, "room for 20 to 49", small(small_caches.second_order_lru, "lru_exact", 20, 49), 2.5e-5),
        _one("LRU, second order", _EXACT, "room for 50 to 100", small(small_caches.second_order_lru, "lru_exact", 50), 4.35e-6),
        _one("FIFO, second order", _EXACT, "room for 50 to 100", small(small_caches.second_order_fifo, "fifo_random_exact", 50), 4.4e-6),
        _one("CLOCK", TRACES, "11 traces", traced("Clock", "clock"), 3.5e-4),
        _one("segmented LRU, four lists", TRACES, "11 traces", traced("SLRU", "slru"), 5.9e-4),
        _one("S3-FIFO", TRACES, "11 traces", traced("S3FIFO", "s3fifo"), 4.1e-4),
        _one("2Q", TRACES, "11 traces", traced("2Q", "2q"), 1.3e-3),
        _one("2Q, from 1000 objects", TRACES, "9 traces", traced("2Q", "2q", 1000), 3.3e-4),
        _one("W-TinyLFU, interpolated", TRACES, "11 traces", interpolated("WTinyLFU", "w-tinylfu"), None),
        _one("SIEVE, interpolated", TRACES, "11 traces", interpolated("Sieve", "sieve"), None),
        _one("ARC, interpolated", TRACES, "11 traces", interpolated("ARC", "arc"), None),
        _one("LFU in the cache, interpolated", TRACES, "11 traces", interpolated("LFU", "in-cache-lfu"), None),
        _one("TTL, fixed and sliding; writes", SIMULATED, "room for everything", without_capacity, 3e-4),
        _one("LRU with TTL", SIMULATED, "3 cases, live keys", with_capacity, 3e-4),
        _one("local caches, then a global one: what it adds", SIMULATED, "1 to 64 local caches", hierarchies("h_global_of_all"), 2.3e-4),
        _one("local caches, then a global one: in total", SIMULATED, "1 to 64 local caches", hierarchies("h_total"), 5e-4),
        _one("cold start of LRU", SIMULATED, "33 points", cold_starts, 1.7e-3),
        _one("Redis' LRU, keys stay 2 to 22 s", "Redis 7.0.15", "3 runs", redis("A_lru5", "C_lru5", "E2_lru5_fast"), 3e-4),
        _one("Redis' LRU, keys stay 0.2 s", BEYOND, "1 run", beyond_noise("E_lru5_fast"), 3e-4, note="as RANDOM; differs by 7.1e-4, three standard errors are 7.6e-4"),
        _one("Redis' LFU", BEYOND, "1 run", beyond_noise("F2_lfu"), 3e-4, note="differs by 1.2e-3, three standard errors are 2.1e-3"),
        _one("Redis' LRU as documented", "the algorithm, run for 5 million requests", "100,000 objects, keys stay 14 s", documented(lfu=False, requests=5_000_000, warm=500_000), 3e-4, slow=True),
        _one("Redis' LFU as documented", "the algorithm, run for 8 million requests", "100,000 objects, 20 to 67 minutes from empty", documented(lfu=True, requests=8_000_000, warm=2_400_000), 3e-4, slow=True),
        Comparison(law="ring: busiest node", against=SIMULATED, region="100 points a node or more", measure=rings, bar=5e-3),
        Comparison(law="hashed shards: busiest", against=SIMULATED, region="4 to 64 shards", measure=hashed, bar=0.03),
        Comparison(law="stampede: fetches", against=SIMULATED, region="unprotected, 1000/s or more", measure=unprotected, bar=5e-3),
        Comparison(law="memory of a key in Redis", against="Redis 7.0.15", region="26 sizes", measure=memory, bar=0.02, kind="bytes"),
    ),
)  # fmt: skip
