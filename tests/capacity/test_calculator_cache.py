from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from capacity.calculators.cache import POLICIES
from models.cache import hits
from models.popularity import zipf
from tests.cache_simulation import Lru, simulated, zipf_keys
from tests.capacity.running import WIDTH, capacity, columns
from tests.cases import Case, cache_cases

if TYPE_CHECKING:
    from pathlib import Path

    from models.cache import Eviction

GIVEN = ("--objects", "100_000", "--zipf", "0.8")


def cache(*options: object, code: int = 0, stdin: bytes = b"") -> Any:
    """Return the answer to options, as scripts get it."""
    ended = capacity("cache", *options, "--json", stdin=stdin)
    assert ended.code == code, ended.err
    return ended.json


# The hit ratio is the model's, and the room for it is that room again: there and back, for every policy.
@pytest.mark.parametrize("policy", POLICIES)
def test_there_and_back(policy: str) -> None:
    common = (*GIVEN, "--policy", policy, "--rate", "3000/s")
    found = cache(*common, "--capacity", 10_000)["result"]
    if policy in ("lru", "fifo", "random", "lfu"):
        plain = hits(zipf(100_000, 0.8), 3000.0, 10_000, eviction=cast("Eviction", policy))
        assert found["hit_ratio"] == plain.hit_ratio
    assert found["misses_per_s"] == pytest.approx(3000 * (1 - found["hit_ratio"]), rel=1e-12)
    if policy == "redis-lfu":  # a second for each point of a search
        return
    back = cache(*common, "--hit-ratio", found["hit_ratio"])["result"]
    assert back["capacity_objects"] == pytest.approx(10_000, abs=2)


# Sizes in bytes are rooms in objects, with the overhead of the store: 1 GiB of 1 KiB values in Redis, and in memcached.
def test_memory() -> None:
    plain = cache(*GIVEN, "--size", "10MiB", "--object-size", "1KiB")["result"]
    assert plain["capacity_objects"] == 10 * 1024
    redis = cache(*GIVEN, "--size", "10MiB", "--object-size", "1000B", "--key-size", "10B", "--store", "redis")[
        "result"
    ]
    # 1088 bytes, and 8 to 16 of the table.
    assert 1096 <= redis["bytes_per_object"] <= 1104
    assert (
        cache(*GIVEN, "--size", "20MiB", "--object-size", "100B", "--key-size", "10B", "--store", "memcached")[
            "result"
        ]["bytes_per_object"]
        == 192
    )
    wanted = cache(*GIVEN, "--hit-ratio", "60%", "--object-size", "2KiB")["result"]
    assert wanted["memory_bytes"] == wanted["capacity_objects"] * 2048


# With room and a wish the exit code judges; what no room reaches is said with the best there is.
def test_wishes() -> None:
    assert cache(*GIVEN, "--capacity", 10_000, "--hit-ratio", "40%")["met"] is True
    missed = capacity("cache", *GIVEN, "--capacity", 10_000, "--hit-ratio", "60%")
    assert missed.code == 1
    assert "MISSED, 60% wanted" in missed.out
    ended = capacity("cache", *GIVEN, "--rate", "100/s", "--ttl", "10s", "--hit-ratio", "90%")
    assert ended.code == 1
    assert "no size reaches 90%" in ended.out


# Times need a rate; without one they are told in reads. A TTL makes hits rarer, one that reads renew less so.
def test_times() -> None:
    in_reads = cache(*GIVEN, "--capacity", 5000)["result"]["stays_reads"]
    in_seconds = cache(*GIVEN, "--capacity", 5000, "--rate", "50/s")["result"]["stays_s"]
    assert in_seconds == pytest.approx(in_reads / 50, rel=1e-9)
    room = (*GIVEN, "--capacity", 5000, "--rate", "50/s")
    fixed, sliding, never = (
        cache(*room, *more)["result"]["hit_ratio"] for more in (("--ttl", "1min"), ("--ttl", "1min", "--sliding"), ())
    )
    assert fixed < sliding < never
    assert cache(*room, "--writes", "5/s")["result"]["hit_ratio"] < never


# Small caches are exact, as someone else's exact cases say to seven digits; larger ones say that they are not.
@pytest.mark.parametrize(
    "case", [c for c in cache_cases("exact_small") if c["C"] == 10], ids=lambda c: f"{c['N']}-{c['alpha']}"
)
def test_small(case: Case) -> None:
    asked = ("--objects", case["N"], "--zipf", case["alpha"], "--capacity", case["C"])
    for policy, known in (("lru", "lru_exact"), ("fifo", "fifo_random_exact"), ("random", "fifo_random_exact")):
        found = cache(*asked, "--policy", policy)
        assert found["exact"] is True
        assert found["result"]["hit_ratio"] == pytest.approx(case[known], abs=5.5e-8)
    assert cache("--objects", 10**6, "--capacity", 5000)["exact"] is False


# Local caches in front, and nodes that are lost: the origin's load at once, ten times as much at 99 %.
def test_locals_and_nodes() -> None:
    found = cache(*GIVEN, "--capacity", 10_000, "--locals", 16, "--local-capacity", 1000)["result"]
    assert found["local_hit_ratio"] == pytest.approx(0.2041, abs=3e-4)
    assert found["hit_ratio"] == pytest.approx(0.4663, abs=4e-4)
    lost = cache("--objects", 1000, "--zipf", 1, "--capacity", 500, "--nodes", 4)["result"]
    assert lost["lost_consistent_hit_ratio"] == pytest.approx(0.75 * lost["hit_ratio"], rel=1e-12)
    assert lost["lost_modulo_load"] > lost["lost_consistent_load"] > 1


