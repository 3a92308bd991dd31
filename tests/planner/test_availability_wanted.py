"""An availability that the file asks for: plans have the nodes for it, and say so where no nodes would do."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
import tomli_w

from capacity.plan import as_given
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from tests.capacity.running import capacity
from tests.planner.systems import (
    Values,
    changed,
    database,
    evaluated,
    external,
    file,
    planned,
    service,
    sized,
    topology,
)

if TYPE_CHECKING:
    from pathlib import Path

    from capacity.results import Evaluation

FIELDS = {"app": "nodes", "db": "replicas"}


def wanting(availability: float | None, zones: int = 3, *, writes: float = 0.0, **tiers: Values) -> Values:
    """Return web servers that need two nodes, before a database that needs one and before partners."""
    own = {
        "app": service(0.01, None, calls=[{"to": "db", "writes": writes}, *({"to": name} for name in tiers)]),
        "db": database(0.0001, 0.0001, "auto", "n2"),
    }
    values = file(own | tiers, 150, utilization=0.8)
    return changed(changed(values, "slo.availability", availability), "resilience.zones", zones)


def with_counts(values: Values, counts: dict[str, int]) -> Values:
    """Return a file with counts of nodes and replicas."""
    for name, count in counts.items():
        values = changed(values, f"components.{name}.{FIELDS[name]}", count)
    return values


def given(values: Values, counts: dict[str, int]) -> Evaluation:
    """Return the whole evaluation of a file with some counts."""
    return as_given(topology(with_counts(values, counts))).evaluation


# The more is wanted, the more nodes: the plan is the cheapest of all counts that are up often enough, no node of it
# can be spared, and what is reached is what its evaluation tells.
@pytest.mark.parametrize("wanted", [None, 0.998, 0.9993, 0.9999, 0.999999, 0.9999999])
def test_nodes_are_added_until_it_is_met(wanted: float | None) -> None:
    values = changed(wanting(wanted), "resilience.node_mttr", "12h")
    found = planned(values)
    assert found.feasible
    passing = [
        (round(seen.cost.monthly, 6), counts)
        for app, db in product(range(2, 7), range(4))
        if (seen := given(values, counts := {"app": app, "db": db})).feasible
    ]
    assert (round(found.evaluation.cost.monthly, 6), found.counts) == min(passing, key=lambda pair: pair[0])
    page = found.evaluation.classes["page"]
    assert page.availability == given(values, found.counts).classes["page"].availability
    if wanted is not None:
        assert page.availability is not None
        assert page.availability >= wanted
        assert [(slo.limit, slo.value, slo.met) for slo in page.slo] == [(wanted, page.availability, True)]


# A system of one tier is a system too.
@pytest.mark.parametrize(("wanted", "nodes"), [(0.99, 3), (0.9999, 5)])
def test_one_tier(wanted: float, nodes: int) -> None:
    values = changed(file({"app": service(0.01, None)}, 250, utilization=0.9), "slo.availability", wanted)
    found = planned(changed(values, "resilience.zones", 3))
    assert found.feasible
    assert found.counts == {"app": nodes}


# Nodes that are there for availability alone say so: the reason names as many as there are.
def test_availability_is_a_reason() -> None:
    found = planned(wanting(0.9999))
    assert found.feasible
    assert found.counts == {"app": 3, "db": 1}
    whys = {name: [(w.constraint, w.nodes) for w in found.evaluation.tiers[name].why] for name in FIELDS}
    assert whys == {
        "app": [("availability: page", 3), ("utilization: app cores", 2)],
        "db": [("availability: page", 2)],
    }


# What a partner keeps down counts against the same objective: our nodes have what it leaves.
def test_a_partner_takes_its_share() -> None:
    alone, beside = planned(wanting(0.9994)), planned(wanting(0.9994, p=external(0.01, availability=0.9997)))
    assert alone.feasible
    assert beside.feasible
    assert (alone.counts, beside.counts) == ({"app": 3, "db": 0}, {"app": 3, "db": 1})
    assert beside.evaluation.classes["page"].availability_limited_by == "p"


# A partner of which nobody knows is not held against the plan, but said to be unknown.
def test_an_unknown_partner_is_not_held_against_it() -> None:
    found = planned(wanting(0.9999, p=external(0.01)))
    assert found.feasible
    assert found.counts == planned(wanting(0.9999)).counts
    assert found.evaluation.classes["page"].availability is None
    assert found.evaluation.classes["page"].availability_unknown == ["p"]


HOPELESS = {
    "a zone": (wanting(0.9999, zones=1), "page: availability"),
    "a partner": (wanting(0.9999, p=external(0.01, availability="99%")), "page: availability (most by p)"),
    "a partner that is never there": (wanting(0.5, p=external(0.01, availability=0)), "page: availability (most by p)"),
    "partners": (
        wanting(0.999, p=external(0.01, availability=0.9994), q=external(0.01, availability=0.9994)),
        "page: availability",
    ),
}
"""What zones and partners alone keep down."""

ELSEWHERE = {
    "failovers": wanting(0.99999, writes=0.5),
    "a given count": changed(wanting(0.9999), "components.db.replicas", 0),
    "a bound of nodes": changed(wanting(0.9999), "components.app.max_nodes", 2),
}
"""What no nodes that may be had make up for."""


# Where zones or partners alone keep a class down for too long, no nodes are tried for it: the search ends after the few
# systems that the rest takes.
@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless_at_once(name: str) -> None:
    values, _ = HOPELESS[name]
    solved: list[int] = []
    found = size(Search.of(resolve(topology(values)), solved.append))
    rest: list[int] = []
    usual = size(Search.of(resolve(topology(changed(values, "slo.availability", None))), rest.append))
    assert found.conflict is not None
    assert (found.conflict.violation.name, found.conflict.violation.constraint) == ("page", "availability")
    assert found.counts == usual.counts
    assert len(solved) <= 2 * len(rest) + 10


# Whatever keeps it down, the counts are those that meet all the rest.
@pytest.mark.parametrize("name", ELSEWHERE)
def test_all_the_rest_is_met(name: str) -> None:
    values = ELSEWHERE[name]
    found = sized(values)
    assert found.conflict is not None
    assert found.conflict.violation.constraint == "availability"
    assert evaluated(with_counts(changed(values, "slo.availability", None), found.counts)).feasible


# The plan says what keeps it down, by how much, and what would mend it.
@pytest.mark.parametrize("name", HOPELESS)
def test_what_keeps_it_down_is_told(name: str) -> None:
    values, told = HOPELESS[name]
    found = planned(values)
    assert not found.feasible
    (advice,) = found.evaluation.infeasible
    assert advice.constraint.startswith(told)
    assert "wanted" in advice.best
    assert advice.mends
    assert [slo.met for slo in found.evaluation.classes["page"].slo] == [False]
    assert evaluated(with_counts(changed(values, "slo.availability", None), found.counts)).feasible


# A check ends with 1 where a class is down for too long, and says by how much; with 0 where it is not.
@pytest.mark.parametrize(("counts", "code"), [({"app": 3, "db": 0}, 1), ({"app": 4, "db": 1}, 0)])
def test_check(tmp_path: Path, counts: dict[str, int], code: int) -> None:
    path = tmp_path / "a.toml"
    path.write_text(tomli_w.dumps(with_counts(wanting(0.9999), counts)))
    ended = capacity("check", path)
    assert ended.code == code
    assert ("FAIL normal: page availability: 99.9" in ended.out) == (code == 1)
    assert ("99.990% wanted" in ended.out) == (code == 1)
    assert capacity("check", path, "--set", "slo.availability=0.99").code == 0
