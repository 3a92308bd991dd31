from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.availability import (
    MONTH,
    downtime,
    failovers,
    fewer_than,
    fewer_than_by_zones,
    in_series,
    left_by_zones,
    maintenance,
    node_unavailability,
    zoned,
    zones_lost,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

CLAIM = 1e-12
"""The relative error that the module promises; 7.7e-13 is the largest seen, 1e-13 for results above 1e-30."""

TINY = 1e-280
"""Below it the module promises no digits."""

Groups = list[tuple[int, float]]

property_test = settings(max_examples=100)
unavailabilities = st.floats(1e-9, 1 - 1e-9)
some_groups = st.lists(st.tuples(st.integers(0, 300), unavailabilities), min_size=1, max_size=3)


def probabilities(nodes: int, unavailability: float, first: int, last: int) -> list[Any]:
    """Return the probabilities that first..last nodes are down, to 40 digits and more."""
    down = mpmath.mpf(unavailability)
    term = mpmath.binomial(nodes, first) * down**first * (1 - down) ** (nodes - first)
    terms = []
    for k in range(first, last + 1):
        terms.append(term)
        term *= down / (1 - down) * (nodes - k) / (k + 1)
    return terms


def at_least(down: int, groups: Groups, spread: float) -> Any:
    """Return the probability of `down` or more nodes down: counts within `spread` deviations, convolved."""
    with mpmath.workdps(50):
        first, law = 0, [mpmath.mpf(1)]
        for nodes, u in sorted(groups):
            width = spread * math.sqrt(nodes * u * (1 - u)) + 60
            low, high = max(0, int(nodes * u - width)), min(nodes, int(nodes * u + width))
            if (nodes, u) == max(groups):
                low = max(low, down - first - len(law) + 1)
                terms = probabilities(nodes, u, low, high)
                tails = list(itertools.accumulate(reversed(terms), initial=mpmath.mpf(0)))[::-1]
                at = [min(max(down - first - low - i, 0), len(terms)) for i in range(len(law))]
                return mpmath.fsum(p * tails[j] for p, j in zip(law, at, strict=True))
            first, law = first + low, convolved(law, probabilities(nodes, u, low, high))
        raise AssertionError


def convolved(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    sums = [mpmath.mpf(0)] * (len(left) + len(right) - 1)
    for (i, p), (j, q) in itertools.product(enumerate(left), enumerate(right)):
        sums[i + j] += p * q
    return sums


def enumerated(needed: int, unavailability: Sequence[float]) -> Fraction:
    """Return the probability of fewer than `needed` nodes up: all their states one by one, in fractions."""
    total = Fraction(0)
    for up in itertools.product((False, True), repeat=len(unavailability)):
        if sum(up) < needed:
            downs = [Fraction(u) for u in unavailability]
            total += math.prod((1 - u if alive else u for alive, u in zip(up, downs, strict=True)), start=Fraction(1))
    return total


def zones_of(groups: Groups, zones: int) -> list[list[float]]:
    """Return the nodes of each zone by their unavailability: dealt like cards, one group after the other."""
    each = [u for nodes, u in groups for _ in range(nodes)]
    return [each[zone::zones] for zone in range(zones)]


def enumerated_by_zones(needed: int, groups: Groups, zones: int, zone_unavailability: float) -> Fraction:
    """Return the probability of fewer than `needed` nodes up: all zones' and nodes' states, one by one."""
    down, total = Fraction(zone_unavailability), Fraction(0)
    for up in itertools.product((False, True), repeat=zones):
        left = [u for alive, held in zip(up, zones_of(groups, zones), strict=True) if alive for u in held]
        total += (1 - down) ** sum(up) * down ** (zones - sum(up)) * enumerated(needed, left)
    return total


# A node of 1000 hours between failures and 10 of repair is down 10 of 1010 hours (a textbook example: 99.01 % up).
def test_node_unavailability() -> None:
    assert node_unavailability(1000 * 3600.0, 10 * 3600.0) == pytest.approx(10 / 1010, rel=1e-15)
    assert node_unavailability(1e15, 1.0) == pytest.approx(1e-15, rel=1e-14)
    assert node_unavailability(1.0, 0.0) == 0
    assert node_unavailability(math.inf, 60.0) == 0


@pytest.mark.parametrize(("mtbf", "mttr"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (math.nan, 1.0), (1.0, math.inf)])
def test_impossible_times(mtbf: float, mttr: float) -> None:
    with pytest.raises(ValueError, match="mtbf"):
        node_unavailability(mtbf, mttr)


# 2 of 3 at 99 % are up with 0.999702; 3 of 4 at 90 % with 0.9477 (Reliability Analytics 2011).
@pytest.mark.parametrize(
    ("needed", "nodes", "unavailability", "down"),
    [(2, 3, 0.01, 2.98e-4), (3, 4, 0.1, 0.0523), (1, 2, 0.01, 1e-4), (3, 3, 0.01, 0.029701), (1, 3, 1e-10, 1e-30)],
)
def test_published_values(needed: int, nodes: int, unavailability: float, down: float) -> None:
    assert fewer_than(needed, [(nodes, unavailability)]) == pytest.approx(down, rel=1e-13)


# Every state of a handful of nodes, one by one, weighs what the law says.
@pytest.mark.parametrize(
    "groups",
    [[(7, 0.2)], [(4, 0.01), (3, 0.3)], [(1, 1e-9), (2, 0.999), (3, 0.5)], [(3, 1e-12), (5, 0.05)], [(2, 0.6)] * 4],
)
def test_enumeration(groups: Groups) -> None:
    each = [u for nodes, u in groups for _ in range(nodes)]
    for needed in range(1, len(each) + 1):
        assert fewer_than(needed, groups) == pytest.approx(float(enumerated(needed, each)), rel=CLAIM, abs=0)


# One group holds twelve digits against 50, at, near and far from the mean, for one to a million nodes.
@pytest.mark.parametrize("nodes", [1, 15, 16, 17, 10_000, 1_000_000])
@pytest.mark.parametrize("unavailability", [1e-12, 1e-5, 1e-3, 0.5, 1 - 1e-6])
def test_one_group(nodes: int, unavailability: float) -> None:
    deviation = math.sqrt(nodes * unavailability * (1 - unavailability))
    for far in (-3, 0, 0.5, 4, 11.5, 30):
        down = math.floor(nodes * unavailability + far * deviation) + 1
        if not 1 <= down <= nodes:
            continue
        if (true := at_least(down, [(nodes, unavailability)], abs(far) + 10)) > TINY:
            assert abs(fewer_than(nodes - down + 1, [(nodes, unavailability)]) / true - 1) < CLAIM


# Several groups hold twelve digits against 50, from the likely to the least likely result, all nodes down.
@pytest.mark.parametrize(
    "groups",
    [[(60, 1e-4), (30, 0.05)], [(40, 0.5), (41, 1e-9), (7, 0.97)], [(3, 1e-12), (50, 0.4), (20, 0.01), (1, 0.3)]],
)
def test_several_groups(groups: Groups) -> None:
    nodes = sum(n for n, _ in groups)
    for down in {*range(1, nodes, 5), nodes}:
        if (true := at_least(down, groups, 1e6)) > TINY:
            assert abs(fewer_than(nodes - down + 1, groups) / true - 1) < CLAIM


# A large group on demand and a large one on spot, a likely and a 1e-30 event.
@pytest.mark.parametrize("far", [0.5, 14])
def test_large_groups(far: float) -> None:
    groups = [(200, 0.05), (900_000, 1e-4)]
    deviation = math.sqrt(sum(n * u * (1 - u) for n, u in groups))
    down = math.floor(sum(n * u for n, u in groups) + far * deviation) + 1
    true = at_least(down, groups, far + 15)
    assert (true < 1e-30) == (far > 1)
    assert abs(fewer_than(900_200 - down + 1, groups) / true - 1) < CLAIM


# A group cut in parts is still the same nodes, the million too.
@pytest.mark.parametrize("nodes", [60, 60_000, 960_000])
@pytest.mark.parametrize("far", [-2, 1, 10])
def test_parts_of_a_group(nodes: int, far: int) -> None:
    needed = math.floor(nodes * 0.9 - far * math.sqrt(nodes * 0.09))
    parts = [(nodes // 2, 0.1), (nodes // 3, 0.1), (nodes // 6, 0.1), (0, 0.1)]
    whole = fewer_than(needed, [(nodes, 0.1)])
    assert fewer_than(needed, parts) == pytest.approx(whole, rel=2 * CLAIM, abs=0)


# No nodes needed are always there, more than there are never; nodes that are always or never up only shift the count.
def test_bounds_of_needed() -> None:
    assert fewer_than(0, [(3, 0.5)]) == 0
    assert fewer_than(-1, []) == 0
    assert fewer_than(4, [(3, 0.0)]) == 1
    assert fewer_than(1, []) == 1
    assert fewer_than(3, [(3, 0.0)]) == 0
    assert fewer_than(1, [(3, 1.0)]) == 1
    assert fewer_than(5, [(3, 0.01), (3, 0.0), (9, 1.0)]) == fewer_than(2, [(3, 0.01)])


@pytest.mark.parametrize("group", [(3, -0.1), (3, 1.1), (3, math.nan), (-1, 0.1)])
def test_impossible_groups(group: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match="unavailabilities"):
        fewer_than(1, [(1, 0.1), group])


# The ends of what a double holds give probabilities, and no warning.
@property_test
@given(st.lists(st.tuples(st.integers(0, 1_000_000), st.floats(0, 1)), min_size=1, max_size=2), st.floats(-0.1, 1.1))
def test_probability(groups: Groups, share: float) -> None:
    assert 0 <= fewer_than(round(share * sum(n for n, _ in groups)), groups) <= 1


# Another node never hurts, another one needed and a less reliable one never help.
@property_test
@given(some_groups, st.floats(0, 1), st.floats(0, 1))
def test_monotone(groups: Groups, share: float, worse: float) -> None:
    (nodes, u), *others = groups
    needed = round(share * sum(n for n, _ in groups))
    result = fewer_than(needed, groups)
    assert fewer_than(needed, [(nodes + 1, u), *others]) <= result * (1 + CLAIM) + TINY
    assert fewer_than(needed + 1, groups) >= result * (1 - CLAIM) - TINY
    assert fewer_than(needed, [(nodes, u + worse * (1 - u)), *others]) >= result * (1 - CLAIM) - TINY


# Zones are lost by the binomial law, in fractions; something always happens.
@pytest.mark.parametrize("unavailability", [0.0, 1e-9, 0.3, 1.0])
@pytest.mark.parametrize("zones", [0, 1, 3, 20])
def test_zones_lost(zones: int, unavailability: float) -> None:
    u = Fraction(unavailability)
    true = [float(math.comb(zones, m) * u**m * (1 - u) ** (zones - m)) for m in range(zones + 1)]
    assert zones_lost(zones, unavailability) == pytest.approx(true, rel=1e-13, abs=0)
    assert math.fsum(zones_lost(zones, unavailability)) == pytest.approx(1, rel=1e-14)


# One node in one of three zones: while one zone is down it is gone one time of three. Five go 2, 2, 1.
def test_left_by_zones() -> None:
    third = pytest.approx(1 / 3, rel=1e-15)
    assert left_by_zones([1], 3)[1] == {(0,): third, (1,): pytest.approx(2 / 3, rel=1e-15)}
    assert left_by_zones([5], 3)[2] == {(1,): third, (2,): pytest.approx(2 / 3, rel=1e-15)}
    assert left_by_zones([1, 1], 2)[1] == {(0, 1): 0.5, (1, 0): 0.5}
    assert left_by_zones([4, 2], 3)[1] == {(2, 2): third, (3, 1): pytest.approx(2 / 3, rel=1e-15)}


# Whatever is lost, the outcomes are all there are, and on average a zone takes its share of every group.
@property_test
@given(st.lists(st.integers(0, 60), min_size=1, max_size=2), st.integers(1, 12))
def test_left_on_average(nodes: list[int], zones: int) -> None:
    for lost, outcomes in enumerate(left_by_zones(nodes, zones)):
        assert math.fsum(outcomes.values()) == pytest.approx(1, rel=1e-13)
        for group, count in enumerate(nodes):
            mean = math.fsum(p * left[group] for left, p in outcomes.items())
            assert mean == pytest.approx(count * (1 - lost / zones), rel=1e-12, abs=1e-12)
        fullest = -(-sum(nodes) // zones)
        assert min(sum(left) for left in outcomes) >= sum(nodes) - lost * fullest


# Four needed take 6 nodes over 3 zones or 8 over 2 to survive a zone: the factor zones / (zones - 1) of Azure's docs.
@pytest.mark.parametrize(("nodes", "zones"), [(6, 3), (8, 2)])
def test_published_reserve(nodes: int, zones: int) -> None:
    assert nodes == 4 * zones / (zones - 1)
    assert fewer_than_by_zones(4, [(nodes, 0.0)], zones)[:3] == [0, 0, 1]
    # A node less is missed only where one of the zones goes that are as full as before.
    assert fewer_than_by_zones(4, [(nodes - 1, 0.0)], zones)[1] == pytest.approx((zones - 1) / zones)
    survived_one = zones_lost(zones, 1e-4)[:2]
    assert zoned(4, [(nodes, 0.0)], zones, 1e-4) == pytest.approx(1 - math.fsum(survived_one), rel=1e-6)


# In every state of zones and nodes, counted in fractions, whether or not the zones divide the nodes.
@pytest.mark.parametrize(
    ("groups", "zones"),
    [
        ([(1, 0.1)], 3),
        ([(2, 0.1)], 3),
        ([(6, 0.1)], 3),
        ([(4, 0.1), (4, 0.3)], 2),
        ([(5, 0.1)], 1),
        ([(7, 0.1)], 3),
        ([(4, 0.01), (4, 0.3)], 3),
        ([(3, 0.01), (2, 0.3)], 4),
        ([(2, 0.0)], 5),
    ],
)
def test_zones_by_enumeration(groups: Groups, zones: int) -> None:
    for needed in range(1, sum(n for n, _ in groups) + 1):
        true = float(enumerated_by_zones(needed, groups, zones, 0.02))
        assert zoned(needed, groups, zones, 0.02) == pytest.approx(true, rel=CLAIM)


# A single node shares the fate of the zone that it stands in, and of no other.
@pytest.mark.parametrize("zones", [1, 2, 3, 100])
def test_one_node_in_one_zone(zones: int) -> None:
    assert zoned(1, [(1, 0.01)], zones, 0.02) == pytest.approx(1 - 0.99 * 0.98, rel=1e-12)


# 400,000 states of 12 nodes in 3 zones, drawn at random: as often too few as the law says.
def test_zones_by_simulation() -> None:
    random, trials = np.random.default_rng(20240229), 400_000
    up = random.random((trials, 3, 4)) > 0.08
    up[:, :, 3] = random.random((trials, 3)) > 0.3
    up &= (random.random((trials, 3)) > 0.03)[:, :, np.newaxis]
    share = float(np.mean(up.sum(axis=(1, 2)) < 8))
    law = zoned(8, [(9, 0.08), (3, 0.3)], 3, 0.03)
    assert abs(share - law) < 4 * math.sqrt(law * (1 - law) / trials)


# Zones that never fail leave the nodes, and zones that always do leave none.
def test_zones_without_chance() -> None:
    assert zoned(5, [(9, 0.01)], 3, 0.0) == fewer_than(5, [(9, 0.01)])
    assert zoned(1, [(9, 0.0)], 3, 1.0) == 1
    assert zoned(0, [(9, 0.01)], 3, 1.0) == 0
    assert zoned(9, [(9, 0.01)], 1, 0.25) == pytest.approx(0.25 + 0.75 * fewer_than(9, [(9, 0.01)]), rel=1e-14)


# A node more, fewer needed or better zones never hurt.
@property_test
@given(some_groups, st.floats(0, 1), st.integers(1, 4), unavailabilities)
def test_zoned_monotone(groups: Groups, share: float, zones: int, zone: float) -> None:
    (nodes, u), *others = groups
    needed = round(share * sum(n for n, _ in groups))
    result = zoned(needed, groups, zones, zone)
    assert zoned(needed, [(nodes + 1, u), *others], zones, zone) <= result * (1 + CLAIM) + TINY
    assert zoned(needed + 1, groups, zones, zone) >= result * (1 - CLAIM) - TINY
    assert zoned(needed, groups, zones, zone / 2) <= result * (1 + CLAIM) + TINY


# Tiers that share zones fall with them: the sum over the zones lost, against every state of two tiers in three zones.
def test_tiers_that_share_zones() -> None:
    tiers: list[tuple[int, Groups]] = [(2, [(3, 0.1)]), (3, [(6, 0.05)])]
    by_zones = [fewer_than_by_zones(needed, groups, 3) for needed, groups in tiers]
    result = math.fsum(p * in_series(t[m] for t in by_zones) for m, p in enumerate(zones_lost(3, 0.02)))
    true = Fraction(0)
    for zones_up in range(4):
        probability = math.comb(3, zones_up) * (1 - Fraction(0.02)) ** zones_up * Fraction(0.02) ** (3 - zones_up)
        web, db = enumerated(2, [0.1] * zones_up), enumerated(3, [0.05] * 2 * zones_up)
        true += probability * (1 - (1 - web) * (1 - db))
    assert result == pytest.approx(float(true), rel=CLAIM)
    apart = in_series(zoned(needed, groups, 3, 0.02) for needed, groups in tiers)
    assert result < apart


# Parts in series keep the digits of small unavailabilities, against 50.
@property_test
@given(st.lists(st.floats(0, 1) | st.floats(0, 1e-9), max_size=8))
def test_in_series(parts: list[float]) -> None:
    with mpmath.workdps(50):
        true = 1 - mpmath.fprod(1 - mpmath.mpf(u) for u in parts)
    assert in_series(parts) == pytest.approx(float(true), rel=1e-14, abs=1e-45)


def test_in_series_bounds() -> None:
    assert in_series([]) == 0
    assert math.copysign(1, in_series([0.0])) == 1
    assert in_series([0.3, 1.0]) == 1
    assert in_series([1e-20] * 3) == pytest.approx(3e-20, rel=1e-15)


# Three writers that fail once in 30 days and take 30 s to switch over: 90 s in 30 days. Never more than always.
def test_failovers() -> None:
    assert failovers(30 * 86_400.0, 3, 30.0) == pytest.approx(90 / (30 * 86_400), rel=1e-15)
    assert failovers(1.0, 100, 30.0) == 1
    assert failovers(1.0, 0, 30.0) == 0
    with pytest.raises(ValueError, match="mtbf"):
        failovers(0.0, 1, 30.0)


# Four restarts of 73 minutes take 292 of the month's 43,800 minutes.
def test_maintenance() -> None:
    assert maintenance(4, 73 * 60.0) == pytest.approx(292 / 43_800, rel=1e-15)
    assert maintenance(4, 60.0, 240.0) == 1
    assert maintenance(9, 60.0, 240.0) == 1


# 99.95 % over a month of 730 hours leave 21.9 minutes, 99.999 % over a year of 365 days 5.256 (published tables).
def test_published_downtime() -> None:
    assert MONTH == 2_628_000
    assert downtime(5e-4) == pytest.approx(21.9 * 60, rel=1e-15)
    assert downtime(1e-5, 365 * 86_400.0) == pytest.approx(5.256 * 60, rel=1e-15)
