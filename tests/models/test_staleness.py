from __future__ import annotations

import math
from collections import OrderedDict, deque
from itertools import islice

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cache import Eviction, hits
from models.latency import ZERO, Latency, mixed
from models.popularity import Popularity, zipf
from models.replication import apply_lag
from models.service_time import ServiceTime, erlang, exponential, from_moments
from models.staleness import own_write_unseen, stale_hits, stale_replica_reads, writes_at_risk

POLICIES: list[Eviction] = ["lru", "fifo", "random", "lfu"]

property_test = settings(max_examples=80)

policies = st.sampled_from(POLICIES)
exponents, sizes = st.floats(0.0, 1.5), st.floats(-5, 0.2)
ttls = st.one_of(st.none(), st.floats(-3, 5).map(lambda power: 10**power))
rates = st.floats(-4, 4).map(lambda power: 10**power)

ONE = Popularity(np.ones(1), np.ones(1))
"""A single object."""


def simulated(
    eviction: Eviction, capacity: int, ttl: float | None, *, read_rate: float, write_rate: float, seed: int
) -> tuple[float, float]:
    """Return the share of reads that hit what was written since it was fetched, and that of all hits.

    500 objects, exponent 0.7; 150,000 reads and writes, of which the first third is left out; what expires leaves at
    once.
    """
    draws, count = np.random.default_rng(seed), 150_000
    share = np.arange(1, 501.0) ** -0.7
    times = np.cumsum(draws.exponential(1 / (read_rate + write_rate), count)).tolist()
    keys = draws.choice(500, p=share / share.sum(), size=count).tolist()
    is_write = (draws.random(count) < write_rate / (read_rate + write_rate)).tolist()
    fetched: OrderedDict[int, float] = OrderedDict()
    fetches: deque[tuple[float, int]] = deque()
    last_write, life = [-1.0] * 500, math.inf if ttl is None else ttl
    reads = hit = stale = 0
    for i, (now, key) in enumerate(zip(times, keys, strict=True)):
        if is_write[i]:
            last_write[key] = now
            continue
        while fetches and fetches[0][0] <= now - life:
            then, old = fetches.popleft()
            if fetched.get(old) == then:
                del fetched[old]
        since = fetched.get(key)
        if i > count // 3:
            reads += 1
            hit += since is not None
            stale += since is not None and last_write[key] > since
        if since is not None:
            if eviction == "lru":
                fetched.move_to_end(key)
        elif eviction != "lfu" or key < capacity:
            if len(fetched) == capacity:
                victim = int(draws.random() * capacity) if eviction == "random" else 0
                del fetched[next(islice(fetched, victim, None))]
            fetched[key] = now
            fetches.append((now, key))
    return stale / reads, hit / reads


# TTL alone, eviction alone, and both, with the TTL shorter and longer than the characteristic time of 0.8 s (LRU).
@pytest.mark.parametrize(
    ("eviction", "capacity", "ttl"),
    [
        ("lru", 500, 2.0),
        ("lru", 100, None),
        ("lru", 100, 0.3),
        ("lru", 100, 2.0),
        ("lru", 100, 8.0),
        ("fifo", 100, None),
        ("random", 100, None),
        ("random", 100, 1.0),
        ("lfu", 100, 2.0),
    ],
)
def test_simulated(eviction: Eviction, capacity: int, ttl: float | None) -> None:
    stale, hit = simulated(eviction, capacity, ttl, read_rate=200.0, write_rate=60.0, seed=11)
    popularity = zipf(500, 0.7)
    found = stale_hits(popularity, 200.0, 60.0, capacity, eviction=eviction, ttl=ttl)
    # The standard error is up to 2e-3, and LRU with a long TTL is 3e-3 low.
    assert found == pytest.approx(stale, abs=6e-3)
    assert hits(popularity, 200.0, capacity, eviction=eviction, ttl=ttl).hit_ratio == pytest.approx(hit, abs=6e-3)


