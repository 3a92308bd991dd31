"""Short cuts that decide nothing: where bounds are looked for first, and proofs that need no plan."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from capacity.document import scaled
from capacity.reach import end
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from tests.planner.random_systems import random_system
from tests.planner.systems import changed, database, external, file, service, topology

if TYPE_CHECKING:
    from capacity.topology import Topology


def ignored(_: int) -> None:
    """Nobody watches."""


# Where the search looks first, at the bounds of other loads or at nonsense, and whether it is told that the availability
# can be had, changes nothing of what it finds.
@pytest.mark.parametrize("seed", range(12))
def test_bounds_of_other_loads_change_no_plan(seed: int) -> None:
    draws = random.Random(seed)  # noqa: S311
    values = random_system(draws)
    subject = topology(changed(values, "slo.availability", draws.choice([0.99, 0.9999, 0.9999999])))
    fresh = size(Search.of(resolve(subject)))
    for load in (0.4, 0.9, 1.0, 1.7):
        near = size(Search.of(resolve(scaled(subject, load)))).bounds
        nonsense = {name: draws.choice([0, 1, 3, 900]) for name in near}
        for guesses in (near, nonsense):
            search = Search.of(resolve(subject))
            search.near, search.attainable = guesses, fresh.available
            found = size(search)
            assert (found.counts, found.bounds, found.proven) == (fresh.counts, fresh.bounds, fresh.proven)
            assert [c.wanted for c in found.hopeless] == [c.wanted for c in fresh.hopeless]
            assert (found.conflict is None) == (fresh.conflict is None)


# Told that the availability can be had where it cannot, because a partner is asked more than it takes and calls to it
# are cut off, the search finds the same, and soon: it does not try hundreds of candidates before it asks.
def test_an_availability_wrongly_said_to_be_attainable_is_found_out() -> None:
    tiers = {
        "app": service(0.012, None, threads=100, calls=[{"to": "bank", "timeout": 3.0}, {"to": "db", "count": 3}]),
        "db": database(0.002, replicas="auto"),
        "bank": external(0.3, rate_limit=50.0),
    }
    values = changed(file(tiers, 60.0, survive=("node",)), "slo.availability", 0.999)
    subject = topology(values)
    fresh = size(Search.of(resolve(subject)))
    assert not fresh.available
    search = Search.of(resolve(subject))
    search.attainable = True
    found = size(search)
    assert (found.counts, found.bounds, found.candidates) == (fresh.counts, fresh.bounds, fresh.candidates)
    assert [c.wanted for c in found.hopeless] == [c.wanted for c in fresh.hopeless]


def planned_end(subject: Topology) -> tuple[float, float]:
    """Return the same as `end` with a whole plan for every load."""

    def exists(factor: float) -> bool:
        return size(Search.of(resolve(scaled(subject, factor)))).conflict is None

    feasible = exists(1.0)
    low, high = (1.0, 2.0) if feasible else (0.0, 1.0)
    while feasible and exists(high):
        low, high = high, high * 2
        if low >= 16:
            return low, high
    while high > low * 1.05 and high > 1 / 64:
        middle = math.sqrt(low * high) if low else high / 2
        low, high = (middle, high) if exists(middle) else (low, middle)
    return low, high


# The load up to which a plan exists is the one that planning every load finds, and something is told to be in its way.
@pytest.mark.parametrize("seed", range(12))
def test_the_end_is_that_of_plans(seed: int) -> None:
    draws = random.Random(100 + seed)  # noqa: S311
    subject = topology(random_system(draws))
    found = end(subject, size(Search.of(resolve(subject))), ignored)
    assert (found.low, found.high) == planned_end(subject)
    assert found.low >= 16 or found.then
