from __future__ import annotations

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.output import Target, formatted
from tests.planner.brute_force import BruteForce
from tests.planner.random_systems import MOST, random_system
from tests.planner.systems import Values, changed, database, document, evaluated, file, planned, service, sized

seeds = st.integers(0, 10_000)
property_test = settings(max_examples=25)


def drawn(seed: int) -> Values:
    """Return a random system."""
    return random_system(random.Random(seed))  # noqa: S311, nothing is kept secret


# A plan passes as it stands and with any node lost; with any one node less it does not. All told by whole files.
@given(seeds)
@property_test
def test_every_node_is_needed(seed: int) -> None:
    values = drawn(seed)
    plan, everything = sized(values), BruteForce(values, MOST)
    assume(plan.conflict is None)
    assert everything.passes(plan.counts)
    for name, count in plan.counts.items():
        least = 0 if everything.fields[name] == "replicas" else 1
        if count > least:
            assert not everything.passes({**plan.counts, name: count - 1}), name


# The largest count that a constraint asks for is the plan's, and it is honest: the counts of the others being the
# plan's, the tier fails with one node less than it names.
@given(seeds)
@property_test
def test_reasons_are_honest(seed: int) -> None:
    values = drawn(seed)
    assume(sized(values).conflict is None)
    plan, everything = planned(values), BruteForce(values, MOST)
    for name, count in plan.counts.items():
        found, extra = plan.evaluation.tiers[name].why, int(everything.fields[name] == "replicas")
        assert found
        assert found[0].nodes == max(why.nodes for why in found) == plan.evaluation.tiers[name].nodes == count + extra
        for why in found:
            if why.constraint == "minimum":
                continue
            fewer = {**plan.counts, name: why.nodes - extra - 1}
            if why.constraint.startswith("node lost"):
                assert not everything.passes(fewer), (name, why)
            elif fewer[name] >= 1 - extra:
                assert not evaluated(everything.file(fewer)).feasible, (name, why)
                now = everything.file({**plan.counts, name: why.nodes - extra})
                resource = why.constraint.split(": ")[1]
                assert resource not in {f"{v.name} {v.constraint}" for v in evaluated(now).failures}, (name, why)


# More load never costs less, nor does surviving a lost node, nor a lower ceiling.
@given(seeds, st.floats(1.01, 2.0))
@property_test
def test_demanding_more_never_costs_less(seed: int, factor: float) -> None:
    values = drawn(seed)
    plan, everything = sized(changed(values, "resilience.survive", [])), BruteForce(values, MOST)
    rate = values["workload"]["classes"]["page"]["rate"]
    demands = [
        changed(changed(values, "resilience.survive", []), "workload.classes.page.rate", rate * factor),
        changed(values, "resilience.survive", ["node"]),
        changed(changed(values, "resilience.survive", []), "slo.utilization", 0.6),
    ]
    for demanding in demands:
        harder = sized(demanding)
        if harder.conflict is None:
            assert plan.conflict is None
            assert everything.cost(harder.counts) >= everything.cost(plan.counts) * (1 - 1e-9)


# Equal files give equal plans, byte for byte, in every form.
@given(seeds)
@settings(max_examples=8)
def test_deterministic(seed: int) -> None:
    values = drawn(seed)
    assume(sized(values).conflict is None)
    one, other = planned(values), planned(values)
    for form in ("json", "toml", "csv", "markdown", "table"):
        assert formatted(Target(None, form, force=False), document(values), one) == formatted(
            Target(None, form, force=False), document(values), other
        )


def two_tiers(**fields: object) -> Values:
    """Return a file that a plan of four app nodes and one database serves."""
    app = service(0.02, None, "n2", calls=[{"to": "db"}]) | fields
    return file({"app": app, "db": database(0.001, 0.001, "auto", "n4")}, 250, utilization=0.75)