def with_survival(popularity: Popularity, write_rate: float, time: float, ttl: float) -> float:
    """Return the stale reads under LRU at a read rate of 1/s with this characteristic time, less than the TTL.

    By the survival S of an object after its insertion, stepwise: 1 up to T, then S'(u) = -L exp(-L T) S(u - T).
    """
    steps, reads, writes = 600, popularity.share, popularity.share * write_rate
    width = time / steps
    end = round(ttl / width)
    gone = np.exp(-reads * time)
    survival = np.ones((end + 1, len(reads)))
    survival[steps] = 1 - gone
    for i in range(steps + 1, end + 1):
        survival[i] = survival[i - 1] - width * reads * gone * (survival[i - steps - 1] + survival[i - steps]) / 2
    later = survival[steps:]
    unwritten = later * np.exp(-np.outer(width * np.arange(steps, end + 1), writes))
    stay = time + width * (later.sum(axis=0) - (later[0] + later[-1]) / 2)
    fresh = -np.expm1(-writes * time) / writes + width * (unwritten.sum(axis=0) - (unwritten[0] + unwritten[-1]) / 2)
    return float((popularity.count * popularity.share * (stay - fresh) / (1 / reads + stay)).sum())


# Under LRU with a TTL beyond the characteristic time the result is up to 3e-3 low, and hardly ever high.
@pytest.mark.parametrize(("objects", "exponent", "capacity"), [(1000, 0.6, 200), (1000, 1.0, 100), (1000, 1.2, 30)])
@pytest.mark.parametrize("turns", [1.5, 3.0, 8.0])
def test_eviction_before_expiry(objects: int, exponent: float, capacity: int, turns: float) -> None:
    popularity = zipf(objects, exponent)
    evicting = hits(popularity, 1.0, capacity).characteristic_time
    assert evicting is not None
    ttl = turns * evicting
    time = hits(popularity, 1.0, capacity, ttl=ttl).characteristic_time
    assert time is not None
    assert time < ttl
    for write_rate in (0.01, 0.1, 1.0, 10.0):
        found = stale_hits(popularity, 1.0, write_rate, capacity, ttl=ttl)
        assert -3e-3 < found - with_survival(popularity, write_rate, time, ttl) < 2e-4


# A TTL and room for all: of the hits of an object 1 - (1 - exp(-w D)) / (w D) are stale, exactly.
@property_test
@given(policies, exponents, rates, rates, st.floats(-3, 3).map(lambda power: 10**power))
def test_constant_stay(policy: Eviction, exponent: float, read_rate: float, write_rate: float, ttl: float) -> None:
    popularity = zipf(1000, exponent)
    z, written = popularity.share * read_rate * ttl, popularity.share * write_rate * ttl
    exact = popularity.count * popularity.share * z / (1 + z) * (1 + np.expm1(-written) / written)
    found = stale_hits(popularity, read_rate, write_rate, math.inf, eviction=policy, ttl=ttl)
    # Where writes are few both sides are the difference of nearly equal numbers.
    assert found == pytest.approx(float(exact.sum()), rel=1e-9, abs=1e-12)


# The more writes the more is stale; with countless writes every hit is, and with none none.
@property_test
@given(policies, exponents, sizes, ttls, rates)
def test_from_no_writes_to_countless(
    policy: Eviction, exponent: float, size: float, ttl: float | None, write_rate: float
) -> None:
    popularity, capacity = zipf(100_000, exponent), 1e5 * 10**size
    hit_ratio = hits(popularity, 100.0, capacity, eviction=policy, ttl=ttl).hit_ratio
    none, some, more, countless = (
        stale_hits(popularity, 100.0, rate, capacity, eviction=policy, ttl=ttl)
        for rate in (0.0, write_rate, 2 * write_rate, 1e20)
    )
    assert none == 0
    # The fit behind LRU with a TTL keeps six digits.
    assert 0 <= some <= more + 1e-6
    assert more <= countless + 1e-6
    assert countless == pytest.approx(hit_ratio, rel=1e-6, abs=1e-9)


