from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.stampede import Protection, stampede
from tests.cases import Case, cache_cases

property_test = settings(max_examples=80)

protections = st.sampled_from(["none", "single-flight", "xfetch"])
rates, fetches = st.floats(-1, 4).map(lambda p: 10**p), st.floats(-3, 0.3).map(lambda p: 10**p)


def name(case: Case) -> str:
    return f"{case['rate']}-{case['ttl']}-{case['protect']}"


def simulated_seconds(case: Case) -> float:
    """Return how long a case ran: two million reads, or 1200 s of 10,000/s; then all its counts are whole numbers."""
    seconds = 2e6 / case["rate"] if case["rate"] < 5000 else 1200.0
    fetched = case["fetches_per_ttl"] * seconds / case["ttl"]
    assert fetched == pytest.approx(round(fetched), abs=0.01)
    return seconds


# Simulated stampedes from an empty cache: fetches within four standard errors of their number (a cycle of an unprotected
# key has a Poisson number, one of XFetch a standard deviation of 2.2), or within the one cycle that the end cuts.
@pytest.mark.parametrize("case", cache_cases("stampede"), ids=name)
def test_simulated(case: Case) -> None:
    protection: Protection = case["protect"].split()[0]
    found = stampede(case["rate"], case["ttl"], case["fetch_s"], protection=protection)
    seconds = simulated_seconds(case)
    cycles = seconds / found.cycle
    told = found.fetch_rate * seconds + (found.at_start if protection == "xfetch" else 0)
    per_cycle = {"none": math.sqrt(found.per_expiry), "single-flight": 0.0, "xfetch": 2.2}[protection]
    at_start = math.sqrt(found.at_start) if protection == "xfetch" else 0.0
    allowed = 4 * math.hypot(per_cycle * math.sqrt(cycles), at_start) + 1
    assert told == pytest.approx(case["fetches_per_ttl"] * seconds / case["ttl"], abs=allowed)
    if protection == "xfetch":
        # XFetch waits hardly but at the start, whose waiting reads are among those of the simulation.
        told_waiting = found.waiting + found.at_start / (case["rate"] * seconds)
        assert case["waiting_fraction"] == pytest.approx(told_waiting, abs=2e-4)
    else:
        assert case["waiting_fraction"] == pytest.approx(found.waiting, rel=4 / math.sqrt(cycles) + 1e-3)


# The largest number of fetches at once is that of the empty cache, for a Poisson number of reads.
@pytest.mark.parametrize("case", [c for c in cache_cases("stampede") if c["rate"] * c["fetch_s"] >= 50], ids=name)
def test_fetches_at_once(case: Case) -> None:
    found = stampede(case["rate"], case["ttl"], case["fetch_s"], protection=case["protect"].split()[0])
    spread = math.sqrt(found.at_start) if found.at_start > 1 else 0.0
    # The largest of some hundred Poisson numbers is up to four standard deviations above their mean.
    assert found.at_start - 4 * spread <= case["max_concurrent"] <= found.at_start + 4 * spread


def run(rate: float, ttl: float, fetch: float, beta: float, *, reads: int, seed: int) -> tuple[float, float]:
    """Return fetches per second and the waiting share of one key with XFetch; beta 0 fetches only what expired."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    now, expiry = 0.0, -math.inf
    ends: list[float] = []
    fetched = waited = 0
    start = 0.0
    for i in range(reads):
        now += draws.expovariate(rate)
        while ends and ends[0] <= now:
            expiry = ends.pop(0) + ttl
        if i == reads // 20:
            start, fetched, waited = now, 0, 0
        early = -fetch * beta * math.log(1 - draws.random()) if beta else 0.0
        if now + early >= expiry:
            fetched += 1
            waited += now >= expiry
            ends.append(now + fetch)
    return fetched / (now - start), waited / (reads * 0.95)


# One key that is run here, unprotected and with XFetch of two strengths: fetches within 4 %, five standard errors.
@pytest.mark.parametrize(
    ("rate", "fetch", "beta"), [(20.0, 0.3, 0.0), (20.0, 0.3, 1.0), (3.0, 0.3, 1.0), (20.0, 0.3, 3.0)]
)
def test_own_simulation(rate: float, fetch: float, beta: float) -> None:
    fetched, waited = run(rate, 10.0, fetch, beta, reads=300_000, seed=21)
    found = stampede(rate, 10.0, fetch, protection="xfetch" if beta else "none", beta=beta or 1.0)
    assert found.fetch_rate == pytest.approx(fetched, rel=0.04)
    assert found.waiting == pytest.approx(waited, rel=0.1, abs=3e-4)


# Of a busy key XFetch fetches e**(1/beta) times per expiry, whatever the rate.
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0, 5.0])
def test_busy_key(beta: float) -> None:
    for rate in (1e3, 1e4, 1e6):
        found = stampede(rate, 100.0, 1.0, protection="xfetch", beta=beta)
        assert found.per_expiry == pytest.approx(math.exp(1 / beta), rel=1e-6)
        assert found.waiting < 1e-9


# A key that is hardly read is fetched once per expiry, protected or not, and its readers always wait.
@pytest.mark.parametrize("protection", ["none", "single-flight", "xfetch"])
def test_idle_key(protection: Protection) -> None:
    found = stampede(1e-6, 10.0, 0.1, protection=protection)
    assert found.per_expiry == pytest.approx(1, abs=1e-4)
    assert found.waiting == pytest.approx(1, abs=1e-4)


# Nobody fetches more often than is read, or waits more often than always; single flight is the fewest fetches without
# early ones, and protects as the unprotected waits.
@property_test
@given(protections, rates, fetches)
def test_bounds(protection: Protection, rate: float, fetch: float) -> None:
    found = stampede(rate, 60.0, fetch, protection=protection)
    assert 0 < found.fetch_rate <= rate * (1 + 1e-9)
    assert 0 <= found.waiting <= 1
    assert 1 - 1e-9 <= found.per_expiry <= 1 + rate * fetch + 1e-6
    unprotected = stampede(rate, 60.0, fetch)
    assert stampede(rate, 60.0, fetch, protection="single-flight").fetch_rate <= unprotected.fetch_rate * (
        1 + fetch / 60
    )


# Only times relative to each other matter.
@property_test
@given(protections, rates, fetches, st.floats(-3, 3))
def test_units(protection: Protection, rate: float, fetch: float, magnitude: float) -> None:
    unit = 10**magnitude
    plain = stampede(rate, 60.0, fetch, protection=protection)
    scaled = stampede(rate / unit, 60.0 * unit, fetch * unit, protection=protection)
    assert scaled.per_expiry == pytest.approx(plain.per_expiry, rel=1e-9)
    assert scaled.waiting == pytest.approx(plain.waiting, rel=1e-9, abs=1e-15)


# No rate, no time: refused.
def test_senseless_input_is_refused() -> None:
    for rate, ttl, fetch, beta in (
        (0.0, 1.0, 1.0, 1.0),
        (1.0, 0.0, 1.0, 1.0),
        (1.0, 1.0, 0.0, 1.0),
        (1.0, 1.0, 1.0, 0.0),
    ):
        with pytest.raises(ValueError, match="above 0"):
            stampede(rate, ttl, fetch, protection="xfetch", beta=beta)