# What the file gives is not touched, and is the reason itself.
def test_given_counts_are_kept() -> None:
    assert planned(two_tiers()).counts == {"app": 4, "db": 0}
    plan = planned(changed(two_tiers(nodes=7), "components.db.replicas", 2))
    assert plan.counts == {"app": 7, "db": 2}
    assert [(w.constraint, w.nodes) for w in plan.evaluation.tiers["app"].why] == [("given", 7)]
    assert [(w.constraint, w.nodes) for w in plan.evaluation.tiers["db"].why] == [("given", 3)]


# Bounds of the file hold: at least min_nodes, of a database too; at most max_nodes, beyond which nothing is feasible.
def test_bounds_are_kept() -> None:
    assert planned(two_tiers(min_nodes=6)).counts["app"] == 6
    assert planned(two_tiers(max_nodes=4)).feasible
    short = planned(two_tiers(max_nodes=3))
    assert not short.feasible
    assert short.counts["app"] == 3
    assert any("max_nodes" in mend for advice in short.evaluation.infeasible for mend in advice.mends)
    assert planned(changed(two_tiers(), "components.db.min_nodes", 3)).evaluation.tiers["db"].nodes == 3


# Surviving the loss of a node means one more where the cores bind, and two where one would do.
def test_one_node_more_survives_a_loss() -> None:
    values = changed(two_tiers(), "resilience.survive", ["node"])
    assert planned(values).counts == {"app": 5, "db": 1}


# A price that is not known is never 0: the total says which tier it lacks, and such nodes are used sparingly.
def test_unknown_price() -> None:
    values = changed(two_tiers(), "node_types.n2.price", None)
    plan = planned(values)
    assert plan.counts == {"app": 4, "db": 0}
    assert plan.evaluation.cost.unknown == ["app"]
    assert plan.evaluation.tiers["app"].monthly_cost is None
    assert plan.evaluation.cost.monthly == pytest.approx(0.4 * 730)


# A price of the book is in its currency only.
def test_price_in_another_currency_is_unknown() -> None:
    values = changed(two_tiers(node="c6i.large"), "currency", "EUR")
    assert planned(values).evaluation.cost.unknown == ["app"]
    assert planned(changed(values, "currency", "USD")).evaluation.cost.unknown == []


# More consumers than partitions have nothing to do: where that many are too few, no plan exists and the mend is told.
def test_partitions_cap_consumers() -> None:
    tiers = {
        "app": service(0.0001, None, calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 4},
        "worker": service(0.04, None, "n1"),
    }
    assert planned(file(tiers, 90)).counts["worker"] == 4
    short = planned(file(tiers, 110))
    assert not short.feasible
    assert short.counts["worker"] == 4
    assert any("jobs.partitions" in mend for advice in short.evaluation.infeasible for mend in advice.mends)


# A tier that no request reaches gets the least, and the plan says so.
def test_unreached_tier() -> None:
    values = changed(two_tiers(), "components.idle", service(0.01, None))
    plan = planned(changed(values, "resilience.survive", ["node"]))
    assert plan.counts["idle"] == 1
    assert ("idle", "unreached") in [(w.tier, w.code) for w in plan.evaluation.warnings]


# A tier of a thousand nodes is found as fast as one of three.
def test_large_counts() -> None:
    values = file({"app": service(0.01, None, "n8")}, 500_000.0, survive=("node",), utilization=0.75)
    assert planned(values).counts["app"] == 835


# Connections that are counted by what is in use are less with more nodes, so that a plan exists; those that each caller
# keeps open anyway are no fewer.
@pytest.mark.parametrize(("pool", "feasible"), [(None, True), (4, False)])
def test_more_nodes_for_connections_in_use(pool: int | None, feasible: bool) -> None:  # noqa: FBT001
    call = {"to": "db"} | ({} if pool is None else {"pool": pool})
    values = file({"app": service(0.001, calls=[call]), "db": database(0.01, max_connections=1)}, 60.0)
    assert sized(values).conflict is not None
    del values["components"]["db"]["replicas"]
    plan = sized(values)
    assert (plan.conflict is None) == feasible
    assert BruteForce(values, MOST).passes(plan.counts) == feasible