# Only rates relative to each other matter: the unit of time does not.
@property_test
@given(policies, sizes, ttls, rates, st.floats(-3, 3))
def test_units_do_not_matter(
    policy: Eviction, size: float, ttl: float | None, write_rate: float, magnitude: float
) -> None:
    popularity, unit = zipf(100_000, 0.9), 10**magnitude
    plain, scaled = (
        stale_hits(
            popularity,
            100.0 / u,
            write_rate / u,
            1e5 * 10**size,
            eviction=policy,
            ttl=None if ttl is None else ttl * u,
        )
        for u in (1.0, unit)
    )
    assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-9)


# What stays for ever is outdated for ever, once it was written; what holds nothing answers nothing.
@pytest.mark.parametrize("policy", POLICIES)
def test_limits(policy: Eviction) -> None:
    popularity = zipf(1000, 0.8)
    assert stale_hits(popularity, 100.0, 1.0, math.inf, eviction=policy, ttl=None) == pytest.approx(1, rel=1e-9)
    assert stale_hits(popularity, 100.0, 0.0, math.inf, eviction=policy, ttl=None) == 0
    assert stale_hits(popularity, 100.0, 1.0, 0.0, eviction=policy, ttl=1.0) == 0
    assert stale_hits(popularity, 0.0, 1.0, 100.0, eviction=policy, ttl=1.0) == 0
    # Each of ten copies sees a tenth of the reads: it hits less often, what is new or old alike.
    alone, of_ten = (stale_hits(popularity, rate, 5.0, math.inf, eviction=policy, ttl=60.0) for rate in (50.0, 5.0))
    assert of_ten < alone


# A lag that is exponential, constant, both, or more of them: each transform in closed form.
@property_test
@given(exponents, rates, rates, rates)
def test_replica_in_closed_form(exponent: float, write_rate: float, mean: float, delay: float) -> None:
    popularity = zipf(100_000, exponent)
    w, weight = popularity.share * write_rate, popularity.count * popularity.share
    smooth, network = Latency.of(exponential(mean)), Latency.constant(delay)
    applied, arrived = 1 / (1 + w * mean), np.exp(-w * delay)
    for lag, current in (
        (smooth, applied),
        (network, arrived),
        (network + smooth, arrived * applied),
        (mixed([0.3, 0.7], [smooth, network]), 0.3 * applied + 0.7 * arrived),
        (Latency.waiting(exponential(mean)).times(3), 1 / (1 + 3 * w * mean)),
        (smooth.times(3), applied**3),
    ):
        exact = float((weight * (1 - current)).sum())
        assert stale_replica_reads(popularity, write_rate, lag) == pytest.approx(exact, abs=1e-9)


# With exponential applies the lag is the network and an exponential of mean 1/(mu - lambda), up to saturation.
@property_test
@given(st.floats(0.01, 0.999), exponents, st.floats(0, 0.5), st.floats(-5, 0).map(lambda power: 10**power))
def test_apply_queue(rho: float, exponent: float, network: float, apply_time: float) -> None:
    popularity, write_rate = zipf(10**9, exponent), rho / apply_time
    w, sojourn = popularity.share * write_rate, apply_time / (1 - rho)
    found = stale_replica_reads(popularity, write_rate, apply_lag(write_rate, exponential(apply_time), 0.0, network))
    exact = popularity.count * popularity.share * (1 - np.exp(-w * network) / (1 + w * sojourn))
    assert found == pytest.approx(float(exact.sum()), abs=1e-9)


def unapplied(rho: float, apply_time: ServiceTime, network: float, w: float) -> float:
    """Return 1 - E[exp(-w lag)] after Pollaczek and Khinchine, in 50 digits."""
    with mpmath.workdps(50):
        s, write_rate = mpmath.mpf(w), mpmath.mpf(rho) / mpmath.mpf(apply_time.mean)
        service = sum(weight * (mpmath.mpf(rate) / (rate + s)) ** k for weight, k, rate in apply_time.phases)
        service += sum(weight * mpmath.exp(-s * value) for weight, value in apply_time.constants)
        wait = (1 - mpmath.mpf(rho)) * s / (s - write_rate * (1 - service))
        return float(1 - wait * service * mpmath.exp(-s * mpmath.mpf(network)))


