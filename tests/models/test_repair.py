from __future__ import annotations

import math
from itertools import combinations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.availability import fewer_than, fewer_than_by_zones, node_unavailability, zoned, zones_lost
from models.outages import outage_rate
from models.repair import crewed, crewed_by_zones, crewed_outage_rate, crewed_zoned

property_test = settings(max_examples=60)
times = st.floats(1.0, 1e7)


def chain(nodes: int, crews: int, mtbf: float, mttr: float) -> list[mpmath.mpf]:
    """Return the probabilities of 0..nodes nodes down with 50 digits, from the balance between neighbours."""
    weights = [mpmath.mpf(1)]
    for j in range(nodes):
        weights.append(weights[-1] * (nodes - j) / mpmath.mpf(mtbf) * mpmath.mpf(mttr) / min(j + 1, crews))
    total = mpmath.fsum(weights)
    return [w / total for w in weights]


# Every unavailability and outage rate holds twelve digits against the birth-death chain with 50.
@property_test
@given(st.integers(1, 60), st.integers(1, 60), times, times, st.floats(0, 1))
def test_against_50_digits(nodes: int, crews: int, mtbf: float, mttr: float, share: float) -> None:
    needed = max(1, round(share * nodes))
    with mpmath.workdps(50):
        down = chain(nodes, crews, mtbf, mttr)
        wanted = mpmath.fsum(down[nodes - needed + 1 :])
        rate = down[nodes - needed] * needed / mpmath.mpf(mtbf)
    assert crewed(needed, nodes, crews, mtbf, mttr) == pytest.approx(float(wanted), rel=1e-12, abs=1e-290)
    assert crewed_outage_rate(needed, nodes, crews, mtbf, mttr) == pytest.approx(float(rate), rel=1e-12, abs=1e-290)


# With a crew for every node it is k of n: the binomial law, in number and in frequency of outages.
@property_test
@given(st.integers(1, 40), times, times, st.floats(0, 1))
def test_crews_for_all(nodes: int, mtbf: float, mttr: float, share: float) -> None:
    needed = max(1, round(share * nodes))
    plain = fewer_than(needed, [(nodes, node_unavailability(mtbf, mttr))])
    assert crewed(needed, nodes, nodes, mtbf, mttr) == pytest.approx(plain, rel=1e-11, abs=1e-280)
    rate = outage_rate(needed, [(nodes, mtbf, mttr)])
    # A node that is nearly always down is told by 1 - u, which has lost the digits of mttr / mtbf.
    lost = 1e-15 * nodes * (1 + mttr / mtbf)
    assert crewed_outage_rate(needed, nodes, nodes, mtbf, mttr) == pytest.approx(rate, rel=1e-10 + lost, abs=1e-280)


# A published case: two machines in parallel with one crew are down with 2 r^2 / (1 + 2 r + 2 r^2), r = mttr / mtbf
# (Gross et al. 2008, section 2.7, in closed form); with two crews with r^2 / (1 + r)^2.
def test_two_machines() -> None:
    for r in (0.5, 0.01, 1e-6):
        assert crewed(1, 2, 1, 1.0, r) == pytest.approx(2 * r * r / (1 + 2 * r + 2 * r * r), rel=1e-13)
        assert crewed(1, 2, 2, 1.0, r) == pytest.approx(r * r / (1 + r) ** 2, rel=1e-13)


# Another crew, a node more or fewer needed never hurt; slower repair never helps.
@property_test
@given(st.integers(1, 30), st.integers(1, 10), times, st.floats(1.0, 1e5), st.floats(1.01, 5))
def test_monotone(nodes: int, crews: int, mtbf: float, mttr: float, slower: float) -> None:
    needed = (nodes + 1) // 2
    here = crewed(needed, nodes, crews, mtbf, mttr) * (1 + 1e-12)
    assert crewed(needed, nodes, crews + 1, mtbf, mttr) <= here
    assert crewed(needed - 1, nodes, crews, mtbf, mttr) <= here
    assert crewed(needed, nodes, crews, mtbf, mttr * slower) >= here * (1 - 2e-12)


