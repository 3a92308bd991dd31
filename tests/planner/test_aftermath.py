"""What is told after something is lost: threads that were full before, machines with all on them, caches that refill."""

from __future__ import annotations

import re

import pytest

from capacity.errors import UsageError
from capacity.plan import as_given
from capacity.report import sections
from capacity.scale_report import sections as compared
from capacity.scaling import scale
from tests.planner.events import case
from tests.planner.systems import Values, cache, changed, database, evaluated, external, file, service, topology


def lines(values: Values, scenario: str) -> list[str]:
    """Return the report of an event as lines, the cells of tables with bars between."""
    found = sections(as_given(topology(values), scenario).evaluation)
    return [line for s in found for line in (s.title, *map(" | ".join, s.rows), *s.notes)]


# Where no thread is free before a partner hangs, none is while it does: they are all taken from the start.
def test_threads_full_before() -> None:
    values = file({"app": service(0.001, 1, threads=2, calls=[{"to": "p"}]), "p": external(0.1)}, 300)
    assert case(values, "partner_down", "p").facts["p"]["threads_full_s"] == {"app": 0.0}
    told = "\n".join(lines(values, "partner_down"))
    assert "the threads of app are all taken already" in told
    assert "has threads for all" not in told


# With the only node of a host goes all that lives on it: no latency, no limit, and it is nobody's busiest.
@pytest.mark.parametrize("resident", ["near", "helper"])
def test_residents_of_a_lost_host(resident: str) -> None:
    tiers = {
        "app": service(0.005, 1, "n4", calls=[{"to": "near"}, {"to": "helper"}]),
        "near": cache("db", 0.000001, host="app"),
        "helper": {"kind": "service", "host": "app", "cpu_time": 0.001, "threads": 50},
        "db": database(0.001),
    }
    values = file(tiers, 100)
    found = as_given(topology(values), "node:app").evaluation.tiers[resident]
    assert (found.nodes, found.utilization, found.limits, found.response.p99_s) == (0, None, [], None)
    lost = case(values, "node", "app")
    assert lost.limits[resident] == lost.limits["app"] == []
    assert lost.busiest is not None
    assert lost.busiest.tier == "db"


# What fills again after a node is lost is what is left: its steady hit ratio is that of a cache with so many nodes.
@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_a_cache_fills_to_what_is_left(nodes: int) -> None:
    tiers = {
        "app": service(0.0001, 1, "n4", calls=[{"to": "c"}]),
        "c": cache("db", 0.00001, nodes, memory=200_000.0),
        "db": database(0.0001, node="n8"),
    }
    values = file(tiers, 300)
    fact = case(values, "node", "c").facts["c"]
    fewer = evaluated(changed(values, "components.c.nodes", nodes - 1)).tiers["c"].details["hit_ratio"]
    assert fact["steady_hit_ratio"] == pytest.approx(fewer)
    assert fact["recovering"][-1]["hit_ratio"] <= fewer * (1 + 1e-9)
    all_there = evaluated(values).tiers["c"].details["hit_ratio"]
    assert fact["hit_ratio"] == pytest.approx(all_there * (1 - 1 / nodes)), (
        "as in the event: the others hold what they did"
    )
    (told,) = [line for line in lines(values, "node:c") if "at first" in line]
    assert told.endswith("in the end")


# A cache that holds everything asks its origin for nothing, not for what rounding leaves of the sum of its shares; and
# a tier that nothing arrives at has no loads to be compared at.
def test_nothing_is_left_of_rounding() -> None:
    tiers = {
        "app": service(0.001, 1, "n4", calls=[{"to": "c"}]),
        "c": cache("db", 0.00001, 1, memory=1e9),
        "db": database(0.001),
    }
    values = file(tiers, 100)
    assert evaluated(values).tiers["db"].arrival_rate_per_s == 0
    found = scale(topology(values), "db")
    assert found.tiers["db"].crossing is None
    told = "\n".join(note for s in compared(found) for note in s.notes)
    assert "nothing arrives in normal operation" in told


# What piled up while a partner was down is worked off with the limits that it has again; and of nothing there is nothing
# to drain.
def test_a_queue_drains_after_a_partner() -> None:
    tiers = {
        "app": service(0.0001, 1, calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 8},
        "worker": service(0.001, 4, calls=[{"to": "p"}]),
        "p": external(0.01, rate_limit=150.0),
    }
    values = file(tiers, 120)
    calm = evaluated(values).tiers["jobs"].details["drain_s"]
    # 600 s x 120/s wait, of which 30/s more than arrive are worked off.
    assert calm == pytest.approx(600 * 120 / 30)
    assert as_given(topology(values), "partner_down").evaluation.tiers["jobs"].details["drain_s"] == calm
    silent = changed(values, "workload.classes.page.rate", 0)
    assert evaluated(silent).tiers["jobs"].details["drain_s"] == 0
    assert any("has nothing to drain" in line for line in lines(silent, "normal"))


# Of a scenario that need not be survived the worst is told first, and that there is more.
def test_the_worst_first() -> None:
    tiers = {
        "app": service(0.006, 1, calls=[{"to": "p"}, {"to": "db"}]),
        "db": database(0.0061),
        "p": external(0.001, rate_limit=110.0),
    }
    found = as_given(topology(file(tiers, 100, latency={"page": {"p99": 1.0}}))).evaluation
    told = [note for s in sections(found) for note in s.notes if note.startswith("surge: ")]
    assert told[0].startswith("surge: p rate")
    assert told[1].startswith("surge: db primary cores")
    assert "and 2 more (`evaluate --scenario surge`)" in told[2]


# What cannot happen here says what the file would have to say otherwise.
@pytest.mark.parametrize(("scenario", "key"), [("zone", "resilience.zones"), ("mean", "workload.peak_to_mean")])
def test_no_such_scenario_names_the_key(scenario: str, key: str) -> None:
    with pytest.raises(UsageError, match=re.escape(key)):
        as_given(topology(file({"app": service(0.001, 1)}, 10)), scenario)