# Any apply time, for keys that are never written and such as always are: neither way of evaluation loses digits.
@pytest.mark.parametrize("squared_cv", [0.0, 0.5, 1.0, 4.0, 20.0])
@pytest.mark.parametrize(("rho", "tolerance"), [(0.1, 1.1e-8), (0.9, 1e-9), (0.99, 5e-9), (0.999, 1.2e-6)])
def test_fifty_digits(squared_cv: float, rho: float, tolerance: float) -> None:
    apply_time = from_moments(1e-3, squared_cv)
    for network in (0.0, 0.01):
        lag = apply_lag(rho / 1e-3, apply_time, 0.0, network)
        for w in np.geomspace(1e-12, 1e6, 50).tolist():
            exact = unapplied(rho, apply_time, network, w)
            assert stale_replica_reads(ONE, w, lag) == pytest.approx(exact, abs=tolerance)


# A key that is hardly written is stale for the lag after each write; none is where there is no lag or no write.
def test_replica_limits() -> None:
    popularity, lag = zipf(1000, 0.9), Latency.constant(0.01) + Latency.of(erlang(3, 0.02))
    few = 1e-6
    expected = few * 0.03 * float((popularity.count * popularity.share**2).sum())
    assert stale_replica_reads(popularity, few, lag) == pytest.approx(expected, rel=1e-6)
    assert stale_replica_reads(popularity, 0.0, lag) == 0
    assert stale_replica_reads(popularity, 1e3, ZERO) == 0
    assert stale_replica_reads(popularity, 1e12, lag) == pytest.approx(1, abs=1e-6)


# Simulated: writes are applied one after another, and a read is stale if the last write of its key is not yet visible.
def test_replica_simulated() -> None:
    draws, count, write_rate, apply_time, network = np.random.default_rng(5), 200_000, 400.0, 0.002, 0.003
    share = np.arange(1, 101.0) ** -0.8
    share /= share.sum()
    written, keys = np.cumsum(draws.exponential(1 / write_rate, count)), draws.choice(100, p=share, size=count)
    durations = draws.exponential(apply_time, count)
    # The queue is busy without a break since the write before which it had least to do.
    done = np.cumsum(durations)
    visible = done + np.maximum.accumulate(written + network - (done - durations))
    stale = reads = 0
    for key in range(100):
        mine = keys == key
        at = draws.uniform(1.0, written[-1], round(400_000 * share[key]))
        last = np.searchsorted(written[mine], at) - 1
        stale += int(((last >= 0) & (visible[mine][last] > at)).sum())
        reads += len(at)
    found = stale_replica_reads(
        zipf(100, 0.8), write_rate, apply_lag(write_rate, exponential(apply_time), 0.0, network)
    )
    # The standard error is 1.6e-3: bursts last long.
    assert found == pytest.approx(stale / reads, abs=4e-3)


# One's own write is unseen as long as the lag lasts.
def test_own_write() -> None:
    lag = Latency.constant(0.05) + Latency.of(exponential(0.02))
    assert own_write_unseen(lag, 0.0) == 1
    assert own_write_unseen(lag, 0.05) == 1
    for after in (0.06, 0.1, 0.3):
        assert own_write_unseen(lag, after) == pytest.approx(math.exp(-(after - 0.05) / 0.02), abs=1e-8)
    assert own_write_unseen(Latency.constant(0.05), 0.06) == 0


# As many writes are on their way as arrive during one lag.
def test_writes_at_risk() -> None:
    assert writes_at_risk(500.0, 0.2) == pytest.approx(100, rel=1e-15)
    assert writes_at_risk(0.0, 0.2) == 0
