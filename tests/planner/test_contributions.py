from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import pytest

from capacity.contributions import contributions
from capacity.verdict import class_latency
from tests.planner.random_systems import random_system
from tests.planner.systems import database, external, file, service, solved

if TYPE_CHECKING:
    from tests.planner.systems import Values

SLOPE = 1e-3
"""What is promised: the slope of a percentile that is itself right to 1e-6, over a step of 1 %."""


def calling(*names: str, **fields: object) -> list[Values]:
    return [{"to": name, **fields} for name in names]


# Of two exponential times in a row, the time of each in requests that take exactly as long as the p99 is known in
# closed form: given their sum, the first is a truncated exponential.
@pytest.mark.parametrize("fraction", [0.5, 0.99, 0.999])
def test_two_exponential_times_contribute_what_the_closed_form_says(fraction: float) -> None:
    first, second = 0.2, 0.05
    tiers = {"front": service(0.0, calls=calling("slow", "fast")), "slow": external(first), "fast": external(second)}
    solution = solved(file(tiers, 1.0))
    latency = class_latency(solution, "page")
    assert latency is not None
    sum_ = latency.percentile(fraction)
    excess = 1 / first - 1 / second
    expected = 1 / excess - sum_ / math.expm1(excess * sum_)
    found = {part.tier: part for part in contributions(solution, "page", fraction)}
    assert found["slow"].percentile == pytest.approx(expected, rel=SLOPE)
    assert found["fast"].percentile == pytest.approx(sum_ - expected, rel=SLOPE)
    assert found["slow"].mean == pytest.approx(first, rel=1e-9)  # a mean is a straight line in its parts


PATHS = {
    "waits shared by repeated visits": {
        "app": service(0.004, calls=[{"to": "db", "count": 3}]),
        "db": database(0.002),
    },
    "parallel calls": {
        "app": service(0.002, calls=[*calling("a", "b", parallel="both"), *calling("c")]),
        "a": external(0.1),
        "b": external(0.15, variability=0.3),
        "c": external(0.05),
    },
    "a timeout with retries": {
        "app": service(0.002, calls=[{"to": "a", "timeout": 0.3, "retries": 2}]),
        "a": service(0.003, calls=calling("b")),
        "b": external(0.1),
    },
    "threads that are waited for": {
        "web": service(0.001, calls=calling("app")),
        "app": service(0.002, threads=14, calls=calling("slow")),
        "slow": service(0.003, node="n8", calls=calling("far")),
        "far": external(0.1),
    },
    "tiers on one machine": {
        "web": service(0.002, calls=calling("app")),
        "app": {"kind": "service", "host": "web", "cpu_time": 0.004, "calls": calling("db")},
        "db": {"kind": "database", "host": "web", "read_time": 0.001, "write_time": 0.001},
    },
    "a partner's own queue": {
        "app": service(0.001, calls=calling("partner")),
        "partner": external(0.05, concurrency_limit=7),
    },
    "writes that wait for replicas": {
        "app": service(0.001, calls=[{"to": "db", "count": 1, "writes": 0.5}]),
        "db": database(0.001, 0.002, 2, replication={"mode": "sync", "apply_time": 0.001, "network_delay": 0.005}),
    },
}
"""Every way in which times of tiers come together in one response time."""


# However the times come together, the parts add up to the mean and to the p99: nothing is told twice or left out.
@pytest.mark.parametrize("path", PATHS)
def test_contributions_add_up_to_the_whole(path: str) -> None:
    solution = solved(file(PATHS[path], 100.0))
    latency, found = class_latency(solution, "page"), contributions(solution, "page")
    assert latency is not None
    assert sum(part.mean for part in found) == pytest.approx(latency.mean, rel=SLOPE)
    assert sum(part.percentile for part in found) == pytest.approx(latency.percentile(0.99), rel=SLOPE)
    assert all(part.percentile > 0 for part in found)


# The same for systems that nobody thought of: caches, partners, pools, replicas in any combination.
@pytest.mark.parametrize("seed", range(12))
def test_contributions_add_up_in_random_systems(seed: int) -> None:
    values = random_system(Random(seed))  # noqa: S311, systems and not secrets
    for tier in values["components"].values():
        if tier["kind"] == "database":
            tier["replicas"] = 2
        elif tier["kind"] != "external" and "host" not in tier:
            tier["nodes"] = 4
    solution = solved(values)
    latency, found = class_latency(solution, "page"), contributions(solution, "page")
    assert latency is not None
    assert sum(part.mean for part in found) == pytest.approx(latency.mean, rel=SLOPE)
    assert sum(part.percentile for part in found) == pytest.approx(latency.percentile(0.99), rel=SLOPE)


# Requests as slow as the p99 are slow because of the tier whose time varies, not because of the one that is slow always.
def test_what_never_varies_contributes_to_the_tail_no_more_than_to_the_mean() -> None:
    tiers = {
        "front": service(0.0, calls=calling("steady", "fickle")),
        "steady": external(0.1, variability=0.0),
        "fickle": external(0.1, variability=2.0),
    }
    found = {part.tier: part for part in contributions(solved(file(tiers, 1.0)), "page")}
    assert found["steady"].percentile == pytest.approx(0.1, rel=SLOPE)
    assert found["fickle"].percentile > 4 * found["fickle"].mean


# An overloaded system has no response time, and so nothing that contributes to it; asking changes no number of it.
def test_overload_has_no_contributions_and_asking_changes_nothing() -> None:
    assert contributions(solved(file({"app": service(0.02)}, 100.0)), "page") == []
    solution = solved(file(PATHS["a timeout with retries"], 100.0))
    before = dict(solution.attempts), dict(solution.answers), dict(solution.bulkheads)
    contributions(solution, "page")
    assert (solution.attempts, solution.answers, solution.bulkheads) == before