# A trace from a file or a pipe: its exponent, its own hit ratio, which is that of an LRU run over it.
def test_a_trace(tmp_path: Path) -> None:
    keys = zipf_keys(3000, 0.9, 40_000, seed=31)
    text = "\n".join(f"user:{k}" for k in keys)
    (tmp_path / "keys.txt").write_text(text + "\n\n")
    for source, stdin in ((tmp_path / "keys.txt", b""), ("-", text.encode())):
        found = cache("--trace", source, "--capacity", 300, stdin=stdin)["result"]
        assert found["trace_hit_ratio"] == pytest.approx(simulated(Lru(300), keys, 0), abs=1e-12)
        assert found["zipf_exponent"] == pytest.approx(0.9, abs=0.03)
        assert found["trace_requests"] == 40_000
        assert found["hit_ratio"] == pytest.approx(found["trace_hit_ratio"], abs=0.02)
    bursts = "\n".join(f"{k}" for k in keys for _ in range(2))
    told = capacity("cache", "--trace", "-", "--capacity", 300, stdin=bursts.encode())
    assert "read again soon after" in " ".join(told.out.split())
    assert all(columns(line) <= WIDTH for line in told.out.splitlines())


# A trace with no key, markup in it or keys read once each neither stops nor fools it.
def test_odd_traces() -> None:
    assert capacity("cache", "--trace", "-", "--capacity", 3, stdin=b"\n \n").code == 2
    assert cache("--trace", "-", "--capacity", 3, stdin=b"[red]\n../x\na\n")["result"]["hit_ratio"] == 1
    assert cache("--trace", "-", "--capacity", 1, stdin=b"a\na\nb\n")["result"]["trace_hit_ratio"] == pytest.approx(
        1 / 3
    )


# The formula that is shown gives the number that is told.
@pytest.mark.parametrize(
    "more", [(), ("--policy", "fifo"), ("--policy", "random", "--ttl", "1h"), ("--nodes", "5"), ("--policy", "clock")]
)
def test_explained(more: tuple[str, ...]) -> None:
    found = cache(*GIVEN, "--capacity", 10_000, "--rate", "100/s", *more, "--explain")
    formulas = [one for one in found["explained"] if one["lines"]]
    assert formulas
    for one in formulas:
        if one["metric"] != "hit_ratio" or more != ("--policy", "clock"):
            assert one["by_formula"] == pytest.approx(one["value"], rel=1e-9)


# Without a rate a read is the unit of time, in the formula as in the table.
def test_explained_in_reads() -> None:
    found = cache(*GIVEN, "--capacity", 10_000, "--policy", "fifo", "--explain")
    one = next(one for one in found["explained"] if one["metric"] == "hit_ratio")
    stays = {given["name"]: given for given in one["inputs"]}["T"]
    assert stays["unit"] == "reads"
    assert stays["value"] == pytest.approx(found["result"]["stays_reads"], rel=1e-12)
    assert stays["shown"].endswith(" reads")
    assert not any("/s" in line["numbers"] for line in one["lines"])


# A range of any number gives a table.
def test_ranges() -> None:
    points = cache(*GIVEN, "--capacity", "100..10000", "--points", 3)["points"]
    ratios = [point["result"]["hit_ratio"] for point in points]
    assert len(ratios) == 3
    assert ratios == sorted(ratios)
    flat, steep = (
        p["result"]["hit_ratio"]
        for p in cache(*GIVEN[:2], "--zipf", "0.5..1.1", "--capacity", 999, "--points", 2)["points"]
    )
    assert flat < steep


# What does not go together is said, with the option that mends it.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--capacity", "5"), "--objects: needed"),
        ((*GIVEN,), "--capacity, --size or --hit-ratio"),
        ((*GIVEN, "--size", "1GiB"), "--object-size: needed"),
        ((*GIVEN, "--capacity", "5", "--size", "1GiB", "--object-size", "1B"), "give one of them"),
        ((*GIVEN, "--capacity", "5", "--ttl", "5s"), "--rate: needed with --ttl"),
        ((*GIVEN, "--capacity", "5", "--policy", "redis-lru"), "--rate: needed with --policy"),
        ((*GIVEN, "--capacity", "5", "--policy", "clock", "--ttl", "5s", "--rate", "1/s"), "--ttl: not modelled"),
        ((*GIVEN, "--capacity", "5", "--sliding"), "--sliding: needs"),
        ((*GIVEN, "--capacity", "5", "--locals", "3"), "--locals and --local-capacity"),
        ((*GIVEN, "--capacity", "5", "--policy", "lur"), "did you mean lru"),
        ((*GIVEN, "--capacity", "0"), "--capacity"),
        (("--objects", "5", "--zipf", "1000", "--capacity", "2"), "--zipf: found 1000; allowed"),
        ((*GIVEN, "--size", "1B", "--object-size", "1KiB"), "no room for one object"),
        ((*GIVEN, "--trace", "-", "--capacity", "5"), "--objects: with a --trace"),
        ((*GIVEN, "--capacity", "5", "--nodes", "1e6"), "--nodes: found 1,000,000; allowed: at most 2,000"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_senseless_input(options: tuple[str, ...], told: str) -> None:
    ended = capacity("cache", *options, stdin=b"a\n")
    assert ended.code == 2
    assert told in ended.err