# In every state of nodes and zones, counted out: which nodes are down does not depend on the zones.
@pytest.mark.parametrize(
    ("nodes", "zones", "needed", "crews"), [(5, 3, 3, 1), (4, 2, 2, 2), (6, 3, 4, 1), (2, 3, 1, 1)]
)
def test_zones_by_enumeration(nodes: int, zones: int, needed: int, crews: int) -> None:
    mtbf, mttr = 10.0, 3.0
    down = [float(p) for p in chain(nodes, crews, mtbf, mttr)]
    place = [i % zones for i in range(nodes)]
    found = crewed_by_zones(needed, nodes, crews, mtbf, mttr, zones)
    for lost in range(zones + 1):
        total, sets = 0.0, list(combinations(range(zones), lost))
        for gone in sets:
            for j in range(nodes + 1):
                broken = list(combinations(range(nodes), j))
                few = sum(
                    sum(place[i] not in gone and i not in which for i in range(nodes)) < needed for which in broken
                )
                total += down[j] * few / len(broken) / len(sets)
        assert found[lost] == pytest.approx(total, rel=1e-12)
    weights = zones_lost(zones, 0.1)
    whole = crewed_zoned(needed, nodes, crews, mtbf, mttr, zones, 0.1)
    assert whole == pytest.approx(sum(p * u for p, u in zip(weights, found, strict=True)), rel=1e-12)


# With crews for all, zones are those of the plain law.
def test_zones_with_crews_for_all() -> None:
    down = node_unavailability(1e6, 3600)
    assert crewed_zoned(3, 5, 5, 1e6, 3600.0, 3, 1e-4) == pytest.approx(zoned(3, [(5, down)], 3, 1e-4), rel=1e-11)
    plain = fewer_than_by_zones(3, [(5, down)], 3)
    assert crewed_by_zones(3, 5, 5, 1e6, 3600.0, 3) == pytest.approx(plain, rel=1e-11)


# The mean of the time up is enough: a simulation with constant times up and exponential repair agrees.
def test_times_up_need_no_distribution() -> None:
    noise = np.random.default_rng(7)
    nodes, mtbf, mttr, horizon = 4, 10.0, 4.0, 200_000.0
    failures, broken, clock, down_time = sorted(noise.uniform(0, mtbf, nodes).tolist()), 0, 0.0, 0.0
    repaired = math.inf
    while clock < horizon:
        following = min(failures[0] if failures else math.inf, repaired)
        down_time += (following - clock) * (nodes - broken < 2)
        clock = following
        if clock == repaired:
            broken -= 1
            failures = sorted([*failures, clock + mtbf])
            repaired = clock + noise.exponential(mttr) if broken else math.inf
        else:
            failures.pop(0)
            broken += 1
            repaired = clock + noise.exponential(mttr) if broken == 1 else repaired
    # 50,000 repairs: about 1 % at two standard errors, as ten seeds spread.
    assert down_time / clock == pytest.approx(crewed(2, nodes, 1, mtbf, mttr), rel=0.02)


# What has no meaning is refused.
@pytest.mark.parametrize(("nodes", "crews", "mtbf", "mttr"), [(-1, 1, 1, 1), (3, 0, 1, 1), (3, 1, 0, 1), (3, 1, 1, -1)])
def test_senseless_input(nodes: int, crews: int, mtbf: float, mttr: float) -> None:
    with pytest.raises(ValueError, match="needed"):
        crewed(1, nodes, crews, mtbf, mttr)
    with pytest.raises(ValueError, match="300"):
        crewed_by_zones(1, 301, 1, 1.0, 1.0, 2)


# The ends: nothing needed is never missing, more than there are always, what is repaired at once is never down.
def test_ends() -> None:
    assert crewed(0, 3, 1, 1.0, 1.0) == 0
    assert crewed(4, 3, 1, 1.0, 1.0) == pytest.approx(1, rel=1e-15)
    assert crewed(3, 3, 1, 1.0, 0.0) == 0
    assert crewed_outage_rate(0, 3, 1, 1.0, 1.0) == 0
